// Computes equal things once: nodes of one kind with equal attributes, inputs and output type. In: a graph. Out: fewer nodes.
// Every op is a pure function of its inputs. Constants are compared by identity, which is enough for nodes that exporters repeat.

import { Editor } from '../graph/edit.ts';
import type { Graph, Node } from '../graph/graph.ts';
import { formatAttrs } from '../graph/print.ts';
import type { TensorType } from '../tensor.ts';
import type { Pass } from './pass.ts';

export const mergeEqualNodes: Pass = {
  name: 'merge-equal-nodes',
  run(graph: Graph): number {
    const editor = new Editor(graph);
    const known = new Map<string, Node>();
    let count = 0;
    for (const node of [...editor.nodes()]) {
      const key = keyOf(node);
      const twin = known.get(key);
      if (twin === undefined) known.set(key, node);
      else if (mergeInto(editor, node, twin)) count++;
    }
    editor.finish();
    return count;
  },
};

function keyOf(node: Node): string {
  const inputs = node.inputs.map((value) => value?.id ?? '-').join(',');
  return `${node.op.kind}(${inputs})${formatAttrs(node.attrs)}${node.outputs.map(exactType).join(',')}`;
}

/** Dtype and quantisation; the shape follows from the rest. */
function exactType({ dtype, quantization: q }: TensorType): string {
  return q === undefined ? dtype : `${dtype}{${q.axis};${q.scale.join()};${q.zeroPoint.join()}}`;
}

function mergeInto(editor: Editor, node: Node, twin: Node): boolean {
  // Two outputs of the graph stay two values: each has its name.
  if (node.outputs.some((value) => editor.isOutput(value))) return false;
  for (const [i, output] of node.outputs.entries()) editor.replaceValue(output, twin.outputs[i]);
  return true;
}
