// Puts clamps (Relu, Relu6, Clip) into the op that makes their input. In: a graph with unary clamps. Out: fewer nodes.
// Two clamps in a row become one first. Only where nothing else uses the value in between.

import { Editor, onlyOutput } from '../graph/edit.ts';
import { is, type Graph, type Node, type Value } from '../graph/graph.ts';
import type { Clamp } from '../ops/activation.ts';
import { binary } from '../ops/binary.ts';
import { conv2d } from '../ops/conv2d.ts';
import { convTranspose2d } from '../ops/conv-transpose2d.ts';
import { matmul } from '../ops/matmul.ts';
import type { Op } from '../ops/op.ts';
import { pool2d } from '../ops/pool2d.ts';
import { unary } from '../ops/unary.ts';
import { sameQuantization } from '../tensor.ts';
import type { Pass } from './pass.ts';

export const fuseClamp: Pass = {
  name: 'fuse-clamp',
  run(graph: Graph): number {
    const editor = new Editor(graph);
    let count = 0;
    for (const node of [...editor.nodes()]) {
      const clamp = clampOf(node);
      if (editor.has(node) && clamp !== undefined && fuse(editor, node, clamp)) count++;
    }
    editor.finish();
    return count;
  },
};

function clampOf(node: Node): Clamp | undefined {
  return is(node, unary) && node.attrs.kind === 'clamp' ? { min: node.attrs.p0, max: node.attrs.p1 } : undefined;
}

function fuse(editor: Editor, node: Node, outer: Clamp): boolean {
  const x = node.inputs[0] as Value;
  const producer = editor.producer(x);
  const { quantization } = onlyOutput(node);
  if (producer === undefined || editor.soleConsumer(x) !== node || x.dtype === 'int32') return false;
  if (!sameQuantization(x.quantization, quantization)) return false;
  const inner = clampOf(producer);
  if (inner !== undefined) {
    const { min, max } = both(inner, outer);
    editor.replaceNode(node, unary, { kind: 'clamp', p0: min, p1: max }, producer.inputs, { quantization });
    return true;
  }
  return fuseInto(editor, node, producer, conv2d, outer) || fuseInto(editor, node, producer, convTranspose2d, outer)
    || fuseInto(editor, node, producer, matmul, outer) || fuseInto(editor, node, producer, binary, outer)
    || fuseInto(editor, node, producer, pool2d, outer);
}

function fuseInto<A extends Clamp>(editor: Editor, node: Node, producer: Node, op: Op<A>, outer: Clamp): boolean {
  if (!is(producer, op)) return false;
  editor.replaceNode(node, op, { ...producer.attrs, ...both(producer.attrs, outer) }, producer.inputs, { quantization: onlyOutput(producer).quantization });
  return true;
}

/** One clamp after another, as one: where they do not overlap, everything lands on the outer one's nearer bound. */
function both(inner: Clamp, outer: Clamp): Clamp {
  const clamp = (x: number): number => Math.min(outer.max, Math.max(outer.min, x));
  return { min: clamp(inner.min), max: clamp(inner.max) };
}
