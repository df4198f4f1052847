// f32 matrix tiles: C[rows][8] = clamp(bias + A[rows][K] * B[K][8]).
// In: rows of A (lda bytes apart), one weight panel [bias 8][K][8], a step for its clamp. Out: 8 columns of C (ldc bytes apart).
// Must not know convolutions: f32-conv.ts packs rows and walks panels.
//
// Contract: no alignment needed; reads exactly rows*K of A, the panel and perhaps the next one; writes exactly rows*8 of C; C may not overlap
// A or B.
// A row group shorter than the tile repeats its last row: the same values are computed again and stored to the same place.
// Bumped pointers and do…while: V8 keeps all accumulators in registers only in this shape, and before version 13 with one k step per iteration
// only; the six-row tile, which such engines do not run, takes four.

import { CONV_ACTIVATION, CONV_MAX, CONV_MIN, CONV_P0, DOT_I16, UNARY_LEAKY_RELU } from "../abi.ts";
import { COMPACT } from "../compact.ts";
import { clampF32, dotMode, madd, storeLanesF32 } from "../simd.ts";
import { word } from "../verify.ts";
import { activateF32 } from "./f32-activation.ts";

/** Rows of the highest tile of this build: 12 accumulators need a fused multiply-add, or a temporary spills. */
// @ts-ignore: decorator
@inline export const F32_TILE_ROWS: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 4;

/**
 * Any number of rows. Tiles below 4 rows wait for their own additions, so a remainder is shared out among sixes, one five and fours;
 * a single row left over has a kernel of its own. Only where fewer than 4 rows leave no choice does a tile repeat its last row.
 * `next`: the panel that is wanted after this one, or any other of the same size.
 */
// @ts-ignore: decorator
@inline export function f32Gemm(rows: i32, k: i32, a: usize, lda: usize, b: usize, c: usize, ldc: usize, step: usize, next: usize): void {
  const all = rows, top = c, high = isHigh();
  const sixes = high ? sixesOf(rows) : 0;
  if (sixes) {
    f32_gemm_6x8(sixes, k, a, lda, b, c, ldc, step, next);
    rows -= sixes;
    a += <usize>sixes * lda;
    c += <usize>sixes * ldc;
  }
  const single = rows & 3;
  if (!COMPACT && high && rows > 4 && single == 1) {
    f32_gemm_5x8(k, a, lda, b, c, ldc, step);
    rows -= 5;
    a += 5 * lda;
    c += 5 * ldc;
  }
  const fours = single == 1 ? rows & ~3 : rows;
  if (fours > 0) f32_gemm_4x8(fours, k, a, lda, b, c, ldc, step);
  if (fours < rows) f32_gemm_1x8(k, a + <usize>fours * lda, b, c + <usize>fours * ldc, step);
  if (word(step, CONV_ACTIVATION) > UNARY_LEAKY_RELU) activateF32(step + CONV_ACTIVATION, all, top, ldc, 8);
}

/** V8 before 13 spills the six-row tile; what it makes of the byte dot product tells it apart (docs/kernels.md). */
// @ts-ignore: decorator
@inline function isHigh(): bool { return ASC_FEATURE_RELAXED_SIMD && dotMode() != DOT_I16; }

/** Whether f32Gemm brings its `next` panel near; where it does not, touchPanel has to. Two six-row tiles at least: one would skip lines. */
// @ts-ignore: decorator
@inline export function fetchesAhead(rows: i32): bool { return !COMPACT && isHigh() && rows >= 16; }

/** How many of the rows go through tiles of 6, so that 0, 1, 4, 5, 8 or 9 are left (2 or 3 where there are no more). */
// @ts-ignore: decorator
@inline function sixesOf(rows: i32): i32 {
  const rest = rows % 6;
  return max(rows - rest - (rest == 2 || rest == 3 ? 6 : 0), 0);
}

/**
 * Reads one word of every cache line of a panel. Weights that come from far away arrive many at a time here; in the tiles, which
 * have six more pointers to follow, they would come one after another.
 */
export function touchPanel(b: usize, bytes: usize): i32 {
  const end = b + bytes;
  let sum = 0;
  while (b + 448 < end) {
    sum |= load<i32>(b) | load<i32>(b, 64) | load<i32>(b, 128) | load<i32>(b, 192) | load<i32>(b, 256) | load<i32>(b, 320)
      | load<i32>(b, 384) | load<i32>(b, 448);
    b += 512;
  }
  return sum;
}

// @ts-ignore: decorator
@inline function put(c: usize, x0: v128, x1: v128, low: v128, high: v128): void {
  v128.store(c, clampF32(x0, low, high));
  v128.store(c, clampF32(x1, low, high), 16);
}

/** The one activation that costs no register more than the clamp, in whose place it stands. */
// @ts-ignore: decorator
@inline function isLeaky(step: usize): bool { return word(step, CONV_ACTIVATION) == UNARY_LEAKY_RELU; }
// @ts-ignore: decorator
@inline function putLeaky(c: usize, x0: v128, x1: v128, slope: v128): void {
  v128.store(c, f32x4.pmax(x0, f32x4.mul(x0, slope)));
  v128.store(c, f32x4.pmax(x1, f32x4.mul(x1, slope)), 16);
}

/**
 * `rows` is a multiple of 6. Every four steps of K a byte of `next` is read, `pace` further than the last: rows/6 tiles of K/4 turns pass over its
 * 32*K bytes once. So its cache lines are there before they are wanted, and loads as rare as these hold up no tile (docs/kernels.md).
 */
export function f32_gemm_6x8(rows: i32, k: i32, a: usize, lda: usize, b: usize, c: usize, ldc: usize, step: usize, next: usize): void {
  const rowBytes = <usize>k << 2, wholeBytes = rowBytes & ~15, pace: usize = COMPACT ? 0 : 768 / rows;
  do {
    let a0 = a;
    let a1 = a0 + lda;
    let a2 = a1 + lda;
    let a3 = a2 + lda;
    let a4 = a3 + lda;
    let a5 = a4 + lda;
    const end = a0 + rowBytes, whole = a0 + wholeBytes;
    let c00 = v128.load(b), c01 = v128.load(b, 16);
    let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01, c40 = c00, c41 = c01, c50 = c00, c51 = c01;
    let p = b + 32;
    if (!COMPACT && k >= 4) do {
      load<u8>(next);
      next += pace;
      let b0 = v128.load(p), b1 = v128.load(p, 16);
      let s = v128.load32_splat(a0); c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
      s = v128.load32_splat(a1); c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
      s = v128.load32_splat(a2); c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
      s = v128.load32_splat(a3); c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
      s = v128.load32_splat(a4); c40 = madd(s, b0, c40); c41 = madd(s, b1, c41);
      s = v128.load32_splat(a5); c50 = madd(s, b0, c50); c51 = madd(s, b1, c51);
      b0 = v128.load(p, 32); b1 = v128.load(p, 48);
      s = v128.load32_splat(a0, 4); c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
      s = v128.load32_splat(a1, 4); c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
      s = v128.load32_splat(a2, 4); c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
      s = v128.load32_splat(a3, 4); c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
      s = v128.load32_splat(a4, 4); c40 = madd(s, b0, c40); c41 = madd(s, b1, c41);
      s = v128.load32_splat(a5, 4); c50 = madd(s, b0, c50); c51 = madd(s, b1, c51);
      b0 = v128.load(p, 64); b1 = v128.load(p, 80);
      s = v128.load32_splat(a0, 8); c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
      s = v128.load32_splat(a1, 8); c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
      s = v128.load32_splat(a2, 8); c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
      s = v128.load32_splat(a3, 8); c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
      s = v128.load32_splat(a4, 8); c40 = madd(s, b0, c40); c41 = madd(s, b1, c41);
      s = v128.load32_splat(a5, 8); c50 = madd(s, b0, c50); c51 = madd(s, b1, c51);
      b0 = v128.load(p, 96); b1 = v128.load(p, 112);
      s = v128.load32_splat(a0, 12); c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
      s = v128.load32_splat(a1, 12); c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
      s = v128.load32_splat(a2, 12); c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
      s = v128.load32_splat(a3, 12); c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
      s = v128.load32_splat(a4, 12); c40 = madd(s, b0, c40); c41 = madd(s, b1, c41);
      s = v128.load32_splat(a5, 12); c50 = madd(s, b0, c50); c51 = madd(s, b1, c51);
      p += 128;
      a0 += 16; a1 += 16; a2 += 16; a3 += 16; a4 += 16; a5 += 16;
    } while (a0 < whole);
    if (COMPACT || a0 < end) do {
      const b0 = v128.load(p), b1 = v128.load(p, 16);
      p += 32;
      let s = v128.load32_splat(a0); a0 += 4; c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
      s = v128.load32_splat(a1); a1 += 4; c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
      s = v128.load32_splat(a2); a2 += 4; c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
      s = v128.load32_splat(a3); a3 += 4; c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
      s = v128.load32_splat(a4); a4 += 4; c40 = madd(s, b0, c40); c41 = madd(s, b1, c41);
      s = v128.load32_splat(a5); a5 += 4; c50 = madd(s, b0, c50); c51 = madd(s, b1, c51);
    } while (a0 < end);
    let o = c;
    if (isLeaky(step)) {
      const slope = v128.load32_splat(step, CONV_P0);
      putLeaky(o, c00, c01, slope); o += ldc;
      putLeaky(o, c10, c11, slope); o += ldc;
      putLeaky(o, c20, c21, slope); o += ldc;
      putLeaky(o, c30, c31, slope); o += ldc;
      putLeaky(o, c40, c41, slope); o += ldc;
      putLeaky(o, c50, c51, slope);
    } else {
      const low = v128.load32_splat(step, CONV_MIN), high = v128.load32_splat(step, CONV_MAX);
      put(o, c00, c01, low, high); o += ldc;
      put(o, c10, c11, low, high); o += ldc;
      put(o, c20, c21, low, high); o += ldc;
      put(o, c30, c31, low, high); o += ldc;
      put(o, c40, c41, low, high); o += ldc;
      put(o, c50, c51, low, high);
    }
    a += 6 * lda;
    c += 6 * ldc;
    rows -= 6;
  } while (rows > 0);
}

export function f32_gemm_5x8(k: i32, a0: usize, lda: usize, b: usize, c: usize, ldc: usize, step: usize): void {
  let a1 = a0 + lda;
  let a2 = a1 + lda;
  let a3 = a2 + lda;
  let a4 = a3 + lda;
  const end = a0 + (<usize>k << 2);
  let c00 = v128.load(b), c01 = v128.load(b, 16);
  let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01, c40 = c00, c41 = c01;
  let p = b + 32;
  do {
    const b0 = v128.load(p), b1 = v128.load(p, 16);
    p += 32;
    let s = v128.load32_splat(a0); a0 += 4; c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
    s = v128.load32_splat(a1); a1 += 4; c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
    s = v128.load32_splat(a2); a2 += 4; c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
    s = v128.load32_splat(a3); a3 += 4; c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
    s = v128.load32_splat(a4); a4 += 4; c40 = madd(s, b0, c40); c41 = madd(s, b1, c41);
  } while (a0 < end);
  if (isLeaky(step)) {
    const slope = v128.load32_splat(step, CONV_P0);
    putLeaky(c, c00, c01, slope); c += ldc;
    putLeaky(c, c10, c11, slope); c += ldc;
    putLeaky(c, c20, c21, slope); c += ldc;
    putLeaky(c, c30, c31, slope); c += ldc;
    putLeaky(c, c40, c41, slope);
  } else {
    const low = v128.load32_splat(step, CONV_MIN), high = v128.load32_splat(step, CONV_MAX);
    put(c, c00, c01, low, high); c += ldc;
    put(c, c10, c11, low, high); c += ldc;
    put(c, c20, c21, low, high); c += ldc;
    put(c, c30, c31, low, high); c += ldc;
    put(c, c40, c41, low, high);
  }
}

/**
 * In how many rows of the four-row tile a load and a splat are apart, as asconfig.json says for a build. Together, V8 broadcasts from memory
 * and Cranelift goes through a general register; apart, both load into a vector and broadcast. MobileNetV2 takes V8 8 % longer with two
 * such rows and 26 % with four, and Cranelift 10 % and 20 % less (docs/wasi.md).
 */
// @ts-ignore: decorator, and asc's constant
@inline const SPLATS: i32 = isDefined(F32_SPLATS) ? F32_SPLATS : 0;
// @ts-ignore: decorator
@inline function broadcast(at: usize, row: i32): v128 { return row < SPLATS ? f32x4.splat(load<f32>(at)) : v128.load32_splat(at); }

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
      let s = broadcast(a0, 0); a0 += 4; c00 = madd(s, b0, c00); c01 = madd(s, b1, c01);
      s = broadcast(a1, 1); a1 += 4; c10 = madd(s, b0, c10); c11 = madd(s, b1, c11);
      s = broadcast(a2, 2); a2 += 4; c20 = madd(s, b0, c20); c21 = madd(s, b1, c21);
      s = broadcast(a3, 3); a3 += 4; c30 = madd(s, b0, c30); c31 = madd(s, b1, c31);
    } while (a0 < end);
    let o = c;
    if (isLeaky(step)) {
      const slope = v128.load32_splat(step, CONV_P0);
      putLeaky(o, c00, c01, slope); if (rows > 1) o += ldc;
      putLeaky(o, c10, c11, slope); if (rows > 2) o += ldc;
      putLeaky(o, c20, c21, slope); if (rows > 3) o += ldc;
      putLeaky(o, c30, c31, slope);
    } else {
      const low = v128.load32_splat(step, CONV_MIN), high = v128.load32_splat(step, CONV_MAX);
      put(o, c00, c01, low, high); if (rows > 1) o += ldc;
      put(o, c10, c11, low, high); if (rows > 2) o += ldc;
      put(o, c20, c21, low, high); if (rows > 3) o += ldc;
      put(o, c30, c31, low, high);
    }
    a += 4 * lda;
    c += 4 * ldc;
    rows -= 4;
  } while (rows > 0);
}

/** The first `lanes` (1…4) columns of a panel. Six rows are as many as an engine with sixteen registers can load ahead of their products. */
export function f32_gemm_6x4(rows: i32, k: i32, a: usize, lda: usize, b: usize, c: usize, ldc: usize, step: usize, lanes: i32): void {
  const rowBytes = <usize>k << 2, top = c;
  for (let left = rows; left > 0; left -= 6) {
    let a0 = a;
    let a1 = left > 1 ? a0 + lda : a0;
    let a2 = left > 2 ? a1 + lda : a1;
    let a3 = left > 3 ? a2 + lda : a2;
    let a4 = left > 4 ? a3 + lda : a3;
    let a5 = left > 5 ? a4 + lda : a4;
    const end = a0 + rowBytes;
    let c0 = v128.load(b), c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0;
    let p = b + 32;
    do {
      const b0 = v128.load(p);
      p += 32;
      c0 = madd(v128.load32_splat(a0), b0, c0); a0 += 4;
      c1 = madd(v128.load32_splat(a1), b0, c1); a1 += 4;
      c2 = madd(v128.load32_splat(a2), b0, c2); a2 += 4;
      c3 = madd(v128.load32_splat(a3), b0, c3); a3 += 4;
      c4 = madd(v128.load32_splat(a4), b0, c4); a4 += 4;
      c5 = madd(v128.load32_splat(a5), b0, c5); a5 += 4;
    } while (a0 < end);
    let o = c;
    putHalf(o, c0, step, lanes); if (left > 1) o += ldc;
    putHalf(o, c1, step, lanes); if (left > 2) o += ldc;
    putHalf(o, c2, step, lanes); if (left > 3) o += ldc;
    putHalf(o, c3, step, lanes); if (left > 4) o += ldc;
    putHalf(o, c4, step, lanes); if (left > 5) o += ldc;
    putHalf(o, c5, step, lanes);
    a += 6 * lda;
    c += 6 * ldc;
  }
  if (word(step, CONV_ACTIVATION) > UNARY_LEAKY_RELU) activateF32(step + CONV_ACTIVATION, rows, top, ldc, lanes);
}
// @ts-ignore: decorator
@inline function putHalf(to: usize, x: v128, step: usize, lanes: i32): void {
  const y = isLeaky(step) ? f32x4.pmax(x, f32x4.mul(x, v128.load32_splat(step, CONV_P0)))
    : clampF32(x, v128.load32_splat(step, CONV_MIN), v128.load32_splat(step, CONV_MAX));
  if (lanes == 4) v128.store(to, y);
  else storeLanesF32(to, y, lanes);
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
  if (isLeaky(step)) putLeaky(c, c00, c01, v128.load32_splat(step, CONV_P0));
  else put(c, c00, c01, v128.load32_splat(step, CONV_MIN), v128.load32_splat(step, CONV_MAX));
}
