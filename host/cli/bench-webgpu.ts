// `kinglet bench` for a model on a GPU: the same report without what only wasm has (a peak of registers), and per dispatch instead of
// per step. In: a loaded model. Out: lines for people or one JSON object a line. Must not know how models are loaded.

import { KingletError } from '../error.ts';
import type { Model } from '../model.ts';
import type { DispatchTime } from '../webgpu/gpu-network.ts';
import { profileOf } from '../webgpu/load-on-gpu.ts';
import { fillWithNoise, gigaOps, percentile, timeRuns, warmUp } from './timing.ts';
import { grouped, print, printJson, printTable, printable, progress } from './text.ts';

interface Wishes {
  readonly runs: number;
  readonly warmup?: number;
  readonly layers?: true;
  readonly json?: true;
}
interface Result {
  readonly loadMs: number;
  readonly warmup: readonly number[];
  readonly sorted: Float64Array;
  /** Median of every dispatch. */
  readonly dispatches: readonly DispatchTime[];
}

/** Timestamps are coarse and each inference takes long that way: few are enough for a median. */
const PROFILES = 9;

/** Throws ERR_DEVICE when the model did not stay on the GPU. */
export async function benchWebgpu(source: string, model: Model, loadMs: number, { runs, warmup: count, layers, json }: Wishes): Promise<void> {
  fillWithNoise(model);
  progress(`${source}: warming up`);
  const warmup = await warmUp(model, count);
  progress(`${source}: ${runs} runs`);
  const sorted = await timeRuns(model, runs);
  if (layers) progress(`${source}: ${PROFILES} runs dispatch by dispatch`);
  const dispatches = layers ? await medians(model) : [];
  progress('');
  if (model.stats.backend !== 'webgpu') throw new KingletError('ERR_DEVICE', `the model did not stay on the GPU: ${model.stats.backendReason ?? ''}`);
  const result = { loadMs, warmup, sorted, dispatches };
  if (json) printObjects(source, model, result);
  else printForPeople(source, model, result);
}

async function medians(model: Model): Promise<DispatchTime[]> {
  const all: DispatchTime[][] = [];
  for (let i = 0; i < PROFILES; i++) {
    const times = await profileOf(model);
    if (!times) throw new KingletError('ERR_DEVICE', 'this adapter has no timestamp-query, so dispatches cannot be timed', { hint: 'Leave out --layers.' });
    all.push(times);
  }
  return all[0].map((one, d) => ({ ...one, ms: all.map((times) => times[d].ms).sort((a, b) => a - b)[PROFILES >> 1] }));
}

/** The dispatches added up by kernel, the dearest first. */
export function dispatchTotals(dispatches: readonly DispatchTime[]): { kernel: string; dispatches: number; ms: number }[] {
  return [...new Set(dispatches.map(({ kernel }) => kernel))].map((kernel) => {
    const own = dispatches.filter((one) => one.kernel === kernel);
    return { kernel, dispatches: own.length, ms: own.reduce((sum, { ms }) => sum + ms, 0) };
  }).sort((a, b) => b.ms - a.ms);
}

function printObjects(model: string, { stats }: Model, { loadMs, warmup, sorted, dispatches }: Result): void {
  const p50Ms = percentile(sorted, 0.5), gops = gigaOps(stats.macs, p50Ms);
  printJson({
    type: 'bench', model, backend: stats.backend, backendReason: stats.backendReason, ...stats.gpu, macs: stats.macs, loadMs, firstMs: warmup[0] ?? 0, warmupMs: warmup,
    runs: sorted.length, p50Ms, p90Ms: percentile(sorted, 0.9), p99Ms: percentile(sorted, 0.99), minMs: sorted[0], gmacs: gops / 2, gops,
  });
  dispatches.forEach((dispatch, index) => { printJson({ type: 'dispatch', model, index, ...dispatch }); });
  for (const total of dispatchTotals(dispatches)) printJson({ type: 'kernel', model, ...total });
}

function printForPeople(source: string, { stats }: Model, { loadMs, warmup, sorted, dispatches }: Result): void {
  const p50 = percentile(sorted, 0.5), gops = gigaOps(stats.macs, p50);
  print(printable(source, 200));
  print(`network    ${grouped(stats.macs)} MACs, webgpu, ${stats.gpu?.dispatches ?? 0} dispatches, ${stats.gpu?.pipelines ?? 0} pipelines`);
  print(`why        ${printable(stats.backendReason ?? '', 300)}`);
  print(`load       ${loadMs.toFixed(1)} ms`);
  print(`warm-up    ${warmup.slice(0, 12).map((ms) => ms.toFixed(3)).join(' ')} ms, ${warmup.length} runs`);
  print(`latency    p50 ${p50.toFixed(3)}, p90 ${percentile(sorted, 0.9).toFixed(3)}, p99 ${percentile(sorted, 0.99).toFixed(3)}, min ${sorted[0].toFixed(3)} ms, ${sorted.length} runs`);
  print(`speed      ${(gops / 2).toFixed(2)} GMAC/s, upload and read-back included`);
  if (dispatches.length === 0) return;
  print('');
  printTable(['#>', 'kernel', 'op', 'name', 'ms>'], dispatches.map(({ kernel, op, name, ms }, i) => [String(i), kernel, op, printable(name, 40), ms.toFixed(4)]));
  print('');
  printTable(['kernel', 'dispatches>', 'ms>'], dispatchTotals(dispatches).map((total) => [total.kernel, String(total.dispatches), total.ms.toFixed(4)]));
}
