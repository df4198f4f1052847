// The int8 form of a float op whose inputs are dequantised. In: a node. Out: the value of the same op on integers, or undefined
// where there is none. Movements need no parameters of their own, so that they can go first; other ops take those of the
// quantize behind them. Must not know which graph pattern asked.

import { KingletError } from '../error.ts';
import type { Editor } from '../graph/edit.ts';
import { is, isConstant, makeValue, type Node, type Value } from '../graph/graph.ts';
import { binary } from '../ops/binary.ts';
import { concat } from '../ops/concat.ts';
import { conv2d } from '../ops/conv2d.ts';
import { convTranspose2d } from '../ops/conv-transpose2d.ts';
import { dequantize } from '../ops/dequantize.ts';
import { lrn } from '../ops/lrn.ts';
import { matmul } from '../ops/matmul.ts';
import { pad } from '../ops/pad.ts';
import { pool2d } from '../ops/pool2d.ts';
import { reduce } from '../ops/reduce.ts';
import { resize } from '../ops/resize.ts';
import { softmax } from '../ops/softmax.ts';
import { unary } from '../ops/unary.ts';
import { sameQuantization, type Quantization } from '../tensor.ts';
import { integerWeights } from './integer-weights.ts';

/** The quantised value behind a dequantize. */
export function quantizedSource(editor: Editor, value: Value | null): Value | undefined {
  const producer = editor.producer(value);
  return is(producer, dequantize) ? producer.inputs[0] ?? undefined : undefined;
}

/** True when every element of the result is an element of an input, so that integers can be chosen as well as real values. */
export function selects(node: Node): boolean {
  if (is(node, pool2d)) return node.attrs.kind === 'max' && node.attrs.min === -Infinity && node.attrs.max === Infinity;
  if (is(node, reduce)) return node.attrs.kind === 'max' || node.attrs.kind === 'min';
  if (is(node, resize)) return node.attrs.mode === 'nearest';
  return node.op.moves === true;
}

/** movement(dequantize(x)) → dequantize(movement(x)). */
export function sinkDequantize(editor: Editor, node: Node): boolean {
  if (!selects(node) || node.outputs.length !== 1) return false;
  const sources = node.inputs.map((value) => (value?.dtype === 'float32' ? quantizedSource(editor, value) : null));
  const [first] = sources;
  if (!first || sources.includes(undefined)) return false;
  if (sources.some((source) => source && (source.dtype !== first.dtype || !sameQuantization(source.quantization, first.quantization)))) return false;
  if (is(node, pad) && !holds(first, node.attrs.value)) return false;
  const inputs = node.inputs.map((value, i) => sources[i] ?? value);
  const moved = attempt(() => editor.add(node, node.op, node.attrs, inputs, { quantization: perTensorOnly(first.quantization) }));
  if (moved === undefined) return false;
  editor.replaceNode(node, dequantize, {}, [moved], { fold: false });
  return true;
}

/** Per-channel parameters change their axis with the movement, which infer() knows. */
function perTensorOnly(q: Quantization | undefined): Quantization | undefined {
  return q?.scale.length === 1 ? q : undefined;
}

/** True when `real` is exactly one of the values of a quantised tensor. */
function holds({ quantization: q }: Value, real: number): boolean {
  if (q?.scale.length !== 1) return false;
  const steps = real / q.scale[0] + q.zeroPoint[0];
  return Number.isInteger(steps) && steps >= -128 && steps <= 127;
}

/** The op on integers with a result in the given parameters. */
export function integerForm(editor: Editor, node: Node, quantization: Quantization): Value | undefined {
  if (is(node, conv2d) || is(node, convTranspose2d) || is(node, matmul)) return weighted(editor, node, quantization);
  if (is(node, pool2d) && node.attrs.kind === 'max' && !sameQuantization(quantizedSource(editor, node.inputs[0])?.quantization, quantization)) return undefined;
  const isPlain = is(node, concat) || is(node, lrn) || is(node, unary) || is(node, softmax) || is(node, binary) || is(node, pool2d)
    || (is(node, reduce) && (node.attrs.kind === 'mean' || node.attrs.kind === 'sum')) || (is(node, resize) && node.attrs.mode === 'linear');
  if (!isPlain) return undefined;
  const inputs = node.inputs.map((value) => integerOperand(editor, value));
  // Without any dequantised input this is a float op that happens to be quantised afterwards.
  if (inputs.includes(undefined) || !node.inputs.some((value) => quantizedSource(editor, value) !== undefined)) return undefined;
  return attempt(() => editor.add(node, node.op, node.attrs, inputs as Value[], { quantization }));
}

function integerOperand(editor: Editor, value: Value | null): Value | undefined {
  const source = quantizedSource(editor, value);
  if (source !== undefined) return source.dtype === 'int8' && source.quantization?.scale.length === 1 ? source : undefined;
  if (!isConstant(value) || value.dtype !== 'float32' || value.data.length !== 1) return undefined;
  return exactScalar(Number(value.data[0]), value);
}

/** One real number is its own scale: -1, 0 or 1 times it. */
function exactScalar(real: number, value: Value): Value | undefined {
  if (!Number.isFinite(real)) return undefined;
  const quantization = { scale: Float32Array.of(real === 0 ? 1 : Math.abs(real)), zeroPoint: Int32Array.of(0), axis: 0 };
  return makeValue({ dtype: 'int8', shape: value.shape, quantization }, value.name, Int8Array.of(Math.sign(real)));
}

function weighted(editor: Editor, node: Node, quantization: Quantization): Value | undefined {
  const x = quantizedSource(editor, node.inputs[0]);
  if (x?.dtype !== 'int8' || x.quantization?.scale.length !== 1) return undefined;
  const weights = integerWeights(editor, node, x.quantization.scale[0]);
  if (weights === undefined) return undefined;
  return attempt(() => editor.add(node, node.op, node.attrs, [x, weights.w, weights.bias], { quantization }));
}

/** Undefined where the op has no such form. */
function attempt(make: () => Value): Value | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof KingletError && error.code !== 'ERR_INTERNAL') return undefined;
    throw error;
  }
}
