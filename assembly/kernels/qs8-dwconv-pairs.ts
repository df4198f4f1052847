// qs8 depthwise 3x3 of stride 1 without a dot product of bytes (DOT_I16): some output rows of 4 channels, two columns at a time.
// In: a verified step that `rowsTake`, any pads. Out: whole groups of 4 bytes.
// Must not know batches, channel tails or which rows belong together: qs8-dwconv.ts.
//
// Input rows are interleaved in pairs of i16 lanes, (r0 r1) and (r2 r3): a column is made once and serves three output columns and
// two output rows, by weights (w0 w1)(w2 0) and (0 w0)(w1 w2). Rows and columns outside: see qs8-dwconv-dot.ts.

import {
  DW_DST_PIXEL, DW_DST_ROW, DW_DST_ZERO, DW_IW, DW_MAX, DW_MIN, DW_OW, DW_PL, DW_PT, DW_SRC_ZERO,
} from "../abi.ts";
import { requantBounded8, requantMagic, requantOffset } from "../requant.ts";
import { dot2 } from "../simd.ts";
import { word } from "../verify.ts";
import { rowAt, rowStep } from "./qs8-dwconv-dot.ts";

/** Four channels of two rows as i16 lanes (a0 b0 a1 b1 …). */
// @ts-ignore: decorator
@inline function rowPair(a: usize, b: usize): v128 {
  const bytes = i8x16.shuffle(v128.load32_zero(a), v128.load32_zero(b), 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  return i16x8.extend_low_i8x16_s(bytes);
}
// Weights of a kernel column as i16 lanes, from pairs of taps (t0 t1)(t2 t3)(t4 t5)(t6 t7)(t8 –) 32 bytes apart.
// @ts-ignore: decorator
@inline function evenTap(b: usize): v128 { return v128.and(v128.load(b), i32x4.splat(0xffff)); }
// @ts-ignore: decorator
@inline function oddTap(b: usize): v128 { return i32x4.shr_u(v128.load(b), 16); }
// @ts-ignore: decorator
@inline function both(first: v128, second: v128): v128 { return v128.or(first, i32x4.shl(second, 16)); }

/** Two rows (`below` bytes apart) of two pixels of four channels, last ones first: they may be none and lie on the first. */
// @ts-ignore: decorator
@inline function putFour(
  o: usize, next: usize, below: usize, a0: v128, a1: v128, d0: v128, d1: v128, scale: v128, magic: v128, offset: v128, low: v128, high: v128,
): void {
  const first = requantBounded8(a0, a1, scale, scale, magic, offset), second = requantBounded8(d0, d1, scale, scale, magic, offset);
  const y = i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(first, second), low), high);
  v128.store32_lane(o + below + next, y, 3);
  v128.store32_lane(o + below, y, 2);
  v128.store32_lane(o + next, y, 1);
  v128.store32_lane(o, y, 0);
}

/** Stride 1. `block` holds the channels' bias; their scales and weights lie 32 and 64 bytes behind. */
export function qs8_dwconv_3s1(step: usize, src: usize, block: usize, dst: usize, from: i32, to: i32): void {
  const ow = word(step, DW_OW), iw = word(step, DW_IW), pl = word(step, DW_PL), pt = word(step, DW_PT);
  const dstPixel = <usize>word(step, DW_DST_PIXEL), zero = word(step, DW_DST_ZERO), offset = requantOffset(zero), magic = requantMagic(offset, zero);
  const low = v128.load8_splat(step, DW_MIN), high = v128.load8_splat(step, DW_MAX), fill = i16x8.splat(<i16>word(step, DW_SRC_ZERO));
  const start = v128.load(block), scale = v128.load(block, 32), b = block + 64;
  const t0 = evenTap(b), t1 = oddTap(b), t2 = evenTap(b + 32), t3 = oddTap(b + 32), t4 = evenTap(b + 64), t5 = oddTap(b + 64);
  const t6 = evenTap(b + 96), t7 = oddTap(b + 96), t8 = evenTap(b + 128);
  const w0 = both(t0, t3), w1 = both(t1, t4), w2 = both(t2, t5), x0 = both(t3, t6), x1 = both(t4, t7), x2 = both(t5, t8);
  const v0 = i32x4.shl(t0, 16), v1 = i32x4.shl(t1, 16), v2 = i32x4.shl(t2, 16);
  for (let oy = from; oy < to; oy += 2) {
    const y = oy - pt;
    let p0 = rowAt(step, src, y), p1 = rowAt(step, src, y + 1), p2 = rowAt(step, src, y + 2), p3 = rowAt(step, src, y + 3);
    const s0 = rowStep(step, y), s1 = rowStep(step, y + 1), s2 = rowStep(step, y + 2), s3 = rowStep(step, y + 3);
    const below = oy + 1 < to ? <usize>word(step, DW_DST_ROW) : 0;
    let o = dst + <usize>(oy * word(step, DW_DST_ROW)), ix = -pl, c0 = fill, e0 = fill, c1 = fill, e1 = fill;
    if (<u32>ix < <u32>iw) { c0 = rowPair(p0, p1); e0 = rowPair(p2, p3); }
    p0 += s0; p1 += s1; p2 += s2; p3 += s3; ix++;
    if (<u32>ix < <u32>iw) { c1 = rowPair(p0, p1); e1 = rowPair(p2, p3); }
    p0 += s0; p1 += s1; p2 += s2; p3 += s3; ix++;
    for (let left = ow; left > 0; left -= 2) {
      let c2 = fill, e2 = fill, c3 = fill, e3 = fill;
      if (<u32>ix < <u32>iw) { c2 = rowPair(p0, p1); e2 = rowPair(p2, p3); }
      p0 += s0; p1 += s1; p2 += s2; p3 += s3; ix++;
      if (<u32>ix < <u32>iw) { c3 = rowPair(p0, p1); e3 = rowPair(p2, p3); }
      p0 += s0; p1 += s1; p2 += s2; p3 += s3; ix++;
      let a0 = dot2(c0, w0, start), a1 = dot2(c1, w0, start), d0 = dot2(c0, v0, start), d1 = dot2(c1, v0, start);
      a0 = dot2(e0, t6, a0); a1 = dot2(e1, t6, a1); d0 = dot2(e0, x0, d0); d1 = dot2(e1, x0, d1);
      a0 = dot2(c1, w1, a0); a1 = dot2(c2, w1, a1); d0 = dot2(c1, v1, d0); d1 = dot2(c2, v1, d1);
      a0 = dot2(e1, t7, a0); a1 = dot2(e2, t7, a1); d0 = dot2(e1, x1, d0); d1 = dot2(e2, x1, d1);
      a0 = dot2(c2, w2, a0); a1 = dot2(c3, w2, a1); d0 = dot2(c2, v2, d0); d1 = dot2(c3, v2, d1);
      a0 = dot2(e2, t8, a0); a1 = dot2(e3, t8, a1); d0 = dot2(e2, x2, d0); d1 = dot2(e3, x2, d1);
      putFour(o, left > 1 ? dstPixel : 0, below, a0, a1, d0, d1, scale, magic, offset, low, high);
      o += dstPixel + dstPixel;
      c0 = c2; e0 = e2; c1 = c3; e1 = e3;
    }
  }
}
