// qs8 matrix tiles: int32 dot products of packed rows with a weight panel, requantised to int8 or stored as int32.
// In: packed rows (bytes, or i16 in DOT_I16), a panel, its column starts and constants, perhaps row sums.
// Out: 8 columns of C. Must not know convolutions: qs8-conv.ts packs, and folds zero points into `init` and `sums`.
//
// acc(r,c) = init[c] + (sums == 0 ? 0 : sums[r]) + sum_k a(r,k)*w(k,c), in wrapping int32: exact.
// Contract: no alignment needed; reads exactly rows*K4 of A and the panel; writes exactly 8 elements per row, some rows twice.
// int8 results are exact where |acc*scale| < 2^22 (qs8-conv.ts proves it panel by panel and otherwise asks for int32).
// init: [8 i32][magic][offset][low][high], the last four one vector each (see requant.ts; low and high are i8). sums: i32 per row.

import { DOT_I16, QS8_PANEL_HEAD, QS8_PANEL_SCALES } from "../abi.ts";
import { COMPACT } from "../compact.ts";
import { dot2, dot4, dotMode } from "../simd.ts";

const HEAD: usize = QS8_PANEL_HEAD;
const SCALES_BEFORE: usize = QS8_PANEL_HEAD - QS8_PANEL_SCALES;
/** Places of the constants behind the column starts, and the bytes of all. */
export const INIT_MAGIC: usize = 32;
export const INIT_OFFSET: usize = 48;
export const INIT_LOW: usize = 64;
export const INIT_HIGH: usize = 80;
export const INIT_BYTES: usize = 96;

/** Whether two neighbouring weights of a dot product are both -128 anywhere in `count` panels. Whole vectors: K4*8 is a multiple of 32. */
export function hasPairsOfMinimum(panel: usize, count: i32, quads: i32): bool {
  const lowest = i16x8.splat(<i16>0x8080);
  let found = i32x4.splat(0);
  for (; count > 0; count--) {
    panel += HEAD;
    for (const end = panel + (<usize>quads << 5); panel < end; panel += 16) found = v128.or(found, i16x8.eq(v128.load(panel), lowest));
  }
  return v128.any_true(found);
}

/** Any number of rows, in the tiles of the current dot mode. `b` is the panel's address. Row sums are not for int32. */
// @ts-ignore: decorator
@inline export function qs8Gemm(
  rows: i32, quads: i32, a: usize, lda: usize, b: usize, c: usize, ldc: usize, init: usize, sums: usize, wide: bool,
): void {
  if (!ASC_FEATURE_RELAXED_SIMD || dotMode() == DOT_I16) pairRows(rows, quads, a, lda, b + HEAD, c, ldc, init, sums, wide);
  else dotRows(rows, quads, a, lda, b + HEAD, c, ldc, init, sums, wide);
}

/** Whole tiles; a remainder of 3 to 5 rows as a tile that overlaps the one before it, fewer rows one by one. */
function dotRows(
  rows: i32, quads: i32, a: usize, lda: usize, b: usize, c: usize, ldc: usize, init: usize, sums: usize, wide: bool,
): void {
  const tiles = rows / 6, rest = rows - 6 * tiles;
  if (tiles) qs8_gemm_6x8(tiles, quads, a, lda, b, c, ldc, init, sums, wide);
  if (rest == 0) return;
  if (tiles && rest > 2) {
    const back = <usize>(rows - 6);
    qs8_gemm_6x8(1, quads, a + back * lda, lda, b, c + back * ldc, ldc, init, sums ? sums + (back << 2) : 0, wide);
    return;
  }
  for (let r = <usize>(rows - rest); r < <usize>rows; r++) {
    qs8_gemm_1x8(quads, a + r * lda, b, c + r * ldc, init, sums ? load<i32>(sums + (r << 2)) : 0, wide);
  }
}

/** As dotRows; the tile has four rows. */
function pairRows(
  rows: i32, quads: i32, a: usize, lda: usize, b: usize, c: usize, ldc: usize, init: usize, sums: usize, wide: bool,
): void {
  const tiles = rows >> 2, rest = rows & 3;
  if (tiles) qs8_gemm_4x8(tiles, quads, a, lda, b, c, ldc, init, sums, wide);
  if (rest == 0) return;
  if (tiles && rest > 1) {
    const back = <usize>(rows - 4);
    qs8_gemm_4x8(1, quads, a + back * lda, lda, b, c + back * ldc, ldc, init, sums ? sums + (back << 2) : 0, wide);
    return;
  }
  for (let r = <usize>(rows - rest); r < <usize>rows; r++) {
    qs8_gemm_1x8_pairs(quads, a + r * lda, b, c + r * ldc, init, sums ? load<i32>(sums + (r << 2)) : 0, wide);
  }
}

// @ts-ignore: decorator
@inline function putI32(c: usize, x0: v128, x1: v128): void {
  v128.store(c, x0);
  v128.store(c, x1, 16);
}

/**
 * `count` tiles of 6x8, two dwords of K at a time. Row pointers go on without a check: the caller hands over whole tiles only. The epilogue
 * takes one constant at a time through all twelve accumulators, so that nothing has to leave the registers.
 */
export function qs8_gemm_6x8(
  count: i32, quads: i32, a: usize, lda: usize, b: usize, c: usize, ldc: usize, init: usize, sums: usize, wide: bool,
): void {
  if (!ASC_FEATURE_RELAXED_SIMD) return;
  const rowBytes = <usize>quads << 2;
  do {
    let a0 = a, a1 = a0 + lda, a2 = a1 + lda, a3 = a2 + lda, a4 = a3 + lda, a5 = a4 + lda;
    a = a5 + lda;
    const end = a0 + rowBytes, whole = a0 + (rowBytes & ~7);
    let c00 = v128.load(init), c01 = v128.load(init, 16);
    let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01, c40 = c00, c41 = c01, c50 = c00, c51 = c01;
    if (sums) {
      let t = v128.load32_splat(sums); c00 = i32x4.add(c00, t); c01 = i32x4.add(c01, t);
      t = v128.load32_splat(sums, 4); c10 = i32x4.add(c10, t); c11 = i32x4.add(c11, t);
      t = v128.load32_splat(sums, 8); c20 = i32x4.add(c20, t); c21 = i32x4.add(c21, t);
      t = v128.load32_splat(sums, 12); c30 = i32x4.add(c30, t); c31 = i32x4.add(c31, t);
      t = v128.load32_splat(sums, 16); c40 = i32x4.add(c40, t); c41 = i32x4.add(c41, t);
      t = v128.load32_splat(sums, 20); c50 = i32x4.add(c50, t); c51 = i32x4.add(c51, t);
      sums += 24;
    }
    let p = b;
    if (!COMPACT && quads >= 2) do {
      let b0 = v128.load(p), b1 = v128.load(p, 16);
      let s = v128.load32_splat(a0); c00 = dot4(b0, s, c00); c01 = dot4(b1, s, c01);
      s = v128.load32_splat(a1); c10 = dot4(b0, s, c10); c11 = dot4(b1, s, c11);
      s = v128.load32_splat(a2); c20 = dot4(b0, s, c20); c21 = dot4(b1, s, c21);
      s = v128.load32_splat(a3); c30 = dot4(b0, s, c30); c31 = dot4(b1, s, c31);
      s = v128.load32_splat(a4); c40 = dot4(b0, s, c40); c41 = dot4(b1, s, c41);
      s = v128.load32_splat(a5); c50 = dot4(b0, s, c50); c51 = dot4(b1, s, c51);
      b0 = v128.load(p, 32); b1 = v128.load(p, 48);
      s = v128.load32_splat(a0, 4); c00 = dot4(b0, s, c00); c01 = dot4(b1, s, c01);
      s = v128.load32_splat(a1, 4); c10 = dot4(b0, s, c10); c11 = dot4(b1, s, c11);
      s = v128.load32_splat(a2, 4); c20 = dot4(b0, s, c20); c21 = dot4(b1, s, c21);
      s = v128.load32_splat(a3, 4); c30 = dot4(b0, s, c30); c31 = dot4(b1, s, c31);
      s = v128.load32_splat(a4, 4); c40 = dot4(b0, s, c40); c41 = dot4(b1, s, c41);
      s = v128.load32_splat(a5, 4); c50 = dot4(b0, s, c50); c51 = dot4(b1, s, c51);
      p += 64;
      a0 += 8; a1 += 8; a2 += 8; a3 += 8; a4 += 8; a5 += 8;
    } while (a0 < whole);
    if (COMPACT || a0 < end) do {
      const b0 = v128.load(p), b1 = v128.load(p, 16);
      p += 32;
      let s = v128.load32_splat(a0); a0 += 4; c00 = dot4(b0, s, c00); c01 = dot4(b1, s, c01);
      s = v128.load32_splat(a1); a1 += 4; c10 = dot4(b0, s, c10); c11 = dot4(b1, s, c11);
      s = v128.load32_splat(a2); a2 += 4; c20 = dot4(b0, s, c20); c21 = dot4(b1, s, c21);
      s = v128.load32_splat(a3); a3 += 4; c30 = dot4(b0, s, c30); c31 = dot4(b1, s, c31);
      s = v128.load32_splat(a4); a4 += 4; c40 = dot4(b0, s, c40); c41 = dot4(b1, s, c41);
      s = v128.load32_splat(a5); a5 += 4; c50 = dot4(b0, s, c50); c51 = dot4(b1, s, c51);
    } while (a0 < end);
    if (wide) {
      putI32(c, c00, c01); c += ldc;
      putI32(c, c10, c11); c += ldc;
      putI32(c, c20, c21); c += ldc;
      putI32(c, c30, c31); c += ldc;
      putI32(c, c40, c41); c += ldc;
      putI32(c, c50, c51); c += ldc;
    } else {
      let t = v128.load(b - SCALES_BEFORE);
      c00 = scaled(c00, t); c10 = scaled(c10, t); c20 = scaled(c20, t); c30 = scaled(c30, t); c40 = scaled(c40, t); c50 = scaled(c50, t);
      t = v128.load(b - SCALES_BEFORE, 16);
      c01 = scaled(c01, t); c11 = scaled(c11, t); c21 = scaled(c21, t); c31 = scaled(c31, t); c41 = scaled(c41, t); c51 = scaled(c51, t);
      t = v128.load(init, INIT_MAGIC);
      c00 = f32x4.add(c00, t); c01 = f32x4.add(c01, t); c10 = f32x4.add(c10, t); c11 = f32x4.add(c11, t);
      c20 = f32x4.add(c20, t); c21 = f32x4.add(c21, t); c30 = f32x4.add(c30, t); c31 = f32x4.add(c31, t);
      c40 = f32x4.add(c40, t); c41 = f32x4.add(c41, t); c50 = f32x4.add(c50, t); c51 = f32x4.add(c51, t);
      t = v128.load(init, INIT_OFFSET);
      c00 = narrowed(c00, c01, t); c10 = narrowed(c10, c11, t); c20 = narrowed(c20, c21, t);
      c30 = narrowed(c30, c31, t); c40 = narrowed(c40, c41, t); c50 = narrowed(c50, c51, t);
      c = putPair(c, ldc, c00, c10, init);
      c = putPair(c, ldc, c20, c30, init);
      c = putPair(c, ldc, c40, c50, init);
    }
  } while (--count);
}

// @ts-ignore: decorator
@inline function scaled(acc: v128, scale: v128): v128 { return f32x4.mul(f32x4.convert_i32x4_s(acc), scale); }
/** Eight rounded sums to i16 units. */
// @ts-ignore: decorator
@inline function narrowed(x0: v128, x1: v128, offset: v128): v128 {
  return i16x8.narrow_i32x4_s(i32x4.sub(x0, offset), i32x4.sub(x1, offset));
}
/** Sixteen i16 units to int8, clamped. */
// @ts-ignore: decorator
@inline function clamped(first: v128, second: v128, init: usize): v128 {
  return i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(first, second), v128.load(init, INIT_LOW)), v128.load(init, INIT_HIGH));
}
/** Two rows of eight i16 units, clamped and stored; the address of the row after them. */
// @ts-ignore: decorator
@inline function putPair(c: usize, ldc: usize, first: v128, second: v128, init: usize): usize {
  const y = clamped(first, second, init);
  v128.store64_lane(c, y, 0);
  c += ldc;
  v128.store64_lane(c, y, 1);
  return c + ldc;
}

/** Sums of neighbouring lanes: x holds columns 0 and 1 (two partial sums each), y columns 2 and 3. */
// @ts-ignore: decorator
@inline function fold(x: v128, y: v128): v128 {
  return i32x4.add(v128.shuffle<i32>(x, y, 0, 2, 4, 6), v128.shuffle<i32>(x, y, 1, 3, 5, 7));
}
/** DOT_I16, everywhere: four columns at a time, weights widened on load; a row's four columns live in two registers. */
export function qs8_gemm_4x8(
  count: i32, quads: i32, a: usize, lda: usize, b: usize, c: usize, ldc: usize, init: usize, sums: usize, wide: bool,
): void {
  const rowBytes = <usize>quads << 3, halfBytes: usize = wide ? 16 : 4;
  do {
    for (let half: usize = 0; half < 2; half++) {
      let a0 = a, a1 = a0 + lda, a2 = a1 + lda, a3 = a2 + lda;
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
      let t = v128.load(init + (half << 4));
      c00 = i32x4.add(fold(c00, c01), t);
      c10 = i32x4.add(fold(c10, c11), t);
      c20 = i32x4.add(fold(c20, c21), t);
      c30 = i32x4.add(fold(c30, c31), t);
      if (sums) {
        c00 = i32x4.add(c00, v128.load32_splat(sums));
        c10 = i32x4.add(c10, v128.load32_splat(sums, 4));
        c20 = i32x4.add(c20, v128.load32_splat(sums, 8));
        c30 = i32x4.add(c30, v128.load32_splat(sums, 12));
      }
      let o = c + half * halfBytes;
      if (wide) {
        v128.store(o, c00); o += ldc;
        v128.store(o, c10); o += ldc;
        v128.store(o, c20); o += ldc;
        v128.store(o, c30);
      } else {
        t = v128.load(b - SCALES_BEFORE + (half << 4));
        c00 = scaled(c00, t); c10 = scaled(c10, t); c20 = scaled(c20, t); c30 = scaled(c30, t);
        t = v128.load(init, INIT_MAGIC);
        c00 = f32x4.add(c00, t); c10 = f32x4.add(c10, t); c20 = f32x4.add(c20, t); c30 = f32x4.add(c30, t);
        t = v128.load(init, INIT_OFFSET);
        const y = clamped(narrowed(c00, c10, t), narrowed(c20, c30, t), init);
        v128.store32_lane(o, y, 0); o += ldc;
        v128.store32_lane(o, y, 1); o += ldc;
        v128.store32_lane(o, y, 2); o += ldc;
        v128.store32_lane(o, y, 3);
      }
    }
    if (sums) sums += 16;
    a += 4 * lda;
    c += 4 * ldc;
  } while (--count);
}

/** Adds the column starts and the row sum, then stores one row. `b` is the address of the panel's weights. */
// @ts-ignore: decorator
@inline function putRow(c: usize, x0: v128, x1: v128, b: usize, init: usize, sum: i32, wide: bool): void {
  let t = i32x4.splat(sum);
  x0 = i32x4.add(x0, i32x4.add(t, v128.load(init)));
  x1 = i32x4.add(x1, i32x4.add(t, v128.load(init, 16)));
  if (wide) { putI32(c, x0, x1); return; }
  t = v128.load(init, INIT_MAGIC);
  x0 = f32x4.add(scaled(x0, v128.load(b - SCALES_BEFORE)), t);
  x1 = f32x4.add(scaled(x1, v128.load(b - SCALES_BEFORE, 16)), t);
  const units = narrowed(x0, x1, v128.load(init, INIT_OFFSET));
  v128.store64_lane(c, clamped(units, units, init), 0);
}

/** One row (dense layers): K is split over four accumulator sets, so that loads, not latency, set the pace. */
export function qs8_gemm_1x8(quads: i32, a: usize, b: usize, c: usize, init: usize, sum: i32, wide: bool): void {
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
  putRow(c, c00, c01, b, init, sum, wide);
}

/** One row in DOT_I16: eight columns as four registers of column pairs, two k groups at a time. */
export function qs8_gemm_1x8_pairs(quads: i32, a: usize, b: usize, c: usize, init: usize, sum: i32, wide: bool): void {
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
  putRow(c, fold(i32x4.add(c0, d0), i32x4.add(c1, d1)), fold(i32x4.add(c2, d2), i32x4.add(c3, d3)), b, init, sum, wide);
}
