// qs8 matrix tiles: int32 dot products of packed rows with a weight panel, requantised to int8 (or stored as int32).
// In: packed rows (bytes, or i16 in DOT_I16), a panel [bias 8][colsum 8][scale 8][K4/4][8][4], column starts and row sums.
// Out: 8 columns of C. Must not know convolutions: qs8-conv.ts packs, and folds zero points into `init` and `sums`.
//
// acc(r,c) = init[c] + (sums == 0 ? 0 : sums[r]) + sum_k a(r,k)*w(k,c), in wrapping int32: exact.
// Contract: no alignment needed; reads exactly rows*K4 of A and the panel; writes exactly 8 elements per row.
// A row group shorter than the tile repeats its last row. init: 8 i32; sums: one i32 per row.

import { CONV_DST_ZERO, CONV_MAX, CONV_MIN, CONV_OUT_I32, DOT_I16 } from "../abi.ts";
import { requant4, requant8, requantLow, requantMagic, requantOffset } from "../requant.ts";
import { dot2, dot4, dotMode } from "../simd.ts";

/** Bytes of a panel before its weights: bias, colsum, scale. */
export const QS8_PANEL_HEAD: usize = 96;
const SCALES_BEFORE: usize = 32;

/** Whether two neighbouring weights of a dot product are both -128 anywhere in `count` panels. Whole vectors: K4*8 is a multiple of 32. */
export function hasPairsOfMinimum(panel: usize, count: i32, quads: i32): bool {
  const lowest = i16x8.splat(<i16>0x8080);
  let found = i32x4.splat(0);
  for (; count > 0; count--) {
    panel += QS8_PANEL_HEAD;
    for (const end = panel + (<usize>quads << 5); panel < end; panel += 16) found = v128.or(found, i16x8.eq(v128.load(panel), lowest));
  }
  return v128.any_true(found);
}

/** Rows that one call in `scatter` may hand over at a time. */
export const QS8_TILE_ROWS: i32 = 6;

/** Any number of rows, in the tile of the current dot mode; a last single row by itself. `b` is the panel's address. */
// @ts-ignore: decorator
@inline export function qs8Gemm(
  rows: i32, quads: i32, a: usize, lda: usize, b: usize, c: usize, ldc: usize, init: usize, sums: usize, step: usize,
): void {
  const pairs = !ASC_FEATURE_RELAXED_SIMD || dotMode() == DOT_I16;
  const single = rows % (pairs ? 4 : 6) == 1, tiled = single ? rows - 1 : rows, w = b + QS8_PANEL_HEAD;
  if (tiled > 0) {
    if (pairs) qs8_gemm_4x8(tiled, quads, a, lda, w, c, ldc, init, sums, step);
    else qs8_gemm_6x8(tiled, quads, a, lda, w, c, ldc, init, sums, step);
  }
  if (single) {
    const last = a + <usize>tiled * lda, sum = sums ? load<i32>(sums + (<usize>tiled << 2)) : 0;
    if (pairs) qs8_gemm_1x8_pairs(quads, last, w, c + <usize>tiled * ldc, init, sum, step);
    else qs8_gemm_1x8(quads, last, w, c + <usize>tiled * ldc, init, sum, step);
  }
}

// @ts-ignore: decorator
@inline function put8(c: usize, x0: v128, x1: v128, s0: v128, s1: v128, low: v128, offset: v128, high: v128, magic: v128): void {
  v128.store64_lane(c, requant8(x0, x1, s0, s1, low, offset, high, magic), 0);
}
// @ts-ignore: decorator
@inline function putI32(c: usize, x0: v128, x1: v128): void {
  v128.store(c, x0);
  v128.store(c, x1, 16);
}

export function qs8_gemm_6x8(
  rows: i32, quads: i32, a: usize, lda: usize, b: usize, c: usize, ldc: usize, init: usize, sums: usize, step: usize,
): void {
  const rowBytes = <usize>quads << 2, wide = load<i32>(step, CONV_OUT_I32) != 0;
  const zero = load<i32>(step, CONV_DST_ZERO);
  do {
    let a0 = a;
    let a1 = rows > 1 ? a0 + lda : a0;
    let a2 = rows > 2 ? a1 + lda : a1;
    let a3 = rows > 3 ? a2 + lda : a2;
    let a4 = rows > 4 ? a3 + lda : a3;
    let a5 = rows > 5 ? a4 + lda : a4;
    const end = a0 + rowBytes;
    let c00 = v128.load(init), c01 = v128.load(init, 16);
    let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01, c40 = c00, c41 = c01, c50 = c00, c51 = c01;
    if (sums) {
      let t = v128.load32_splat(sums); c00 = i32x4.add(c00, t); c01 = i32x4.add(c01, t);
      let q = sums; if (rows > 1) q += 4;
      t = v128.load32_splat(q); c10 = i32x4.add(c10, t); c11 = i32x4.add(c11, t); if (rows > 2) q += 4;
      t = v128.load32_splat(q); c20 = i32x4.add(c20, t); c21 = i32x4.add(c21, t); if (rows > 3) q += 4;
      t = v128.load32_splat(q); c30 = i32x4.add(c30, t); c31 = i32x4.add(c31, t); if (rows > 4) q += 4;
      t = v128.load32_splat(q); c40 = i32x4.add(c40, t); c41 = i32x4.add(c41, t); if (rows > 5) q += 4;
      t = v128.load32_splat(q); c50 = i32x4.add(c50, t); c51 = i32x4.add(c51, t);
      sums += 24;
    }
    let p = b;
    do {
      const b0 = v128.load(p), b1 = v128.load(p, 16);
      p += 32;
      let s = v128.load32_splat(a0); a0 += 4; c00 = dot4(b0, s, c00); c01 = dot4(b1, s, c01);
      s = v128.load32_splat(a1); a1 += 4; c10 = dot4(b0, s, c10); c11 = dot4(b1, s, c11);
      s = v128.load32_splat(a2); a2 += 4; c20 = dot4(b0, s, c20); c21 = dot4(b1, s, c21);
      s = v128.load32_splat(a3); a3 += 4; c30 = dot4(b0, s, c30); c31 = dot4(b1, s, c31);
      s = v128.load32_splat(a4); a4 += 4; c40 = dot4(b0, s, c40); c41 = dot4(b1, s, c41);
      s = v128.load32_splat(a5); a5 += 4; c50 = dot4(b0, s, c50); c51 = dot4(b1, s, c51);
    } while (a0 < end);
    let o = c;
    if (wide) {
      putI32(o, c00, c01); if (rows > 1) o += ldc;
      putI32(o, c10, c11); if (rows > 2) o += ldc;
      putI32(o, c20, c21); if (rows > 3) o += ldc;
      putI32(o, c30, c31); if (rows > 4) o += ldc;
      putI32(o, c40, c41); if (rows > 5) o += ldc;
      putI32(o, c50, c51);
    } else {
      const s0 = v128.load(b - SCALES_BEFORE), s1 = v128.load(b - SCALES_BEFORE, 16);
      const low = requantLow(load<i32>(step, CONV_MIN), zero), offset = requantOffset(zero);
      const high = v128.load16_splat(step, CONV_MAX), magic = requantMagic(offset, zero);
      put8(o, c00, c01, s0, s1, low, offset, high, magic); if (rows > 1) o += ldc;
      put8(o, c10, c11, s0, s1, low, offset, high, magic); if (rows > 2) o += ldc;
      put8(o, c20, c21, s0, s1, low, offset, high, magic); if (rows > 3) o += ldc;
      put8(o, c30, c31, s0, s1, low, offset, high, magic); if (rows > 4) o += ldc;
      put8(o, c40, c41, s0, s1, low, offset, high, magic); if (rows > 5) o += ldc;
      put8(o, c50, c51, s0, s1, low, offset, high, magic);
    }
    a += 6 * lda;
    c += 6 * ldc;
    rows -= 6;
  } while (rows > 0);
}

/** Sums of neighbouring lanes: x holds columns 0 and 1 (two partial sums each), y columns 2 and 3. */
// @ts-ignore: decorator
@inline function fold(x: v128, y: v128): v128 {
  return i32x4.add(v128.shuffle<i32>(x, y, 0, 2, 4, 6), v128.shuffle<i32>(x, y, 1, 3, 5, 7));
}
// @ts-ignore: decorator
@inline function put4(c: usize, x: v128, scale: v128, low: v128, offset: v128, high: v128, magic: v128): void {
  const units = i16x8.min_s(i16x8.narrow_i32x4_s(requant4(x, scale, low, offset, magic), x), high);
  v128.store32_lane(c, i8x16.narrow_i16x8_s(units, units), 0);
}

/** DOT_I16, everywhere: four columns at a time, weights widened on load; a row's four columns live in two registers. */
export function qs8_gemm_4x8(
  rows: i32, quads: i32, a: usize, lda: usize, b: usize, c: usize, ldc: usize, init: usize, sums: usize, step: usize,
): void {
  const rowBytes = <usize>quads << 3, wide = load<i32>(step, CONV_OUT_I32) != 0;
  const zero = load<i32>(step, CONV_DST_ZERO), halfBytes: usize = wide ? 16 : 4;
  do {
    const second = rows > 1 ? lda : 0, third = rows > 2 ? lda : 0, fourth = rows > 3 ? lda : 0;
    for (let half: usize = 0; half < 2; half++) {
      let a0 = a, a1 = a0 + second, a2 = a1 + third, a3 = a2 + fourth;
      const end = a0 + rowBytes;
      const none = i32x4.splat(0);
      let c00 = none, c01 = none, c10 = none, c11 = none, c20 = none, c21 = none, c30 = none, c31 = none;
      let p = b + (half << 4);
      do {
        const w0 = v128.load8x8_s(p), w1 = v128.load8x8_s(p, 8);
        p += 32;
        let s = v128.load64_splat(a0); a0 += 8; c00 = dot2(w0, s, c00); c01 = dot2(w1, s, c01);
        s = v128.load64_splat(a1); a1 += 8; c10 = dot2(w0, s, c10); c11 = dot2(w1, s, c11);
        s = v128.load64_splat(a2); a2 += 8; c20 = dot2(w0, s, c20); c21 = dot2(w1, s, c21);
        s = v128.load64_splat(a3); a3 += 8; c30 = dot2(w0, s, c30); c31 = dot2(w1, s, c31);
      } while (a0 < end);
      const start = v128.load(init + (half << 4));
      c00 = i32x4.add(fold(c00, c01), start);
      c10 = i32x4.add(fold(c10, c11), start);
      c20 = i32x4.add(fold(c20, c21), start);
      c30 = i32x4.add(fold(c30, c31), start);
      if (sums) {
        let q = sums;
        c00 = i32x4.add(c00, v128.load32_splat(q)); if (rows > 1) q += 4;
        c10 = i32x4.add(c10, v128.load32_splat(q)); if (rows > 2) q += 4;
        c20 = i32x4.add(c20, v128.load32_splat(q)); if (rows > 3) q += 4;
        c30 = i32x4.add(c30, v128.load32_splat(q));
      }
      let o = c + half * halfBytes;
      if (wide) {
        v128.store(o, c00); if (rows > 1) o += ldc;
        v128.store(o, c10); if (rows > 2) o += ldc;
        v128.store(o, c20); if (rows > 3) o += ldc;
        v128.store(o, c30);
      } else {
        const scale = v128.load(b - SCALES_BEFORE + (half << 4));
        const low = requantLow(load<i32>(step, CONV_MIN), zero), offset = requantOffset(zero);
        const high = v128.load16_splat(step, CONV_MAX), magic = requantMagic(offset, zero);
        put4(o, c00, scale, low, offset, high, magic); if (rows > 1) o += ldc;
        put4(o, c10, scale, low, offset, high, magic); if (rows > 2) o += ldc;
        put4(o, c20, scale, low, offset, high, magic); if (rows > 3) o += ldc;
        put4(o, c30, scale, low, offset, high, magic);
      }
    }
    if (sums) sums += 16;
    a += 4 * lda;
    c += 4 * ldc;
    rows -= 4;
  } while (rows > 0);
}

/** Adds the column starts and the row sum, then stores one row. `b` is the address of the panel's weights. */
// @ts-ignore: decorator
@inline function putRow(c: usize, x0: v128, x1: v128, b: usize, init: usize, sum: i32, step: usize): void {
  const t = i32x4.splat(sum);
  x0 = i32x4.add(x0, i32x4.add(t, v128.load(init)));
  x1 = i32x4.add(x1, i32x4.add(t, v128.load(init, 16)));
  if (load<i32>(step, CONV_OUT_I32) != 0) { putI32(c, x0, x1); return; }
  const zero = load<i32>(step, CONV_DST_ZERO), offset = requantOffset(zero), low = requantLow(load<i32>(step, CONV_MIN), zero);
  const s0 = v128.load(b - SCALES_BEFORE), s1 = v128.load(b - SCALES_BEFORE, 16);
  put8(c, x0, x1, s0, s1, low, offset, v128.load16_splat(step, CONV_MAX), requantMagic(offset, zero));
}

/** One row (dense layers): K is split over four accumulator sets, so that loads, not latency, set the pace. */
export function qs8_gemm_1x8(quads: i32, a: usize, b: usize, c: usize, init: usize, sum: i32, step: usize): void {
  const none = i32x4.splat(0);
  let c00 = none, c01 = none, c10 = none, c11 = none, c20 = none, c21 = none, c30 = none, c31 = none, p = b;
  for (; quads >= 4; quads -= 4) {
    let s = v128.load32_splat(a); c00 = dot4(v128.load(p), s, c00); c01 = dot4(v128.load(p, 16), s, c01);
    s = v128.load32_splat(a, 4); c10 = dot4(v128.load(p, 32), s, c10); c11 = dot4(v128.load(p, 48), s, c11);
    s = v128.load32_splat(a, 8); c20 = dot4(v128.load(p, 64), s, c20); c21 = dot4(v128.load(p, 80), s, c21);
    s = v128.load32_splat(a, 12); c30 = dot4(v128.load(p, 96), s, c30); c31 = dot4(v128.load(p, 112), s, c31);
    a += 16;
    p += 128;
  }
  for (; quads > 0; quads--) {
    const s = v128.load32_splat(a);
    c00 = dot4(v128.load(p), s, c00);
    c01 = dot4(v128.load(p, 16), s, c01);
    a += 4;
    p += 32;
  }
  c00 = i32x4.add(i32x4.add(c00, c10), i32x4.add(c20, c30));
  c01 = i32x4.add(i32x4.add(c01, c11), i32x4.add(c21, c31));
  putRow(c, c00, c01, b, init, sum, step);
}

/** One row in DOT_I16: eight columns as four registers of column pairs, two k groups at a time. */
export function qs8_gemm_1x8_pairs(quads: i32, a: usize, b: usize, c: usize, init: usize, sum: i32, step: usize): void {
  const none = i32x4.splat(0);
  let c0 = none, c1 = none, c2 = none, c3 = none, d0 = none, d1 = none, d2 = none, d3 = none, p = b;
  for (; quads >= 2; quads -= 2) {
    const s = v128.load64_splat(a), t = v128.load64_splat(a, 8);
    c0 = dot2(v128.load8x8_s(p), s, c0); c1 = dot2(v128.load8x8_s(p, 8), s, c1);
    c2 = dot2(v128.load8x8_s(p, 16), s, c2); c3 = dot2(v128.load8x8_s(p, 24), s, c3);
    d0 = dot2(v128.load8x8_s(p, 32), t, d0); d1 = dot2(v128.load8x8_s(p, 40), t, d1);
    d2 = dot2(v128.load8x8_s(p, 48), t, d2); d3 = dot2(v128.load8x8_s(p, 56), t, d3);
    a += 16;
    p += 64;
  }
  if (quads > 0) {
    const s = v128.load64_splat(a);
    c0 = dot2(v128.load8x8_s(p), s, c0); c1 = dot2(v128.load8x8_s(p, 8), s, c1);
    c2 = dot2(v128.load8x8_s(p, 16), s, c2); c3 = dot2(v128.load8x8_s(p, 24), s, c3);
  }
  putRow(c, fold(i32x4.add(c0, d0), i32x4.add(c1, d1)), fold(i32x4.add(c2, d2), i32x4.add(c3, d3)), b, init, sum, step);
}
