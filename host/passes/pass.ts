// What a pass is. In: a graph. Out: the number of rewrites it made in place; 0 means that it found nothing more to do.
// A pass keeps the meaning of the graph and its invariants (host/graph/verify.ts). Must not know the other passes.

import type { Graph } from '../graph/graph.ts';

export interface Pass {
  /** Verb and object, as the file is named. */
  readonly name: string;
  run(graph: Graph): number;
}
