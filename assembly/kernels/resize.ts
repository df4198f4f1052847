// Bilinear, cubic and nearest resizing of NHWC tensors through index tables.
// In: one F32_RESIZE, QS8_RESIZE, F32_RESIZE_CUBIC or X_RESIZE_NEAREST step. Out: OH × OW pixels of C channels.
// Layout: channel stride 1 on both sides; four channels at a time (int8 too), loads run past the operand (at most 12 bytes), stores are
// exact. src and dst must not overlap.
// Exactness: top = a + (b-a)*wx, bottom likewise, y = top + (bottom-top)*wy, every step in f32; int8 works on f32(q - SRC_ZERO), then
// rint(y * f32(SRC_SCALE/DST_SCALE)) + DST_ZERO. Must not know coordinate transformations: the tables hold them.

import {
  RESIZE_BATCH, RESIZE_C, RESIZE_DST, RESIZE_DST_BATCH, RESIZE_DST_PIXEL, RESIZE_DST_ROW, RESIZE_DST_SCALE, RESIZE_DST_ZERO,
  RESIZE_ELEMENT_BYTES, RESIZE_IH, RESIZE_IW, RESIZE_OH, RESIZE_OW, RESIZE_SRC, RESIZE_SRC_BATCH, RESIZE_SRC_PIXEL, RESIZE_SRC_ROW,
  RESIZE_SRC_SCALE, RESIZE_SRC_ZERO, RESIZE_X_TABLE, RESIZE_Y_TABLE,
} from "../abi.ts";
import { addWork, at, inRange, positive, reads, readsConstant, require, requireTable, stride, times, word, writes } from "../verify.ts";
import { storeBytes, storeWords } from "../nest.ts";
import { madd } from "../simd.ts";
import { requantLow, requantOffset } from "../requant.ts";
import { quantize4 } from "./qs8-binary.ts";
import { copyBytes } from "./x-copy.ts";

/** Every index of a table (the first `indices` words of each entry) lies in 0 … size-1. */
function verifyTable(step: usize, tableAt: usize, entries: i64, entryBytes: i32, indices: i32, size: i64): void {
  const address = word(step, tableAt);
  if (!readsConstant(address, times(entries, entryBytes))) return;
  let entry = at(address);
  for (let i: i64 = 0; i < entries; i++) {
    for (let k = 0; k < indices; k++) {
      const index = load<i32>(entry + <usize>(k << 2));
      if (index < 0 || <i64>index >= size) { requireTable(false); return; }
    }
    entry += <usize>entryBytes;
  }
}

/** Work: BATCH*OH*OW*C, times `cost`. */
function verifyResize(step: usize, elementBytes: i64, entryBytes: i32, indices: i32, cost: i64 = 1): void {
  const batch = positive(step, RESIZE_BATCH), channels = positive(step, RESIZE_C);
  const ih = positive(step, RESIZE_IH), iw = positive(step, RESIZE_IW), oh = positive(step, RESIZE_OH), ow = positive(step, RESIZE_OW);
  const src = times(batch - 1, stride(step, RESIZE_SRC_BATCH)) + times(ih - 1, stride(step, RESIZE_SRC_ROW))
    + times(iw - 1, stride(step, RESIZE_SRC_PIXEL)) + channels;
  const dst = times(batch - 1, stride(step, RESIZE_DST_BATCH)) + times(oh - 1, stride(step, RESIZE_DST_ROW))
    + times(ow - 1, stride(step, RESIZE_DST_PIXEL)) + channels;
  require((batch == 1 || word(step, RESIZE_DST_BATCH) > 0) && (oh == 1 || word(step, RESIZE_DST_ROW) > 0)
    && (ow == 1 || word(step, RESIZE_DST_PIXEL) > 0));
  reads(word(step, RESIZE_SRC), times(src, elementBytes));
  writes(word(step, RESIZE_DST), times(dst, elementBytes));
  verifyTable(step, RESIZE_Y_TABLE, oh, entryBytes, indices, ih);
  verifyTable(step, RESIZE_X_TABLE, ow, entryBytes, indices, iw);
  addWork(times(times(times(times(batch, oh), ow), channels), cost));
}
export function verifyF32Resize(step: usize): void { verifyResize(step, 4, 12, 2); }
export function verifyQs8Resize(step: usize): void {
  inRange(step, RESIZE_SRC_ZERO, -128, 127);
  inRange(step, RESIZE_DST_ZERO, -128, 127);
  verifyResize(step, 1, 12, 2);
}
export function verifyF32ResizeCubic(step: usize): void { verifyResize(step, 4, 32, 4, 16); }
export function verifyXResizeNearest(step: usize): void {
  const bytes = word(step, RESIZE_ELEMENT_BYTES);
  require(bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8);
  verifyResize(step, bytes, 4, 1);
}

// @ts-ignore: decorator
@inline function between(a: v128, b: v128, weight: v128): v128 { return f32x4.add(a, f32x4.mul(f32x4.sub(b, a), weight)); }

/** Four bytes minus the zero point, as f32. */
// @ts-ignore: decorator
@inline function centred(p: usize, zero: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.sub(i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(p))), zero));
}

/** One f32 pixel from its four neighbours: a b above, c d below. */
function f32Pixel(dst: usize, a: usize, b: usize, c: usize, d: usize, channels: i32, wx: v128, wy: v128): void {
  for (; channels > 0; channels -= 4) {
    const y = between(between(v128.load(a), v128.load(b), wx), between(v128.load(c), v128.load(d), wx), wy);
    storeWords(dst, y, channels);
    a += 16; b += 16; c += 16; d += 16; dst += 16;
  }
}

function qs8Pixel(
  dst: usize, a: usize, b: usize, c: usize, d: usize, channels: i32, wx: v128, wy: v128, zero: v128, scale: v128, low: v128, offset: v128,
): void {
  for (; channels > 0; channels -= 4) {
    const y = between(between(centred(a, zero), centred(b, zero), wx), between(centred(c, zero), centred(d, zero), wx), wy);
    const wide = quantize4(f32x4.mul(y, scale), low, offset), narrow = i16x8.narrow_i32x4_s(wide, wide);
    storeBytes(dst, i8x16.narrow_i16x8_s(narrow, narrow), min<i32>(channels, 4));
    a += 4; b += 4; c += 4; d += 4; dst += 4;
  }
}

/** Walks the output pixels of a bilinear step; `bytes` is the element's size and with it the pixel function. */
// @ts-ignore: decorator
@inline function bilinear(step: usize, base: usize, bytes: i32): void {
  const channels = load<i32>(step, RESIZE_C), ow = load<i32>(step, RESIZE_OW), oh = load<i32>(step, RESIZE_OH);
  const srcRow = load<i32>(step, RESIZE_SRC_ROW) * bytes, srcPixel = load<i32>(step, RESIZE_SRC_PIXEL) * bytes;
  const yTable = base + <usize>load<i32>(step, RESIZE_Y_TABLE), xTable = base + <usize>load<i32>(step, RESIZE_X_TABLE);
  const dstZero = load<i32>(step, RESIZE_DST_ZERO), zero = v128.load32_splat(step, RESIZE_SRC_ZERO);
  const scale = f32x4.splat(load<f32>(step, RESIZE_SRC_SCALE) / load<f32>(step, RESIZE_DST_SCALE));
  const low = requantLow(-128, dstZero), offset = requantOffset(dstZero);
  for (let n = 0; n < load<i32>(step, RESIZE_BATCH); n++) {
    const image = base + <usize>load<i32>(step, RESIZE_SRC) + <usize>(n * load<i32>(step, RESIZE_SRC_BATCH) * bytes);
    for (let oy = 0; oy < oh; oy++) {
      let dst = base + <usize>load<i32>(step, RESIZE_DST)
        + <usize>((n * load<i32>(step, RESIZE_DST_BATCH) + oy * load<i32>(step, RESIZE_DST_ROW)) * bytes);
      const y = yTable + <usize>(oy * 12), wy = v128.load32_splat(y, 8);
      const top = image + <usize>(load<i32>(y) * srcRow), bottom = image + <usize>(load<i32>(y, 4) * srcRow);
      for (let ox = 0; ox < ow; ox++) {
        const x = xTable + <usize>(ox * 12), wx = v128.load32_splat(x, 8);
        const left = <usize>(load<i32>(x) * srcPixel), right = <usize>(load<i32>(x, 4) * srcPixel);
        if (bytes == 4) f32Pixel(dst, top + left, top + right, bottom + left, bottom + right, channels, wx, wy);
        else qs8Pixel(dst, top + left, top + right, bottom + left, bottom + right, channels, wx, wy, zero, scale, low, offset);
        dst += <usize>(load<i32>(step, RESIZE_DST_PIXEL) * bytes);
      }
    }
  }
}

export function f32Resize(step: usize, base: usize): void { bilinear(step, base, 4); }
export function qs8Resize(step: usize, base: usize): void { bilinear(step, base, 1); }

/** One pixel of 4 x 4 neighbours: `y` and `x` are its table entries, `image` the picture. */
function cubicPixel(image: usize, dst: usize, y: usize, x: usize, row: i32, pixel: i32, channels: i32): void {
  const x0 = <usize>(load<i32>(x) * pixel), x1 = <usize>(load<i32>(x, 4) * pixel);
  const x2 = <usize>(load<i32>(x, 8) * pixel), x3 = <usize>(load<i32>(x, 12) * pixel);
  const w0 = v128.load32_splat(x, 16), w1 = v128.load32_splat(x, 20), w2 = v128.load32_splat(x, 24), w3 = v128.load32_splat(x, 28);
  for (; channels > 0; channels -= 4) {
    let sum = f32x4.splat(0);
    for (let i: usize = 0; i < 16; i += 4) {
      const p = image + <usize>(load<i32>(y + i) * row);
      const line = madd(w3, v128.load(p + x3), madd(w2, v128.load(p + x2), madd(w1, v128.load(p + x1), f32x4.mul(w0, v128.load(p + x0)))));
      sum = madd(v128.load32_splat(y + i, 16), line, sum);
    }
    storeWords(dst, sum, channels);
    image += 16;
    dst += 16;
  }
}

export function f32ResizeCubic(step: usize, base: usize): void {
  const oh = word(step, RESIZE_OH), ow = word(step, RESIZE_OW), dstPixel = <usize>word(step, RESIZE_DST_PIXEL) << 2;
  const row = word(step, RESIZE_SRC_ROW) << 2, pixel = word(step, RESIZE_SRC_PIXEL) << 2;
  for (let n = 0; n < word(step, RESIZE_BATCH); n++) {
    const image = base + <usize>word(step, RESIZE_SRC) + <usize>(n * word(step, RESIZE_SRC_BATCH) << 2);
    let y = base + <usize>word(step, RESIZE_Y_TABLE);
    for (let oy = 0; oy < oh; oy++) {
      let dst = base + <usize>word(step, RESIZE_DST) + <usize>(n * word(step, RESIZE_DST_BATCH) + oy * word(step, RESIZE_DST_ROW) << 2);
      let x = base + <usize>word(step, RESIZE_X_TABLE);
      for (let ox = 0; ox < ow; ox++) {
        cubicPixel(image, dst, y, x, row, pixel, word(step, RESIZE_C));
        dst += dstPixel;
        x += 32;
      }
      y += 32;
    }
  }
}

export function xResizeNearest(step: usize, base: usize): void {
  const bytes = load<i32>(step, RESIZE_ELEMENT_BYTES), pixelBytes = load<i32>(step, RESIZE_C) * bytes;
  const oh = load<i32>(step, RESIZE_OH), ow = load<i32>(step, RESIZE_OW);
  const srcPixel = load<i32>(step, RESIZE_SRC_PIXEL) * bytes, dstPixel = load<i32>(step, RESIZE_DST_PIXEL) * bytes;
  const yTable = base + <usize>load<i32>(step, RESIZE_Y_TABLE), xTable = base + <usize>load<i32>(step, RESIZE_X_TABLE);
  for (let n = 0; n < load<i32>(step, RESIZE_BATCH); n++) {
    for (let oy = 0; oy < oh; oy++) {
      const y = load<i32>(yTable + <usize>(oy << 2));
      const row = base + <usize>load<i32>(step, RESIZE_SRC)
        + <usize>((n * load<i32>(step, RESIZE_SRC_BATCH) + y * load<i32>(step, RESIZE_SRC_ROW)) * bytes);
      let dst = base + <usize>load<i32>(step, RESIZE_DST)
        + <usize>((n * load<i32>(step, RESIZE_DST_BATCH) + oy * load<i32>(step, RESIZE_DST_ROW)) * bytes);
      for (let ox = 0; ox < ow; ox++) {
        copyBytes(dst, row + <usize>(load<i32>(xTable + <usize>(ox << 2)) * srcPixel), pixelBytes);
        dst += <usize>dstPixel;
      }
    }
  }
}
