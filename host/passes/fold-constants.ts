// Computes at compile time what depends on constants only. In: a graph. Out: the same graph with constants in their place.
// Dequantised weights wait: they are worth more as integers until no pass can use them so (foldDequantisedWeights).

import { Editor } from '../graph/edit.ts';
import { isConstant, makeValue, type Graph, type Node } from '../graph/graph.ts';
import { dequantize } from '../ops/dequantize.ts';
import type { Pass } from './pass.ts';

function foldWhere(graph: Graph, wanted: (node: Node) => boolean): number {
  const editor = new Editor(graph);
  let count = 0;
  for (const node of [...editor.nodes()]) {
    if (!wanted(node) || node.inputs.length === 0 || !node.inputs.every((value) => value === null || isConstant(value))) continue;
    // An output keeps its node, which gives the result its place and its name.
    if (node.outputs.some((value) => editor.isOutput(value))) continue;
    const results = node.op.reference(node.inputs, node.attrs, node.outputs);
    for (const [i, output] of node.outputs.entries()) editor.replaceValue(output, makeValue(output, output.name, results[i].data));
    count++;
  }
  editor.finish();
  return count;
}

const isDequantize = (node: Node): boolean => (node.op as unknown) === dequantize;

export const foldConstants: Pass = {
  name: 'fold-constants',
  run: (graph) => foldWhere(graph, (node) => !isDequantize(node)),
};

/** Weights that no integer op took: once as float32 in the plan instead of once per run. */
export const foldDequantisedWeights: Pass = {
  name: 'fold-dequantised-weights',
  run: (graph) => foldWhere(graph, isDequantize),
};
