// Timing for `bench` and `run --repeat`. In: a loaded model. Out: milliseconds, and what they mean against the machine's peak.
// Must not print, and must not know files.

import type { IoInfo, Model, Peak } from '../model.ts';
import { allocate, elementCount } from '../tensor.ts';
import type { TensorData } from '../tensor.ts';

/** Long enough that the optimising compiler has replaced every kernel and the processor's clock has settled. */
const WARM_UP_MS = 500;

export interface Timing {
  /** Milliseconds of every run, sorted. */
  readonly sorted: Float64Array;
  /** Measured before and after the runs; the machine's clock moves, and the higher one is the fairer peak. */
  readonly peak: Peak;
}

/** The same numbers every time: timing needs no real input. */
export function noise(info: IoInfo): TensorData {
  const data = allocate(info.dtype, elementCount(info.shape));
  let state = 1;
  for (let i = 0; i < data.length && !(data instanceof BigInt64Array || data instanceof Int32Array); i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[i] = data instanceof Float32Array ? state / 2 ** 31 - 1 : state >>> 24;
  }
  return data;
}

/** Writes noise into all inputs. */
export function fillWithNoise(model: Model): void {
  model.inputs.forEach((info, i) => { (model.input(i) as Float32Array).set(noise(info) as Float32Array); });
}

/** Milliseconds of one inference: on the GPU or all threads of a model that has them, else on what the inputs hold. */
export async function timeOnce(model: Model): Promise<number> {
  if (model.stats.threads > 1 || model.stats.backend === 'webgpu') {
    const inputs = model.inputs.map((_, i) => model.input(i)); // run() sets them to what they hold
    const started = performance.now();
    await model.run(inputs);
    return performance.now() - started;
  }
  const started = performance.now();
  model.runSync();
  return performance.now() - started;
}

/** Milliseconds of the runs that warm the model up, in order: `count` of them, or as many as it takes to be warm. */
export async function warmUp(model: Model, count?: number): Promise<number[]> {
  const times: number[] = [];
  for (let sum = 0; count === undefined ? sum < WARM_UP_MS : times.length < count; sum += times.at(-1) ?? 0) times.push(await timeOnce(model));
  return times;
}

/** Milliseconds of every run, sorted. */
export async function timeRuns(model: Model, runs: number): Promise<Float64Array> {
  const times = new Float64Array(runs);
  for (let i = 0; i < runs; i++) times[i] = await timeOnce(model);
  return times.sort();
}

/** The peak is one thread's. */
export async function measure(model: Model, runs: number): Promise<Timing> {
  const before = await model.peak();
  const sorted = await timeRuns(model, runs);
  const after = await model.peak();
  return { sorted, peak: after.gflops > before.gflops ? after : before };
}

/** The smallest time that at least the given share of the runs did not exceed. */
export function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/** 1e9 operations a second, two per multiply-accumulate. */
export function gigaOps(macs: number, milliseconds: number): number {
  return milliseconds === 0 ? 0 : (2 * macs) / (milliseconds * 1e6);
}

export function threadsText({ stats }: Model): string {
  return stats.threads === 1 ? '1 thread' : `${stats.threads} threads`;
}

export function unitOf(peak: Peak): string {
  return peak.kind === 'int8' ? 'GOPS int8' : 'GFLOPS';
}

/** True when some layers need fewer multiplications than their MACs say. */
export function usesWinograd(model: Model): boolean {
  return model.steps().some(({ kernel }) => kernel === 'f32_winograd');
}

/** For example "43.0 GFLOPS, 68.9 % of the register-only peak of 62.4". V8 before 13 spills in the simd128 build's peak loop. */
export function speedText(gops: number, peak: Peak, winograd = false): string {
  const speed = `${gops.toFixed(2)} ${unitOf(peak)}, ${((100 * gops) / peak.gflops).toFixed(1)} % of the register-only peak of ${peak.gflops.toFixed(2)}`;
  if (winograd) return `${speed} (counting what Winograd saves)`;
  return gops > peak.gflops ? `${speed} (no true peak: this engine compiles the loop badly)` : speed;
}
