// Batched int8 matrix product of two operands computed at run time, per-tensor scales.
// In: one QS8_MATMUL step. Out: dst[b,m,n] = clamp(rint(f32(sum (a-A_ZERO)*(b-B_ZERO)) * SCALE) + DST_ZERO), or the int32 sums.
// Vectorised over n where B's columns are dense, along k where both operands are dense in k; other strides go element by element.
// Loads run past the operand (at most 7 bytes), stores are exact. dst must not overlap a or b.
// Exactness: sums are exact below 2^31, that is for K up to 33,000; beyond they wrap, as everywhere in int32.

import {
  MATMUL_A, MATMUL_A_BATCH, MATMUL_A_COLUMN, MATMUL_A_ROW, MATMUL_A_ZERO, MATMUL_B, MATMUL_BATCH, MATMUL_B_BATCH, MATMUL_B_COLUMN,
  MATMUL_B_ROW, MATMUL_B_ZERO, MATMUL_DST, MATMUL_DST_BATCH, MATMUL_DST_ROW, MATMUL_DST_ZERO, MATMUL_K, MATMUL_M, MATMUL_N,
  MATMUL_OUT_I32, MATMUL_SCALE,
} from "../abi.ts";
import { addWork, inRange, positive, reads, require, stride, times, word, writes } from "../verify.ts";
import { oneOf, storeBytes, storeWords } from "../nest.ts";
import { requant4, requantLow, requantOffset } from "../requant.ts";
import { dot2, sumI32 } from "../simd.ts";

/** Work: BATCH*M*K*N. */
export function verifyQs8Matmul(step: usize): void {
  const batch = positive(step, MATMUL_BATCH), m = positive(step, MATMUL_M), k = positive(step, MATMUL_K), n = positive(step, MATMUL_N);
  oneOf(step, MATMUL_OUT_I32, 2);
  inRange(step, MATMUL_A_ZERO, -128, 127);
  inRange(step, MATMUL_B_ZERO, -128, 127);
  inRange(step, MATMUL_DST_ZERO, -128, 127);
  require((batch == 1 || word(step, MATMUL_DST_BATCH) > 0) && (m == 1 || word(step, MATMUL_DST_ROW) > 0));
  reads(word(step, MATMUL_A), 1 + times(batch - 1, stride(step, MATMUL_A_BATCH)) + times(m - 1, stride(step, MATMUL_A_ROW))
    + times(k - 1, stride(step, MATMUL_A_COLUMN)));
  reads(word(step, MATMUL_B), 1 + times(batch - 1, stride(step, MATMUL_B_BATCH)) + times(k - 1, stride(step, MATMUL_B_ROW))
    + times(n - 1, stride(step, MATMUL_B_COLUMN)));
  const dst = times(batch - 1, stride(step, MATMUL_DST_BATCH)) + times(m - 1, stride(step, MATMUL_DST_ROW)) + n;
  writes(word(step, MATMUL_DST), times(dst, word(step, MATMUL_OUT_I32) == 0 ? 1 : 4));
  addWork(times(times(times(batch, m), k), n));
}

/** Stores up to four sums, as they are or requantised. */
// @ts-ignore: decorator
@inline function finish(step: usize, dst: usize, sums: v128, count: i32): void {
  if (load<i32>(step, MATMUL_OUT_I32) != 0) { storeWords(dst, sums, count); return; }
  const zero = load<i32>(step, MATMUL_DST_ZERO);
  const wide = requant4(sums, v128.load32_splat(step, MATMUL_SCALE), requantLow(-128, zero), requantOffset(zero));
  const narrow = i16x8.narrow_i32x4_s(wide, wide);
  storeBytes(dst, i8x16.narrow_i16x8_s(narrow, narrow), min<i32>(count, 4));
}

/** One row of dst, eight columns at a time: B is dense along n. */
function rowByColumns(step: usize, a: usize, b: usize, dst: usize, shift: i32): void {
  const k = load<i32>(step, MATMUL_K), aStep = load<i32>(step, MATMUL_A_COLUMN), bStep = load<i32>(step, MATMUL_B_ROW);
  const za = load<i32>(step, MATMUL_A_ZERO), zb = i16x8.splat(<i16>load<i32>(step, MATMUL_B_ZERO));
  for (let n = load<i32>(step, MATMUL_N); n > 0; n -= 8) {
    let low = i32x4.splat(0), high = low, pa = a, pb = b;
    for (let i = k; i > 0; i--) {
      const left = i16x8.splat(<i16>(<i32>load<i8>(pa) - za)), right = i16x8.sub(v128.load_ext<i8>(pb), zb);
      low = i32x4.add(low, i32x4.extmul_low_i16x8_s(left, right));
      high = i32x4.add(high, i32x4.extmul_high_i16x8_s(left, right));
      pa += <usize>aStep;
      pb += <usize>bStep;
    }
    finish(step, dst, low, n);
    if (n > 4) finish(step, dst + <usize>(4 << shift), high, n - 4);
    b += 8;
    dst += <usize>(8 << shift);
  }
}

/** One sum along k; `dense` where both operands have stride 1 there. */
function sumAlong(step: usize, a: usize, b: usize, dense: bool): i32 {
  const za = load<i32>(step, MATMUL_A_ZERO), zb = load<i32>(step, MATMUL_B_ZERO);
  let k = load<i32>(step, MATMUL_K), sum = 0;
  if (dense) {
    const va = i16x8.splat(<i16>za), vb = i16x8.splat(<i16>zb);
    let sums = i32x4.splat(0);
    for (; k >= 8; k -= 8) {
      sums = dot2(i16x8.sub(v128.load_ext<i8>(a), va), i16x8.sub(v128.load_ext<i8>(b), vb), sums);
      a += 8;
      b += 8;
    }
    sum = sumI32(sums);
  }
  for (; k > 0; k--) {
    sum += (<i32>load<i8>(a) - za) * (<i32>load<i8>(b) - zb);
    a += <usize>load<i32>(step, MATMUL_A_COLUMN);
    b += <usize>load<i32>(step, MATMUL_B_ROW);
  }
  return sum;
}

export function qs8Matmul(step: usize, base: usize): void {
  const m = load<i32>(step, MATMUL_M), n = load<i32>(step, MATMUL_N), shift = load<i32>(step, MATMUL_OUT_I32) != 0 ? 2 : 0;
  const dense = load<i32>(step, MATMUL_A_COLUMN) == 1 && load<i32>(step, MATMUL_B_ROW) == 1;
  const bColumn = load<i32>(step, MATMUL_B_COLUMN);
  for (let batch = 0; batch < load<i32>(step, MATMUL_BATCH); batch++) {
    let a = base + <usize>load<i32>(step, MATMUL_A) + <usize>(batch * load<i32>(step, MATMUL_A_BATCH));
    const b = base + <usize>load<i32>(step, MATMUL_B) + <usize>(batch * load<i32>(step, MATMUL_B_BATCH));
    let dst = base + <usize>load<i32>(step, MATMUL_DST) + <usize>(batch * load<i32>(step, MATMUL_DST_BATCH) << shift);
    for (let row = 0; row < m; row++) {
      if (bColumn == 1) rowByColumns(step, a, b, dst, shift);
      else for (let j = 0; j < n; j++) {
        finish(step, dst + <usize>(j << shift), i32x4.splat(sumAlong(step, a, b + <usize>(j * bColumn), dense)), 1);
      }
      a += <usize>load<i32>(step, MATMUL_A_ROW);
      dst += <usize>(load<i32>(step, MATMUL_DST_ROW) << shift);
    }
  }
}
