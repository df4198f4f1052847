// Exact scalar arithmetic of int8 tensors: rounding, saturation, (de)quantisation and clamps, every step in float32.
// In and out: numbers. docs/numerics.md states the rules. Must not know any particular op, tensor or kernel.

/** Adding and subtracting 1.5 * 2^52 leaves the nearest integer, ties to even, for |x| < 2^51. */
const ROUNDER = 1.5 * 2 ** 52;

/** Rounds to the nearest integer, ties to even. Larger magnitudes than 2^51 are returned as they are. */
export function rint(x: number): number {
  return Math.abs(x) < 2 ** 51 ? x + ROUNDER - ROUNDER : x;
}

/** Into [lo, hi]; NaN becomes lo's neighbour 0 if that is inside, as the vector conversions do. */
export function saturate(x: number, lo = -128, hi = 127): number {
  return Math.min(hi, Math.max(lo, Number.isNaN(x) ? 0 : x));
}

/** Real value of a quantised one. */
export function dequantizeValue(q: number, scale: number, zeroPoint: number): number {
  return Math.fround(Math.fround(q - zeroPoint) * scale);
}

/** Quantised value of a real one (a float32). */
export function quantizeValue(real: number, scale: number, zeroPoint: number): number {
  const steps = rint(Math.fround(real / scale));
  return saturate((Number.isNaN(steps) ? 0 : steps) + zeroPoint);
}

/** One 8-bit scale to another: rint(f32(q - zi) * f32(si / so)) + zo. */
export function requantizeValue(q: number, from: ScaleZero, to: ScaleZero): number {
  const real = Math.fround(Math.fround(q - from.zeroPoint) * Math.fround(from.scale / to.scale));
  return saturate(rint(real) + to.zeroPoint);
}

/** Sum of `count` values to their mean in output units, the rule of MEAN and AVERAGE_POOL_2D; `count` 1 gives the plain sum. */
export function requantizeSum(sum: number, count: number, divisor: number, from: ScaleZero, to: ScaleZero): number {
  const factor = Math.fround(from.scale / Math.fround(to.scale * divisor));
  return rint(Math.fround(Math.fround(sum - count * from.zeroPoint) * factor)) + to.zeroPoint;
}

export interface ScaleZero {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** A real clamp in quantised units: zo + rint(min / so) and zo + rint(max / so), saturated to int8. */
export function quantizedClamp(min: number, max: number, scale: number, zeroPoint: number): [number, number] {
  return [saturate(zeroPoint + rint(Math.fround(min / scale))), saturate(zeroPoint + rint(Math.fround(max / scale)))];
}
