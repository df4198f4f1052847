// Elementwise operations of two int8 operands with their own scales, with broadcasting.
// In: one QS8_BINARY step. Out: dst int8 over a nest of 6 dims.
// Exactness: every step in f32, rint to even, never fused. ADD and SUB: rint(f32((a-za)*f32(sa/so)) ± f32((b-zb)*f32(sb/so))) + zo.
// MUL: rint(f32((a-za)*(b-zb)) * f32(f32(sa*sb)/so)) + zo, the product of integers exact.
// Others: op(f32((a-za)*sa), f32((b-zb)*sb)) in f32, divided by so, rint, + zo. Then clamp; NaN counts as 0.
// Fast where dst's innermost stride is 1 and those of a and b are 0 or 1. Loads run past the operand (at most 7 bytes), stores are
// exact. dst may be a or b at the same address and strides.

import {
  BINARY_A, BINARY_ADD, BINARY_A_SCALE, BINARY_A_STRIDES, BINARY_A_ZERO, BINARY_B, BINARY_B_SCALE, BINARY_B_STRIDES, BINARY_B_ZERO,
  BINARY_DIMS, BINARY_DST, BINARY_DST_SCALE, BINARY_DST_STRIDES, BINARY_DST_ZERO, BINARY_KIND, BINARY_MAX, BINARY_MIN, BINARY_MUL,
  BINARY_SUB,
} from "../abi.ts";
import { inRange } from "../verify.ts";
import { nestNext, nestOffset, nestStart, storeBytes } from "../nest.ts";
import { requantLow, requantOffset, roundUnits } from "../requant.ts";
import { binary4, verifyBinary } from "./f32-binary.ts";

/** Work: product of DIMS. */
export function verifyQs8Binary(step: usize): void {
  verifyBinary(step, 1);
  inRange(step, BINARY_MIN, -128, 127);
  inRange(step, BINARY_MAX, -128, 127);
  inRange(step, BINARY_A_ZERO, -128, 127);
  inRange(step, BINARY_B_ZERO, -128, 127);
  inRange(step, BINARY_DST_ZERO, -128, 127);
}

/** f32((q - zero)) * scale of one half of eight i16 lanes. */
// @ts-ignore: decorator
@inline function realLow(centred: v128, scale: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(centred)), scale);
}
// @ts-ignore: decorator
@inline function realHigh(centred: v128, scale: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(centred)), scale);
}
/** Real numbers in units of the destination to i32 units; NaN becomes the zero point. */
// @ts-ignore: decorator
@inline export function quantize4(x: v128, low: v128, offset: v128): v128 {
  return roundUnits(v128.and(x, f32x4.eq(x, x)), low, offset);
}

/**
 * Eight elements, given as centred i16 lanes, to eight i16 units. Add, subtract and multiply have no division: scales hold it
 * already, for products the first one alone.
 */
// @ts-ignore: decorator
@inline function eight(kind: i32, a: v128, b: v128, step: usize, sa: v128, sb: v128, low: v128, offset: v128): v128 {
  if (kind == BINARY_MUL) {
    const low4 = f32x4.convert_i32x4_s(i32x4.extmul_low_i16x8_s(a, b)), high4 = f32x4.convert_i32x4_s(i32x4.extmul_high_i16x8_s(a, b));
    return i16x8.narrow_i32x4_s(quantize4(f32x4.mul(low4, sa), low, offset), quantize4(f32x4.mul(high4, sa), low, offset));
  }
  const a0 = realLow(a, sa), a1 = realHigh(a, sa), b0 = realLow(b, sb), b1 = realHigh(b, sb);
  if (kind == BINARY_ADD) return i16x8.narrow_i32x4_s(quantize4(f32x4.add(a0, b0), low, offset), quantize4(f32x4.add(a1, b1), low, offset));
  if (kind == BINARY_SUB) return i16x8.narrow_i32x4_s(quantize4(f32x4.sub(a0, b0), low, offset), quantize4(f32x4.sub(a1, b1), low, offset));
  const so = v128.load32_splat(step, BINARY_DST_SCALE);
  return i16x8.narrow_i32x4_s(
    quantize4(f32x4.div(binary4(kind, a0, b0), so), low, offset), quantize4(f32x4.div(binary4(kind, a1, b1), so), low, offset),
  );
}

/** One row; eight elements at a time. Steps are element strides 0 or 1 of a source. */
// @ts-ignore: decorator
@inline function row(
  kind: i32, step: usize, a: usize, b: usize, dst: usize, count: i32, aStep: i32, bStep: i32, sa: v128, sb: v128, low: v128, offset: v128,
): void {
  const za = i16x8.splat(<i16>load<i32>(step, BINARY_A_ZERO)), zb = i16x8.splat(<i16>load<i32>(step, BINARY_B_ZERO));
  const high = i8x16.splat(<i8>load<i32>(step, BINARY_MAX));
  const fixedA = i16x8.sub(i16x8.splat(<i16>load<i8>(a)), za), fixedB = i16x8.sub(i16x8.splat(<i16>load<i8>(b)), zb);
  for (; count > 0; count -= 8) {
    const va = aStep ? i16x8.sub(v128.load_ext<i8>(a), za) : fixedA, vb = bStep ? i16x8.sub(v128.load_ext<i8>(b), zb) : fixedB;
    const wide = eight(kind, va, vb, step, sa, sb, low, offset);
    const q = i8x16.min_s(i8x16.narrow_i16x8_s(wide, wide), high);
    if (count >= 8) v128.store64_lane(dst, q, 0);
    else storeBytes(dst, q, count);
    a += <usize>(aStep << 3);
    b += <usize>(bStep << 3);
    dst += 8;
  }
}

function addRow(
  step: usize, a: usize, b: usize, dst: usize, count: i32, aStep: i32, bStep: i32, sa: v128, sb: v128, low: v128, offset: v128,
): void { row(BINARY_ADD, step, a, b, dst, count, aStep, bStep, sa, sb, low, offset); }

function mulRow(
  step: usize, a: usize, b: usize, dst: usize, count: i32, aStep: i32, bStep: i32, sa: v128, sb: v128, low: v128, offset: v128,
): void { row(BINARY_MUL, step, a, b, dst, count, aStep, bStep, sa, sb, low, offset); }

function anyRow(
  step: usize, a: usize, b: usize, dst: usize, count: i32, aStep: i32, bStep: i32, sa: v128, sb: v128, low: v128, offset: v128,
): void { row(load<i32>(step, BINARY_KIND), step, a, b, dst, count, aStep, bStep, sa, sb, low, offset); }

export function qs8Binary(step: usize, base: usize): void {
  const kind = load<i32>(step, BINARY_KIND), zero = load<i32>(step, BINARY_DST_ZERO);
  const linear = kind == BINARY_ADD || kind == BINARY_SUB, so = load<f32>(step, BINARY_DST_SCALE);
  const scaleA = load<f32>(step, BINARY_A_SCALE), scaleB = load<f32>(step, BINARY_B_SCALE);
  const factor: f32 = kind == BINARY_MUL ? <f32>(scaleA * scaleB) / so : linear ? scaleA / so : scaleA;
  const sa = f32x4.splat(factor), sb = f32x4.splat(linear ? scaleB / so : scaleB);
  const low = requantLow(load<i32>(step, BINARY_MIN), zero), offset = requantOffset(zero);
  const rows = load<i32>(step, BINARY_DIMS + 16), count = load<i32>(step, BINARY_DIMS + 20);
  const as = load<i32>(step, BINARY_A_STRIDES + 20), bs = load<i32>(step, BINARY_B_STRIDES + 20), ds = load<i32>(step, BINARY_DST_STRIDES + 20);
  const dense = (ds == 1 || count == 1) && as <= 1 && bs <= 1;
  nestStart();
  do {
    const a = base + <usize>load<i32>(step, BINARY_A) + <usize>nestOffset(step, BINARY_A_STRIDES);
    const b = base + <usize>load<i32>(step, BINARY_B) + <usize>nestOffset(step, BINARY_B_STRIDES);
    const dst = base + <usize>load<i32>(step, BINARY_DST) + <usize>nestOffset(step, BINARY_DST_STRIDES);
    for (let i = 0; i < rows; i++) {
      const pa = a + <usize>(i * load<i32>(step, BINARY_A_STRIDES + 16)), pb = b + <usize>(i * load<i32>(step, BINARY_B_STRIDES + 16));
      const pd = dst + <usize>(i * load<i32>(step, BINARY_DST_STRIDES + 16));
      if (!dense) {
        for (let j = 0; j < count; j++) {
          anyRow(step, pa + <usize>(j * as), pb + <usize>(j * bs), pd + <usize>(j * ds), 1, 0, 0, sa, sb, low, offset);
        }
      } else if (kind == BINARY_ADD) addRow(step, pa, pb, pd, count, as, bs, sa, sb, low, offset);
      else if (kind == BINARY_MUL) mulRow(step, pa, pb, pd, count, as, bs, sa, sb, low, offset);
      else anyRow(step, pa, pb, pd, count, as, bs, sa, sb, low, offset);
    }
  } while (nestNext(step, BINARY_DIMS));
}
