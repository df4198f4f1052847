// What a join reads is written straight into the join's own place, so that it costs nothing. In: nodes in order, the places known so far, how to
// make one for a join that has none. Out: more places. Must not know steps, dispatches or what a place looks like.

import { usesOf, type Graph, type Node, type Value } from '../graph/graph.ts';
import type { View } from './lowering.ts';

/** Backwards: an op that only joins or views its inputs lets their producers write into its place. */
export function placeParts(graph: Graph, nodes: readonly Node[], places: Map<Value, View>, fresh: (value: Value) => View): void {
  const uses = usesOf(graph);
  for (const node of nodes.toReversed()) {
    const [out] = node.outputs;
    if (!node.op.place || !out) continue;
    const joins = node.inputs.length > 1 && node.op.kind === 'concat';
    let place = places.get(out);
    if (!place && joins) places.set(out, (place = fresh(out)));
    if (!place) continue;
    node.op.place(node, place).forEach((part, i) => {
      const input = node.inputs[i];
      if (!part || !input || !uses.producer(input) || places.has(input)) return;
      if (joins || uses.consumers(input).length === 1) places.set(input, part);
    });
  }
}
