// Softmax and log-softmax along one axis, in f32 and for int8.
// In: one F32_SOFTMAX or QS8_SOFTMAX step. Out: exp(BETA*(x - max)) / sum along AXIS for every position of the four outer dims.
// f32: vectorised along the axis where it is dense, else over the innermost outer dim. Loads run past the operand (at most 12 bytes),
// stores are exact; dst may be src at the same address and strides.
// int8: BETA*SRC_SCALE*(q - max) in f32, sum in f64, p / sum in f32, then rint(p / DST_SCALE) + DST_ZERO. SCRATCH holds AXIS f32.

import {
  SOFTMAX_AXIS, SOFTMAX_BETA, SOFTMAX_DIMS, SOFTMAX_DST, SOFTMAX_DST_AXIS_STRIDE, SOFTMAX_DST_SCALE, SOFTMAX_DST_STRIDES,
  SOFTMAX_DST_ZERO, SOFTMAX_LOG, SOFTMAX_SCRATCH, SOFTMAX_SRC, SOFTMAX_SRC_AXIS_STRIDE, SOFTMAX_SRC_SCALE, SOFTMAX_SRC_STRIDES,
} from "../abi.ts";
import { addWork, inRange, nestCount, nestSpan, positive, reads, require, stride, times, word, writes } from "../verify.ts";
import { exp4, log4 } from "../math.ts";
import { nestLeft, nestNext, nestOffset, nestSkip, nestStart, oneOf, spreads, storeBytes, storeWords } from "../nest.ts";
import { requantLow, requantOffset, roundUnit } from "../requant.ts";
import { quantize4 } from "./qs8-binary.ts";

/** Work: product of DIMS, times AXIS. */
function verifySoftmax(step: usize, elementBytes: i64): void {
  const axis = positive(step, SOFTMAX_AXIS), moveSrc = stride(step, SOFTMAX_SRC_AXIS_STRIDE), moveDst = stride(step, SOFTMAX_DST_AXIS_STRIDE);
  require(axis == 1 || moveDst > 0);
  spreads(step, SOFTMAX_DIMS, SOFTMAX_DST_STRIDES, 4);
  const src = nestSpan(step, SOFTMAX_DIMS, SOFTMAX_SRC_STRIDES, 4) + times(axis - 1, moveSrc);
  const dst = nestSpan(step, SOFTMAX_DIMS, SOFTMAX_DST_STRIDES, 4) + times(axis - 1, moveDst);
  reads(word(step, SOFTMAX_SRC), times(src, elementBytes));
  writes(word(step, SOFTMAX_DST), times(dst, elementBytes));
  addWork(times(nestCount(step, SOFTMAX_DIMS, 4), axis));
}
export function verifyF32Softmax(step: usize): void {
  oneOf(step, SOFTMAX_LOG, 2);
  verifySoftmax(step, 4);
}
export function verifyQs8Softmax(step: usize): void {
  oneOf(step, SOFTMAX_LOG, 1);
  inRange(step, SOFTMAX_DST_ZERO, -128, 127);
  writes(word(step, SOFTMAX_SCRATCH), times(positive(step, SOFTMAX_AXIS), 4));
  verifySoftmax(step, 1);
}

// @ts-ignore: decorator
@inline function fold(v: v128, largest: bool): v128 {
  const half = i32x4.shuffle(v, v, 2, 3, 0, 1), w = largest ? f32x4.max(v, half) : f32x4.add(v, half);
  const quarter = i32x4.shuffle(w, w, 1, 0, 3, 2);
  return largest ? f32x4.max(w, quarter) : f32x4.add(w, quarter);
}

/** One dense run. The lanes behind its end are replaced: by -inf for the maximum, by 0 for the sum. */
function dense(src: usize, dst: usize, count: i32, beta: v128, log: bool): void {
  const whole = count & ~3, rest = count & 3;
  const used = i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(rest)), end = <usize>(whole << 2);
  let best = f32x4.splat(-Infinity), sum = f32x4.splat(0);
  for (let i = 0; i < whole; i += 4) best = f32x4.max(best, v128.load(src + <usize>(i << 2)));
  if (rest) best = f32x4.max(best, v128.bitselect(v128.load(src + end), best, used));
  best = fold(best, true);
  for (let i = 0; i < whole; i += 4) {
    const x = f32x4.mul(f32x4.sub(v128.load(src + <usize>(i << 2)), best), beta), e = exp4(x);
    sum = f32x4.add(sum, e);
    v128.store(dst + <usize>(i << 2), log ? x : e);
  }
  if (rest) {
    const x = f32x4.mul(f32x4.sub(v128.load(src + end), best), beta), e = exp4(x);
    sum = f32x4.add(sum, v128.and(e, used));
    storeWords(dst + end, log ? x : e, rest);
  }
  sum = fold(sum, false);
  if (log) sum = log4(sum);
  for (let i = 0; i < count; i += 4) {
    const y = v128.load(dst + <usize>(i << 2));
    storeWords(dst + <usize>(i << 2), log ? f32x4.sub(y, sum) : f32x4.div(y, sum), count - i);
  }
}

/** `lanes` neighbouring runs at once; steps in bytes. */
function across(src: usize, dst: usize, count: i32, srcStep: i32, dstStep: i32, lanes: i32, beta: v128, log: bool): void {
  let best = f32x4.splat(-Infinity), sum = f32x4.splat(0);
  for (let i = 0; i < count; i++) best = f32x4.max(best, v128.load(src + <usize>(i * srcStep)));
  for (let i = 0; i < count; i++) {
    const x = f32x4.mul(f32x4.sub(v128.load(src + <usize>(i * srcStep)), best), beta), e = exp4(x);
    sum = f32x4.add(sum, e);
    storeWords(dst + <usize>(i * dstStep), log ? x : e, lanes);
  }
  if (log) sum = log4(sum);
  for (let i = 0; i < count; i++) {
    const y = v128.load(dst + <usize>(i * dstStep));
    storeWords(dst + <usize>(i * dstStep), log ? f32x4.sub(y, sum) : f32x4.div(y, sum), lanes);
  }
}

/** Two dense runs of two elements, one behind the other, in one vector. */
// @ts-ignore: decorator
@inline function pairOfPairs(src: usize, dst: usize, beta: v128, log: bool): void {
  const v = v128.load(src), best = f32x4.max(v, i32x4.shuffle(v, v, 1, 0, 3, 2));
  const x = f32x4.mul(f32x4.sub(v, best), beta), e = exp4(x), sum = f32x4.add(e, i32x4.shuffle(e, e, 1, 0, 3, 2));
  v128.store(dst, log ? f32x4.sub(x, log4(sum)) : f32x4.div(e, sum));
}

export function f32Softmax(step: usize, base: usize): void {
  const log = load<i32>(step, SOFTMAX_LOG) != 0, beta = v128.load32_splat(step, SOFTMAX_BETA), count = load<i32>(step, SOFTMAX_AXIS);
  const srcStep = load<i32>(step, SOFTMAX_SRC_AXIS_STRIDE), dstStep = load<i32>(step, SOFTMAX_DST_AXIS_STRIDE);
  const isDense = srcStep == 1 && dstStep == 1;
  const pairs = isDense && count == 2 && load<i32>(step, SOFTMAX_SRC_STRIDES + 12) == 2 && load<i32>(step, SOFTMAX_DST_STRIDES + 12) == 2;
  const vector = !isDense && load<i32>(step, SOFTMAX_SRC_STRIDES + 12) == 1 && load<i32>(step, SOFTMAX_DST_STRIDES + 12) == 1;
  nestStart();
  do {
    const src = base + <usize>load<i32>(step, SOFTMAX_SRC) + <usize>(nestOffset(step, SOFTMAX_SRC_STRIDES) << 2);
    const dst = base + <usize>load<i32>(step, SOFTMAX_DST) + <usize>(nestOffset(step, SOFTMAX_DST_STRIDES) << 2);
    let lanes = vector ? min<i32>(4, nestLeft(step, SOFTMAX_DIMS)) : 1;
    if (pairs && nestLeft(step, SOFTMAX_DIMS) >= 2) {
      pairOfPairs(src, dst, beta, log);
      lanes = 2;
    } else if (isDense) dense(src, dst, count, beta, log);
    else across(src, dst, count, srcStep << 2, dstStep << 2, lanes, beta, log);
    nestSkip(lanes - 1);
  } while (nestNext(step, SOFTMAX_DIMS));
}

/** One dense run of int8, four at a time; the sum is f64, in order, as in the strided loop. */
function qs8Dense(src: usize, dst: usize, count: i32, scratch: usize, factor: f32, scale: f32, zero: i32): void {
  let top = i8x16.splat(-128), best: i32 = -128, sum: f64 = 0, i = 0;
  for (; i + 16 <= count; i += 16) top = i8x16.max_s(top, v128.load(src + <usize>i));
  for (; i < count; i++) best = max<i32>(best, load<i8>(src + <usize>i));
  top = i8x16.max_s(top, v128.shuffle<i64>(top, top, 1, 0));
  top = i8x16.max_s(top, v128.shuffle<i32>(top, top, 1, 0, 3, 2));
  top = i8x16.max_s(top, v128.shuffle<i16>(top, top, 1, 0, 3, 2, 5, 4, 7, 6));
  best = max<i32>(best, max<i32>(i8x16.extract_lane_s(top, 0), i8x16.extract_lane_s(top, 1)));
  const most = i32x4.splat(best), by = f32x4.splat(factor);
  for (i = 0; i < count; i += 4) {
    const q = i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(src + <usize>i)));
    const e = exp4(f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(q, most)), by));
    storeWords(scratch + <usize>(i << 2), e, count - i);
  }
  for (i = 0; i < count; i++) sum += <f64>load<f32>(scratch + <usize>(i << 2));
  const low = requantLow(-128, zero), offset = requantOffset(zero), total = f32x4.splat(<f32>sum), unit = f32x4.splat(scale);
  for (i = 0; i < count; i += 4) {
    const x = quantize4(f32x4.div(f32x4.div(v128.load(scratch + <usize>(i << 2)), total), unit), low, offset);
    const wide = i16x8.narrow_i32x4_s(x, x);
    const y = i8x16.narrow_i16x8_s(wide, wide);
    if (count - i >= 4) v128.store32_lane(dst + <usize>i, y, 0);
    else storeBytes(dst + <usize>i, y, count - i);
  }
}

export function qs8Softmax(step: usize, base: usize): void {
  const count = load<i32>(step, SOFTMAX_AXIS), scratch = base + <usize>load<i32>(step, SOFTMAX_SCRATCH);
  const srcStep = load<i32>(step, SOFTMAX_SRC_AXIS_STRIDE), dstStep = load<i32>(step, SOFTMAX_DST_AXIS_STRIDE);
  const factor = load<f32>(step, SOFTMAX_BETA) * load<f32>(step, SOFTMAX_SRC_SCALE);
  const scale = load<f32>(step, SOFTMAX_DST_SCALE), zero = load<i32>(step, SOFTMAX_DST_ZERO);
  nestStart();
  do {
    const src = base + <usize>load<i32>(step, SOFTMAX_SRC) + <usize>nestOffset(step, SOFTMAX_SRC_STRIDES);
    const dst = base + <usize>load<i32>(step, SOFTMAX_DST) + <usize>nestOffset(step, SOFTMAX_DST_STRIDES);
    if (srcStep == 1 && dstStep == 1) {
      qs8Dense(src, dst, count, scratch, factor, scale, zero);
      continue;
    }
    let best: i32 = -128, sum: f64 = 0;
    for (let i = 0; i < count; i++) best = max<i32>(best, load<i8>(src + <usize>(i * srcStep)));
    for (let i = 0; i < count; i++) {
      const e = f32x4.extract_lane(exp4(f32x4.splat(<f32>(<i32>load<i8>(src + <usize>(i * srcStep)) - best) * factor)), 0);
      store<f32>(scratch + <usize>(i << 2), e);
      sum += <f64>e;
    }
    for (let i = 0; i < count; i++) {
      const p = load<f32>(scratch + <usize>(i << 2)) / <f32>sum;
      store<i8>(dst + <usize>(i * dstStep), <i8>roundUnit(p / scale, zero, -128, 127));
    }
  } while (nestNext(step, SOFTMAX_DIMS));
}
