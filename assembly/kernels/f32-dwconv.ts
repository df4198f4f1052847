// F32_DWCONV: depthwise convolution. Rows are split into clipped columns (one pixel at a time) and inside columns (tiles).
// In: a verified step. Out: the destination elements, exactly. Must not know other layouts than NHWC with channel stride 1.
//
// Weights per 4 channels: [bias 4][KH*KW][4]. Channels past C are zero there. Over-reads: up to 12 bytes past the source.
// A tile may repeat pixels of its left neighbour: the same values are computed again and stored to the same place.

import {
  DW_BATCH, DW_C, DW_DH, DW_DST, DW_DST_BATCH, DW_DST_PIXEL, DW_DST_ROW, DW_DW, DW_IH, DW_IW, DW_KH, DW_KW, DW_MAX, DW_MIN, DW_OH,
  DW_OW, DW_PL, DW_PT, DW_SH, DW_SRC, DW_SRC_BATCH, DW_SRC_PIXEL, DW_SRC_ROW, DW_SW, DW_WEIGHTS,
} from "../abi.ts";
import { clampF32, madd, storeLanesF32 } from "../simd.ts";
import { positive, reads, times, word } from "../verify.ts";
import { insideFrom, insideTo, taps, verifyDwconv } from "./dwconv.ts";
import { f32_dwconv_3s1x4, f32_dwconv_3s1x8, f32_dwconv_3s2x4, f32_dwconv_5s1x4, f32_dwconv_5s2x4 } from "./f32-dwconv-tiles.ts";

/** Work: see verifyDwconv, in blocks of 4 channels. */
export function verifyF32Dwconv(step: usize): void {
  verifyDwconv(step, 4, 4);
  reads(word(step, DW_WEIGHTS), times((positive(step, DW_C) + 3) >> 2, times(taps(step) + 1, 16)));
}

export function f32Dwconv(step: usize, base: usize): void {
  const batch = word(step, DW_BATCH), oh = word(step, DW_OH), ow = word(step, DW_OW), kw = word(step, DW_KW), sw = word(step, DW_SW);
  const blocks = word(step, DW_C) >> 2, lanes = word(step, DW_C) & 3;
  const tiled = word(step, DW_DW) == 1 && (kw == 3 || kw == 5) && sw <= 2;
  const from = tiled ? insideFrom(ow, sw, word(step, DW_PL)) : ow;
  const to = tiled ? insideTo(from, ow, word(step, DW_IW), sw, word(step, DW_PL), kw) : ow;
  const weights = base + <usize>word(step, DW_WEIGHTS);
  const tailWeights = weights + (<usize>blocks * <usize>(word(step, DW_KH) * kw + 1) << 4);
  const tail = <usize>blocks << 4;
  for (let n = 0; n < batch; n++) {
    const src = base + <usize>word(step, DW_SRC) + ((<usize>n * <usize>word(step, DW_SRC_BATCH)) << 2);
    let dst = base + <usize>word(step, DW_DST) + ((<usize>n * <usize>word(step, DW_DST_BATCH)) << 2);
    for (let oy = 0; oy < oh; oy++) {
      if (blocks) {
        if (to - from >= 4) {
          f32_dwconv_1(step, src, weights, dst, oy, 0, from, blocks, 4);
          insideColumns(step, src, weights, dst, oy, from, to, blocks);
          f32_dwconv_1(step, src, weights, dst, oy, to, ow, blocks, 4);
        } else {
          f32_dwconv_1(step, src, weights, dst, oy, 0, ow, blocks, 4);
        }
      }
      if (lanes) f32_dwconv_1(step, src + tail, tailWeights, dst + tail, oy, 0, ow, 1, lanes);
      dst += <usize>word(step, DW_DST_ROW) << 2;
    }
  }
}

/** First kernel row that lies inside the input, for the window that starts at y0 (which may be negative). */
// @ts-ignore: decorator
@inline function firstTap(y0: i32, dilation: i32): i32 { return y0 >= 0 ? 0 : (dilation - 1 - y0) / dilation; }
/** One past the last kernel row (column) inside; not below `first`. */
// @ts-ignore: decorator
@inline function lastTap(y0: i32, dilation: i32, inputs: i32, kernel: i32, first: i32): i32 {
  const room = inputs - y0;
  return room <= 0 ? first : max(first, min(kernel, (room - 1) / dilation + 1));
}

/** At least 4 columns whose windows lie inside horizontally, in tiles of 8 and 4. */
function insideColumns(step: usize, src: usize, weights: usize, dst: usize, oy: i32, from: i32, to: i32, blocks: i32): void {
  const kh = word(step, DW_KH), kw = word(step, DW_KW), sw = word(step, DW_SW), dh = word(step, DW_DH);
  const y0 = oy * word(step, DW_SH) - word(step, DW_PT);
  const ky0 = firstTap(y0, dh), ky1 = lastTap(y0, dh, word(step, DW_IH), kh, ky0), lines = ky1 - ky0;
  if (lines == 0) { f32_dwconv_1(step, src, weights, dst, oy, from, to, blocks, 4); return; }
  const pixel = <usize>word(step, DW_SRC_PIXEL) << 2, line = <usize>word(step, DW_SRC_ROW) << 2, dstPixel = <usize>word(step, DW_DST_PIXEL) << 2;
  const first = src + <usize>(y0 + ky0 * dh) * line, lineStep = line * <usize>dh;
  const skip = <usize>(ky0 * kw + 1) << 4, panel = <usize>(kh * kw + 1) << 4;
  let x = from;
  while (x < to) {
    const left = to - x;
    const eight = kw == 3 && sw == 1 && left > 4 && to - from >= 8;
    if (eight) x = min(x, to - 8);
    else x = min(x, to - 4);
    const p = first + <usize>(x * sw - word(step, DW_PL)) * pixel, o = dst + <usize>x * dstPixel;
    if (eight) f32_dwconv_3s1x8(step, p, pixel, lineStep, lines, weights, skip, panel, o, dstPixel, blocks);
    else if (kw == 3) {
      if (sw == 1) f32_dwconv_3s1x4(step, p, pixel, lineStep, lines, weights, skip, panel, o, dstPixel, blocks);
      else f32_dwconv_3s2x4(step, p, pixel, lineStep, lines, weights, skip, panel, o, dstPixel, blocks);
    } else if (sw == 1) f32_dwconv_5s1x4(step, p, pixel, lineStep, lines, weights, skip, panel, o, dstPixel, blocks);
    else f32_dwconv_5s2x4(step, p, pixel, lineStep, lines, weights, skip, panel, o, dstPixel, blocks);
    x += eight ? 8 : 4;
  }
}

/** Columns [from, to) one by one with the window clipped to the input: any size, stride, dilation; the last block may be partial. */
export function f32_dwconv_1(
  step: usize, src: usize, weights: usize, dst: usize, oy: i32, from: i32, to: i32, blocks: i32, lanes: i32,
): void {
  const kh = word(step, DW_KH), kw = word(step, DW_KW), dh = word(step, DW_DH), dw = word(step, DW_DW);
  const pixel = <usize>word(step, DW_SRC_PIXEL) << 2, line = <usize>word(step, DW_SRC_ROW) << 2;
  const y0 = oy * word(step, DW_SH) - word(step, DW_PT);
  const ky0 = firstTap(y0, dh), ky1 = lastTap(y0, dh, word(step, DW_IH), kh, ky0);
  const low = v128.load32_splat(step, DW_MIN), high = v128.load32_splat(step, DW_MAX);
  const panel = <usize>(kh * kw + 1) << 4, lineStep = line * <usize>dh, tapStep = pixel * <usize>dw;
  for (let x = from; x < to; x++) {
    const x0 = x * word(step, DW_SW) - word(step, DW_PL);
    const kx0 = firstTap(x0, dw), kx1 = lastTap(x0, dw, word(step, DW_IW), kw, kx0);
    let first = src + <usize>(y0 + ky0 * dh) * line + <usize>(x0 + kx0 * dw) * pixel;
    let o = dst + <usize>x * (<usize>word(step, DW_DST_PIXEL) << 2), w = weights;
    for (let block = 0; block < blocks; block++) {
      let acc = v128.load(w), p = first;
      for (let ky = ky0; ky < ky1; ky++) {
        let q = p, u = w + (<usize>(ky * kw + kx0 + 1) << 4);
        for (let kx = kx0; kx < kx1; kx++) {
          acc = madd(v128.load(q), v128.load(u), acc);
          q += tapStep;
          u += 16;
        }
        p += lineStep;
      }
      acc = clampF32(acc, low, high);
      if (lanes == 4) v128.store(o, acc);
      else storeLanesF32(o, acc, lanes);
      first += 16;
      o += 16;
      w += panel;
    }
  }
}
