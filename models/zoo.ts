// kinglet/models: networks by name as plans or graphs, float32 or int8. In: a name, options. Out: what backends and compilers take.
// Must not know any particular network, files or the command line.

import { compileGraph, optimiseGraph, type CompileOptions } from '../host/compile.ts';
import { KingletError, quote } from '../host/error.ts';
import type { Graph } from '../host/graph/graph.ts';
import { quantizeGraph } from '../host/quantize/quantize-graph.ts';
import { networks, type NetworkOptions } from './index.ts';
import { noise } from './random.ts';

export type { NetworkOptions, Padding, WeightRole, WeightSource } from './index.ts';

export interface ZooOptions extends NetworkOptions {
  /** The quantised form: int8 in and out, ranges from a calibration pass on seeded noise. */
  readonly int8?: boolean | undefined;
}
export interface ZooPlanOptions extends ZooOptions, Pick<CompileOptions, 'tolerance'> {}

export const networkNames: readonly string[] = [...networks.keys()];

/** Seeds of the calibration pictures. */
const CALIBRATION_SEEDS = [101, 102];

/** The network called `name`, as it is written or quantised. Throws ERR_USAGE for a name or option that does not exist, ERR_MODEL_INVALID for a picture too small. */
export async function networkGraph(name: string, { int8 = false, ...options }: ZooOptions = {}): Promise<Graph> {
  const build = networks.get(name);
  if (!build) throw new KingletError('ERR_USAGE', `there is no network ${quote(name)}`, { hint: nearestHint(name) });
  const graph = build(options);
  if (!int8) return graph;
  const samples = CALIBRATION_SEEDS.map((seed) => graph.inputs.map((input, i) => noise(seed + 1000 * i, input.shape).data));
  return (await quantizeGraph(graph, samples)).graph;
}

/** The same as a plan (.kgl), for loadModel() and loadPlan(). */
export async function networkPlan(name: string, { tolerance, ...options }: ZooPlanOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  return compileGraph(optimiseGraph({ graph: await networkGraph(name, options), layout: 'NHWC' }), tolerance);
}

/** "Did you mean …?" */
export function nearestHint(word: string): string {
  const wanted = word.slice(0, 40).toLowerCase();
  const rank = (name: string): number => (name.includes(wanted) ? name.length - wanted.length - 100 : editDistance(wanted, name));
  const ranked = networkNames.map((name) => ({ name, rank: rank(name) })).sort((a, b) => a.rank - b.rank);
  return `Did you mean ${ranked.slice(0, 5).map(({ name }) => name).join(', ')}?`;
}

/** Insertions, deletions and replacements from a to b (Wagner and Fischer, JACM 21(1), 1974). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length];
}
