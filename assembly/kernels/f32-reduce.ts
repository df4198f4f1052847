// Mean, sum, product, maximum and minimum over up to three dims in f32, and the checks that qs8-reduce.ts shares.
// In: one F32_REDUCE step. Out: one element per position of the four kept dims.
// Vectorised over the innermost kept dim where its strides are 1, else along the innermost reduced dim where that stride is 1.
// Loads run past the operand (at most 12 bytes), stores are exact. src and dst must not overlap.
// Sums add up each innermost run by itself first: less rounding. Maximum and minimum keep NaN. Must not know quantisation.

import {
  REDUCE_DIMS, REDUCE_DST, REDUCE_DST_STRIDES, REDUCE_INNER_DIMS, REDUCE_INNER_STRIDES, REDUCE_KIND, REDUCE_KIND_COUNT, REDUCE_MAX,
  REDUCE_MEAN, REDUCE_MIN, REDUCE_PROD, REDUCE_SRC, REDUCE_SRC_STRIDES, REDUCE_SUM,
} from "../abi.ts";
import { addWork, nestCount, nestSpan, reads, require, times, word, writes } from "../verify.ts";
import { nestLeft, nestNext, nestOffset, nestSkip, nestStart, oneOf, spreads, storeWords } from "../nest.ts";

/** Work: product of DIMS and INNER_DIMS. */
export function verifyReduce(step: usize, elementBytes: i64): void {
  oneOf(step, REDUCE_KIND, REDUCE_KIND_COUNT);
  spreads(step, REDUCE_DIMS, REDUCE_DST_STRIDES, 4);
  const span = nestSpan(step, REDUCE_DIMS, REDUCE_SRC_STRIDES, 4) + nestSpan(step, REDUCE_INNER_DIMS, REDUCE_INNER_STRIDES, 3) - 1;
  reads(word(step, REDUCE_SRC), times(span, elementBytes));
  writes(word(step, REDUCE_DST), times(nestSpan(step, REDUCE_DIMS, REDUCE_DST_STRIDES, 4), elementBytes));
  const reduced = nestCount(step, REDUCE_INNER_DIMS, 3);
  require(reduced <= 1 << 23); // sums of bytes stay in i32
  addWork(times(nestCount(step, REDUCE_DIMS, 4), reduced));
}
export function verifyF32Reduce(step: usize): void { verifyReduce(step, 4); }

// @ts-ignore: decorator
@inline function combine(kind: i32, a: v128, b: v128): v128 { return kind == REDUCE_SUM ? f32x4.add(a, b) : combineRare(kind, a, b); }
function combineRare(kind: i32, a: v128, b: v128): v128 {
  if (kind == REDUCE_MAX) return f32x4.max(a, b);
  if (kind == REDUCE_MIN) return f32x4.min(a, b);
  return f32x4.mul(a, b);
}
// @ts-ignore: decorator
@inline function identity(kind: i32): v128 {
  return f32x4.splat(kind == REDUCE_MAX ? -Infinity : kind == REDUCE_MIN ? Infinity : kind == REDUCE_PROD ? 1 : 0);
}

/** Four neighbouring results: every load is one vector. */
// @ts-ignore: decorator
@inline function across(kind: i32, step: usize, src: usize): v128 {
  const n0 = load<i32>(step, REDUCE_INNER_DIMS), n1 = load<i32>(step, REDUCE_INNER_DIMS + 4), n2 = load<i32>(step, REDUCE_INNER_DIMS + 8);
  const s0 = load<i32>(step, REDUCE_INNER_STRIDES) << 2, s1 = load<i32>(step, REDUCE_INNER_STRIDES + 4) << 2;
  const s2 = load<i32>(step, REDUCE_INNER_STRIDES + 8) << 2;
  let total = identity(kind);
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      let p = src + <usize>(i * s0 + j * s1), run = identity(kind);
      for (let k = n2; k > 0; k--) {
        run = combine(kind, run, v128.load(p));
        p += <usize>s2;
      }
      total = combine(kind, total, run);
    }
  }
  return total;
}

/** One result (in lane 0) whose innermost reduced dim is dense. */
// @ts-ignore: decorator
@inline function along(kind: i32, step: usize, src: usize): v128 {
  const n0 = load<i32>(step, REDUCE_INNER_DIMS), n1 = load<i32>(step, REDUCE_INNER_DIMS + 4), n2 = load<i32>(step, REDUCE_INNER_DIMS + 8);
  const s0 = load<i32>(step, REDUCE_INNER_STRIDES) << 2, s1 = load<i32>(step, REDUCE_INNER_STRIDES + 4) << 2;
  let total = identity(kind), ends = identity(kind);
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      let p = src + <usize>(i * s0 + j * s1), run = identity(kind), k = n2;
      for (; k >= 4; k -= 4) {
        run = combine(kind, run, v128.load(p));
        p += 16;
      }
      for (; k > 0; k--) {
        ends = combine(kind, ends, v128.load32_splat(p));
        p += 4;
      }
      total = combine(kind, total, run);
    }
  }
  total = combine(kind, total, i32x4.shuffle(total, total, 2, 3, 0, 1));
  return combine(kind, combine(kind, total, i32x4.shuffle(total, total, 1, 0, 3, 2)), ends);
}

/** Sums and means have loops of their own; the other kinds share one, which asks per vector. */
function results(kind: i32, step: usize, src: usize, dense: bool): v128 {
  if (kind == REDUCE_SUM || kind == REDUCE_MEAN) return dense ? along(REDUCE_SUM, step, src) : across(REDUCE_SUM, step, src);
  return dense ? along(kind, step, src) : across(kind, step, src);
}

export function f32Reduce(step: usize, base: usize): void {
  const kind = load<i32>(step, REDUCE_KIND);
  const vector = load<i32>(step, REDUCE_SRC_STRIDES + 12) == 1 && load<i32>(step, REDUCE_DST_STRIDES + 12) == 1;
  const dense = !vector && load<i32>(step, REDUCE_INNER_STRIDES + 8) == 1;
  const n = load<i32>(step, REDUCE_INNER_DIMS) * load<i32>(step, REDUCE_INNER_DIMS + 4) * load<i32>(step, REDUCE_INNER_DIMS + 8);
  nestStart();
  do {
    const src = base + <usize>load<i32>(step, REDUCE_SRC) + <usize>(nestOffset(step, REDUCE_SRC_STRIDES) << 2);
    const dst = base + <usize>load<i32>(step, REDUCE_DST) + <usize>(nestOffset(step, REDUCE_DST_STRIDES) << 2);
    const lanes = vector ? min<i32>(4, nestLeft(step, REDUCE_DIMS)) : 1;
    let y = results(kind, step, src, dense);
    if (kind == REDUCE_MEAN) y = f32x4.div(y, f32x4.splat(<f32>n));
    storeWords(dst, y, lanes);
    nestSkip(lanes - 1);
  } while (nestNext(step, REDUCE_DIMS));
}
