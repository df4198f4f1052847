// QS8_DWCONV: int8 depthwise convolution on tap pairs: two neighbouring taps' i16 lanes interleaved, then i32x4.dot_i16x8_s.
// In: a verified step; activations are s8. Out: the destination bytes, exactly. Whole 3x3 rows go to
// qs8-dwconv-dot.ts or qs8-dwconv-pairs.ts.
//
// Weights per 8 channels: [bias 8 i32][scale 8 f32][ceil(KH*KW/2)][8][2] i16 = w - weightZero; a missing odd tap has weight 0.
// acc = bias + sum a*(w - weightZero), where positions outside the input count as SRC_ZERO (the bias holds minus that for all taps).
// Over-reads: up to 7 bytes past the source. Tiles may repeat pixels: the same bytes again.

import {
  DW_BATCH, DW_C, DW_CHUNK, DW_DH, DW_DST, DW_DST_BATCH, DW_DST_PIXEL, DW_DST_ROW, DW_DST_ZERO, DW_DW, DW_IH, DW_IW, DW_KH, DW_KW, DW_MAX,
  DW_MIN, DW_OH, DW_OW, DW_PL, DW_PT, DW_SH, DW_SRC, DW_SRC_BATCH, DW_SRC_PIXEL, DW_SRC_ROW, DW_SRC_ZERO, DW_SW, DW_WEIGHTS, DOT_I16, DOT_U8S8,
} from "../abi.ts";
import { COMPACT } from "../compact.ts";
import { requant8, requantLow, requantMagic, requantOffset } from "../requant.ts";
import { dot2, dotMode, storeLanesI8 } from "../simd.ts";
import { inRange, positive, reads, stride, times, word } from "../verify.ts";
import { insideFrom, insideTo, taps, verifyDwconv } from "./dwconv.ts";
import {
  DOT_BLOCK_BYTES, isByteBlock, qs8_dwconv_dot_3s1, qs8_dwconv_dot_3s2, rowsTake,
} from "./qs8-dwconv-dot.ts";
import { paddedBlocks, verifyPadded } from "./qs8-dwconv-padded.ts";
import { qs8_dwconv_3s1 } from "./qs8-dwconv-pairs.ts";
import { blockBytes, HEAD, pairHigh, pairLow, qs8_dwconv_x4 } from "./qs8-dwconv-window.ts";

/** Least pixels of a block per call, so that preparing its weights costs little. */
const CALL_PIXELS: i32 = 64;

/** Work: see verifyDwconv, in blocks of 8 channels. */
export function verifyQs8Dwconv(step: usize): void {
  verifyDwconv(step, 1, 8);
  inRange(step, DW_SRC_ZERO, -128, 127);
  inRange(step, DW_DST_ZERO, -128, 127);
  inRange(step, DW_MIN, -128, 127);
  inRange(step, DW_MAX, -128, 127);
  const block = <i64>HEAD + times((taps(step) + 1) >> 1, 32);
  reads(word(step, DW_WEIGHTS), times((positive(step, DW_C) + 7) >> 3, block));
  if (stride(step, DW_CHUNK)) verifyPadded(step);
}

export function qs8Dwconv(step: usize, base: usize): void {
  const batch = word(step, DW_BATCH), oh = word(step, DW_OH), blocks = word(step, DW_C) >> 3, lanes = word(step, DW_C) & 7;
  const weights = base + <usize>word(step, DW_WEIGHTS);
  const whole = rowsTake(step, weights, dotMode() != DOT_I16);
  const rowsAtOnce = (CALL_PIXELS / word(step, DW_OW) + 2) & ~1;
  const padded = word(step, DW_CHUNK) != 0;
  const tailWeights = weights + <usize>blocks * blockBytes(word(step, DW_KH) * word(step, DW_KW)), tail = <usize>blocks << 3;
  for (let n = 0; n < batch; n++) {
    const src = base + <usize>word(step, DW_SRC) + <usize>n * <usize>word(step, DW_SRC_BATCH);
    const image = base + <usize>word(step, DW_DST) + <usize>n * <usize>word(step, DW_DST_BATCH);
    let dst = image;
    if (padded && !whole) {
      paddedBlocks(step, base, src, weights, image, 0);
      continue;
    }
    for (let oy = 0; oy < oh; oy++) {
      if (blocks) {
        if (!whole) windowRow(step, src, weights, dst, oy, blocks);
        else if (oy % rowsAtOnce == 0) wholeRows(step, src, weights, image, oy, min(oy + rowsAtOnce, oh), blocks);
      }
      if (lanes && !padded) qs8_dwconv_1(step, src + tail, tailWeights, dst + tail, oy, 0, word(step, DW_OW), 1, lanes);
      dst += <usize>word(step, DW_DST_ROW);
    }
    if (lanes && padded) paddedBlocks(step, base, src, weights, image, blocks);
  }
}

/** Output row `oy` at `dst`, any window: columns whose windows lie inside four at a time, the others one by one. */
function windowRow(step: usize, src: usize, weights: usize, dst: usize, oy: i32, blocks: i32): void {
  const ow = word(step, DW_OW), sw = word(step, DW_SW), iy = oy * word(step, DW_SH) - word(step, DW_PT);
  const xFrom = insideFrom(ow, sw, word(step, DW_PL));
  const xTo = insideTo(xFrom, ow, word(step, DW_IW), sw, word(step, DW_PL), (word(step, DW_KW) - 1) * word(step, DW_DW) + 1);
  if (iy >= 0 && iy + (word(step, DW_KH) - 1) * word(step, DW_DH) < word(step, DW_IH) && xTo - xFrom >= 4) {
    qs8_dwconv_1(step, src, weights, dst, oy, 0, xFrom, blocks, 8);
    insideColumns(step, src, weights, dst, oy, xFrom, xTo, blocks);
    qs8_dwconv_1(step, src, weights, dst, oy, xTo, ow, blocks, 8);
  } else {
    qs8_dwconv_1(step, src, weights, dst, oy, 0, ow, blocks, 8);
  }
}

/** Output rows [from, to), block by block. Pairs of i16 take half a block, and blocks whose weights are no bytes. */
function wholeRows(step: usize, src: usize, block: usize, dst: usize, from: i32, to: i32, blocks: i32): void {
  const dense = word(step, DW_SW) == 1, flip = dotMode() == DOT_U8S8 ? 0x80 : 0, dot = ASC_FEATURE_RELAXED_SIMD && dotMode() != DOT_I16;
  do {
    if (dot && isByteBlock(block)) {
      if (COMPACT || dense) qs8_dwconv_dot_3s1(step, src, block, dst, from, to, flip);
      else qs8_dwconv_dot_3s2(step, src, block, dst, from, to, flip);
    } else if (!COMPACT && dense) {
      qs8_dwconv_3s1(step, src, block, dst, from, to);
      qs8_dwconv_3s1(step, src + 4, block + 16, dst + 4, from, to);
    } else {
      for (let oy = from; oy < to; oy++) windowRow(step, src, block, dst + <usize>(oy * word(step, DW_DST_ROW)), oy, 1);
    }
    block += DOT_BLOCK_BYTES;
    src += 8;
    dst += 8;
  } while (--blocks);
}

/** At least 4 columns whose windows lie wholly inside the input, four at a time. */
function insideColumns(step: usize, src: usize, weights: usize, dst: usize, oy: i32, from: i32, to: i32, blocks: i32): void {
  const line = <usize>word(step, DW_SRC_ROW), pixel = <usize>word(step, DW_SRC_PIXEL), sw = word(step, DW_SW);
  const first = src + <usize>(oy * word(step, DW_SH) - word(step, DW_PT)) * line;
  for (let x = from; x < to; x += 4) {
    x = min(x, to - 4);
    const p = first + <usize>(x * sw - word(step, DW_PL)) * pixel, o = dst + <usize>x * <usize>word(step, DW_DST_PIXEL);
    qs8_dwconv_x4(step, p, pixel, line, weights, o, <usize>word(step, DW_DST_PIXEL), blocks);
  }
}

/** Columns [from, to) one by one, positions outside read as SRC_ZERO: any window; the last block may be partial. */
export function qs8_dwconv_1(
  step: usize, src: usize, weights: usize, dst: usize, oy: i32, from: i32, to: i32, blocks: i32, lanes: i32,
): void {
  const kh = word(step, DW_KH), kw = word(step, DW_KW), dw = word(step, DW_DW), ih = word(step, DW_IH), iw = word(step, DW_IW);
  const pixel = <usize>word(step, DW_SRC_PIXEL), line = <usize>word(step, DW_SRC_ROW);
  const outside = i16x8.splat(<i16>word(step, DW_SRC_ZERO));
  const low = requantLow(word(step, DW_MIN), word(step, DW_DST_ZERO)), offset = requantOffset(word(step, DW_DST_ZERO));
  const high = v128.load16_splat(step, DW_MAX), magic = requantMagic(offset, word(step, DW_DST_ZERO));
  for (let x = from; x < to; x++) {
    const x0 = x * word(step, DW_SW) - word(step, DW_PL);
    let o = dst + <usize>x * <usize>word(step, DW_DST_PIXEL), block = weights, channel = src;
    for (let i = 0; i < blocks; i++) {
      let c0 = v128.load(block), c1 = v128.load(block, 16), first = outside, odd = false, w = block + HEAD;
      let iy = oy * word(step, DW_SH) - word(step, DW_PT);
      for (let ky = 0; ky < kh; ky++) {
        const inside = <u32>iy < <u32>ih, p = channel + <usize>iy * line;
        let ix = x0;
        for (let kx = 0; kx < kw; kx++) {
          const a = inside && <u32>ix < <u32>iw ? v128.load8x8_s(p + <usize>ix * pixel) : outside;
          if (odd) {
            c0 = dot2(pairLow(first, a), v128.load(w), c0);
            c1 = dot2(pairHigh(first, a), v128.load(w, 16), c1);
            w += 32;
          }
          first = a;
          odd = !odd;
          ix += dw;
        }
        iy += word(step, DW_DH);
      }
      if (odd) {
        c0 = dot2(pairLow(first, outside), v128.load(w), c0);
        c1 = dot2(pairHigh(first, outside), v128.load(w, 16), c1);
        w += 32;
      }
      const y = requant8(c0, c1, v128.load(block, 32), v128.load(block, 48), low, offset, high, magic);
      if (lanes == 8) v128.store64_lane(o, y, 0);
      else storeLanesI8(o, y, lanes);
      block = w;
      channel += 8;
      o += 8;
    }
  }
}
