// argmax: int32 index of the largest element along one axis, the first or the last of equals; argmin by way of the negated input.
// ONNX ArgMax, ArgMin; TFLite ARG_MAX. Must not know the graph around it.

import {
  ARGMAX_AXIS, ARGMAX_DIMS, ARGMAX_DST, ARGMAX_DST_STRIDES, ARGMAX_DTYPE, ARGMAX_LAST, ARGMAX_SRC, ARGMAX_SRC_AXIS_STRIDE, ARGMAX_SRC_STRIDES,
  ARGMAX_STEP_BYTES, DTYPE_F32, DTYPE_I32, DTYPE_I8, X_ARGMAX,
} from '../../assembly/abi.ts';
import { KingletError } from '../error.ts';
import type { Builder } from '../graph/builder.ts';
import type { Value } from '../graph/graph.ts';
import type { OnnxNode } from '../import/onnx/node.ts';
import { makeNest } from '../plan/views.ts';
import { numbers, type DType } from '../tensor.ts';
import { applyBinary, applyUnary } from './composed.ts';
import type { Op } from './op.ts';
import { aroundAxis, emptyTensor, forward, normalizeAxis, operand } from './operand.ts';
import { reshape } from './reshape.ts';
import { withoutAxis } from './softmax.ts';

export interface ArgmaxAttrs {
  /** Not negative. */
  readonly axis: number;
  readonly keepDims: boolean;
  readonly last: boolean;
}

const dtypes: Partial<Record<DType, number>> = { float32: DTYPE_F32, int8: DTYPE_I8, int32: DTYPE_I32 };

export const argmax: Op<ArgmaxAttrs> = {
  kind: 'argmax',
  onnx: {
    ArgMax: (node, b) => [readOnnx(node, b, node.input(0))],
    ArgMin: (node, b) => [readOnnx(node, b, reversed(node, b, node.input(0)))],
  },
  tflite: {
    ARG_MAX(node, b) {
      const x = node.input(0);
      const axis = normalizeAxis(Number(node.constant(1).data[0]), x.shape.length);
      return [b.add(argmax, { axis, keepDims: false, last: false }, [x])];
    },
  },
  infer(inputs, { axis, keepDims }) {
    const x = operand(inputs, 0);
    normalizeAxis(axis, x.shape.length);
    if (dtypes[x.dtype] === undefined) throw new KingletError('ERR_UNSUPPORTED', `argmax of ${x.dtype} is not supported`);
    if (x.shape[axis] === 0) throw new KingletError('ERR_MODEL_INVALID', 'argmax of nothing');
    const shape = keepDims ? x.shape.map((dim, i) => (i === axis ? 1 : dim)) : x.shape.filter((_, i) => i !== axis);
    return [{ dtype: 'int32', shape }];
  },
  reference(inputs, { axis, last }, outputs) {
    const tensor = operand(inputs, 0);
    const x = numbers(tensor);
    const y = emptyTensor(operand(outputs, 0));
    const { outer, length, inner } = aroundAxis(tensor.shape, axis);
    for (let row = 0; row < outer * inner; row++) {
      const start = Math.floor(row / inner) * length * inner + (row % inner);
      let best = 0;
      for (let i = 1; i < length; i++) {
        const value = x[start + i * inner];
        const largest = x[start + best * inner];
        // NaN never wins.
        if (value > largest || (last && value === largest) || (Number.isNaN(largest) && !Number.isNaN(value))) best = i;
      }
      y.data[row] = best;
    }
    return [y];
  },
  permute: (attrs, perm) => (attrs.keepDims ? { ...attrs, axis: perm.indexOf(attrs.axis) } : undefined),
  lower(node, ctx) {
    const { axis, keepDims, last } = node.attrs;
    const src = ctx.read(operand(node.inputs, 0), forward);
    const dst = ctx.write(operand(node.outputs, 0));
    const nest = makeNest([keepDims ? withoutAxis(dst, axis) : dst, withoutAxis(src, axis)], 4);
    ctx.emit(X_ARGMAX, ARGMAX_STEP_BYTES, {
      [ARGMAX_SRC]: src.at,
      [ARGMAX_DST]: dst.at,
      [ARGMAX_DTYPE]: dtypes[src.dtype] ?? 0,
      [ARGMAX_DIMS]: nest.dims,
      [ARGMAX_DST_STRIDES]: nest.strides[0] ?? [],
      [ARGMAX_SRC_STRIDES]: nest.strides[1] ?? [],
      [ARGMAX_AXIS]: src.shape[axis] ?? 1,
      [ARGMAX_SRC_AXIS_STRIDE]: src.strides[axis] ?? 0,
      [ARGMAX_LAST]: last ? 1 : 0,
    });
  },
};

function readOnnx(node: OnnxNode, b: Builder, x: Value): Value {
  const axis = normalizeAxis(node.int('axis', 0), x.shape.length);
  const y = b.add(argmax, { axis, keepDims: true, last: node.int('select_last_index', 0) !== 0 }, [x]);
  // Dropping the axis is a reshape of its own, so that transposes can move past the argmax.
  return node.int('keepdims', 1) !== 0 ? y : b.add(reshape, { shape: x.shape.filter((_, i) => i !== axis) }, [y]);
}

/** The same elements in the opposite order: -x, or for integers -1 - x, which never overflows. */
function reversed(node: OnnxNode, b: Builder, x: Value): Value {
  if (x.dtype === 'float32') return applyUnary(b, 'neg', x);
  return x.dtype === 'int32' ? applyBinary(b, 'sub', -1, x) : node.unsupported(`ArgMin of ${x.dtype} is not supported`);
}
