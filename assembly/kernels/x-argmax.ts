// Index of the largest element along one axis, for f32, int8 and int32.
// In: one X_ARGMAX step. Out: int32 index per position of the four outer dims: the first of equal elements, or the last with LAST.
// NaN is larger than nothing, and nothing is larger than a NaN that comes first. src and dst must not overlap. Must not know quantisation: order is what counts.

import {
  ARGMAX_AXIS, ARGMAX_DIMS, ARGMAX_DST, ARGMAX_DST_STRIDES, ARGMAX_DTYPE, ARGMAX_LAST, ARGMAX_SRC, ARGMAX_SRC_AXIS_STRIDE,
  ARGMAX_SRC_STRIDES, DTYPE_F32, DTYPE_I32, DTYPE_I8,
} from "../abi.ts";
import { addWork, nestCount, nestSpan, positive, reads, require, stride, times, word, writes } from "../verify.ts";
import { nestNext, nestOffset, nestStart, oneOf, spreads } from "../nest.ts";

/** Work: product of DIMS, times AXIS. */
export function verifyXArgmax(step: usize): void {
  const dtype = word(step, ARGMAX_DTYPE), axis = positive(step, ARGMAX_AXIS);
  require(dtype == DTYPE_F32 || dtype == DTYPE_I8 || dtype == DTYPE_I32);
  oneOf(step, ARGMAX_LAST, 2);
  spreads(step, ARGMAX_DIMS, ARGMAX_DST_STRIDES, 4);
  const src = nestSpan(step, ARGMAX_DIMS, ARGMAX_SRC_STRIDES, 4) + times(axis - 1, stride(step, ARGMAX_SRC_AXIS_STRIDE));
  reads(word(step, ARGMAX_SRC), times(src, dtype == DTYPE_I8 ? 1 : 4));
  writes(word(step, ARGMAX_DST), times(nestSpan(step, ARGMAX_DIMS, ARGMAX_DST_STRIDES, 4), 4));
  addWork(times(nestCount(step, ARGMAX_DIMS, 4), axis));
}

// @ts-ignore: decorator
@inline function largest<T>(src: usize, count: i32, step: i32, last: bool): i32 {
  let best = load<T>(src), index = 0;
  for (let i = 1; i < count; i++) {
    src += <usize>step;
    const x = load<T>(src);
    if (x > best || (last && x == best)) { best = x; index = i; }
  }
  return index;
}

export function xArgmax(step: usize, base: usize): void {
  const dtype = load<i32>(step, ARGMAX_DTYPE), count = load<i32>(step, ARGMAX_AXIS), last = load<i32>(step, ARGMAX_LAST) != 0;
  const shift = dtype == DTYPE_I8 ? 0 : 2, move = load<i32>(step, ARGMAX_SRC_AXIS_STRIDE) << shift;
  nestStart();
  do {
    const src = base + <usize>load<i32>(step, ARGMAX_SRC) + <usize>(nestOffset(step, ARGMAX_SRC_STRIDES) << shift);
    const index = dtype == DTYPE_F32 ? largest<f32>(src, count, move, last)
      : dtype == DTYPE_I8 ? largest<i8>(src, count, move, last) : largest<i32>(src, count, move, last);
    store<i32>(base + <usize>load<i32>(step, ARGMAX_DST) + <usize>(nestOffset(step, ARGMAX_DST_STRIDES) << 2), index);
  } while (nestNext(step, ARGMAX_DIMS));
}
