// Pad: adds a border that is constant, mirrored or repeats the edge. In: sizes before and after each axis, not negative.
// Out: a copy of the inside, then copies or fills of the border. ONNX Pad, TFLite PAD, PADV2, MIRROR_PAD.
// int8 borders hold the quantised value: 0 becomes the zero point. Must not know what pads later ops add themselves.

import { KingletError } from '../error.ts';
import type { Builder } from '../graph/builder.ts';
import { isConstant, type Value } from '../graph/graph.ts';
import type { OnnxNode } from '../import/onnx/node.ts';
import type { TfliteNode } from '../import/tflite/node.ts';
import type { Lowering, View } from '../plan/lowering.ts';
import { sliceView } from '../plan/views.ts';
import { allocate, denseStrides, elementCount, numbers, perTensor, type TensorType } from '../tensor.ts';
import { integers, normalizeAxes, product } from './axes.ts';
import { emitCopy, fillView } from './copy-step.ts';
import type { Op } from './op.ts';
import { forward, operand } from './operand.ts';
import { dequantizeValue, quantizeValue } from './quantized.ts';
import { slice } from './slice.ts';

export type PadMode = 'constant' | 'reflect' | 'symmetric' | 'edge';
export interface PadAttrs {
  /** [before each axis…, after each axis…]. */
  readonly pads: readonly number[];
  /** reflect does not repeat the outermost element, symmetric does. */
  readonly mode: PadMode;
  /** Real value of a constant border. */
  readonly value: number;
}

/** What the border holds, as stored in a tensor of this type. Plain integers without parameters are stored as they are. */
function storedValue(type: TensorType, value: number): number {
  if (type.dtype !== 'int8' || type.quantization === undefined) return value;
  const q = perTensor(type, 'the padded tensor');
  return quantizeValue(value, q.scale, q.zeroPoint);
}

/** Which element of an axis of `dim` lies behind position `i` before (negative) or after it; -1: the constant. */
function sourceIndex(i: number, dim: number, mode: PadMode): number {
  if (i >= 0 && i < dim) return i;
  switch (mode) {
    case 'constant': return -1;
    case 'edge': return i < 0 ? 0 : dim - 1;
    case 'reflect': return i < 0 ? -i : 2 * (dim - 1) - i;
    case 'symmetric': return i < 0 ? -i - 1 : 2 * dim - 1 - i;
  }
}

/** Negative pads crop. Returns a slice followed by a pad, each only where it does something. */
export function addPad(b: Builder, x: Value, attrs: PadAttrs): Value {
  const rank = x.shape.length;
  if (attrs.pads.length !== 2 * rank) throw new KingletError('ERR_MODEL_INVALID', `${attrs.pads.length} pads for a tensor of rank ${rank}`);
  const crop = (i: number): number => Math.max(0, -attrs.pads[i]);
  let inside = x;
  if (attrs.pads.some((p) => p < 0)) {
    const starts = x.shape.map((_, i) => crop(i));
    const sizes = x.shape.map((dim, i) => dim - crop(i) - crop(i + rank));
    inside = b.add(slice, { starts, sizes, steps: starts.map(() => 1) }, [x]);
  }
  const pads = attrs.pads.map((p) => Math.max(0, p));
  return pads.every((p) => p === 0) ? inside : b.add(pad, { ...attrs, pads }, [inside]);
}

function realValue(value: Value | null, node: OnnxNode | TfliteNode, fallback: number): number {
  if (value === null) return fallback;
  if (!isConstant(value) || product(value.shape) !== 1) return node.unsupported('the padding value must be one constant number');
  const stored = numbers(value)[0];
  if (value.dtype !== 'int8' || value.quantization === undefined) return stored;
  const q = perTensor(value, 'the padding value');
  return dequantizeValue(stored, q.scale, q.zeroPoint);
}

function onnxPad(node: OnnxNode, b: Builder): Value[] {
  const x = node.input(0);
  const rank = x.shape.length;
  const mode = node.string('mode', 'constant');
  if (mode !== 'constant' && mode !== 'reflect' && mode !== 'edge') node.unsupported(`padding mode ${mode} is not supported`);
  if (node.opset < 11) {
    const pads = node.ints(node.opset < 2 ? 'paddings' : 'pads');
    return [addPad(b, x, { pads, mode, value: node.float('value', 0) })];
  }
  const stated = integers(node.constant(1));
  const axes = node.optional(3) ? normalizeAxes(integers(node.constant(3)), rank) : x.shape.map((_, i) => i);
  if (stated.length !== 2 * axes.length) node.fail(`${stated.length} pads for ${axes.length} axes`);
  const pads = new Array<number>(2 * rank).fill(0);
  axes.forEach((axis, i) => {
    pads[axis] = stated[i];
    pads[axis + rank] = stated[i + axes.length];
  });
  // uint8 zero is -128 in our int8, unless parameters say what zero is.
  const zero = node.wasUint8(0) && x.dtype === 'int8' && x.quantization === undefined ? -128 : 0;
  return [addPad(b, x, { pads, mode, value: realValue(node.optional(2), node, zero) })];
}

/** [[before, after], …] per axis. */
function tflitePad(node: TfliteNode, b: Builder, mode: PadMode, value: number): Value[] {
  const pairs = integers(node.constant(1));
  const pads = [...pairs.filter((_, i) => i % 2 === 0), ...pairs.filter((_, i) => i % 2 === 1)];
  return [addPad(b, node.input(0), { pads, mode, value })];
}

/** Positions [from, from + size) of `axis`; other axes as in `base`. */
function slab(view: View, base: { starts: readonly number[]; sizes: readonly number[] }, axis: number, from: number, size: number): View {
  return sliceView(view, base.starts.map((s, i) => (i === axis ? from : s)), base.starts.map(() => 1), base.sizes.map((s, i) => (i === axis ? size : s)));
}

function emitBorder(ctx: Lowering, dst: View, inner: readonly number[], attrs: PadAttrs, type: TensorType): void {
  const rank = inner.length;
  const { pads, mode } = attrs;
  // Axes before the current one are complete, those after it have their inside only.
  const starts = pads.slice(0, rank);
  const sizes = [...inner];
  for (let axis = 0; axis < rank; axis++) {
    const before = pads[axis];
    const after = pads[axis + rank];
    const dim = inner[axis];
    for (const [from, size] of [[0, before], [before + dim, after]]) {
      if (size === 0) continue;
      const border = slab(dst, { starts, sizes }, axis, from, size);
      if (mode === 'constant') {
        emitCopy(ctx, border, fillView(ctx, dst.dtype, storedValue(type, attrs.value), border.shape));
        continue;
      }
      // From the part of dst that is complete: one element again and again, or backwards.
      const shift = before + sourceIndex(from - before, dim, mode) - from;
      const step = mode === 'edge' ? 0 : -1;
      emitCopy(ctx, border, sliceView(border, starts.map((_, i) => (i === axis ? shift : 0)), starts.map((_, i) => (i === axis ? step : 1)), border.shape));
    }
    starts[axis] = 0;
    sizes[axis] = before + dim + after;
  }
}

export const pad: Op<PadAttrs> = {
  kind: 'pad',
  moves: true,
  onnx: { Pad: onnxPad },
  tflite: {
    PAD: (node, b) => tflitePad(node, b, 'constant', 0),
    PADV2: (node, b) => tflitePad(node, b, 'constant', realValue(node.constant(2), node, 0)),
    MIRROR_PAD: (node, b) => tflitePad(node, b, node.u8(0, 0) === 0 ? 'reflect' : 'symmetric', 0),
  },

  infer(inputs, { pads, mode }) {
    const x = operand(inputs, 0);
    const rank = x.shape.length;
    if (pads.length !== 2 * rank || pads.some((p) => !Number.isInteger(p) || p < 0)) {
      throw new KingletError('ERR_MODEL_INVALID', `pads [${pads.join(', ')}] do not fit shape [${x.shape.join(', ')}]`);
    }
    const room = (dim: number): number => (mode === 'constant' || (mode === 'edge' && dim > 0) ? Infinity : mode === 'symmetric' ? dim : Math.max(0, dim - 1));
    if (pads.some((p, i) => p > room(x.shape[i % rank]))) {
      throw new KingletError('ERR_UNSUPPORTED', `${mode} pads [${pads.join(', ')}] are wider than shape [${x.shape.join(', ')}] can mirror`);
    }
    return [{ dtype: x.dtype, shape: x.shape.map((dim, i) => pads[i] + dim + pads[i + rank]), quantization: x.quantization }];
  },

  reference(inputs, { pads, mode, value }, [type]) {
    const x = operand(inputs, 0);
    const source = numbers(x);
    const strides = denseStrides(x.shape);
    const fill = storedValue(type, value);
    const data = allocate(type.dtype, elementCount(type.shape));
    const target = numbers({ ...type, data });
    const outStrides = denseStrides(type.shape);
    for (let at = 0; at < target.length; at++) {
      let from = 0;
      for (let axis = 0; axis < type.shape.length && from >= 0; axis++) {
        const i = Math.floor(at / outStrides[axis]) % type.shape[axis];
        const index = sourceIndex(i - pads[axis], x.shape[axis], mode);
        from = index < 0 ? -1 : from + index * strides[axis];
      }
      target[at] = from < 0 ? fill : source[from];
    }
    return [{ ...type, data }];
  },

  permute(attrs, perm) {
    const rank = perm.length;
    return { ...attrs, pads: [...perm.map((axis) => attrs.pads[axis]), ...perm.map((axis) => attrs.pads[axis + rank])] };
  },

  lower(node, ctx) {
    const x = operand(node.inputs, 0);
    const out = node.outputs[0];
    const { pads } = node.attrs;
    const source = ctx.read(x);
    const dst = ctx.write(out, forward);
    const inside = sliceView(dst, x.shape.map((_, i) => pads[i]), x.shape.map(() => 1), x.shape);
    if (product(x.shape) === 0) {
      emitCopy(ctx, dst, fillView(ctx, out.dtype, storedValue(out, node.attrs.value), out.shape));
      return;
    }
    emitCopy(ctx, inside, source);
    emitBorder(ctx, dst, x.shape, node.attrs, out);
  },
};
