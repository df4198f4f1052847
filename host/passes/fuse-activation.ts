// Puts activations other than clamps into the float32 convolution that makes their input. In: a graph whose clamps are fused.
// Out: fewer nodes. Last of all passes: a convolution with an activation takes in nothing more.

import { Editor, onlyOutput } from '../graph/edit.ts';
import { is, type Graph, type Node } from '../graph/graph.ts';
import type { Clamp } from '../ops/activation.ts';
import { conv2d } from '../ops/conv2d.ts';
import { fusedKinds, unary } from '../ops/unary.ts';
import type { Pass } from './pass.ts';

export const fuseActivation: Pass = {
  name: 'fuse-activation',
  run(graph: Graph): number {
    const editor = new Editor(graph);
    let count = 0;
    for (const node of [...editor.nodes()]) if (editor.has(node) && fuse(editor, node)) count++;
    editor.finish();
    return count;
  },
};

/** No clamp: the kernels compute max(x, slope * x) in its place. */
function isFree({ min, max }: Clamp): boolean {
  return min === -Infinity && max === Infinity;
}

function fuse(editor: Editor, node: Node): boolean {
  const [x] = node.inputs;
  if (!is(node, unary) || !fusedKinds.includes(node.attrs.kind) || !x || onlyOutput(node).dtype !== 'float32') return false;
  const producer = editor.producer(x);
  if (!is(producer, conv2d) || producer.attrs.activation !== undefined || editor.soleConsumer(x) !== node) return false;
  if (node.attrs.kind === 'leakyRelu' && !(node.attrs.p0 >= 0 && node.attrs.p0 <= 1 && isFree(producer.attrs))) return false;
  editor.replaceNode(node, conv2d, { ...producer.attrs, activation: node.attrs }, producer.inputs);
  return true;
}
