// Whether a GPU computes a network right and faster than wasm, found out by doing both. In: both, with nobody else running them.
// Out: their times, or ERR_DEVICE with the sentence that says why not. Must not know how networks or devices are made.

import { KingletError } from '../error.ts';
import type { Backend, TensorData } from '../model.ts';
import { disagreement } from './agreement.ts';
import type { Clock } from './clock.ts';
import type { GpuSession } from './gpu-session.ts';

/** Rounds over the inputs of the check. There is a driver that is right in the first run only (denied-drivers.ts). */
const ROUNDS = 3;
const INPUTS = 2;
/** Inferences of each side whose median counts. */
const FRAMES = 5;
/** A GPU that gains less is not worth its second copy of the weights, nor the wait for its answer. */
const GAIN = 0.8;

export interface Times {
  /** Medians of one inference in milliseconds, the way to the GPU and back included. */
  readonly gpuMs: number;
  readonly wasmMs: number;
}

/** Fills the inputs with noise, compares and times, and leaves zeros in them. */
export async function prove(wasm: Backend, session: GpuSession, allowed: number, clock: Clock): Promise<Times> {
  try {
    await check(wasm, session, allowed);
    const times = {
      wasmMs: await medianOf(clock, () => onWasm(wasm)),
      gpuMs: await medianOf(clock, () => session.run(wasm.inputData)),
    };
    if (times.gpuMs < GAIN * times.wasmMs) return times;
    throw new KingletError('ERR_DEVICE', `the GPU is not faster: ${timesText(times)}`);
  } finally {
    for (const data of wasm.inputData) (data as Float32Array).fill(data instanceof BigInt64Array ? 0n as unknown as number : 0);
  }
}

export function timesText({ gpuMs, wasmMs }: Times): string {
  return `${gpuMs.toFixed(2)} ms an inference, wasm ${wasmMs.toFixed(2)} ms`;
}

/** One inference on what the inputs hold; the arrays stay valid until the next one. */
export async function onWasm(wasm: Backend): Promise<readonly TensorData[]> {
  return wasm.runAsync ? wasm.runAsync() : wasm.runOnce();
}

async function check(wasm: Backend, session: GpuSession, allowed: number): Promise<void> {
  const wanted: TensorData[][] = [];
  for (let seed = 1; seed <= INPUTS; seed++) {
    fillNoise(wasm, seed);
    wanted.push((await onWasm(wasm)).map((data) => data.slice() as TensorData));
  }
  for (let round = 1; round <= ROUNDS; round++) {
    for (let seed = 1; seed <= INPUTS; seed++) {
      fillNoise(wasm, seed);
      const apart = disagreement(wanted[seed - 1], await session.run(wasm.inputData));
      if (!(apart <= allowed)) throw wrong(apart, `in round ${round} of the check`);
    }
  }
}

export function wrong(apart: number, when: string): KingletError {
  return new KingletError('ERR_DEVICE', `the GPU computed something else than wasm ${when}, by ${apart.toExponential(1)} of the largest output`);
}

async function medianOf(clock: Clock, work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < FRAMES; i++) {
    const started = clock.now();
    await work();
    times.push(clock.now() - started);
  }
  return times.sort((a, b) => a - b)[FRAMES >> 1];
}

/** The same numbers for a seed every time: -1 to 1 in floats, any byte in bytes. */
function fillNoise(wasm: Backend, seed: number): void {
  let state = seed;
  for (const data of wasm.inputData) {
    for (let i = 0; i < data.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      if (data instanceof BigInt64Array) data[i] = 0n;
      else data[i] = data instanceof Float32Array ? state / 2 ** 31 - 1 : data instanceof Int32Array ? 0 : state >>> 24;
    }
  }
}
