// F32_DWCONV: depthwise convolution. Tiles of 4, 7 or 8 positions slide along rows where windows lie inside, along columns at the left
// and right border, and over a padded copy where the map is so small that it is nearly all border; what remains goes one by one.
// In: a verified step. Out: the destination elements, exactly. Must not know other layouts than NHWC with channel stride 1.
//
// Weights per 4 channels: [bias 4][KH*KW][4]. Channels past C are zero there. Over-reads: up to 12 bytes past the source.
// SCRATCH: a tile of 8 positions for the last, partial block; with CHUNK also IH rows of (OW-1)*SW+KW pixels of CHUNK blocks.
// A tile may repeat positions of its neighbour: the same values are computed again and stored to the same place.

import {
  DW_ACTIVATION, DW_BATCH, DW_C, DW_CHUNK, DW_DH, DW_DST, DW_DST_BATCH, DW_DST_PIXEL, DW_DST_ROW, DW_DW, DW_IH, DW_IW, DW_KH, DW_KW, DW_MAX, DW_MIN,
  DW_OH, DW_OW, DW_PL, DW_PT, DW_SCRATCH, DW_SCRATCH_BYTES, DW_SH, DW_SRC, DW_SRC_BATCH, DW_SRC_PIXEL, DW_SRC_ROW, DW_SW, DW_WEIGHTS,
} from "../abi.ts";
import { COMPACT } from "../compact.ts";
import { clampF32, madd, storeLanesF32 } from "../simd.ts";
import { addWork, positive, reads, require, stride, times, word, writes } from "../verify.ts";
import { activateF32, verifyActivation } from "./f32-activation.ts";
import { insideFrom, insideTo, taps, verifyDwconv } from "./dwconv.ts";
import { f32_dwconv_3s1x4, f32_dwconv_3s1x8, f32_dwconv_3s2x4, f32_dwconv_5s1x4, f32_dwconv_5s1x7, f32_dwconv_5s2x4 } from "./f32-dwconv-tiles.ts";

const TILE_BYTES: i64 = 128;

/** Tiles exist for these. */
// @ts-ignore: decorator
@inline function slides(kernel: i32, stride: i32, dilation: i32): bool { return (kernel == 3 || kernel == 5) && stride <= 2 && dilation == 1; }

/** Work: see verifyDwconv, in blocks of 4 channels, and the vectors of the padded copy. */
export function verifyF32Dwconv(step: usize): void {
  verifyDwconv(step, 4, 4);
  const blocks = (positive(step, DW_C) + 3) >> 2, chunk = stride(step, DW_CHUNK);
  reads(word(step, DW_WEIGHTS), times(blocks, times(taps(step) + 1, 16)));
  verifyActivation(step + DW_ACTIVATION);
  let bytes = TILE_BYTES;
  if (chunk) {
    require(slides(word(step, DW_KW), word(step, DW_SW), word(step, DW_DW)) && word(step, DW_OW) >= 4);
    const pixels = times(positive(step, DW_IH), times(positive(step, DW_OW) - 1, positive(step, DW_SW)) + positive(step, DW_KW));
    bytes += times(pixels, times(chunk, 16));
    addWork(times(positive(step, DW_BATCH), times(pixels, blocks)));
  }
  require(bytes <= positive(step, DW_SCRATCH_BYTES));
  writes(word(step, DW_SCRATCH), positive(step, DW_SCRATCH_BYTES));
}

export function f32Dwconv(step: usize, base: usize): void {
  const weights = base + <usize>word(step, DW_WEIGHTS), scratch = base + <usize>word(step, DW_SCRATCH);
  for (let n = 0; n < word(step, DW_BATCH); n++) {
    const src = base + <usize>word(step, DW_SRC) + ((<usize>n * <usize>word(step, DW_SRC_BATCH)) << 2);
    const dst = base + <usize>word(step, DW_DST) + ((<usize>n * <usize>word(step, DW_DST_BATCH)) << 2);
    if (word(step, DW_CHUNK)) paddedImage(step, src, weights, dst, scratch);
    else image(step, src, weights, dst, scratch);
  }
}

/** Rows in tiles between the border columns, those down in tiles, the rest one by one. */
function image(step: usize, src: usize, weights: usize, dst: usize, scratch: usize): void {
  const ow = word(step, DW_OW), kw = word(step, DW_KW), sw = word(step, DW_SW), pl = word(step, DW_PL);
  const tiled = slides(kw, sw, word(step, DW_DW));
  let from = tiled ? insideFrom(ow, sw, pl) : ow, to = tiled ? insideTo(from, ow, word(step, DW_IW), sw, pl, kw) : ow;
  if (to - from < 4) from = to = ow;
  const channels = word(step, DW_C), dstRow = <usize>word(step, DW_DST_ROW) << 2;
  if (from < to) {
    const pixel = <usize>word(step, DW_SRC_PIXEL) << 2, line = <usize>word(step, DW_SRC_ROW) << 2, dstPixel = <usize>word(step, DW_DST_PIXEL) << 2;
    for (let oy = 0; oy < word(step, DW_OH); oy++) {
      row(step, src + <usize>((from * sw - pl) * word(step, DW_SRC_PIXEL) << 2), pixel, line, weights, dst + <usize>oy * dstRow + <usize>from * dstPixel, oy, to - from, channels, scratch);
    }
  }
  for (let x = 0; x < from; x++) column(step, src, weights, dst, x, scratch);
  for (let x = to; x < ow; x++) column(step, src, weights, dst, x, scratch);
}

/** `count` >= 4 positions of output row oy; `src` is the first one's window in input row 0. */
function row(
  step: usize, src: usize, pixel: usize, line: usize, weights: usize, dst: usize, oy: i32, count: i32, channels: i32, scratch: usize,
): void {
  const kw = word(step, DW_KW), dh = word(step, DW_DH);
  const y0 = oy * word(step, DW_SH) - word(step, DW_PT);
  const ky0 = firstTap(y0, dh), lines = lastTap(y0, dh, word(step, DW_IH), word(step, DW_KH), ky0) - ky0;
  slide(step, kw, word(step, DW_SW), src + <usize>(y0 + ky0 * dh) * line, pixel, line * <usize>dh, lines, weights, <usize>(ky0 * kw + 1) << 4,
    16, <usize>kw << 4, dst, <usize>word(step, DW_DST_PIXEL) << 2, count, channels, scratch);
}

/** One column of the output: its window is clipped left or right, so that tiles slide down, or not at all. */
function column(step: usize, src: usize, weights: usize, dst: usize, x: i32, scratch: usize): void {
  const oh = word(step, DW_OH), kh = word(step, DW_KH), kw = word(step, DW_KW), sh = word(step, DW_SH), pt = word(step, DW_PT);
  const tiled = slides(kh, sh, word(step, DW_DH)), dw = word(step, DW_DW);
  let from = tiled ? insideFrom(oh, sh, pt) : oh, to = tiled ? insideTo(from, oh, word(step, DW_IH), sh, pt, kh) : oh;
  const x0 = x * word(step, DW_SW) - word(step, DW_PL);
  const kx0 = firstTap(x0, dw), lines = lastTap(x0, dw, word(step, DW_IW), kw, kx0) - kx0;
  if (to - from < 4 || lines == 0) from = to = oh;
  const dstRow = <usize>word(step, DW_DST_ROW) << 2;
  if (from < to) {
    const pixel = <usize>word(step, DW_SRC_PIXEL) << 2, line = <usize>word(step, DW_SRC_ROW) << 2;
    const p = src + <usize>(from * sh - pt) * line + <usize>(x0 + kx0 * dw) * pixel;
    const o = dst + <usize>from * dstRow + <usize>x * (<usize>word(step, DW_DST_PIXEL) << 2);
    slide(step, kh, sh, p, line, pixel * <usize>dw, lines, weights, <usize>(kx0 + 1) << 4, <usize>kw << 4, 16, o, dstRow, to - from,
      word(step, DW_C), scratch);
  }
  for (let oy = 0; oy < from; oy++) single(step, src, weights, dst + <usize>oy * dstRow, oy, x);
  for (let oy = to; oy < oh; oy++) single(step, src, weights, dst + <usize>oy * dstRow, oy, x);
}

/** The whole image, a few channels at a time, over a copy with its zero columns in place. */
function paddedImage(step: usize, src: usize, weights: usize, dst: usize, scratch: usize): void {
  const chunk = word(step, DW_CHUNK), channels = word(step, DW_C), ow = word(step, DW_OW), copy = scratch + <usize>TILE_BYTES;
  const panel = <usize>(word(step, DW_KH) * word(step, DW_KW) + 1) << 4, dstRow = <usize>word(step, DW_DST_ROW) << 2;
  for (let c = 0; c < channels; c += chunk << 2) {
    const count = min(channels - c, chunk << 2), pixel = <usize>((count + 3) >> 2) << 4;
    padColumns(step, src + (<usize>c << 2), copy, pixel);
    const line = pixel * <usize>((ow - 1) * word(step, DW_SW) + word(step, DW_KW));
    const w = weights + <usize>(c >> 2) * panel, o = dst + (<usize>c << 2);
    for (let oy = 0; oy < word(step, DW_OH); oy++) row(step, copy, pixel, line, w, o + <usize>oy * dstRow, oy, ow, count, scratch);
  }
}

/** Copies all rows, `pixel` bytes of each pixel (a multiple of 16), so that column 0 is where the first window starts. */
function padColumns(step: usize, src: usize, to: usize, pixel: usize): void {
  const iw = word(step, DW_IW), width = (word(step, DW_OW) - 1) * word(step, DW_SW) + word(step, DW_KW), pl = word(step, DW_PL);
  const from = min(max(pl, 0), width), until = max(from, min(width, iw + pl));
  const stride = <usize>word(step, DW_SRC_PIXEL) << 2;
  for (let iy = 0; iy < word(step, DW_IH); iy++) {
    let p = src + <usize>iy * (<usize>word(step, DW_SRC_ROW) << 2) + <usize>(from - pl) * stride;
    memory.fill(to, 0, <usize>from * pixel);
    to += <usize>from * pixel;
    for (let x = from; x < until; x++) {
      for (let i: usize = 0; i < pixel; i += 16) v128.store(to + i, v128.load(p + i));
      to += pixel;
      p += stride;
    }
    memory.fill(to, 0, <usize>(width - until) * pixel);
    to += <usize>(width - until) * pixel;
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

/**
 * `count` >= 4 positions along one axis, all channels. Along it input and output move by `pixel` and `dstPixel` bytes and weights by
 * `tap`; across it `lines` kernel lines lie inside, lineStep bytes apart, their weights lineTap apart, the first ones at `skip`.
 */
function slide(
  step: usize, kernel: i32, stride: i32, src: usize, pixel: usize, lineStep: usize, lines: i32, weights: usize, skip: usize, tap: usize,
  lineTap: usize, dst: usize, dstPixel: usize, count: i32, channels: i32, scratch: usize,
): void {
  const blocks = channels >> 2, lanes = channels & 3, panel = <usize>(word(step, DW_KH) * word(step, DW_KW) + 1) << 4;
  // Tiles need a line to begin with.
  if (lines == 0) { biasOnly(step, weights, panel, dst, dstPixel, count, channels); return; }
  const done = <usize>blocks << 4, lastWeights = weights + <usize>blocks * panel;
  let x = 0;
  while (x < count) {
    const wide = kernel == 3 ? 8 : 7, width = stride == 1 && count - x > 4 && count >= wide && !(COMPACT && kernel == 5) ? wide : 4;
    x = min(x, count - width);
    const p = src + <usize>(x * stride) * pixel;
    let o = dst + <usize>x * dstPixel;
    if (blocks) tile(step, kernel, stride, width, p, pixel, lineStep, lines, weights, skip, tap, lineTap, panel, o, dstPixel, blocks);
    if (lanes) {
      tile(step, kernel, stride, width, p + done, pixel, lineStep, lines, lastWeights, skip, tap, lineTap, panel, scratch, 16, 1);
      for (let i = 0; i < width; i++) {
        storeLanesF32(o + done, v128.load(scratch + (<usize>i << 4)), lanes);
        o += dstPixel;
      }
    }
    x += width;
  }
  if (word(step, DW_ACTIVATION)) activateF32(step + DW_ACTIVATION, count, dst, dstPixel, channels);
}

function tile(
  step: usize, kernel: i32, stride: i32, width: i32, src: usize, pixel: usize, lineStep: usize, lines: i32, weights: usize, skip: usize,
  tap: usize, lineTap: usize, panel: usize, dst: usize, dstPixel: usize, blocks: i32,
): void {
  if (width == 8) f32_dwconv_3s1x8(step, src, pixel, lineStep, lines, weights, skip, tap, lineTap, panel, dst, dstPixel, blocks);
  else if (kernel == 3) {
    if (stride == 1) f32_dwconv_3s1x4(step, src, pixel, lineStep, lines, weights, skip, tap, lineTap, panel, dst, dstPixel, blocks);
    else f32_dwconv_3s2x4(step, src, pixel, lineStep, lines, weights, skip, tap, lineTap, panel, dst, dstPixel, blocks);
  } else if (!COMPACT && width == 7) f32_dwconv_5s1x7(step, src, pixel, lineStep, lines, weights, skip, tap, lineTap, panel, dst, dstPixel, blocks);
  else if (stride == 1) f32_dwconv_5s1x4(step, src, pixel, lineStep, lines, weights, skip, tap, lineTap, panel, dst, dstPixel, blocks);
  else f32_dwconv_5s2x4(step, src, pixel, lineStep, lines, weights, skip, tap, lineTap, panel, dst, dstPixel, blocks);
}

function biasOnly(step: usize, weights: usize, panel: usize, dst: usize, dstPixel: usize, count: i32, channels: i32): void {
  for (let i = 0; i < count; i++) {
    f32_dwconv_1(step, dst, 0, 0, 0, weights, 0, 0, panel, dst, channels);
    dst += dstPixel;
  }
}

/** Output (oy, x) with its window clipped on all sides; dst is the row's first pixel. */
function single(step: usize, src: usize, weights: usize, dst: usize, oy: i32, x: i32): void {
  const kh = word(step, DW_KH), kw = word(step, DW_KW), dh = word(step, DW_DH), dw = word(step, DW_DW);
  const pixel = <usize>word(step, DW_SRC_PIXEL) << 2, line = <usize>word(step, DW_SRC_ROW) << 2;
  const y0 = oy * word(step, DW_SH) - word(step, DW_PT), x0 = x * word(step, DW_SW) - word(step, DW_PL);
  const ky0 = firstTap(y0, dh), ky1 = lastTap(y0, dh, word(step, DW_IH), kh, ky0);
  const kx0 = firstTap(x0, dw), kx1 = lastTap(x0, dw, word(step, DW_IW), kw, kx0);
  f32_dwconv_1(step, src + <usize>(y0 + ky0 * dh) * line + <usize>(x0 + kx0 * dw) * pixel, line * <usize>dh, ky1 - ky0, pixel * <usize>dw,
    weights, <usize>(ky0 * kw + kx0 + 1) << 4, kx1 - kx0, <usize>(kh * kw + 1) << 4, dst + <usize>x * (<usize>word(step, DW_DST_PIXEL) << 2),
    word(step, DW_C));
}

/** One pixel: `lines` times `taps` taps inside, any size, stride and dilation; the last block may be partial. */
export function f32_dwconv_1(
  step: usize, src: usize, lineStep: usize, lines: i32, tapStep: usize, weights: usize, skip: usize, taps: i32, panel: usize, dst: usize,
  channels: i32,
): void {
  const low = v128.load32_splat(step, DW_MIN), high = v128.load32_splat(step, DW_MAX), lineTap = <usize>word(step, DW_KW) << 4;
  const result = dst, all = channels;
  for (; channels > 0; channels -= 4) {
    let acc = v128.load(weights), p = src, w = weights + skip;
    for (let ky = 0; ky < lines; ky++) {
      let q = p, u = w;
      for (let kx = 0; kx < taps; kx++) {
        acc = madd(v128.load(q), v128.load(u), acc);
        q += tapStep;
        u += 16;
      }
      p += lineStep;
      w += lineTap;
    }
    acc = clampF32(acc, low, high);
    if (channels >= 4) v128.store(dst, acc);
    else storeLanesF32(dst, acc, channels);
    src += 16;
    dst += 16;
    weights += panel;
  }
  if (word(step, DW_ACTIVATION)) activateF32(step + DW_ACTIVATION, 1, result, 0, all);
}
