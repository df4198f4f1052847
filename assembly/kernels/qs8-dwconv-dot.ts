// qs8 depthwise 3x3 on the relaxed dot product: one output row, all blocks of 8 channels, four output pixels at a time.
// In: a verified step whose weights fit int8, 3x3 without dilation, at most one column missing left and right, OW >= 4.
// Out: whole groups of 8 bytes. Must not know batches or channel tails: qs8-dwconv.ts.
//
// Bytes of neighbouring columns are interleaved, so that a channel's window of four columns is one dword; a kernel row's dword is
// (w0 w1 w2 0), or (0 w0 w1 w2) for the next pixel at stride 1. Missing kernel rows get zero weights and their share of SRC_ZERO
// goes into the start value, together with the -128 of DOT_U8S8; missing columns are replaced by SRC_ZERO in the first and last one.
// Weights stay in locals over the row: the machine code keeps some on the stack, which costs a load per use and no work.

import {
  DW_C, DW_DST_PIXEL, DW_DST_ZERO, DW_DH, DW_DW, DW_IH, DW_IW, DW_KH, DW_KW, DW_MAX, DW_MIN, DW_OW, DW_PL, DW_PT, DW_SH, DW_SRC_PIXEL,
  DW_SRC_ROW, DW_SRC_ZERO, DW_SW,
} from "../abi.ts";
import { requant8, requantLow, requantMagic, requantOffset } from "../requant.ts";
import { dot4 } from "../simd.ts";
import { word } from "../verify.ts";

const BLOCK_BYTES: usize = 64 + 5 * 32;
const WEIGHTS: usize = 64;

/** Whether this file's kernels compute the step (its channel tail excepted). */
export function dotTakes(step: usize, weights: usize): bool {
  const sw = word(step, DW_SW), ow = word(step, DW_OW), pl = word(step, DW_PL);
  if (word(step, DW_KH) != 3 || word(step, DW_KW) != 3 || word(step, DW_DH) != 1 || word(step, DW_DW) != 1 || sw > 2) return false;
  if (ow < 4 || pl > 1 || (ow - 1) * sw - pl + 2 > word(step, DW_IW)) return false;
  return weightsFitBytes(weights, word(step, DW_C) >> 3);
}

/** All of -127…127: -128 may wrap in DOT_S8S8 (see qs8-conv.ts), and is as rare as weights beyond a byte. */
function weightsFitBytes(block: usize, blocks: i32): bool {
  let wrong = i32x4.splat(0);
  for (; blocks > 0; blocks--) {
    for (let at = WEIGHTS; at < BLOCK_BYTES; at += 16) {
      const w = v128.load(block + at);
      wrong = v128.or(wrong, v128.or(i16x8.gt_s(w, i16x8.splat(127)), i16x8.lt_s(w, i16x8.splat(-127))));
    }
    block += BLOCK_BYTES;
  }
  return !v128.any_true(wrong);
}

// Kernel rows of four channels as dwords (w0 w1 w2 0), from tap pairs (t0 t1)(t2 t3)(t4 t5)(t6 t7)(t8 –) of i16.
// @ts-ignore: decorator
@inline function evenRow(pair: v128, next: v128, keep: v128): v128 {
  const bytes = i8x16.narrow_i16x8_s(pair, next);
  return v128.and(i8x16.shuffle(bytes, i32x4.splat(0), 0, 1, 8, 16, 2, 3, 10, 16, 4, 5, 12, 16, 6, 7, 14, 16), keep);
}
// @ts-ignore: decorator
@inline function oddRow(pair: v128, next: v128, keep: v128): v128 {
  const bytes = i8x16.narrow_i16x8_s(pair, next);
  return v128.and(i8x16.shuffle(bytes, i32x4.splat(0), 1, 8, 9, 16, 3, 10, 11, 16, 5, 12, 13, 16, 7, 14, 15, 16), keep);
}
// @ts-ignore: decorator
@inline function rowSums(r0: v128, r1: v128, r2: v128): v128 {
  const one = i8x16.splat(1);
  return dot4(r0, one, dot4(r1, one, dot4(r2, one, i32x4.splat(0))));
}
/** bias + zero * (weights of missing rows) - shift * (weights of present rows) */
// @ts-ignore: decorator
@inline function startValue(bias: v128, all: v128, present: v128, zero: v128, shift: v128): v128 {
  return i32x4.sub(i32x4.add(bias, i32x4.mul(zero, i32x4.sub(all, present))), i32x4.mul(shift, present));
}

// @ts-ignore: decorator
@inline function bytePairs(a: v128, b: v128, flip: v128): v128 {
  return v128.xor(i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), flip);
}
// @ts-ignore: decorator
@inline function windowLow(a: v128, b: v128): v128 { return v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
// @ts-ignore: decorator
@inline function windowHigh(a: v128, b: v128): v128 { return v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }

// @ts-ignore: decorator
@inline function isInside(step: usize, y: i32): bool { return <u32>y < <u32>word(step, DW_IH); }
/** A row's address; rows outside are replaced by one inside, their weights are zero. */
// @ts-ignore: decorator
@inline function rowAt(step: usize, src: usize, y: i32): usize {
  return src + <usize>max(0, min(y, word(step, DW_IH) - 1)) * <usize>word(step, DW_SRC_ROW);
}
// @ts-ignore: decorator
@inline function put(o: usize, a: v128, b: v128, s0: v128, s1: v128, low: v128, offset: v128, high: v128, magic: v128): void {
  v128.store64_lane(o, requant8(a, b, s0, s1, low, offset, high, magic), 0);
}

/** Stride 1. `flip` is 0x80 where the dot product reads activations as u8, else 0. */
export function qs8_dwconv_dot_3s1x4(step: usize, src: usize, block: usize, dst: usize, oy: i32, blocks: i32, flip: i32): void {
  const y = oy * word(step, DW_SH) - word(step, DW_PT), ow = word(step, DW_OW), iw = word(step, DW_IW), pl = word(step, DW_PL);
  const keep0 = i8x16.splat(isInside(step, y) ? -1 : 0), keep1 = i8x16.splat(isInside(step, y + 1) ? -1 : 0);
  const keep2 = i8x16.splat(isInside(step, y + 2) ? -1 : 0), every = i8x16.splat(-1);
  const pixel = <usize>word(step, DW_SRC_PIXEL), dstPixel = <usize>word(step, DW_DST_PIXEL), zero = word(step, DW_SRC_ZERO);
  const low = requantLow(word(step, DW_MIN), word(step, DW_DST_ZERO)), offset = requantOffset(word(step, DW_DST_ZERO));
  const high = v128.load16_splat(step, DW_MAX), magic = requantMagic(offset, word(step, DW_DST_ZERO));
  const flips = i8x16.splat(<i8>flip), fill = i8x16.splat(<i8>zero);
  let line0 = rowAt(step, src, y), line1 = rowAt(step, src, y + 1), line2 = rowAt(step, src, y + 2);
  do {
    let v = v128.load(block, 64), u = v128.load(block, 96), t = v128.load(block, 128);
    const r0l = evenRow(v, u, keep0), r1l = oddRow(u, t, keep1);
    let all = rowSums(evenRow(v, u, every), oddRow(u, t, every), evenRow(v128.load(block, 160), v128.load(block, 192), every));
    const r2l = evenRow(v128.load(block, 160), v128.load(block, 192), keep2);
    const start0 = startValue(v128.load(block), all, rowSums(r0l, r1l, r2l), i32x4.splat(zero), i32x4.splat(flip));
    v = v128.load(block, 80); u = v128.load(block, 112); t = v128.load(block, 144);
    const r0h = evenRow(v, u, keep0), r1h = oddRow(u, t, keep1);
    all = rowSums(evenRow(v, u, every), oddRow(u, t, every), evenRow(v128.load(block, 176), v128.load(block, 208), every));
    const r2h = evenRow(v128.load(block, 176), v128.load(block, 208), keep2);
    const start1 = startValue(v128.load(block, 16), all, rowSums(r0h, r1h, r2h), i32x4.splat(zero), i32x4.splat(flip));
    const n0l = i32x4.shl(r0l, 8), n1l = i32x4.shl(r1l, 8), n2l = i32x4.shl(r2l, 8);
    const n0h = i32x4.shl(r0h, 8), n1h = i32x4.shl(r1h, 8), n2h = i32x4.shl(r2h, 8);
    const s0 = v128.load(block, 32), s1 = v128.load(block, 48);
    for (let x = 0; x < ow; x += 4) {
      x = min(x, ow - 4);
      const left = x < pl, right = x + 5 - pl >= iw;
      const keepLeft = i8x16.splat(left ? 0 : -1), keepRight = i8x16.splat(right ? 0 : -1);
      const fillLeft = v128.andnot(fill, keepLeft), fillRight = v128.andnot(fill, keepRight);
      const first = left ? pixel : 0, last = right ? <usize>4 * pixel : <usize>5 * pixel, column = <usize>(x - pl) * pixel;
      let p = line0 + column, q = p + pixel + pixel;
      let ab = bytePairs(v128.or(v128.and(v128.load64_zero(p + first), keepLeft), fillLeft), v128.load64_zero(p + pixel), flips);
      let cd = bytePairs(v128.load64_zero(q), v128.load64_zero(q + pixel), flips);
      let ef = bytePairs(v128.load64_zero(q + pixel + pixel), v128.or(v128.and(v128.load64_zero(p + last), keepRight), fillRight), flips);
      let w = windowLow(ab, cd);
      let c00 = dot4(r0l, w, start0), c10 = dot4(n0l, w, start0);
      w = windowHigh(ab, cd);
      let c01 = dot4(r0h, w, start1), c11 = dot4(n0h, w, start1);
      w = windowLow(cd, ef);
      let c20 = dot4(r0l, w, start0), c30 = dot4(n0l, w, start0);
      w = windowHigh(cd, ef);
      let c21 = dot4(r0h, w, start1), c31 = dot4(n0h, w, start1);

      p = line1 + column; q = p + pixel + pixel;
      ab = bytePairs(v128.or(v128.and(v128.load64_zero(p + first), keepLeft), fillLeft), v128.load64_zero(p + pixel), flips);
      cd = bytePairs(v128.load64_zero(q), v128.load64_zero(q + pixel), flips);
      ef = bytePairs(v128.load64_zero(q + pixel + pixel), v128.or(v128.and(v128.load64_zero(p + last), keepRight), fillRight), flips);
      w = windowLow(ab, cd); c00 = dot4(r1l, w, c00); c10 = dot4(n1l, w, c10);
      w = windowHigh(ab, cd); c01 = dot4(r1h, w, c01); c11 = dot4(n1h, w, c11);
      w = windowLow(cd, ef); c20 = dot4(r1l, w, c20); c30 = dot4(n1l, w, c30);
      w = windowHigh(cd, ef); c21 = dot4(r1h, w, c21); c31 = dot4(n1h, w, c31);

      p = line2 + column; q = p + pixel + pixel;
      ab = bytePairs(v128.or(v128.and(v128.load64_zero(p + first), keepLeft), fillLeft), v128.load64_zero(p + pixel), flips);
      cd = bytePairs(v128.load64_zero(q), v128.load64_zero(q + pixel), flips);
      ef = bytePairs(v128.load64_zero(q + pixel + pixel), v128.or(v128.and(v128.load64_zero(p + last), keepRight), fillRight), flips);
      w = windowLow(ab, cd); c00 = dot4(r2l, w, c00); c10 = dot4(n2l, w, c10);
      w = windowHigh(ab, cd); c01 = dot4(r2h, w, c01); c11 = dot4(n2h, w, c11);
      w = windowLow(cd, ef); c20 = dot4(r2l, w, c20); c30 = dot4(n2l, w, c30);
      w = windowHigh(cd, ef); c21 = dot4(r2h, w, c21); c31 = dot4(n2h, w, c31);

      let o = dst + <usize>x * dstPixel;
      put(o, c00, c01, s0, s1, low, offset, high, magic); o += dstPixel;
      put(o, c10, c11, s0, s1, low, offset, high, magic); o += dstPixel;
      put(o, c20, c21, s0, s1, low, offset, high, magic); o += dstPixel;
      put(o, c30, c31, s0, s1, low, offset, high, magic);
    }
    line0 += 8;
    line1 += 8;
    line2 += 8;
    dst += 8;
    block += BLOCK_BYTES;
  } while (--blocks);
}

/** Stride 2: nine columns, the window of a pixel begins at every second one. */
export function qs8_dwconv_dot_3s2x4(step: usize, src: usize, block: usize, dst: usize, oy: i32, blocks: i32, flip: i32): void {
  const y = oy * word(step, DW_SH) - word(step, DW_PT), ow = word(step, DW_OW), iw = word(step, DW_IW), pl = word(step, DW_PL);
  const keep0 = i8x16.splat(isInside(step, y) ? -1 : 0), keep1 = i8x16.splat(isInside(step, y + 1) ? -1 : 0);
  const keep2 = i8x16.splat(isInside(step, y + 2) ? -1 : 0), every = i8x16.splat(-1);
  const pixel = <usize>word(step, DW_SRC_PIXEL), pixel2 = pixel * 2, dstPixel = <usize>word(step, DW_DST_PIXEL), zero = word(step, DW_SRC_ZERO);
  const low = requantLow(word(step, DW_MIN), word(step, DW_DST_ZERO)), offset = requantOffset(word(step, DW_DST_ZERO));
  const high = v128.load16_splat(step, DW_MAX), magic = requantMagic(offset, word(step, DW_DST_ZERO));
  const flips = i8x16.splat(<i8>flip), fill = i8x16.splat(<i8>zero);
  let line0 = rowAt(step, src, y), line1 = rowAt(step, src, y + 1), line2 = rowAt(step, src, y + 2);
  do {
    let v = v128.load(block, 64), u = v128.load(block, 96), t = v128.load(block, 128);
    const r0l = evenRow(v, u, keep0), r1l = oddRow(u, t, keep1);
    let all = rowSums(evenRow(v, u, every), oddRow(u, t, every), evenRow(v128.load(block, 160), v128.load(block, 192), every));
    const r2l = evenRow(v128.load(block, 160), v128.load(block, 192), keep2);
    const start0 = startValue(v128.load(block), all, rowSums(r0l, r1l, r2l), i32x4.splat(zero), i32x4.splat(flip));
    v = v128.load(block, 80); u = v128.load(block, 112); t = v128.load(block, 144);
    const r0h = evenRow(v, u, keep0), r1h = oddRow(u, t, keep1);
    all = rowSums(evenRow(v, u, every), oddRow(u, t, every), evenRow(v128.load(block, 176), v128.load(block, 208), every));
    const r2h = evenRow(v128.load(block, 176), v128.load(block, 208), keep2);
    const start1 = startValue(v128.load(block, 16), all, rowSums(r0h, r1h, r2h), i32x4.splat(zero), i32x4.splat(flip));
    const s0 = v128.load(block, 32), s1 = v128.load(block, 48);
    for (let x = 0; x < ow; x += 4) {
      x = min(x, ow - 4);
      const left = x * 2 < pl, right = x * 2 + 8 - pl >= iw;
      const keepLeft = i8x16.splat(left ? 0 : -1), keepRight = i8x16.splat(right ? 0 : -1);
      const fillLeft = v128.andnot(fill, keepLeft), fillRight = v128.andnot(fill, keepRight);
      const first = left ? pixel : 0, last = right ? pixel : pixel2, column = <usize>(x * 2 - pl) * pixel;
      let p = line0 + column;
      let ab = bytePairs(v128.or(v128.and(v128.load64_zero(p + first), keepLeft), fillLeft), v128.load64_zero(p + pixel), flips);
      p += pixel2;
      let cd = bytePairs(v128.load64_zero(p), v128.load64_zero(p + pixel), flips);
      let c00 = dot4(r0l, windowLow(ab, cd), start0), c01 = dot4(r0h, windowHigh(ab, cd), start1);
      p += pixel2;
      ab = bytePairs(v128.load64_zero(p), v128.load64_zero(p + pixel), flips);
      let c10 = dot4(r0l, windowLow(cd, ab), start0), c11 = dot4(r0h, windowHigh(cd, ab), start1);
      p += pixel2;
      cd = bytePairs(v128.load64_zero(p), v128.load64_zero(p + pixel), flips);
      let c20 = dot4(r0l, windowLow(ab, cd), start0), c21 = dot4(r0h, windowHigh(ab, cd), start1);
      ab = v128.or(v128.and(v128.load64_zero(p + last), keepRight), fillRight);
      ab = bytePairs(ab, ab, flips);
      let c30 = dot4(r0l, windowLow(cd, ab), start0), c31 = dot4(r0h, windowHigh(cd, ab), start1);

      p = line1 + column;
      ab = bytePairs(v128.or(v128.and(v128.load64_zero(p + first), keepLeft), fillLeft), v128.load64_zero(p + pixel), flips);
      p += pixel2;
      cd = bytePairs(v128.load64_zero(p), v128.load64_zero(p + pixel), flips);
      c00 = dot4(r1l, windowLow(ab, cd), c00); c01 = dot4(r1h, windowHigh(ab, cd), c01);
      p += pixel2;
      ab = bytePairs(v128.load64_zero(p), v128.load64_zero(p + pixel), flips);
      c10 = dot4(r1l, windowLow(cd, ab), c10); c11 = dot4(r1h, windowHigh(cd, ab), c11);
      p += pixel2;
      cd = bytePairs(v128.load64_zero(p), v128.load64_zero(p + pixel), flips);
      c20 = dot4(r1l, windowLow(ab, cd), c20); c21 = dot4(r1h, windowHigh(ab, cd), c21);
      ab = v128.or(v128.and(v128.load64_zero(p + last), keepRight), fillRight);
      ab = bytePairs(ab, ab, flips);
      c30 = dot4(r1l, windowLow(cd, ab), c30); c31 = dot4(r1h, windowHigh(cd, ab), c31);

      p = line2 + column;
      ab = bytePairs(v128.or(v128.and(v128.load64_zero(p + first), keepLeft), fillLeft), v128.load64_zero(p + pixel), flips);
      p += pixel2;
      cd = bytePairs(v128.load64_zero(p), v128.load64_zero(p + pixel), flips);
      c00 = dot4(r2l, windowLow(ab, cd), c00); c01 = dot4(r2h, windowHigh(ab, cd), c01);
      p += pixel2;
      ab = bytePairs(v128.load64_zero(p), v128.load64_zero(p + pixel), flips);
      c10 = dot4(r2l, windowLow(cd, ab), c10); c11 = dot4(r2h, windowHigh(cd, ab), c11);
      p += pixel2;
      cd = bytePairs(v128.load64_zero(p), v128.load64_zero(p + pixel), flips);
      c20 = dot4(r2l, windowLow(ab, cd), c20); c21 = dot4(r2h, windowHigh(ab, cd), c21);
      ab = v128.or(v128.and(v128.load64_zero(p + last), keepRight), fillRight);
      ab = bytePairs(ab, ab, flips);
      c30 = dot4(r2l, windowLow(cd, ab), c30); c31 = dot4(r2h, windowHigh(cd, ab), c31);

      let o = dst + <usize>x * dstPixel;
      put(o, c00, c01, s0, s1, low, offset, high, magic); o += dstPixel;
      put(o, c10, c11, s0, s1, low, offset, high, magic); o += dstPixel;
      put(o, c20, c21, s0, s1, low, offset, high, magic); o += dstPixel;
      put(o, c30, c31, s0, s1, low, offset, high, magic);
    }
    line0 += 8;
    line1 += 8;
    line2 += 8;
    dst += 8;
    block += BLOCK_BYTES;
  } while (--blocks);
}
