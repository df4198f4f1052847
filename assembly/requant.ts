// Requantisation: y = clamp(rint(f32(acc) * scale) + zero, min, max), every step in f32, rint to even, never fused.
// In: int32 accumulators, f32 scales. Out: int8 units (in i16 lanes before the last narrowing).
// Must not know where accumulators come from.
//
// rint by adding 1.5*2^23: for |x| < 2^22 the sum's low mantissa bits are rint(x), so (bits - MAGIC_BITS + zero) is the result.
// Larger x only has to end beyond `max`: the bits of positive floats grow with the float, and narrowing saturates. Very negative
// x would change the sign, therefore the lower clamp comes first, in f32; `low` is an integer, so it commutes with rint.

const MAGIC: f32 = 12582912.0;
const MAGIC_BITS: i32 = 0x4b400000;

/** Where |x| is below this, rounding needs no lower clamp in f32: the narrowing that follows saturates. */
export const REQUANT_LIMIT: f32 = 4194304.0;

/** Splat of the lower bound before the zero point is added. */
// @ts-ignore: decorator
@inline export function requantLow(min: i32, zero: i32): v128 { return f32x4.splat(<f32>(min - zero)); }
/** Splat of what turns the rounded sum's bits into units. */
// @ts-ignore: decorator
@inline export function requantOffset(zero: i32): v128 { return i32x4.splat(MAGIC_BITS - zero); }

/**
 * The rounding addend. Where it is computed, not written, engines keep it in a register: a vector constant costs V8 three
 * instructions per use. Hot loops pass it on; elsewhere the default will do.
 */
// @ts-ignore: decorator
@inline export function requantMagic(offset: v128, zero: i32): v128 { return i32x4.add(offset, i32x4.splat(zero)); }

/** Four scaled values (already multiplied) to i32 units, clamped from below only. */
// @ts-ignore: decorator
@inline export function roundUnits(x: v128, low: v128, offset: v128, magic: v128 = f32x4.splat(MAGIC)): v128 {
  return i32x4.sub(f32x4.add(f32x4.pmax(x, low), magic), offset);
}
/** Four accumulators to i32 units, clamped from below only; the narrowing that follows and `min_s` clamp from above. */
// @ts-ignore: decorator
@inline export function requant4(acc: v128, scale: v128, low: v128, offset: v128, magic: v128 = f32x4.splat(MAGIC)): v128 {
  return roundUnits(f32x4.mul(f32x4.convert_i32x4_s(acc), scale), low, offset, magic);
}
/** Eight accumulators with |acc*scale| < REQUANT_LIMIT to eight i16 units, not clamped. */
// @ts-ignore: decorator
@inline export function requantBounded8(acc0: v128, acc1: v128, scale0: v128, scale1: v128, magic: v128, offset: v128): v128 {
  const x0 = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(acc0), scale0), magic);
  const x1 = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(acc1), scale1), magic);
  return i16x8.narrow_i32x4_s(i32x4.sub(x0, offset), i32x4.sub(x1, offset));
}
/** Eight accumulators to eight int8 (both halves of the result hold them). `high` is an i16x8 splat of max. */
// @ts-ignore: decorator
@inline export function requant8(
  acc0: v128, acc1: v128, scale0: v128, scale1: v128, low: v128, offset: v128, high: v128, magic: v128 = f32x4.splat(MAGIC),
): v128 {
  const wide = i16x8.narrow_i32x4_s(requant4(acc0, scale0, low, offset, magic), requant4(acc1, scale1, low, offset, magic));
  const units = i16x8.min_s(wide, high);
  return i8x16.narrow_i16x8_s(units, units);
}

/** One value of the same rule: x is already scaled in f32. */
export function roundUnit(x: f32, zero: i32, min: i32, max: i32): i32 {
  const low = <f32>(min - zero), high = <f32>(max - zero);
  const y = x < low ? low : x > high ? high : x;
  return <i32>nearest<f32>(y) + zero;
}
