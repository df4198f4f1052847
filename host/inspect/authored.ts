// The network as its author wrote it: import artefacts gone, batch normalisation and activations still there.
// In: a graph as imported or built. Out: a copy in which one node is one operation that a person would name.
// Must not know how layers are shown. The graph itself stays as it was: compiling it comes later.

import { makeValue, type Graph, type Value } from '../graph/graph.ts';
import { cancelTransposes } from '../passes/cancel-transposes.ts';
import { dropIdentities } from '../passes/drop-identities.ts';
import { foldConstants } from '../passes/fold-constants.ts';
import { foldDilation } from '../passes/fold-dilation.ts';
import { foldPad } from '../passes/fold-pad.ts';
import type { Pass } from '../passes/pass.ts';
import { recogniseShuffle } from '../passes/recognise-shuffle.ts';
import { removeDead } from '../passes/remove-dead.ts';
import { runPasses } from '../passes/run.ts';

/** Of the optimiser's passes those that undo what exporters and importers did to the network, in the optimiser's order. */
const artefacts: readonly Pass[] = [
  removeDead, foldConstants, dropIdentities, recogniseShuffle, cancelTransposes, foldPad, foldDilation,
];

export function authoredGraph(graph: Graph): Graph {
  return runPasses(copyOf(graph), { repeated: artefacts, final: [] }).graph;
}

/** Other nodes and values over the same constants' bytes. */
function copyOf(graph: Graph): Graph {
  const copies = new Map<Value, Value>();
  const copy = (value: Value): Value => {
    const known = copies.get(value) ?? makeValue(value, value.name, value.data);
    copies.set(value, known);
    return known;
  };
  return {
    inputs: graph.inputs.map(copy),
    nodes: graph.nodes.map((node) => ({ ...node, inputs: node.inputs.map((value) => value && copy(value)), outputs: node.outputs.map(copy) })),
    outputs: graph.outputs.map(copy),
  };
}
