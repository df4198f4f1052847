// The two steps that move elements: X_COPY and QS8_LUT, over loop nests. In: destination and source views of one shape.
// Out: emitted steps. Must not know any particular op.

import {
  COPY_DIMS, COPY_DST, COPY_DST_STRIDES, COPY_ELEMENT_BYTES, COPY_SRC, COPY_SRC_STRIDES, COPY_STEP_BYTES,
  LUT_DIMS, LUT_DST, LUT_DST_STRIDES, LUT_SRC, LUT_SRC_STRIDES, LUT_STEP_BYTES, LUT_TABLE, QS8_LUT, X_COPY,
} from '../../assembly/abi.ts';
import type { Lowering, View } from '../plan/lowering.ts';
import { makeNest } from '../plan/views.ts';
import { allocate, elementBytes, numbers, type DType, type Shape } from '../tensor.ts';
import { product } from './axes.ts';

/** dst = src; the source's strides may be 0 or negative. Empty copies emit nothing. */
export function emitCopy(ctx: Lowering, dst: View, src: View): void {
  if (product(dst.shape) === 0) return;
  const nest = makeNest([dst, src]);
  ctx.emit(X_COPY, COPY_STEP_BYTES, {
    [COPY_SRC]: src.at,
    [COPY_DST]: dst.at,
    [COPY_ELEMENT_BYTES]: elementBytes[dst.dtype],
    [COPY_DIMS]: nest.dims,
    [COPY_DST_STRIDES]: nest.strides[0],
    [COPY_SRC_STRIDES]: nest.strides[1],
  });
}

/** dst = table[src + 128] on int8; strides must not be negative. */
export function emitTable(ctx: Lowering, dst: View, src: View, table: Int8Array): void {
  if (product(dst.shape) === 0) return;
  const nest = makeNest([dst, src]);
  ctx.emit(QS8_LUT, LUT_STEP_BYTES, {
    [LUT_SRC]: src.at,
    [LUT_DST]: dst.at,
    [LUT_TABLE]: ctx.weights(table),
    [LUT_DIMS]: nest.dims,
    [LUT_DST_STRIDES]: nest.strides[0],
    [LUT_SRC_STRIDES]: nest.strides[1],
  });
}

/** One constant seen at every position of `shape`. */
export function fillView(ctx: Lowering, dtype: DType, value: number, shape: Shape): View {
  const data = allocate(dtype, 1);
  numbers({ dtype, shape: [1], data })[0] = value;
  return { dtype, shape, strides: shape.map(() => 0), at: ctx.weights(data) };
}

/** True when both views show the very same elements in the same order. */
export function samePlace(a: View, b: View): boolean {
  return a.at.region === b.at.region && a.at.offsetBytes === b.at.offsetBytes
    && a.shape.every((dim, i) => dim <= 1 || a.strides[i] === b.strides[i]);
}
