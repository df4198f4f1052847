// qs8 depthwise windows of any size, four pixels of blocks of 8 channels at a time, by pairs of taps as i16 lanes.
// In: a verified step, a source in which all four windows lie inside. Out: 8 bytes per pixel and block.
// Must not know borders, batches or channel tails: qs8-dwconv.ts, qs8-dwconv-padded.ts.

import {
  DW_DH, DW_DST_ZERO, DW_DW, DW_KH, DW_KW, DW_MAX, DW_MIN, DW_SW,
} from "../abi.ts";
import { requant8, requantLow, requantMagic, requantOffset } from "../requant.ts";
import { dot2 } from "../simd.ts";
import { word } from "../verify.ts";

/** Bytes of a block before its weights: bias and scale. */
export const HEAD: usize = 64;

// @ts-ignore: decorator
@inline export function blockBytes(tapCount: i32): usize { return HEAD + (<usize>((tapCount + 1) >> 1) << 5); }

// Interleaving of two taps: channels 0…3 and 4…7, as pairs.
// @ts-ignore: decorator
@inline export function pairLow(a: v128, b: v128): v128 { return v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
// @ts-ignore: decorator
@inline export function pairHigh(a: v128, b: v128): v128 { return v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }

/** Four output pixels, any window, everything inside. `pixel` and `line`: bytes between neighbouring source pixels and rows. */
export function qs8_dwconv_x4(step: usize, src: usize, pixel: usize, line: usize, weights: usize, dst: usize, dstPixel: usize, blocks: i32): void {
  const kw = word(step, DW_KW), tapCount = word(step, DW_KH) * kw, pixelStep = <usize>word(step, DW_SW) * pixel;
  const tapStep = pixel * <usize>word(step, DW_DW), lineStep = line * <usize>word(step, DW_DH) - <usize>(kw - 1) * tapStep;
  const step2 = pixelStep * 2, step3 = pixelStep * 3;
  const low = requantLow(word(step, DW_MIN), word(step, DW_DST_ZERO)), offset = requantOffset(word(step, DW_DST_ZERO));
  const high = v128.load16_splat(step, DW_MAX), magic = requantMagic(offset, word(step, DW_DST_ZERO));
  do {
    let c00 = v128.load(weights), c01 = v128.load(weights, 16);
    let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01;
    let p = src, w = weights + HEAD, left = tapCount, kx = kw;
    do {
      let q = p;
      if (--kx) q += tapStep;
      else { q += lineStep; kx = kw; }
      if (left == 1) q = p; // the missing odd tap's weight is 0: any readable bytes do
      const w0 = v128.load(w), w1 = v128.load(w, 16);
      let a = v128.load8x8_s(p), b = v128.load8x8_s(q);
      c00 = dot2(pairLow(a, b), w0, c00); c01 = dot2(pairHigh(a, b), w1, c01);
      a = v128.load8x8_s(p + pixelStep); b = v128.load8x8_s(q + pixelStep);
      c10 = dot2(pairLow(a, b), w0, c10); c11 = dot2(pairHigh(a, b), w1, c11);
      a = v128.load8x8_s(p + step2); b = v128.load8x8_s(q + step2);
      c20 = dot2(pairLow(a, b), w0, c20); c21 = dot2(pairHigh(a, b), w1, c21);
      a = v128.load8x8_s(p + step3); b = v128.load8x8_s(q + step3);
      c30 = dot2(pairLow(a, b), w0, c30); c31 = dot2(pairHigh(a, b), w1, c31);
      p = q;
      if (--kx) p += tapStep;
      else { p += lineStep; kx = kw; }
      w += 32;
      left -= 2;
    } while (left > 0);
    const s0 = v128.load(weights, 32), s1 = v128.load(weights, 48);
    let o = dst;
    v128.store64_lane(o, requant8(c00, c01, s0, s1, low, offset, high, magic), 0); o += dstPixel;
    v128.store64_lane(o, requant8(c10, c11, s0, s1, low, offset, high, magic), 0); o += dstPixel;
    v128.store64_lane(o, requant8(c20, c21, s0, s1, low, offset, high, magic), 0); o += dstPixel;
    v128.store64_lane(o, requant8(c30, c31, s0, s1, low, offset, high, magic), 0);
    src += 8;
    dst += 8;
    weights = w;
  } while (--blocks);
}
