// Mean, sum, maximum and minimum over up to three dims of int8.
// In: one QS8_REDUCE step. Out: one int8 per position of the four kept dims.
// Exactness: mean and sum are rint(f32(sum - n*SRC_ZERO) * f32(SRC_SCALE / f32(DST_SCALE*m))) + DST_ZERO, n values, m = n for the mean
// and 1 for the sum; NaN counts as 0. Maximum and minimum copy bytes: source and destination share scale and zero point.
// Vectorised over the innermost kept dim where its strides are 1: eight at a time, loads run past the operand (at most 7 bytes),
// stores are exact. src and dst must not overlap. Must not know f32 reductions; the checks are shared.

import {
  REDUCE_DIMS, REDUCE_DST, REDUCE_DST_SCALE, REDUCE_DST_STRIDES, REDUCE_DST_ZERO, REDUCE_INNER_DIMS, REDUCE_INNER_STRIDES, REDUCE_KIND,
  REDUCE_MAX, REDUCE_MEAN, REDUCE_MIN, REDUCE_PROD, REDUCE_SRC, REDUCE_SRC_SCALE, REDUCE_SRC_STRIDES, REDUCE_SRC_ZERO,
} from "../abi.ts";
import { inRange, require, word } from "../verify.ts";
import { nestLeft, nestNext, nestOffset, nestSkip, nestStart, storeBytes } from "../nest.ts";
import { requantLow, requantOffset } from "../requant.ts";
import { verifyReduce } from "./f32-reduce.ts";
import { quantize4 } from "./qs8-binary.ts";

/** Work: product of DIMS and INNER_DIMS. */
export function verifyQs8Reduce(step: usize): void {
  verifyReduce(step, 1);
  require(word(step, REDUCE_KIND) != REDUCE_PROD);
  inRange(step, REDUCE_SRC_ZERO, -128, 127);
  inRange(step, REDUCE_DST_ZERO, -128, 127);
}

/** Eight neighbouring maxima or minima, as i16 lanes. */
function extremes(step: usize, src: usize, largest: bool): v128 {
  let best = i16x8.splat(largest ? -128 : 127);
  for (let i = 0; i < load<i32>(step, REDUCE_INNER_DIMS); i++) {
    for (let j = 0; j < load<i32>(step, REDUCE_INNER_DIMS + 4); j++) {
      let p = src + <usize>(i * load<i32>(step, REDUCE_INNER_STRIDES) + j * load<i32>(step, REDUCE_INNER_STRIDES + 4));
      for (let k = load<i32>(step, REDUCE_INNER_DIMS + 8); k > 0; k--) {
        const x = v128.load_ext<i8>(p);
        best = largest ? i16x8.max_s(best, x) : i16x8.min_s(best, x);
        p += <usize>load<i32>(step, REDUCE_INNER_STRIDES + 8);
      }
    }
  }
  return best;
}

/** Eight neighbouring sums, scaled and rounded, as i16 lanes. `start` is -n*SRC_ZERO. */
function sums(step: usize, src: usize, start: i32, scale: f32): v128 {
  let low = i32x4.splat(start), high = low;
  for (let i = 0; i < load<i32>(step, REDUCE_INNER_DIMS); i++) {
    for (let j = 0; j < load<i32>(step, REDUCE_INNER_DIMS + 4); j++) {
      let p = src + <usize>(i * load<i32>(step, REDUCE_INNER_STRIDES) + j * load<i32>(step, REDUCE_INNER_STRIDES + 4));
      for (let k = load<i32>(step, REDUCE_INNER_DIMS + 8); k > 0; k--) {
        const x = v128.load_ext<i8>(p);
        low = i32x4.add(low, i32x4.extend_low_i16x8_s(x));
        high = i32x4.add(high, i32x4.extend_high_i16x8_s(x));
        p += <usize>load<i32>(step, REDUCE_INNER_STRIDES + 8);
      }
    }
  }
  const by = f32x4.splat(scale), zero = load<i32>(step, REDUCE_DST_ZERO);
  const least = requantLow(-128, zero), offset = requantOffset(zero);
  return i16x8.narrow_i32x4_s(
    quantize4(f32x4.mul(f32x4.convert_i32x4_s(low), by), least, offset),
    quantize4(f32x4.mul(f32x4.convert_i32x4_s(high), by), least, offset),
  );
}

export function qs8Reduce(step: usize, base: usize): void {
  const kind = load<i32>(step, REDUCE_KIND);
  const vector = load<i32>(step, REDUCE_SRC_STRIDES + 12) == 1 && load<i32>(step, REDUCE_DST_STRIDES + 12) == 1;
  const n = load<i32>(step, REDUCE_INNER_DIMS) * load<i32>(step, REDUCE_INNER_DIMS + 4) * load<i32>(step, REDUCE_INNER_DIMS + 8);
  const parts = kind == REDUCE_MEAN ? <f32>n : 1;
  const scale = load<f32>(step, REDUCE_SRC_SCALE) / <f32>(load<f32>(step, REDUCE_DST_SCALE) * parts);
  const start = -n * load<i32>(step, REDUCE_SRC_ZERO);
  nestStart();
  do {
    const src = base + <usize>load<i32>(step, REDUCE_SRC) + <usize>nestOffset(step, REDUCE_SRC_STRIDES);
    const dst = base + <usize>load<i32>(step, REDUCE_DST) + <usize>nestOffset(step, REDUCE_DST_STRIDES);
    const lanes = vector ? min<i32>(8, nestLeft(step, REDUCE_DIMS)) : 1;
    const y = kind == REDUCE_MAX || kind == REDUCE_MIN ? extremes(step, src, kind == REDUCE_MAX) : sums(step, src, start, scale);
    storeBytes(dst, i8x16.narrow_i16x8_s(y, y), lanes);
    nestSkip(lanes - 1);
  } while (nestNext(step, REDUCE_DIMS));
}
