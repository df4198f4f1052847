// Runs passes. In: a graph and lists of passes. Out: the same graph, changed in place, and how often each pass found something.
// Must not know what the passes do, nor their order.

import type { Graph } from '../graph/graph.ts';
import type { Pass } from './pass.ts';

export interface Optimised {
  readonly graph: Graph;
  /** Rewrites per pass name; "recognise-shuffle" is the number of channel shuffles found. */
  readonly counts: ReadonlyMap<string, number>;
}

/** Sees the graph after every pass that changed it: tests verify it there. */
export type AfterPass = (pass: Pass, graph: Graph) => void;

export interface Schedule {
  /** Run in order, again and again until a whole round changes nothing. */
  readonly repeated: readonly Pass[];
  /** Run once, afterwards. */
  readonly final: readonly Pass[];
}

/** Real models need two or three rounds; the bound is against passes that undo each other. */
const MAX_ROUNDS = 8;

export function runPasses(graph: Graph, schedule: Schedule, after: AfterPass = () => undefined): Optimised {
  const counts = new Map<string, number>();
  const run = (pass: Pass): number => {
    const count = pass.run(graph);
    if (count > 0) after(pass, graph);
    counts.set(pass.name, (counts.get(pass.name) ?? 0) + count);
    return count;
  };
  for (let round = 0, changed = true; changed && round < MAX_ROUNDS; round++) {
    changed = schedule.repeated.map(run).some((count) => count > 0);
  }
  schedule.final.forEach(run);
  return { graph, counts };
}
