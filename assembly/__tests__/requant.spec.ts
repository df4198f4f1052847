// Rounding by a magic addend equals rint, clamp and saturation included, for every kind of float that a scale can produce.

import { requant8, requantLow, requantOffset, roundUnit } from "../requant";

/** The definition, in float64. */
function defined(acc: i32, scale: f32, zero: i32, min: i32, max: i32): i32 {
  const x = <f64>(<f32>acc * scale), rounded = nearest<f64>(x) + <f64>zero;
  return <i32>Math.min(Math.max(rounded, <f64>min), <f64>max);
}

function vector(acc: i32, scale: f32, zero: i32, min: i32, max: i32): i32 {
  const a = i32x4.splat(acc), s = f32x4.splat(scale);
  const y = requant8(a, a, s, s, requantLow(min, zero), requantOffset(zero), i16x8.splat(<i16>max));
  return <i32>i8x16.extract_lane_s(y, 5);
}

describe("requantisation", () => {
  test("ties round to even", () => {
    for (let acc = -260; acc <= 260; acc++) {
      expect<i32>(vector(acc, 0.5, 0, -128, 127)).toBe(defined(acc, 0.5, 0, -128, 127));
    }
  });

  test("any accumulator, scale, zero point and clamp", () => {
    let state: u32 = 1, wrong = 0;
    for (let i = 0; i < 200000; i++) {
      state = state * 1664525 + 1013904223;
      const acc = <i32>state >> <i32>((state >> 3) & 31);
      state = state * 1664525 + 1013904223;
      const scale = <f32>(state >> 8) * <f32>Math.pow(2, -<f64>((state & 31) + 16));
      state = state * 1664525 + 1013904223;
      const zero = <i32>(state >> 24) - 128;
      const min = state & 1 ? zero : -128, max = state & 2 ? 127 : 100;
      const clampedMin = min < max ? min : max;
      const expected = defined(acc, scale, zero, clampedMin, max);
      if (vector(acc, scale, zero, clampedMin, max) != expected) wrong++;
      if (roundUnit(<f32>acc * scale, zero, clampedMin, max) != expected) wrong++;
    }
    expect<i32>(wrong).toBe(0);
  });
});
