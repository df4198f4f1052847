// `kinglet bench`: how fast models run here, from the first run to the warm state, whole and per step, against the machine's peak.
// In: models and counts. Out: tables, or one JSON object a line; progress on stderr. Must not know what networks are for.

import type { Model, Peak, StepInfo } from '../model.ts';
import { benchWebgpu } from './bench-webgpu.ts';
import { aboutFile } from './files.ts';
import type { ModelOptions } from './options.ts';
import { withModel } from './source.ts';
import { grouped, notice, print, printJson, printTable, printable, progress, shapeText } from './text.ts';
import { fillWithNoise, gigaOps, measure, percentile, speedText, threadsText, unitOf, usesWinograd, warmUp } from './timing.ts';

export interface BenchOptions extends ModelOptions {
  readonly backend: 'wasm' | 'webgpu' | 'auto';
  readonly runs: number;
  /** Absent: until the model is warm. */
  readonly warmup?: number;
  readonly layers?: true;
  readonly json?: true;
}
interface Bench {
  readonly loadMs: number;
  readonly warmup: readonly number[];
  readonly sorted: Float64Array;
  readonly peak: Peak;
  readonly layers: readonly Layer[];
}
interface Layer extends StepInfo {
  readonly ms: number;
  /** Of the sum over all steps. */
  readonly share: number;
  readonly gops: number;
}
interface KernelTotal {
  readonly kernel: string;
  readonly steps: number;
  readonly ms: number;
  readonly share: number;
  readonly gops: number;
}

/** How many runs of the warm-up curve people are shown. */
const CURVE = 12;

export async function benchCommand(sources: readonly string[], options: BenchOptions): Promise<void> {
  for (const [i, source] of sources.entries()) {
    const started = performance.now();
    progress(`${source}: loading`);
    try {
      await withModel(source, options, async (model) => {
        const loadMs = performance.now() - started;
        if (options.backend === 'auto') notice(`${model.stats.backend}: ${model.stats.backendReason ?? ''}`);
        if (model.stats.backend === 'webgpu') {
          await benchWebgpu(source, model, loadMs, options);
          return;
        }
        const result = await bench(source, model, loadMs, options);
        if (options.json) printObjects(source, model, result);
        else printForPeople(source, model, result, i > 0);
      });
    } catch (error) {
      throw sources.length > 1 ? aboutFile(source, error) : error;
    } finally {
      progress('');
    }
  }
}

async function bench(source: string, model: Model, loadMs: number, options: BenchOptions): Promise<Bench> {
  fillWithNoise(model);
  progress(`${source}: warming up`);
  const warmup = await warmUp(model, options.warmup);
  progress(`${source}: ${options.runs} runs`);
  const { sorted, peak } = await measure(model, options.runs);
  if (options.layers) progress(`${source}: ${options.runs} runs step by step`);
  const layers = options.layers ? layersOf(model, options.runs) : [];
  progress('');
  return { loadMs, warmup, sorted, peak, layers };
}

function layersOf(model: Model, runs: number): Layer[] {
  const ms = model.profile(runs);
  const total = ms.reduce((a, b) => a + b, 0) || 1;
  return model.steps().map((step, i) => ({ ...step, ms: ms[i], share: ms[i] / total, gops: gigaOps(step.macs, ms[i]) }));
}

/** The layers added up by kernel, the dearest first. */
export function kernelTotals(layers: readonly Pick<Layer, 'kernel' | 'ms' | 'share' | 'macs'>[]): KernelTotal[] {
  const kernels = [...new Set(layers.map((layer) => layer.kernel))];
  return kernels.map((kernel) => {
    const own = layers.filter((layer) => layer.kernel === kernel);
    const sum = (of: (layer: (typeof own)[number]) => number): number => own.reduce((total, layer) => total + of(layer), 0);
    const ms = sum((layer) => layer.ms);
    return { kernel, steps: own.length, ms, share: sum((layer) => layer.share), gops: gigaOps(sum((layer) => layer.macs), ms) };
  }).sort((a, b) => b.ms - a.ms);
}

function printObjects(model: string, { stats }: Model, { loadMs, warmup, sorted, peak, layers }: Bench): void {
  const p50Ms = percentile(sorted, 0.5);
  const gops = gigaOps(stats.macs, p50Ms);
  printJson({
    type: 'bench', model, backend: stats.backend, kind: peak.kind, kernels: stats.kernels, dot: stats.dot, threads: stats.threads, macs: stats.macs, steps: stats.steps,
    loadMs: rounded(loadMs), firstMs: rounded(warmup[0] ?? 0), warmupMs: warmup.map(rounded), runs: sorted.length,
    p50Ms: rounded(p50Ms), p90Ms: rounded(percentile(sorted, 0.9)), p99Ms: rounded(percentile(sorted, 0.99)), minMs: rounded(sorted[0]),
    gmacs: rounded(gops / 2), gops: rounded(gops), peakGops: rounded(peak.gflops), peakShare: rounded(gops / peak.gflops),
  });
  const line = <T extends { ms: number; share: number; gops: number }>(x: T): T => ({ ...x, ms: rounded(x.ms), share: rounded(x.share), gops: rounded(x.gops) });
  for (const layer of layers) printJson({ type: 'layer', model, ...line(layer) });
  for (const total of kernelTotals(layers)) printJson({ type: 'kernel', model, ...line(total) });
}

function printForPeople(source: string, model: Model, { loadMs, warmup, sorted, peak, layers }: Bench, apart: boolean): void {
  const { stats } = model;
  const p50 = percentile(sorted, 0.5);
  const gops = gigaOps(stats.macs, p50);
  const curve = warmup.slice(0, CURVE).map((ms) => ms.toFixed(3)).join(' ');
  if (apart) print('');
  print(printable(source, 200));
  print(`network    ${grouped(stats.macs)} MACs, ${stats.steps} steps, ${stats.kernels}, dot ${stats.dot}, ${threadsText(model)}`);
  print(`load       ${loadMs.toFixed(1)} ms`);
  print(`warm-up    ${curve}${warmup.length > CURVE ? ' ...' : ''} ms, ${warmup.length} runs`);
  print(`latency    p50 ${p50.toFixed(3)}, p90 ${percentile(sorted, 0.9).toFixed(3)}, p99 ${percentile(sorted, 0.99).toFixed(3)}, min ${sorted[0].toFixed(3)} ms, ${sorted.length} runs`);
  print(`speed      ${(gops / 2).toFixed(2)} GMAC/s, ${speedText(gops, peak, usesWinograd(model))}`);
  if (layers.length > 0) printLayers(layers, unitOf(peak));
}

function printLayers(layers: readonly Layer[], unit: string): void {
  const costs = ({ ms, share, gops }: KernelTotal | Layer): string[] => [ms.toFixed(4), (100 * share).toFixed(1), gops === 0 ? '' : gops.toFixed(1)];
  const costNames = ['ms>', 'share %>', `${unit}>`];
  print('');
  printTable(['#>', 'kernel', 'op', 'name', 'output', ...costNames],
    layers.map((layer) => [String(layer.index), layer.kernel, layer.op, printable(layer.name, 40), `${layer.dtype} ${shapeText(layer.shape)}`, ...costs(layer)]));
  print('');
  printTable(['kernel', 'steps>', ...costNames], kernelTotals(layers).map((total) => [total.kernel, String(total.steps), ...costs(total)]));
}

function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
