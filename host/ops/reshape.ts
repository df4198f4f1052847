// Reshape: the same elements in row-major order under another shape; also Flatten, Squeeze, Unsqueeze and their TFLite kin.
// In: shapes with 0 and -1 still to be resolved. Out: a view where strides can express it, otherwise a view of a dense copy.

import { KingletError } from '../error.ts';
import { isDense } from '../plan/lowering.ts';
import { reshapeView } from '../plan/views.ts';
import { elementCount, type Shape } from '../tensor.ts';
import { integers, moveQuantizationAxis, normalizeAxes, product } from './axes.ts';
import type { Op } from './op.ts';
import { normalizeAxis, operand } from './operand.ts';

export interface ReshapeAttrs {
  readonly shape: Shape;
}

/** One -1 becomes what is left over; 0 copies the input's dim unless `zeroIsZero`. */
export function resolveShape(from: Shape, wanted: readonly number[], zeroIsZero = false): number[] {
  const shape = wanted.map((dim, i) => (dim === 0 && !zeroIsZero ? (from[i] ?? 0) : dim));
  const open = shape.indexOf(-1);
  if (open >= 0) {
    const others = product(shape.filter((_, i) => i !== open));
    shape[open] = others === 0 ? 0 : elementCount(from) / others;
  }
  return shape;
}

function squeezed(shape: Shape, axes: readonly number[]): number[] {
  const gone = axes.length === 0 ? shape.flatMap((dim, i) => (dim === 1 ? [i] : [])) : normalizeAxes(axes, shape.length);
  const wrong = gone.find((axis) => shape[axis] !== 1);
  if (wrong !== undefined) throw new KingletError('ERR_MODEL_INVALID', `axis ${wrong} of shape [${shape.join(', ')}] is not 1 and cannot be squeezed`);
  return shape.filter((_, i) => !gone.includes(i));
}

/** `axes` count in the result. */
export function unsqueezed(shape: Shape, axes: readonly number[]): number[] {
  const rank = shape.length + axes.length;
  if (rank > 8) throw new KingletError('ERR_UNSUPPORTED', `tensors of rank ${rank} are not supported (at most 8)`);
  const added = normalizeAxes(axes, rank);
  const result: number[] = [];
  for (let i = 0, from = 0; i < rank; i++) result.push(added.includes(i) ? 1 : shape[from++]);
  return result;
}

/** Where a per-channel axis goes: to the axis with the same extent and the same number of elements before it; -1: nowhere. */
function channelAxis(from: Shape, to: Shape, axis: number): number {
  const before = product(from.slice(0, axis));
  return to.findIndex((dim, i) => dim === from[axis] && product(to.slice(0, i)) === before);
}

export const reshape: Op<ReshapeAttrs> = {
  kind: 'reshape',
  moves: true,
  onnx: {
    Reshape(node, b) {
      const x = node.input(0);
      const wanted = node.opset < 5 ? node.ints('shape') : integers(node.constant(1));
      node.ignore('consumed_inputs');
      return [b.add(reshape, { shape: resolveShape(x.shape, wanted, node.int('allowzero', 0) !== 0) }, [x])];
    },
    Flatten(node, b) {
      const x = node.input(0);
      const axis = node.int('axis', 1);
      const cut = axis === x.shape.length ? axis : normalizeAxis(axis, x.shape.length);
      return [b.add(reshape, { shape: [product(x.shape.slice(0, cut)), product(x.shape.slice(cut))] }, [x])];
    },
    Squeeze(node, b) {
      const x = node.input(0);
      const axes = node.opset < 13 ? node.ints('axes', []) : node.optional(1) ? integers(node.constant(1)) : [];
      return [b.add(reshape, { shape: squeezed(x.shape, axes) }, [x])];
    },
    Unsqueeze(node, b) {
      const x = node.input(0);
      const axes = node.opset < 13 ? node.ints('axes') : integers(node.constant(1));
      return [b.add(reshape, { shape: unsqueezed(x.shape, axes) }, [x])];
    },
  },
  tflite: {
    RESHAPE(node, b) {
      const x = node.input(0);
      const wanted = node.optional(1) ? integers(node.constant(1)) : node.i32s(0);
      // Old converters write [0] for a scalar.
      const scalar = wanted.length === 1 && wanted[0] === 0 && elementCount(x.shape) === 1;
      return [b.add(reshape, { shape: scalar ? [] : resolveShape(x.shape, wanted, true) }, [x])];
    },
    SQUEEZE: (node, b) => [b.add(reshape, { shape: squeezed(node.input(0).shape, node.i32s(0)) }, [node.input(0)])],
    EXPAND_DIMS(node, b) {
      const x = node.input(0);
      return [b.add(reshape, { shape: unsqueezed(x.shape, integers(node.constant(1))) }, [x])];
    },
  },

  infer(inputs, { shape }) {
    const x = operand(inputs, 0);
    if (elementCount(shape) !== elementCount(x.shape)) {
      throw new KingletError('ERR_MODEL_INVALID', `shape [${x.shape.join(', ')}] cannot become [${shape.join(', ')}]`);
    }
    return [{ dtype: x.dtype, shape, quantization: moveQuantizationAxis(x.quantization, (axis) => channelAxis(x.shape, shape, axis)) }];
  },

  reference: (inputs, _, [type]) => [{ ...type, data: operand(inputs, 0).data.slice() }],

  place: (node, out) => [reshapeView(out, operand(node.inputs, 0).shape)],

  lower(node, ctx) {
    const x = operand(node.inputs, 0);
    const { shape } = node.attrs;
    const canView = (view: Parameters<typeof isDense>[0]): boolean => reshapeView(view, shape) !== undefined;
    const view = reshapeView(ctx.read(x, canView), shape);
    if (view === undefined) throw new KingletError('ERR_INTERNAL', `a dense tensor of shape [${x.shape.join(', ')}] has no view [${shape.join(', ')}]`);
    ctx.alias(node.outputs[0], view);
  },
};
