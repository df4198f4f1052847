// How ONNX and TFLite write slices and splits: Slice, Split, SLICE, STRIDED_SLICE, SPLIT, SPLIT_V, UNPACK.
// In: their nodes, with bounds that may be negative or far outside. Out: slice nodes whose bounds are inside.
// The op is a parameter, so that this file does not depend on how it computes or lowers.

import type { Builder } from '../graph/builder.ts';
import type { Value } from '../graph/graph.ts';
import type { OnnxNode } from '../import/onnx/node.ts';
import type { TfliteNode } from '../import/tflite/node.ts';
import type { Shape } from '../tensor.ts';
import { integers, normalizeAxes } from './axes.ts';
import type { OnnxReader, Op, TfliteReader } from './op.ts';
import { normalizeAxis } from './operand.ts';
import { reshape } from './reshape.ts';
import type { SliceAttrs } from './slice.ts';

/** One axis of a slice with all bounds inside. */
interface Range {
  readonly start: number;
  readonly size: number;
  readonly step: number;
}

/** NumPy's start:end:step on an axis of `dim` elements; bounds outside are moved to the end they lie beyond. */
export function range(start: number, end: number, step: number, dim: number): Range {
  const last = step > 0 ? dim : dim - 1;
  const first = step > 0 ? 0 : -1;
  const from = Math.min(last, Math.max(0, start < 0 ? start + dim : start));
  const to = Math.min(last, Math.max(first, end < 0 ? end + dim : end));
  const size = Math.max(0, Math.ceil((to - from) / step));
  return size === 0 ? { start: 0, size: 0, step: 1 } : { start: from, size, step };
}

function whole(shape: Shape): Range[] {
  return shape.map((dim) => ({ start: 0, size: dim, step: 1 }));
}

function attrsOf(ranges: readonly Range[]): SliceAttrs {
  return { starts: ranges.map((r) => r.start), sizes: ranges.map((r) => r.size), steps: ranges.map((r) => r.step) };
}

/** Consecutive parts of `sizes` along an axis. */
function split(op: Op<SliceAttrs>, b: Builder, x: Value, axis: number, sizes: readonly number[]): Value[] {
  let start = 0;
  return sizes.map((size) => {
    const ranges = whole(x.shape);
    ranges[axis] = { start, size, step: 1 };
    start += size;
    return b.add(op, attrsOf(ranges), [x]);
  });
}

/** `parts` sizes of `dim` elements, the last one smaller when they do not divide. */
function evenSizes(dim: number, parts: number): number[] {
  const size = Math.ceil(dim / parts);
  return Array.from({ length: parts }, (_, i) => Math.max(0, Math.min(size, dim - i * size)));
}

function checkedSizes(node: OnnxNode | TfliteNode, sizes: readonly number[], dim: number): readonly number[] {
  if (sizes.some((size) => size < 0) || sizes.reduce((a, s) => a + s, 0) !== dim) node.fail(`parts [${sizes.join(', ')}] do not add up to ${dim}`);
  return sizes;
}

function onnxSplit(node: OnnxNode, b: Builder, op: Op<SliceAttrs>): Value[] {
  const x = node.input(0);
  const axis = normalizeAxis(node.int('axis', 0), x.shape.length);
  const dim = x.shape[axis];
  const asInput = node.optional(1) ? integers(node.constant(1)) : undefined;
  const stated = asInput ?? (node.has('split') ? node.ints('split') : undefined);
  const parts = node.int('num_outputs', node.outputCount);
  if (parts !== node.outputCount) node.fail(`num_outputs is ${parts}, but the node has ${node.outputCount} outputs`);
  if (stated === undefined && node.opset < 18 && dim % parts !== 0) node.fail(`${dim} elements do not split into ${parts} equal parts`);
  const sizes = checkedSizes(node, stated ?? evenSizes(dim, parts), dim);
  if (sizes.length !== node.outputCount) node.fail(`${sizes.length} parts for ${node.outputCount} outputs`);
  return split(op, b, x, axis, sizes);
}

function onnxSlice(node: OnnxNode, b: Builder, op: Op<SliceAttrs>): Value[] {
  const x = node.input(0);
  const fromInput = (index: number): number[] | undefined => (node.optional(index) ? integers(node.constant(index)) : undefined);
  const old = node.opset < 10;
  const starts = old ? node.ints('starts') : integers(node.constant(1));
  const ends = old ? node.ints('ends') : integers(node.constant(2));
  const stated = old ? (node.has('axes') ? node.ints('axes') : undefined) : fromInput(3);
  const steps = (old ? undefined : fromInput(4)) ?? starts.map(() => 1);
  if (starts.length > x.shape.length) node.fail(`${starts.length} starts for a tensor of rank ${x.shape.length}`);
  const axes = normalizeAxes(stated ?? starts.map((_, i) => i), x.shape.length);
  if (ends.length !== starts.length || axes.length !== starts.length || steps.length !== starts.length) node.fail('starts, ends, axes and steps differ in length');
  if (steps.includes(0)) node.fail('a step is 0');
  const ranges = whole(x.shape);
  axes.forEach((axis, i) => { ranges[axis] = range(starts[i], ends[i], steps[i], x.shape[axis]); });
  return [b.add(op, attrsOf(ranges), [x])];
}

export function onnxSliceReaders(op: Op<SliceAttrs>): Readonly<Record<string, OnnxReader>> {
  return {
    Slice: (node, b) => onnxSlice(node, b, op),
    Split: (node, b) => onnxSplit(node, b, op),
  };
}

/** STRIDED_SLICE: masks name entries of begin/end/strides whose bound is open, that stand for "all other axes", or add or drop an axis. */
function stridedSlice(node: TfliteNode, b: Builder, op: Op<SliceAttrs>): Value[] {
  const x = node.input(0);
  const [begin, end, strides] = [1, 2, 3].map((i) => integers(node.constant(i)));
  const [beginMask, endMask, ellipsisMask, newMask, shrinkMask] = [0, 1, 2, 3, 4].map((field) => node.i32(field, 0));
  const endIsOffset = node.bool(5, false);
  const rank = x.shape.length;
  if (begin.length !== end.length || begin.length !== strides.length || begin.length > 2 * rank + 1) node.fail('begin, end and strides do not fit the tensor');
  const on = (mask: number, i: number): boolean => (mask & (1 << i)) !== 0;
  const named = begin.filter((_, i) => !on(ellipsisMask, i) && !on(newMask, i)).length;
  const ranges: Range[] = [];
  const shape: number[] = [];
  const keepAll = (count: number): void => {
    for (let k = 0; k < count; k++) {
      const dim = x.shape[ranges.length] ?? node.fail('more axes are sliced than the tensor has');
      ranges.push({ start: 0, size: dim, step: 1 });
      shape.push(dim);
    }
  };
  begin.forEach((first, i) => {
    if (on(ellipsisMask, i)) { keepAll(rank - named); return; }
    if (on(newMask, i)) { shape.push(1); return; }
    const dim = x.shape[ranges.length] ?? node.fail('more axes are sliced than the tensor has');
    const step = strides[i];
    if (step === 0) node.fail('a stride is 0');
    if (on(shrinkMask, i)) {
      const at = normalizeAxis(first, dim);
      ranges.push({ start: at, size: 1, step: 1 });
      return;
    }
    const stop = endIsOffset ? first + end[i] : end[i];
    const open = step > 0 ? [0, dim] : [dim - 1, -dim - 1];
    ranges.push(range(on(beginMask, i) ? open[0] : first, on(endMask, i) ? open[1] : stop, step, dim));
    shape.push(ranges[ranges.length - 1].size);
  });
  keepAll(rank - ranges.length);
  const part = b.add(op, attrsOf(ranges), [x]);
  return [shape.length === rank && shape.every((dim, i) => dim === ranges[i].size) ? part : b.add(reshape, { shape }, [part])];
}

function tfliteSlice(node: TfliteNode, b: Builder, op: Op<SliceAttrs>): Value[] {
  const x = node.input(0);
  const starts = integers(node.constant(1));
  const sizes = integers(node.constant(2)).map((size, i) => (size === -1 ? x.shape[i] - starts[i] : size));
  return [b.add(op, { starts, sizes, steps: starts.map(() => 1) }, [x])];
}

function splitV(node: TfliteNode, b: Builder, op: Op<SliceAttrs>): Value[] {
  const x = node.input(0);
  const [axis] = integers(node.constant(2)).map((a) => normalizeAxis(a, x.shape.length));
  const stated = integers(node.constant(1));
  const known = stated.reduce((sum, size) => sum + (size === -1 ? 0 : size), 0);
  const sizes = stated.map((size) => (size === -1 ? x.shape[axis] - known : size));
  if (sizes.length !== node.outputs.length) node.fail(`${sizes.length} parts for ${node.outputs.length} outputs`);
  return split(op, b, x, axis, checkedSizes(node, sizes, x.shape[axis]));
}

function equalSplit(node: TfliteNode, b: Builder, op: Op<SliceAttrs>): Value[] {
  const x = node.input(1);
  const [axis] = integers(node.constant(0)).map((a) => normalizeAxis(a, x.shape.length));
  const parts = node.outputs.length;
  if (x.shape[axis] % parts !== 0) node.fail(`${x.shape[axis]} elements do not split into ${parts} equal parts`);
  return split(op, b, x, axis, evenSizes(x.shape[axis], parts));
}

function unpack(node: TfliteNode, b: Builder, op: Op<SliceAttrs>): Value[] {
  const x = node.input(0);
  const axis = normalizeAxis(node.i32(1, 0), x.shape.length);
  if (x.shape[axis] !== node.outputs.length) node.fail(`${x.shape[axis]} parts for ${node.outputs.length} outputs`);
  const shape = x.shape.filter((_, i) => i !== axis);
  return split(op, b, x, axis, node.outputs.map(() => 1)).map((part) => b.add(reshape, { shape }, [part]));
}

export function tfliteSliceReaders(op: Op<SliceAttrs>): Readonly<Record<string, TfliteReader>> {
  return {
    STRIDED_SLICE: (node, b) => stridedSlice(node, b, op),
    SLICE: (node, b) => tfliteSlice(node, b, op),
    SPLIT: (node, b) => equalSplit(node, b, op),
    SPLIT_V: (node, b) => splitV(node, b, op),
    UNPACK: (node, b) => unpack(node, b, op),
  };
}
