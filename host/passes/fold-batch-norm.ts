// Puts batch normalisation, and scaling or shifting by constants per channel, into the weights and bias of the op before it.
// In: a graph. Out: fewer nodes, the same function up to rounding: factors are formed in float64 and rounded once.
// Only float32, only where nothing else uses the value in between and no clamp stands there.

import { onlyOutput, type Editor } from '../graph/edit.ts';
import { is, isConstant, makeValue, type Constant, type Node, type Value } from '../graph/graph.ts';
import type { Clamp } from '../ops/activation.ts';
import { batchNorm } from '../ops/batch-norm.ts';
import { binary } from '../ops/binary.ts';
import { conv2d } from '../ops/conv2d.ts';
import { matmul } from '../ops/matmul.ts';
import type { Op } from '../ops/op.ts';
import { numbers } from '../tensor.ts';
import { nodePass } from './pass.ts';

/** y = x * scale + shift, per channel. */
interface Affine extends Clamp {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

export const foldBatchNorm = nodePass('fold-batch-norm', fold);

function fold(editor: Editor, node: Node): boolean {
  const y = onlyOutput(node);
  if (y.dtype !== 'float32' || y.shape.length === 0) return false;
  const channels = y.shape[y.shape.length - 1];
  // The operand that a convolution made: the first, or for commutative kinds the second.
  for (const x of node.inputs) {
    const producer = editor.producer(x);
    if (x === null || producer === undefined || editor.soleConsumer(x) !== node || !sameDims(x, y)) continue;
    const affine = affineOf(node, x, channels);
    if (affine !== undefined && (foldInto(editor, node, producer, conv2d, affine) || foldInto(editor, node, producer, matmul, affine))) return true;
  }
  return false;
}

function sameDims(x: Value, y: Value): boolean {
  return x.shape.length === y.shape.length && x.shape.every((dim, i) => dim === y.shape[i]);
}

function affineOf(node: Node, x: Value, channels: number): Affine | undefined {
  if (is(node, batchNorm)) return batchNormAffine(node, channels);
  if (!is(node, binary)) return undefined;
  const first = node.inputs[0] === x;
  const c = perChannel(node.inputs[first ? 1 : 0], channels);
  if (c === undefined) return undefined;
  const ones = (value: number): Float64Array => new Float64Array(channels).fill(value);
  const { kind, min, max } = node.attrs;
  if (kind === 'add') return { scale: ones(1), shift: c, min, max };
  if (kind === 'sub') return first ? { scale: ones(1), shift: c.map((v) => -v), min, max } : { scale: ones(-1), shift: c, min, max };
  if (kind === 'mul') return { scale: c, shift: ones(0), min, max };
  if (kind === 'div' && first) return { scale: c.map((v) => 1 / v), shift: ones(0), min, max };
  return undefined;
}

function batchNormAffine(node: Node<{ readonly epsilon: number }>, channels: number): Affine | undefined {
  const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((i) => perChannel(node.inputs[i], channels));
  if (gamma === undefined || beta === undefined || mean === undefined || variance === undefined) return undefined;
  const scale = gamma.map((g, c) => g / Math.sqrt(variance[c] + node.attrs.epsilon));
  return { scale, shift: beta.map((b, c) => b - mean[c] * scale[c]), min: -Infinity, max: Infinity };
}

/** A float32 constant that differs along the last axis only, one number per channel. */
function perChannel(value: Value | null, channels: number): Float64Array | undefined {
  if (!isConstant(value) || value.dtype !== 'float32') return undefined;
  const data = numbers(value);
  if (data.length === 1) return new Float64Array(channels).fill(data[0]);
  const last = value.shape[value.shape.length - 1];
  return data.length === channels && last === channels ? Float64Array.from(data) : undefined;
}

function foldInto<A extends Clamp>(editor: Editor, node: Node, producer: Node, op: Op<A>, affine: Affine): boolean {
  if (!is(producer, op) || (is(producer, conv2d) && producer.attrs.activation !== undefined)) return false;
  const [x, w, bias = null] = producer.inputs;
  const { min, max } = producer.attrs;
  if (min !== -Infinity || max !== Infinity || !isConstant(w) || (bias !== null && !isConstant(bias))) return false;
  const channels = affine.scale.length;
  if (w.dtype !== 'float32' || w.shape[w.shape.length - 1] !== channels) return false;
  const old = bias === null ? new Float32Array(channels) : numbers(bias);
  const shift = Float32Array.from(affine.shift, (s, c) => old[c] * affine.scale[c] + s);
  const folded: Value = makeValue({ dtype: 'float32', shape: [channels] }, bias?.name ?? '', shift);
  const attrs = { ...producer.attrs, min: affine.min, max: affine.max };
  editor.replaceNode(node, op, attrs, [x, scaled(w, affine.scale), folded]);
  return true;
}

/** Weights times one factor per output channel, which is their last axis. */
function scaled(w: Constant, scale: Float64Array): Value {
  const data = numbers(w);
  const product = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) product[i] = data[i] * scale[i % scale.length];
  return makeValue({ dtype: 'float32', shape: w.shape }, w.name, product);
}
