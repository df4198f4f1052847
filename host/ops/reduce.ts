// reduce: mean, sum, product, max or min over some axes, float32 or int8 (int32 at compile time only; products of int8 not at all).
// ONNX ReduceMean, ReduceSum, ReduceProd, ReduceMax, ReduceMin, GlobalAveragePool, GlobalMaxPool; TFLite MEAN, SUM, REDUCE_PROD,
// REDUCE_MAX, REDUCE_MIN. Must not know the graph around it.

import {
  F32_REDUCE, QS8_REDUCE, REDUCE_DIMS, REDUCE_DST, REDUCE_DST_SCALE, REDUCE_DST_STRIDES, REDUCE_DST_ZERO, REDUCE_INNER_DIMS, REDUCE_INNER_STRIDES,
  REDUCE_KIND, REDUCE_MAX, REDUCE_MEAN, REDUCE_MIN, REDUCE_PROD, REDUCE_SRC, REDUCE_SRC_SCALE, REDUCE_SRC_STRIDES, REDUCE_SRC_ZERO, REDUCE_STEP_BYTES, REDUCE_SUM,
} from '../../assembly/abi.ts';
import { KingletError } from '../error.ts';
import type { Builder } from '../graph/builder.ts';
import type { Value } from '../graph/graph.ts';
import type { OnnxNode } from '../import/onnx/node.ts';
import type { TfliteNode } from '../import/tflite/node.ts';
import type { View, Words } from '../plan/lowering.ts';
import { makeNest, selectAxes } from '../plan/views.ts';
import { denseStrides, numbers, perTensor, type Shape, type Tensor, type TensorType } from '../tensor.ts';
import type { Op } from './op.ts';
import { emptyTensor, forward, normalizeAxis, operand } from './operand.ts';
import { requantizeSum, saturate } from './quantized.ts';
import { matchQuantization } from './requantize.ts';
import { reshape } from './reshape.ts';

export type ReduceKind = 'mean' | 'sum' | 'max' | 'min' | 'prod';
export interface ReduceAttrs {
  readonly kind: ReduceKind;
  /** Ascending, not negative, each once. */
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

const kinds: Readonly<Record<ReduceKind, number>> = { mean: REDUCE_MEAN, sum: REDUCE_SUM, max: REDUCE_MAX, min: REDUCE_MIN, prod: REDUCE_PROD };

export const reduce: Op<ReduceAttrs> = {
  kind: 'reduce',
  onnx: {
    ReduceMean: (node, b) => [readOnnx(node, b, 'mean', 18)],
    ReduceSum: (node, b) => [readOnnx(node, b, 'sum', 13)],
    ReduceMax: (node, b) => [readOnnx(node, b, 'max', 18)],
    ReduceMin: (node, b) => [readOnnx(node, b, 'min', 18)],
    ReduceProd: (node, b) => [readOnnx(node, b, 'prod', 18)],
    GlobalAveragePool: (node, b) => [readGlobalPool(node, b, 'mean')],
    GlobalMaxPool: (node, b) => [readGlobalPool(node, b, 'max')],
  },
  tflite: {
    MEAN: (node, b) => [readTflite(node, b, 'mean')],
    SUM: (node, b) => [readTflite(node, b, 'sum')],
    REDUCE_MAX: (node, b) => [readTflite(node, b, 'max')],
    REDUCE_MIN: (node, b) => [readTflite(node, b, 'min')],
    REDUCE_PROD: (node, b) => [readTflite(node, b, 'prod')],
  },
  infer(inputs, { kind, axes, keepDims }) {
    const x = operand(inputs, 0);
    axes.forEach((axis, i) => {
      normalizeAxis(axis, x.shape.length);
      if (axis < 0 || (i > 0 && axis <= axes[i - 1])) throw new KingletError('ERR_MODEL_INVALID', `axes [${axes.join(', ')}] name an axis twice`);
      if (x.shape[axis] === 0) throw new KingletError('ERR_MODEL_INVALID', `${kind} of nothing`);
    });
    if (x.dtype !== 'float32' && x.dtype !== 'int32' && (x.dtype !== 'int8' || kind === 'prod')) throw new KingletError('ERR_UNSUPPORTED', `${kind} of ${x.dtype} is not supported`);
    const shape = keepDims ? x.shape.map((dim, i) => (axes.includes(i) ? 1 : dim)) : x.shape.filter((_, i) => !axes.includes(i));
    const keepsValues = kind === 'max' || kind === 'min';
    return [{ dtype: x.dtype, shape, quantization: keepsValues ? x.quantization : undefined }];
  },
  reference(inputs, attrs, outputs) {
    const x = operand(inputs, 0);
    const y = emptyTensor(operand(outputs, 0));
    const values = numbers(x);
    const total = new Float64Array(y.data.length).fill({ mean: 0, sum: 0, prod: 1, max: -Infinity, min: Infinity }[attrs.kind]);
    const combine = { mean: plus, sum: plus, prod: x.dtype === 'int32' ? Math.imul : times, max: Math.max, min: Math.min }[attrs.kind];
    const target = targetOf(x.shape, attrs.axes);
    for (let i = 0; i < values.length; i++) {
      const o = target(i);
      total[o] = combine(total[o], values[i]);
    }
    finish(x, y, total, attrs.kind);
    return [y];
  },
  permute(attrs, perm) {
    if (!attrs.keepDims) return undefined;
    return { ...attrs, axes: attrs.axes.map((axis) => perm.indexOf(axis)).sort((a, b) => a - b) };
  },
  lower(node, ctx) {
    const x = operand(node.inputs, 0);
    const y = operand(node.outputs, 0);
    if (x.dtype === 'int32') throw new KingletError('ERR_UNSUPPORTED', `${node.attrs.kind} of integers at run time is not supported`);
    const src = ctx.read(x, forward);
    const dst = ctx.write(y);
    const words = nestWords(src, dst, node.attrs);
    if (x.dtype === 'float32') {
      ctx.emit(F32_REDUCE, REDUCE_STEP_BYTES, words);
      return;
    }
    const from = perTensor(x, 'the input');
    const to = perTensor(y, 'the output');
    ctx.emit(QS8_REDUCE, REDUCE_STEP_BYTES, {
      ...words,
      [REDUCE_SRC_SCALE]: { f32: from.scale },
      [REDUCE_DST_SCALE]: { f32: to.scale },
      [REDUCE_SRC_ZERO]: from.zeroPoint,
      [REDUCE_DST_ZERO]: to.zeroPoint,
    });
  },
};

function plus(a: number, b: number): number {
  return a + b;
}
function times(a: number, b: number): number {
  return a * b;
}

/** Index in the output of element i of the input. */
function targetOf(shape: Shape, axes: readonly number[]): (i: number) => number {
  const inStrides = denseStrides(shape);
  const outStrides = denseStrides(shape.map((dim, i) => (axes.includes(i) ? 1 : dim)));
  const kept = shape.map((_, i) => i).filter((i) => !axes.includes(i));
  return (i) => kept.reduce((o, k) => o + (Math.floor(i / inStrides[k]) % shape[k]) * outStrides[k], 0);
}

function finish(x: TensorType, y: Tensor, total: Float64Array, kind: ReduceKind): void {
  const count = total.length === 0 ? 0 : x.shape.reduce((a, b) => a * b, 1) / total.length;
  const averages = kind === 'mean';
  if (x.dtype === 'int8' && (averages || kind === 'sum')) {
    const from = perTensor(x, 'the input');
    const to = perTensor(y, 'the output');
    total.forEach((sum, o) => { y.data[o] = saturate(requantizeSum(sum, count, averages ? count : 1, from, to)); });
  } else if (x.dtype === 'float32') {
    total.forEach((value, o) => { y.data[o] = Math.fround(averages ? value / count : value); });
  } else {
    total.forEach((value, o) => { y.data[o] = averages ? Math.trunc(value / count) : value; });
  }
}

/** Kept dims ordered by the source's strides, so that the vector dim is the one that lies together. */
function nestWords(src: View, dst: View, { kind, axes, keepDims }: ReduceAttrs): Words {
  const isKept = src.shape.map((_, i) => !axes.includes(i));
  const outer = makeNest([selectAxes(src, isKept), keepDims ? selectAxes(dst, isKept) : dst], 4);
  const inner = makeNest([selectAxes(src, isKept.map((kept) => !kept))], 3);
  return {
    [REDUCE_SRC]: src.at,
    [REDUCE_DST]: dst.at,
    [REDUCE_KIND]: kinds[kind],
    [REDUCE_DIMS]: outer.dims,
    [REDUCE_SRC_STRIDES]: outer.strides[0] ?? [],
    [REDUCE_DST_STRIDES]: outer.strides[1] ?? [],
    [REDUCE_INNER_DIMS]: inner.dims,
    [REDUCE_INNER_STRIDES]: inner.strides[0] ?? [],
  };
}

/** Reduced axes of an ONNX reduction: an input since opset `inputSince`, an attribute before; none listed means all, or none at all. */
export function onnxAxes(node: OnnxNode, inputSince: number): number[] {
  const rank = node.input(0).shape.length;
  const fromInput = node.opset >= inputSince && node.optional(1) !== null;
  const listed = fromInput ? Array.from(numbers(node.constant(1))) : node.ints('axes', []);
  const noop = node.int('noop_with_empty_axes', 0) !== 0;
  return listed.length > 0 ? sortedAxes(listed, rank) : noop ? [] : Array.from({ length: rank }, (_, i) => i);
}

/** `y` has 1 in place of the reduced axes; dropping them is a reshape of its own, so that transposes can move past the reduction. */
export function withoutAxes(node: OnnxNode, b: Builder, y: Value, axes: readonly number[]): Value {
  return node.int('keepdims', 1) !== 0 ? y : b.add(reshape, { shape: y.shape.filter((_, i) => !axes.includes(i)) }, [y]);
}

function readOnnx(node: OnnxNode, b: Builder, kind: ReduceKind, axesAsInputSince: number): Value {
  const x = node.input(0);
  const axes = onnxAxes(node, axesAsInputSince);
  return withoutAxes(node, b, axes.length === 0 ? x : b.add(reduce, { kind, axes, keepDims: true }, [x]), axes);
}

/** Over everything behind the channels, whatever their number of axes. */
function readGlobalPool(node: OnnxNode, b: Builder, kind: ReduceKind): Value {
  const x = node.input(0);
  const axes = x.shape.map((_, i) => i).slice(2);
  return b.add(reduce, { kind, axes, keepDims: true }, [x]);
}

function readTflite(node: TfliteNode, b: Builder, kind: ReduceKind): Value {
  const x = node.input(0);
  const stated = node.output(0);
  const axes = sortedAxes(Array.from(numbers(node.constant(1))), x.shape.length);
  const keepsValues = kind === 'max' || kind === 'min';
  const y = b.add(reduce, { kind, axes, keepDims: node.bool(0, false) }, [x], { quantization: keepsValues ? undefined : stated.quantization });
  return matchQuantization(b, y, stated);
}

/** Ascending, without negative numbers and repetitions. */
function sortedAxes(axes: readonly number[], rank: number): number[] {
  return [...new Set(axes.map((axis) => normalizeAxis(axis, rank)))].sort((a, b) => a - b);
}
