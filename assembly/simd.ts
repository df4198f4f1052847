// The only file that knows relaxed SIMD: fused multiply-add, the 8-bit dot product, and which meaning the latter has here.
// In: vectors. Out: vectors. The simd128 build compiles the same names to exact simd128 instructions.
// Must not know layouts or opcodes. Dot mode: set once by the host after probe.ts, before the first run().

import { DOT_I16, DOT_S8S8, DOT_U8S8 } from "./abi.ts";

let mode: i32 = 0; // DOT_I16; a literal, because an imported constant would need a start function

/** Chooses how 8-bit kernels multiply. The simd128 build, and any unknown mode, stay at DOT_I16. */
export function setDotMode(wanted: i32): void {
  mode = DOT_I16;
  if (ASC_FEATURE_RELAXED_SIMD) { if (wanted == DOT_U8S8 || wanted == DOT_S8S8) mode = wanted; }
}
export function dotMode(): i32 { return mode; }

/** a*b + c, fused where the build and the processor can. */
// @ts-ignore: decorator
@inline export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** c - a*b, fused where the build and the processor can. */
// @ts-ignore: decorator
@inline export function nmadd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_nmadd(a, b, c);
  return f32x4.sub(c, f32x4.mul(a, b));
}

/** acc[i] + sum of four products of bytes. `weights` is signed, `activations` as the dot mode says. Relaxed build only. */
// @ts-ignore: decorator
@inline export function dot4(weights: v128, activations: v128, acc: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.relaxed_dot_i8x16_i7x16_add_s(weights, activations, acc);
  return acc;
}

/** acc[i] + sum of two products of 16-bit lanes; exact everywhere. */
// @ts-ignore: decorator
@inline export function dot2(a: v128, b: v128, acc: v128): v128 {
  return i32x4.add(acc, i32x4.dot_i16x8_s(a, b));
}

/** min(max(x, low), high) per lane. NaN stays NaN, and infinite bounds change nothing. */
// @ts-ignore: decorator
@inline export function clampF32(x: v128, low: v128, high: v128): v128 {
  return f32x4.pmin(f32x4.pmax(x, low), high);
}

/** Sum of the four i32 lanes. */
// @ts-ignore: decorator
@inline export function sumI32(x: v128): i32 {
  return i32x4.extract_lane(x, 0) + i32x4.extract_lane(x, 1) + i32x4.extract_lane(x, 2) + i32x4.extract_lane(x, 3);
}

/** Stores the first `lanes` (1…3) f32 lanes of x and nothing else. */
// @ts-ignore: decorator
@inline export function storeLanesF32(to: usize, x: v128, lanes: i32): void {
  v128.store32_lane(to, x, 0);
  if (lanes > 1) v128.store32_lane(to, x, 1, 4);
  if (lanes > 2) v128.store32_lane(to, x, 2, 8);
}

/** Stores the first `lanes` (1…7) bytes of x and nothing else. */
// @ts-ignore: decorator
@inline export function storeLanesI8(to: usize, x: v128, lanes: i32): void {
  let bits = i64x2.extract_lane(x, 0);
  for (let i: usize = 0; i < <usize>lanes; i++) {
    store<u8>(to + i, <u8>bits);
    bits >>= 8;
  }
}
