// f32 matrix tiles: C[rows][8] = clamp(bias + A[rows][K] * B[K][8]).
// In: rows of A (lda bytes apart), one weight panel [bias 8][K][8], a step for its clamp. Out: 8 columns of C (ldc bytes apart).
// Must not know convolutions: f32-conv.ts packs rows and walks panels.
//
// Contract: no alignment needed; reads exactly rows*K of A and the panel; writes exactly rows*8 of C; C may not overlap A or B.
// A row group shorter than the tile repeats its last row: the same values are computed again and stored to the same place.
// One k step per iteration, bumped pointers, do…while: V8 keeps all accumulators in registers only in this shape.

import { CONV_MAX, CONV_MIN } from "../abi.ts";
import { clampF32, madd } from "../simd.ts";

/** Rows of the tile that this build uses: 12 accumulators need a fused multiply-add, or a temporary spills. */
// @ts-ignore: decorator
@inline export const F32_TILE_ROWS: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 4;

/** Any number of rows in tiles of this build's height. */
// @ts-ignore: decorator
@inline export function f32Gemm(rows: i32, k: i32, a: usize, lda: usize, b: usize, c: usize, ldc: usize, step: usize): void {
  const single = rows % F32_TILE_ROWS == 1;
  const tiled = single ? rows - 1 : rows;
  if (tiled > 0) {
    if (ASC_FEATURE_RELAXED_SIMD) f32_gemm_6x8(tiled, k, a, lda, b, c, ldc, step);
    else f32_gemm_4x8(tiled, k, a, lda, b, c, ldc, step);
  }
  if (single) f32_gemm_1x8(k, a + <usize>tiled * lda, b, c + <usize>tiled * ldc, step);
}

// @ts-ignore: decorator
@inline function put(c: usize, x0: v128, x1: v128, low: v128, high: v128): void {
  v128.store(c, clampF32(x0, low, high));
  v128.store(c, clampF32(x1, low, high), 16);
}

export function f32_gemm_6x8(rows: i32, k: i32, a: usize, lda: usize, b: usize, c: usize, ldc: usize, step: usize): void {
  const rowBytes = <usize>k << 2;
  do {
    let a0 = a;
    let a1 = rows > 1 ? a0 + lda : a0;
    let a2 = rows > 2 ? a1 + lda : a1;
    let a3 = rows > 3 ? a2 + lda : a2;
    let a4 = rows > 4 ? a3 + lda : a3;
    let a5 = rows > 5 ? a4 + lda : a4;
    const end = a0 + rowBytes;
    let c00 = v128.load(b), c01 = v128.load(b, 16);
    let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01, c40 = c00, c41 = c01, c50 = c00, c51 = c01;
    let p = b + 32;
    do {
      const b0 = v128.load(p), b1 = v128.load(p, 16);
      p += 32;
      let s = v128.load32_splat(a0); a0 += 4; c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
      s = v128.load32_splat(a1); a1 += 4; c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
      s = v128.load32_splat(a2); a2 += 4; c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
      s = v128.load32_splat(a3); a3 += 4; c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
      s = v128.load32_splat(a4); a4 += 4; c40 = madd(s, b0, c40); c41 = madd(s, b1, c41);
      s = v128.load32_splat(a5); a5 += 4; c50 = madd(s, b0, c50); c51 = madd(s, b1, c51);
    } while (a0 < end);
    const low = v128.load32_splat(step, CONV_MIN), high = v128.load32_splat(step, CONV_MAX);
    let o = c;
    put(o, c00, c01, low, high); if (rows > 1) o += ldc;
    put(o, c10, c11, low, high); if (rows > 2) o += ldc;
    put(o, c20, c21, low, high); if (rows > 3) o += ldc;
    put(o, c30, c31, low, high); if (rows > 4) o += ldc;
    put(o, c40, c41, low, high); if (rows > 5) o += ldc;
    put(o, c50, c51, low, high);
    a += 6 * lda;
    c += 6 * ldc;
    rows -= 6;
  } while (rows > 0);
}

export function f32_gemm_4x8(rows: i32, k: i32, a: usize, lda: usize, b: usize, c: usize, ldc: usize, step: usize): void {
  const rowBytes = <usize>k << 2;
  do {
    let a0 = a;
    let a1 = rows > 1 ? a0 + lda : a0;
    let a2 = rows > 2 ? a1 + lda : a1;
    let a3 = rows > 3 ? a2 + lda : a2;
    const end = a0 + rowBytes;
    let c00 = v128.load(b), c01 = v128.load(b, 16);
    let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01;
    let p = b + 32;
    do {
      const b0 = v128.load(p), b1 = v128.load(p, 16);
      p += 32;
      let s = v128.load32_splat(a0); a0 += 4; c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
      s = v128.load32_splat(a1); a1 += 4; c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
      s = v128.load32_splat(a2); a2 += 4; c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
      s = v128.load32_splat(a3); a3 += 4; c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
    } while (a0 < end);
    const low = v128.load32_splat(step, CONV_MIN), high = v128.load32_splat(step, CONV_MAX);
    let o = c;
    put(o, c00, c01, low, high); if (rows > 1) o += ldc;
    put(o, c10, c11, low, high); if (rows > 2) o += ldc;
    put(o, c20, c21, low, high); if (rows > 3) o += ldc;
    put(o, c30, c31, low, high);
    a += 4 * lda;
    c += 4 * ldc;
    rows -= 4;
  } while (rows > 0);
}

/** One row (dense layers): K is split over four accumulator sets, so that loads, not latency, set the pace. */
export function f32_gemm_1x8(k: i32, a: usize, b: usize, c: usize, step: usize): void {
  let c00 = v128.load(b), c01 = v128.load(b, 16);
  const zero = f32x4.splat(0);
  let c10 = zero, c11 = zero, c20 = zero, c21 = zero, c30 = zero, c31 = zero;
  let p = b + 32;
  let left = k;
  while (left >= 4) {
    let s = v128.load32_splat(a); c00 = madd(s, v128.load(p), c00); c01 = madd(s, v128.load(p, 16), c01);
    s = v128.load32_splat(a, 4); c10 = madd(s, v128.load(p, 32), c10); c11 = madd(s, v128.load(p, 48), c11);
    s = v128.load32_splat(a, 8); c20 = madd(s, v128.load(p, 64), c20); c21 = madd(s, v128.load(p, 80), c21);
    s = v128.load32_splat(a, 12); c30 = madd(s, v128.load(p, 96), c30); c31 = madd(s, v128.load(p, 112), c31);
    a += 16;
    p += 128;
    left -= 4;
  }
  while (left > 0) {
    const s = v128.load32_splat(a);
    c00 = madd(s, v128.load(p), c00);
    c01 = madd(s, v128.load(p, 16), c01);
    a += 4;
    p += 32;
    left--;
  }
  c00 = f32x4.add(f32x4.add(c00, c10), f32x4.add(c20, c30));
  c01 = f32x4.add(f32x4.add(c01, c11), f32x4.add(c21, c31));
  put(c, c00, c01, v128.load32_splat(step, CONV_MIN), v128.load32_splat(step, CONV_MAX));
}
