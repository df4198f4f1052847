// Max and average pooling over NHWC windows in f32, and the window arithmetic that qs8-pool.ts shares.
// In: one F32_POOL step. Out: dst pixels, C channels each, clamped to MIN … MAX_VALUE.
// Layout: channel stride 1 on both sides. Channels go 8 at a time: loads run past the operand (at most 28 bytes, inside the
// slack), stores are exact. src and dst must not overlap. Max keeps NaN.
// Must not know quantisation.

import {
  POOL_AVERAGE, POOL_BATCH, POOL_C, POOL_COUNT_PADS, POOL_DH, POOL_DST, POOL_DST_BATCH, POOL_DST_PIXEL, POOL_DST_ROW, POOL_DW,
  POOL_IH, POOL_IW, POOL_KH, POOL_KIND, POOL_KW, POOL_MAX, POOL_MAX_VALUE, POOL_MIN, POOL_OH, POOL_OW, POOL_PB, POOL_PL, POOL_PR, POOL_PT,
  POOL_SH, POOL_SRC, POOL_SRC_BATCH, POOL_SRC_PIXEL, POOL_SRC_ROW, POOL_SW,
} from "../abi.ts";
import { addWork, failure, inRange, positive, reads, require, stride, times, word, writes } from "../verify.ts";
import { clampF32 } from "../simd.ts";
import { storeWords } from "../nest.ts";
import { insideFrom, insideTo } from "./dwconv.ts";
import { f32_maxpool_3s2x4 } from "./f32-pool-tiles.ts";

/** Positions stay below this, so that window arithmetic in i32 cannot wrap. */
const POSITION_LIMIT: i32 = 1 << 28;

/** First tap of a window that starts at `start` (may be negative) and lies inside the input. */
// @ts-ignore: decorator
@inline export function firstTap(start: i32, dilation: i32): i32 { return start >= 0 ? 0 : (dilation - 1 - start) / dilation; }
/** One past the last tap that lies before `size`. */
// @ts-ignore: decorator
@inline export function endTap(start: i32, dilation: i32, taps: i32, size: i32): i32 {
  return start >= size ? 0 : min<i32>(taps, (size - start + dilation - 1) / dilation);
}

/** One spatial axis: every window has a tap inside the input. Operand offsets are those of the axis. */
function verifyAxis(step: usize, inAt: usize, outAt: usize, tapsAt: usize, strideAt: usize, dilationAt: usize, padAt: usize): void {
  const size = <i32>inRange(step, inAt, 1, POSITION_LIMIT), out = <i32>inRange(step, outAt, 1, POSITION_LIMIT);
  const taps = positive(step, tapsAt), move = positive(step, strideAt), dilation = positive(step, dilationAt);
  const pad = <i32>inRange(step, padAt, -POSITION_LIMIT, POSITION_LIMIT);
  require(times(out - 1, move) + times(taps - 1, dilation) + dilation < POSITION_LIMIT);
  for (let o = 0; o < out && failure() == 0; o++) {
    const start = o * <i32>move - pad;
    require(firstTap(start, <i32>dilation) < endTap(start, <i32>dilation, <i32>taps, size));
  }
}

/** Work: BATCH*OH*OW*KH*KW*C. */
export function verifyPool(step: usize, elementBytes: i64): void {
  const kind = inRange(step, POOL_KIND, 0, POOL_AVERAGE);
  const batch = positive(step, POOL_BATCH), channels = positive(step, POOL_C);
  const oh = positive(step, POOL_OH), ow = positive(step, POOL_OW);
  const src = times(batch - 1, stride(step, POOL_SRC_BATCH)) + times(positive(step, POOL_IH) - 1, stride(step, POOL_SRC_ROW))
    + times(positive(step, POOL_IW) - 1, stride(step, POOL_SRC_PIXEL)) + channels;
  const dst = times(batch - 1, stride(step, POOL_DST_BATCH)) + times(oh - 1, stride(step, POOL_DST_ROW))
    + times(ow - 1, stride(step, POOL_DST_PIXEL)) + channels;
  require((batch == 1 || word(step, POOL_DST_BATCH) > 0) && (oh == 1 || word(step, POOL_DST_ROW) > 0)
    && (ow == 1 || word(step, POOL_DST_PIXEL) > 0));
  reads(word(step, POOL_SRC), times(src, elementBytes));
  writes(word(step, POOL_DST), times(dst, elementBytes));
  const window = times(positive(step, POOL_KH), positive(step, POOL_KW));
  if (kind == POOL_AVERAGE) {
    require(window <= 1 << 23); // sums of bytes stay in i32
    inRange(step, POOL_COUNT_PADS, 0, 1);
    inRange(step, POOL_PB, 0, POSITION_LIMIT);
    inRange(step, POOL_PR, 0, POSITION_LIMIT);
  }
  if (failure() != 0) return; // the loops below are bounded by OH and OW, which now fit the arena
  verifyAxis(step, POOL_IH, POOL_OH, POOL_KH, POOL_SH, POOL_DH, POOL_PT);
  verifyAxis(step, POOL_IW, POOL_OW, POOL_KW, POOL_SW, POOL_DW, POOL_PL);
  addWork(times(times(times(batch, oh), times(ow, window)), channels));
}

export function verifyF32Pool(step: usize): void { verifyPool(step, 4); }

/** One output pixel: combines ny * nx taps of every channel. `divisor` is used by the average only. */
// @ts-ignore: decorator
@inline function poolPixel(
  average: bool, src: usize, dst: usize, channels: i32, ny: i32, nx: i32, rowBytes: i32, tapBytes: i32,
  divisor: f32, low: v128, high: v128,
): void {
  const by = f32x4.splat(divisor);
  for (let c = channels; c > 0; c -= 8) {
    let a = average ? f32x4.splat(0) : f32x4.splat(-Infinity), b = a;
    let nanA = f32x4.splat(0), nanB = nanA;
    let row = src;
    for (let y = ny; y > 0; y--) {
      let p = row;
      for (let x = nx; x > 0; x--) {
        const va = v128.load(p), vb = v128.load(p, 16);
        if (average) { a = f32x4.add(a, va); b = f32x4.add(b, vb); }
        else {
          // pmax drops NaN but is one instruction on x86, where max is eight; lanes that saw NaN are kept beside it.
          a = f32x4.pmax(a, va);
          b = f32x4.pmax(b, vb);
          nanA = v128.or(nanA, f32x4.ne(va, va));
          nanB = v128.or(nanB, f32x4.ne(vb, vb));
        }
        p += tapBytes;
      }
      row += rowBytes;
    }
    if (average) { a = f32x4.div(a, by); b = f32x4.div(b, by); }
    else { a = v128.or(a, nanA); b = v128.or(b, nanB); } // all bits set is a NaN
    storeWords(dst, clampF32(a, low, high), c);
    if (c > 4) storeWords(dst + 16, clampF32(b, low, high), c - 4);
    src += 32;
    dst += 32;
  }
}

/** Columns [from, to) of one output row, pixel by pixel. `image` and `dst` are pixel 0 of input row 0 and of the output row. */
function pixels(step: usize, image: usize, dst: usize, oy: i32, from: i32, to: i32): void {
  const average = word(step, POOL_KIND) == POOL_AVERAGE, countPads = word(step, POOL_COUNT_PADS) != 0;
  const ih = word(step, POOL_IH), iw = word(step, POOL_IW), kw = word(step, POOL_KW), dh = word(step, POOL_DH), dw = word(step, POOL_DW);
  const srcRow = word(step, POOL_SRC_ROW) << 2, srcPixel = word(step, POOL_SRC_PIXEL) << 2, dstPixel = word(step, POOL_DST_PIXEL) << 2;
  const low = v128.load32_splat(step, POOL_MIN), high = v128.load32_splat(step, POOL_MAX_VALUE), channels = word(step, POOL_C);
  const top = oy * word(step, POOL_SH) - word(step, POOL_PT);
  const ky = firstTap(top, dh), ny = endTap(top, dh, word(step, POOL_KH), ih) - ky;
  const countY = countPads ? endTap(top, dh, word(step, POOL_KH), ih + word(step, POOL_PB)) : ny;
  dst += <usize>(from * dstPixel);
  for (let ox = from; ox < to; ox++) {
    const left = ox * word(step, POOL_SW) - word(step, POOL_PL);
    const kx = firstTap(left, dw), nx = endTap(left, dw, kw, iw) - kx;
    const src = image + <usize>((top + ky * dh) * srcRow + (left + kx * dw) * srcPixel);
    if (average) {
      const countX = countPads ? endTap(left, dw, kw, iw + word(step, POOL_PR)) : nx;
      poolPixel(true, src, dst, channels, ny, nx, dh * srcRow, dw * srcPixel, <f32>(countY * countX), low, high);
    } else {
      poolPixel(false, src, dst, channels, ny, nx, dh * srcRow, dw * srcPixel, 1, low, high);
    }
    dst += dstPixel;
  }
}

/** Columns [from, to), at least 4, whose windows lie inside horizontally: 3 wide, stride 2. */
function tiles(step: usize, image: usize, dst: usize, oy: i32, from: i32, to: i32): void {
  const dh = word(step, POOL_DH), pixel = <usize>word(step, POOL_SRC_PIXEL) << 2, line = <usize>word(step, POOL_SRC_ROW) << 2;
  const top = oy * word(step, POOL_SH) - word(step, POOL_PT), ky = firstTap(top, dh);
  const lines = endTap(top, dh, word(step, POOL_KH), word(step, POOL_IH)) - ky, dstPixel = <usize>word(step, POOL_DST_PIXEL) << 2;
  const row = image + <usize>(top + ky * dh) * line;
  for (let x = from; x < to; x += 4) {
    x = min(x, to - 4);
    const src = row + <usize>((x << 1) - word(step, POOL_PL)) * pixel;
    const sure = f32_maxpool_3s2x4(step, src, pixel, line * <usize>dh, lines, dst + <usize>x * dstPixel, dstPixel, word(step, POOL_C));
    if (!sure) pixels(step, image, dst, oy, x, x + 4);
  }
}

export function f32Pool(step: usize, base: usize): void {
  const ow = word(step, POOL_OW), pl = word(step, POOL_PL);
  const tiled = word(step, POOL_KIND) == POOL_MAX && word(step, POOL_KW) == 3 && word(step, POOL_SW) == 2 && word(step, POOL_DW) == 1;
  let from = tiled ? insideFrom(ow, 2, pl) : ow, to = tiled ? insideTo(from, ow, word(step, POOL_IW), 2, pl, 3) : ow;
  if (to - from < 4) from = to = ow;
  for (let n = 0; n < word(step, POOL_BATCH); n++) {
    const image = base + <usize>word(step, POOL_SRC) + <usize>(n * word(step, POOL_SRC_BATCH) << 2);
    for (let oy = 0; oy < word(step, POOL_OH); oy++) {
      const dst = base + <usize>word(step, POOL_DST) + <usize>(n * word(step, POOL_DST_BATCH) + oy * word(step, POOL_DST_ROW) << 2);
      pixels(step, image, dst, oy, 0, from);
      if (from < to) tiles(step, image, dst, oy, from, to);
      pixels(step, image, dst, oy, to, ow);
    }
  }
}
