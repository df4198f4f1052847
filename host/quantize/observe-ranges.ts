// Runs a float graph on samples and notes between which bounds values lie. In: an optimised graph, values of it, inputs.
// Out: smallest and largest number per value. Must not know what the bounds are for.

import { placePlan } from '../backends/wasm.ts';
import { KingletError, quote } from '../error.ts';
import { isConstant, type Graph, type Value } from '../graph/graph.ts';
import { startPlan } from '../load.ts';
import type { Model } from '../model.ts';
import { encodePlan } from '../plan/encode.ts';
import { lower } from '../plan/lower.ts';
import type { TensorData } from '../tensor.ts';

export interface Range {
  readonly min: number;
  readonly max: number;
}
/** One array per graph input, in their order. */
export type Sample = readonly TensorData[];

/**
 * Bounds over all samples of the graph inputs, constants and results in `wanted`, all float32. Throws ERR_USAGE without
 * samples or for numbers that are not finite, ERR_INPUT for samples that do not fit, and what loading a plan throws.
 */
export async function observeRanges(graph: Graph, wanted: readonly Value[], samples: readonly Sample[]): Promise<Map<Value, Range>> {
  if (samples.length === 0) throw new KingletError('ERR_USAGE', 'without samples no range is known', { hint: 'Give one array per input, at least once.' });
  const results = wanted.filter((value) => !isConstant(value) && !graph.inputs.includes(value));
  const ranges = new Map<Value, Range>();
  const note = (value: Value, data: TensorData): void => { ranges.set(value, joined(ranges.get(value), boundsOf(value, data))); };
  for (const value of wanted) if (isConstant(value)) note(value, value.data);
  const model = await modelOf({ ...graph, outputs: results });
  for (const sample of samples) {
    model.runSync(sample).forEach((data, i) => { note(results[i], data); });
    graph.inputs.forEach((value, i) => { if (wanted.includes(value)) note(value, sample[i]); });
  }
  model.dispose();
  return ranges;
}

/** Between nodes memory is used again, therefore everything that is looked at is an output here. */
function modelOf(graph: Graph): Promise<Model> {
  return startPlan(placePlan(encodePlan(lower(graph), { shuffles: 0, layout: 'NHWC' })), { warmup: false });
}

function boundsOf(value: Value, data: TensorData): Range {
  let [min, max] = [Infinity, -Infinity];
  for (const item of data as Float32Array) {
    if (!Number.isFinite(item)) throw new KingletError('ERR_USAGE', `${quote(value.name)} becomes ${item} on a sample`, { hint: 'Such a network cannot be quantised.' });
    if (item < min) min = item;
    if (item > max) max = item;
  }
  return { min, max };
}

export function joined(a: Range | undefined, b: Range): Range {
  return a === undefined ? b : { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
}
