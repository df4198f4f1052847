// qs8 depthwise 3x3 on the relaxed dot product: some output rows of one block of 8 channels, two columns at a time.
// In: a verified step without dilation that `rowsTake`, any pads. Out: whole groups of 8 bytes.
// Must not know batches, channel tails or which rows belong together: qs8-dwconv.ts.
//
// Four input rows are interleaved by bytes, so that a channel's column is one dword (r0 r1 r2 r3). With weights (w0 w1 w2 0) it
// serves one output row, with (0 w0 w1 w2) the next; every column serves three output columns and is made once. Rows outside the
// input are read from DW_FILL again and again, columns outside are replaced by the same bytes.
// Weights are bytes from -127 to 127: DOT_S8S8 could not take -128, and blocks with uint8 weights beyond that go elsewhere.
// Results are exact where |acc*scale| < 2^22: rowsTake looks.

import {
  DW_C, DW_DH, DW_DST_PIXEL, DW_DST_ROW, DW_DST_ZERO, DW_DW, DW_FILL, DW_IH, DW_IW, DW_KH, DW_KW, DW_MAX, DW_MIN, DW_OH, DW_OW, DW_PL,
  DW_PT, DW_SH, DW_SRC_PIXEL, DW_SRC_ROW, DW_SRC_ZERO, DW_SW,
} from "../abi.ts";
import { COMPACT } from "../compact.ts";
import { REQUANT_LIMIT, requantBounded8, requantMagic, requantOffset } from "../requant.ts";
import { dot4 } from "../simd.ts";
import { word } from "../verify.ts";

export const DOT_BLOCK_BYTES: usize = 64 + 5 * 32;
const WEIGHTS: usize = 64;
/** Largest sum of nine products and of what a start value takes out of them: 9 * (255*255 + 128*255). */
const REACH: f32 = 878985;

/**
 * Whether the kernels for whole 3x3 rows compute the step (its channel tail excepted): these or, at stride 1 and with any weights,
 * those of i16 pairs. Not every block need have weights that these take: see isByteBlock.
 */
export function rowsTake(step: usize, block: usize, dot: bool): bool {
  const sh = word(step, DW_SH), sw = word(step, DW_SW);
  if (word(step, DW_KH) != 3 || word(step, DW_KW) != 3 || word(step, DW_DH) != 1 || word(step, DW_DW) != 1) return false;
  if (sw > (dot ? 2 : COMPACT ? 0 : 1) || (sw == 1 && sh != 1)) return false;
  for (let blocks = word(step, DW_C) >> 3; blocks > 0; blocks--) {
    if (!bounded(block)) return false;
    block += DOT_BLOCK_BYTES;
  }
  return true;
}

/** Whether all weights of the block lie in -127…127. */
export function isByteBlock(block: usize): bool {
  const most = i16x8.splat(127);
  let isWithin = i16x8.splat(-1);
  for (let at = block + WEIGHTS, end = block + DOT_BLOCK_BYTES; at < end; at += 16) isWithin = v128.and(isWithin, i16x8.le_s(i16x8.abs(v128.load(at)), most));
  return i16x8.all_true(isWithin);
}

function bounded(block: usize): bool {
  const limit = f32x4.splat(REQUANT_LIMIT);
  const x0 = f32x4.mul(f32x4.add(f32x4.abs(f32x4.convert_i32x4_s(v128.load(block))), f32x4.splat(REACH)), v128.load(block, 32));
  const x1 = f32x4.mul(f32x4.add(f32x4.abs(f32x4.convert_i32x4_s(v128.load(block, 16))), f32x4.splat(REACH)), v128.load(block, 48));
  return i32x4.all_true(v128.and(f32x4.lt(f32x4.abs(x0), limit), f32x4.lt(f32x4.abs(x1), limit)));
}

// Weights of a kernel column as dwords (w0 w1 w2 0) of four channels, from pairs of taps (t0 t1)(t2 t3)(t4 t5)(t6 t7)(t8 –) in i16.
// @ts-ignore: decorator
@inline function column0(b: usize): v128 {
  const p = i8x16.narrow_i16x8_s(v128.load(b), v128.load(b, 32));
  const q = i8x16.narrow_i16x8_s(v128.load(b, 64), v128.load(b, 96));
  return top3(i8x16.shuffle(p, q, 0, 9, 24, 0, 2, 11, 26, 0, 4, 13, 28, 0, 6, 15, 30, 0));
}
// @ts-ignore: decorator
@inline function column1(b: usize): v128 {
  const p = i8x16.narrow_i16x8_s(v128.load(b), v128.load(b, 32));
  const q = i8x16.narrow_i16x8_s(v128.load(b, 64), v128.load(b, 96));
  return top3(i8x16.shuffle(p, q, 1, 16, 25, 0, 3, 18, 27, 0, 5, 20, 29, 0, 7, 22, 31, 0));
}
// @ts-ignore: decorator
@inline function column2(b: usize): v128 {
  const p = i8x16.narrow_i16x8_s(v128.load(b, 32), v128.load(b, 64));
  const q = i8x16.narrow_i16x8_s(v128.load(b, 128), i32x4.splat(0));
  return top3(i8x16.shuffle(p, q, 0, 9, 16, 0, 2, 11, 18, 0, 4, 13, 20, 0, 6, 15, 22, 0));
}
// @ts-ignore: decorator
@inline function top3(w: v128): v128 { return v128.and(w, i32x4.splat(0xffffff)); }
/** Sum of the weights per channel. */
// @ts-ignore: decorator
@inline function total(w0: v128, w1: v128, w2: v128): v128 {
  const one = i8x16.splat(1);
  return dot4(w0, one, dot4(w1, one, dot4(w2, one, i32x4.splat(0))));
}

// @ts-ignore: decorator
@inline function bytePairs(a: usize, b: usize, flip: v128): v128 {
  return v128.xor(i8x16.shuffle(v128.load64_zero(a), v128.load64_zero(b), 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), flip);
}
// @ts-ignore: decorator
@inline function quadsLow(a: v128, b: v128): v128 { return v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
// @ts-ignore: decorator
@inline function quadsHigh(a: v128, b: v128): v128 { return v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }

// @ts-ignore: decorator
@inline function isInside(step: usize, y: i32): bool { return <u32>y < <u32>word(step, DW_IH); }
/** Address of a row's first window column; a row outside is DW_FILL, which `rowStep` does not leave. */
// @ts-ignore: decorator
@inline export function rowAt(step: usize, src: usize, y: i32): usize {
  return isInside(step, y) ? src + <usize>(y * word(step, DW_SRC_ROW) - word(step, DW_PL) * word(step, DW_SRC_PIXEL)) : step + DW_FILL;
}
// @ts-ignore: decorator
@inline export function rowStep(step: usize, y: i32): usize { return isInside(step, y) ? <usize>word(step, DW_SRC_PIXEL) : 0; }

/** Two pixels of eight channels, the second first: it may be none, and then has the address of the first. */
// @ts-ignore: decorator
@inline function putTwo(
  o: usize, next: usize, l0: v128, h0: v128, l1: v128, h1: v128, s0: v128, s1: v128, magic: v128, offset: v128, low: v128, high: v128,
): void {
  const first = requantBounded8(l0, h0, s0, s1, magic, offset), second = requantBounded8(l1, h1, s0, s1, magic, offset);
  const y = i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(first, second), low), high);
  v128.store64_lane(o + next, y, 1);
  v128.store64_lane(o, y, 0);
}

/**
 * Stride 1: two rows by two columns at a time. `flip` is 0x80 where the dot product reads activations as u8, else 0.
 * In COMPACT builds also column stride 2: one row, every second column, in whose place its neighbour was stored before.
 */
export function qs8_dwconv_dot_3s1(step: usize, src: usize, block: usize, dst: usize, from: i32, to: i32, flip: i32): void {
  if (!ASC_FEATURE_RELAXED_SIMD) return;
  const ow = word(step, DW_OW), iw = word(step, DW_IW), pl = word(step, DW_PL), pt = word(step, DW_PT);
  const pixel = <usize>word(step, DW_SRC_PIXEL), dstPixel = <usize>word(step, DW_DST_PIXEL), zero = word(step, DW_DST_ZERO);
  const offset = requantOffset(zero), magic = requantMagic(offset, zero);
  const low = v128.load8_splat(step, DW_MIN), high = v128.load8_splat(step, DW_MAX);
  const flips = i8x16.splat(<i8>flip), fill = i8x16.splat(<i8>(word(step, DW_SRC_ZERO) ^ flip)), bias = i32x4.splat(flip);
  const s0 = v128.load(block, 32), s1 = v128.load(block, 48), b = block + WEIGHTS;
  const w0l = column0(b), w1l = column1(b), w2l = column2(b);
  const w0h = column0(b + 16), w1h = column1(b + 16), w2h = column2(b + 16);
  const v0l = i32x4.shl(w0l, 8), v1l = i32x4.shl(w1l, 8), v2l = i32x4.shl(w2l, 8);
  const v0h = i32x4.shl(w0h, 8), v1h = i32x4.shl(w1h, 8), v2h = i32x4.shl(w2h, 8);
  const sl = i32x4.sub(v128.load(block), i32x4.mul(bias, total(w0l, w1l, w2l)));
  const sh = i32x4.sub(v128.load(block, 16), i32x4.mul(bias, total(w0h, w1h, w2h)));
  const dense = !COMPACT || word(step, DW_SW) == 1, down = COMPACT ? word(step, DW_SH) : 1;
  const nextPixel = dense ? dstPixel : 0, rows = dense ? 2 : 1, pixels = dense ? ow : 2 * ow;
  for (let oy = from; oy < to; oy += rows) {
    const y = oy * down - pt;
    let p0 = rowAt(step, src, y), p1 = rowAt(step, src, y + 1), p2 = rowAt(step, src, y + 2), p3 = rowAt(step, src, y + 3);
    const t0 = rowStep(step, y), t1 = rowStep(step, y + 1), t2 = rowStep(step, y + 2), t3 = rowStep(step, y + 3);
    let o = dst + <usize>(oy * word(step, DW_DST_ROW)), below = dense && oy + 1 < to ? <usize>word(step, DW_DST_ROW) : 0, ix = -pl;
    let c0l = fill, c0h = fill, c1l = fill, c1h = fill;
    if (<u32>ix < <u32>iw) {
      const a = bytePairs(p0, p1, flips), c = bytePairs(p2, p3, flips);
      c0l = quadsLow(a, c); c0h = quadsHigh(a, c);
    }
    p0 += t0; p1 += t1; p2 += t2; p3 += t3; ix++;
    if (<u32>ix < <u32>iw) {
      const a = bytePairs(p0, p1, flips), c = bytePairs(p2, p3, flips);
      c1l = quadsLow(a, c); c1h = quadsHigh(a, c);
    }
    p0 += t0; p1 += t1; p2 += t2; p3 += t3; ix++;
    for (let left = pixels; left > 0; left -= 2) {
      let c2l = fill, c2h = fill, c3l = fill, c3h = fill;
      if (<u32>ix < <u32>iw) {
        const a = bytePairs(p0, p1, flips), c = bytePairs(p2, p3, flips);
        c2l = quadsLow(a, c); c2h = quadsHigh(a, c);
      }
      p0 += t0; p1 += t1; p2 += t2; p3 += t3; ix++;
      if (<u32>ix < <u32>iw) {
        const a = bytePairs(p0, p1, flips), c = bytePairs(p2, p3, flips);
        c3l = quadsLow(a, c); c3h = quadsHigh(a, c);
      }
      p0 += t0; p1 += t1; p2 += t2; p3 += t3; ix++;
      const next: usize = left > 1 ? nextPixel : 0;
      let a0l = dot4(w0l, c0l, sl), a1l = dot4(w0l, c1l, sl), a0h = dot4(w0h, c0h, sh), a1h = dot4(w0h, c1h, sh);
      a0l = dot4(w1l, c1l, a0l); a1l = dot4(w1l, c2l, a1l); a0h = dot4(w1h, c1h, a0h); a1h = dot4(w1h, c2h, a1h);
      a0l = dot4(w2l, c2l, a0l); a1l = dot4(w2l, c3l, a1l); a0h = dot4(w2h, c2h, a0h); a1h = dot4(w2h, c3h, a1h);
      if (!COMPACT || below) {
        let d0l = dot4(v0l, c0l, sl), d1l = dot4(v0l, c1l, sl), d0h = dot4(v0h, c0h, sh), d1h = dot4(v0h, c1h, sh);
        d0l = dot4(v1l, c1l, d0l); d1l = dot4(v1l, c2l, d1l); d0h = dot4(v1h, c1h, d0h); d1h = dot4(v1h, c2h, d1h);
        d0l = dot4(v2l, c2l, d0l); d1l = dot4(v2l, c3l, d1l); d0h = dot4(v2h, c2h, d0h); d1h = dot4(v2h, c3h, d1h);
        putTwo(o + below, next, d0l, d0h, d1l, d1h, s0, s1, magic, offset, low, high);
      }
      putTwo(o, next, a0l, a0h, a1l, a1h, s0, s1, magic, offset, low, high);
      o += dstPixel + nextPixel;
      c0l = c2l; c0h = c2h; c1l = c3l; c1h = c3h;
    }
  }
}

/** Column stride 2, any row stride: one row, two columns of the output at a time. */
export function qs8_dwconv_dot_3s2(step: usize, src: usize, block: usize, dst: usize, from: i32, to: i32, flip: i32): void {
  if (!ASC_FEATURE_RELAXED_SIMD || COMPACT) return;
  const ow = word(step, DW_OW), iw = word(step, DW_IW), pl = word(step, DW_PL), pt = word(step, DW_PT), rows = word(step, DW_SH);
  const dstPixel = <usize>word(step, DW_DST_PIXEL), zero = word(step, DW_DST_ZERO);
  const offset = requantOffset(zero), magic = requantMagic(offset, zero);
  const low = v128.load8_splat(step, DW_MIN), high = v128.load8_splat(step, DW_MAX);
  const flips = i8x16.splat(<i8>flip), fill = i8x16.splat(<i8>(word(step, DW_SRC_ZERO) ^ flip)), bias = i32x4.splat(flip);
  const s0 = v128.load(block, 32), s1 = v128.load(block, 48), b = block + WEIGHTS;
  const w0l = column0(b), w1l = column1(b), w2l = column2(b);
  const w0h = column0(b + 16), w1h = column1(b + 16), w2h = column2(b + 16);
  const sl = i32x4.sub(v128.load(block), i32x4.mul(bias, total(w0l, w1l, w2l)));
  const sh = i32x4.sub(v128.load(block, 16), i32x4.mul(bias, total(w0h, w1h, w2h)));
  for (let oy = from; oy < to; oy++) {
    const y = oy * rows - pt;
    let p0 = rowAt(step, src, y), p1 = rowAt(step, src, y + 1), p2 = rowAt(step, src, y + 2);
    const t0 = rowStep(step, y), t1 = rowStep(step, y + 1), t2 = rowStep(step, y + 2);
    let o = dst + <usize>(oy * word(step, DW_DST_ROW)), ix = -pl, c0l = fill, c0h = fill;
    if (<u32>ix < <u32>iw) {
      const a = bytePairs(p0, p1, flips), c = bytePairs(p2, p2, flips);
      c0l = quadsLow(a, c); c0h = quadsHigh(a, c);
    }
    p0 += t0; p1 += t1; p2 += t2; ix++;
    for (let left = ow; left > 0; left -= 2) {
      let c1l = fill, c1h = fill, c2l = fill, c2h = fill;
      if (<u32>ix < <u32>iw) {
        const a = bytePairs(p0, p1, flips), c = bytePairs(p2, p2, flips);
        c1l = quadsLow(a, c); c1h = quadsHigh(a, c);
      }
      p0 += t0; p1 += t1; p2 += t2; ix++;
      if (<u32>ix < <u32>iw) {
        const a = bytePairs(p0, p1, flips), c = bytePairs(p2, p2, flips);
        c2l = quadsLow(a, c); c2h = quadsHigh(a, c);
      }
      p0 += t0; p1 += t1; p2 += t2; ix++;
      let a0l = dot4(w2l, c2l, dot4(w1l, c1l, dot4(w0l, c0l, sl))), a0h = dot4(w2h, c2h, dot4(w1h, c1h, dot4(w0h, c0h, sh)));
      c1l = fill; c1h = fill; c0l = fill; c0h = fill;
      if (<u32>ix < <u32>iw) {
        const a = bytePairs(p0, p1, flips), c = bytePairs(p2, p2, flips);
        c1l = quadsLow(a, c); c1h = quadsHigh(a, c);
      }
      p0 += t0; p1 += t1; p2 += t2; ix++;
      if (<u32>ix < <u32>iw) {
        const a = bytePairs(p0, p1, flips), c = bytePairs(p2, p2, flips);
        c0l = quadsLow(a, c); c0h = quadsHigh(a, c);
      }
      p0 += t0; p1 += t1; p2 += t2; ix++;
      let a1l = dot4(w2l, c0l, dot4(w1l, c1l, dot4(w0l, c2l, sl))), a1h = dot4(w2h, c0h, dot4(w1h, c1h, dot4(w0h, c2h, sh)));
      putTwo(o, left > 1 ? dstPixel : 0, a0l, a0h, a1l, a1h, s0, s1, magic, offset, low, high);
      o += dstPixel + dstPixel;
    }
  }
}
