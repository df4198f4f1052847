// Register-only loops that show what this processor can do at best, for "percent of peak" in reports.
// In: iterations. Out: a value that depends on every operation. Must not touch memory.
//
// 12 independent fused chains hide the latency. Where a product is an instruction of its own, equal products would be computed once:
// there, 8 chains take products of four constants with two values that change places every iteration, which costs nothing.
// V8 before 13 reorders those products and spills: on Node 20 and 22 such a peak comes out at about a third of the truth.

import { DOT_I16 } from "./abi.ts";
import { dot2, dot4, dotMode, madd, sumI32 } from "./simd.ts";

/** Floating-point operations per iteration of peakF32. */
export function peakF32Operations(): i32 { return ASC_FEATURE_RELAXED_SIMD ? 12 * 8 : 8 * 8; }
/** Integer operations (multiply and add) per iteration of peakI8 in the current dot mode. */
export function peakI8Operations(): i32 {
  if (ASC_FEATURE_RELAXED_SIMD) { if (dotMode() != DOT_I16) return 12 * 32; }
  return 8 * 16;
}

/** x and y come from the caller, so that nothing can be computed at compile time; use ordinary numbers such as 0.5 and 0.25. */
export function peakF32(iterations: i32, x: f32, y: f32): f32 {
  const sum = ASC_FEATURE_RELAXED_SIMD ? fusedChains(iterations, f32x4.splat(x), f32x4.splat(y)) : productChains(iterations, x, y);
  return f32x4.extract_lane(sum, 0);
}

/** The 8-bit multiply-add of the current dot mode: relaxed dot, or 16-bit pairs. */
export function peakI8(iterations: i32, x: i32, y: i32): i32 {
  if (ASC_FEATURE_RELAXED_SIMD) { if (dotMode() != DOT_I16) return sumI32(relaxedDotChains(iterations, i32x4.splat(x), i32x4.splat(y))); }
  return sumI32(pairDotChains(iterations, x, y));
}

function fusedChains(iterations: i32, a: v128, b: v128): v128 {
  let c0 = a, c1 = b, c2 = a, c3 = b, c4 = a, c5 = b, c6 = a, c7 = b, c8 = a, c9 = b, c10 = a, c11 = b;
  do {
    c0 = madd(a, b, c0); c1 = madd(a, b, c1); c2 = madd(a, b, c2); c3 = madd(a, b, c3); c4 = madd(a, b, c4); c5 = madd(a, b, c5);
    c6 = madd(a, b, c6); c7 = madd(a, b, c7); c8 = madd(a, b, c8); c9 = madd(a, b, c9); c10 = madd(a, b, c10); c11 = madd(a, b, c11);
  } while (--iterations > 0);
  c0 = f32x4.add(f32x4.add(f32x4.add(c0, c1), f32x4.add(c2, c3)), f32x4.add(f32x4.add(c4, c5), f32x4.add(c6, c7)));
  return f32x4.add(c0, f32x4.add(f32x4.add(c8, c9), f32x4.add(c10, c11)));
}

function productChains(iterations: i32, x: f32, y: f32): v128 {
  const b0 = f32x4.splat(x), b1 = f32x4.splat(y), b2 = f32x4.splat(x + y), b3 = f32x4.splat(x - y);
  let s = b2, t = b3, c0 = b0, c1 = b0, c2 = b0, c3 = b0, c4 = b0, c5 = b0, c6 = b0, c7 = b0;
  do {
    c0 = madd(s, b0, c0); c1 = madd(s, b1, c1); c2 = madd(s, b2, c2); c3 = madd(s, b3, c3);
    c4 = madd(t, b0, c4); c5 = madd(t, b1, c5); c6 = madd(t, b2, c6); c7 = madd(t, b3, c7);
    const u = s;
    s = t;
    t = u;
  } while (--iterations > 0);
  return f32x4.add(f32x4.add(f32x4.add(c0, c1), f32x4.add(c2, c3)), f32x4.add(f32x4.add(c4, c5), f32x4.add(c6, c7)));
}

function relaxedDotChains(iterations: i32, a: v128, b: v128): v128 {
  let c0 = a, c1 = b, c2 = a, c3 = b, c4 = a, c5 = b, c6 = a, c7 = b, c8 = a, c9 = b, c10 = a, c11 = b;
  do {
    c0 = dot4(a, b, c0); c1 = dot4(a, b, c1); c2 = dot4(a, b, c2); c3 = dot4(a, b, c3); c4 = dot4(a, b, c4); c5 = dot4(a, b, c5);
    c6 = dot4(a, b, c6); c7 = dot4(a, b, c7); c8 = dot4(a, b, c8); c9 = dot4(a, b, c9); c10 = dot4(a, b, c10); c11 = dot4(a, b, c11);
  } while (--iterations > 0);
  c0 = i32x4.add(i32x4.add(i32x4.add(c0, c1), i32x4.add(c2, c3)), i32x4.add(i32x4.add(c4, c5), i32x4.add(c6, c7)));
  return i32x4.add(c0, i32x4.add(i32x4.add(c8, c9), i32x4.add(c10, c11)));
}

function pairDotChains(iterations: i32, x: i32, y: i32): v128 {
  const b0 = i32x4.splat(x), b1 = i32x4.splat(y), b2 = i32x4.splat(x + y), b3 = i32x4.splat(x - y);
  let s = b2, t = b3, c0 = b0, c1 = b0, c2 = b0, c3 = b0, c4 = b0, c5 = b0, c6 = b0, c7 = b0;
  do {
    c0 = dot2(s, b0, c0); c1 = dot2(s, b1, c1); c2 = dot2(s, b2, c2); c3 = dot2(s, b3, c3);
    c4 = dot2(t, b0, c4); c5 = dot2(t, b1, c5); c6 = dot2(t, b2, c6); c7 = dot2(t, b3, c7);
    const u = s;
    s = t;
    t = u;
  } while (--iterations > 0);
  return i32x4.add(i32x4.add(i32x4.add(c0, c1), i32x4.add(c2, c3)), i32x4.add(i32x4.add(c4, c5), i32x4.add(c6, c7)));
}
