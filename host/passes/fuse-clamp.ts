// Puts clamps (Relu, Relu6, Clip) into the op that makes their input. In: a graph with unary clamps. Out: fewer nodes.
// Two clamps in a row become one first; a clamp behind a concat or a rearrangement moves in front of it if every part can take it
// in. Only where nothing else uses the value in between.

import { onlyOutput, type Editor } from '../graph/edit.ts';
import { is, type Node, type Value } from '../graph/graph.ts';
import type { Clamp } from '../ops/activation.ts';
import { binary } from '../ops/binary.ts';
import { channelShuffle } from '../ops/channel-shuffle.ts';
import { concat } from '../ops/concat.ts';
import { conv2d } from '../ops/conv2d.ts';
import { convTranspose2d } from '../ops/conv-transpose2d.ts';
import { matmul } from '../ops/matmul.ts';
import type { Op } from '../ops/op.ts';
import { pool2d } from '../ops/pool2d.ts';
import { reshape } from '../ops/reshape.ts';
import { transpose } from '../ops/transpose.ts';
import { unary } from '../ops/unary.ts';
import { sameQuantization } from '../tensor.ts';
import { nodePass } from './pass.ts';

export const fuseClamp = nodePass('fuse-clamp', (editor, node) => {
  const clamp = clampOf(node);
  return clamp !== undefined && fuse(editor, node, clamp);
});

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
  if (fuseIntoAny(editor, node, producer, outer)) return true;
  if (!canAbsorb(editor, producer)) return false;
  absorb(editor, producer, outer);
  editor.replaceValue(onlyOutput(node), node.inputs[0] as Value);
  return true;
}

/** Puts a node with the clamp in it in the place of `node`, which is `producer` or the clamp behind it. */
function fuseIntoAny(editor: Editor, node: Node, producer: Node, clamp: Clamp): boolean {
  return fuseInto(editor, node, producer, conv2d, clamp) || fuseInto(editor, node, producer, convTranspose2d, clamp)
    || fuseInto(editor, node, producer, matmul, clamp) || fuseInto(editor, node, producer, binary, clamp)
    || fuseInto(editor, node, producer, pool2d, clamp);
}

/** Ops that only bring the elements of all their inputs into another order: a clamp may as well come before them. */
function rearranges(node: Node): boolean {
  return is(node, concat) || is(node, channelShuffle) || is(node, reshape) || is(node, transpose);
}

/** How many rearrangements a clamp moves past at most: bounds the recursion. */
const MAX_DEPTH = 8;

/** True when everything that is joined here can take in a clamp and is used for nothing else. */
function canAbsorb(editor: Editor, node: Node, depth = 0): boolean {
  const { quantization } = onlyOutput(node);
  return depth < MAX_DEPTH && rearranges(node) && node.inputs.every((value) => {
    const producer = editor.producer(value);
    if (value === null || producer === undefined || editor.soleConsumer(value) !== node || !sameQuantization(value.quantization, quantization)) return false;
    return isHost(producer) || canAbsorb(editor, producer, depth + 1);
  });
}

function absorb(editor: Editor, node: Node, clamp: Clamp): void {
  for (const value of new Set(node.inputs)) {
    const producer = editor.producer(value) as Node;
    if (!fuseIntoAny(editor, producer, producer, clamp)) absorb(editor, producer, clamp);
  }
}

function isHost(node: Node): boolean {
  return (is(node, conv2d) && node.attrs.activation === undefined) || is(node, convTranspose2d) || is(node, matmul) || is(node, binary) || is(node, pool2d);
}

function fuseInto<A extends Clamp>(editor: Editor, node: Node, producer: Node, op: Op<A>, outer: Clamp): boolean {
  if (!is(producer, op) || (is(producer, conv2d) && producer.attrs.activation !== undefined)) return false;
  editor.replaceNode(node, op, { ...producer.attrs, ...both(producer.attrs, outer) }, producer.inputs, { quantization: onlyOutput(producer).quantization });
  return true;
}

/** One clamp after another, as one: where they do not overlap, everything lands on the outer one's nearer bound. */
function both(inner: Clamp, outer: Clamp): Clamp {
  const clamp = (x: number): number => Math.min(outer.max, Math.max(outer.min, x));
  return { min: clamp(inner.min), max: clamp(inner.max) };
}
