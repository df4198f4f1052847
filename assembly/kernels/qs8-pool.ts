// Max and average pooling over NHWC windows of int8.
// In: one QS8_POOL step. Out: dst pixels, C channels each, clamped to MIN … MAX_VALUE (quantised units).
// Layout: channel stride 1 on both sides; 16 channels at a time, loads run past the operand (at most 15 bytes), stores are exact.
// Exactness: max is exact; average is rint(f32(sum - taps*SRC_ZERO) * f32(SRC_SCALE / f32(DST_SCALE*n))) + DST_ZERO, n = taps,
// or taps and counted pads with COUNT_PADS (a pad is the real number 0).
// Must not know f32 pooling; window arithmetic and its checks are shared.

import {
  POOL_AVERAGE, POOL_BATCH, POOL_C, POOL_COUNT_PADS, POOL_DH, POOL_DST, POOL_DST_BATCH, POOL_DST_PIXEL, POOL_DST_ROW,
  POOL_DST_SCALE, POOL_DST_ZERO, POOL_DW, POOL_IH, POOL_IW, POOL_KH, POOL_KIND, POOL_KW, POOL_MAX_VALUE, POOL_MIN, POOL_OH, POOL_OW,
  POOL_PB, POOL_PL, POOL_PR, POOL_PT, POOL_SH, POOL_SRC, POOL_SRC_BATCH, POOL_SRC_PIXEL, POOL_SRC_ROW, POOL_SRC_SCALE,
  POOL_SRC_ZERO, POOL_SW,
} from "../abi.ts";
import { inRange } from "../verify.ts";
import { requant4, requantLow, requantOffset } from "../requant.ts";
import { storeBytes } from "../nest.ts";
import { endTap, firstTap, verifyPool } from "./f32-pool.ts";

/** Work: BATCH*OH*OW*KH*KW*C. */
export function verifyQs8Pool(step: usize): void {
  verifyPool(step, 1);
  inRange(step, POOL_MIN, -128, 127);
  inRange(step, POOL_MAX_VALUE, -128, 127);
  inRange(step, POOL_SRC_ZERO, -128, 127);
  inRange(step, POOL_DST_ZERO, -128, 127);
}

/** Byte maximum of the window, 16 channels at a time. */
function maxPixel(
  src: usize, dst: usize, channels: i32, ny: i32, nx: i32, rowBytes: i32, tapBytes: i32, low: v128, high: v128,
): void {
  for (let c = channels; c > 0; c -= 16) {
    let best = i8x16.splat(-128), row = src;
    for (let y = ny; y > 0; y--) {
      let p = row;
      for (let x = nx; x > 0; x--) {
        best = i8x16.max_s(best, v128.load(p));
        p += tapBytes;
      }
      row += rowBytes;
    }
    storeBytes(dst, i8x16.min_s(i8x16.max_s(best, low), high), c);
    src += 16;
    dst += 16;
  }
}

/** Window sums in int32, then the two roundings of the mean. `start` is -taps*SRC_ZERO. */
function averagePixel(
  src: usize, dst: usize, channels: i32, ny: i32, nx: i32, rowBytes: i32, tapBytes: i32,
  start: v128, by: v128, low: v128, offset: v128, high: v128,
): void {
  for (let c = channels; c > 0; c -= 16) {
    let s0 = start, s1 = start, s2 = start, s3 = start, row = src;
    for (let y = ny; y > 0; y--) {
      let p = row;
      for (let x = nx; x > 0; x--) {
        const a = v128.load_ext<i8>(p), b = v128.load_ext<i8>(p, 8);
        s0 = i32x4.add(s0, i32x4.extend_low_i16x8_s(a));
        s1 = i32x4.add(s1, i32x4.extend_high_i16x8_s(a));
        s2 = i32x4.add(s2, i32x4.extend_low_i16x8_s(b));
        s3 = i32x4.add(s3, i32x4.extend_high_i16x8_s(b));
        p += tapBytes;
      }
      row += rowBytes;
    }
    const q0 = requant4(s0, by, low, offset), q1 = requant4(s1, by, low, offset);
    const q2 = requant4(s2, by, low, offset), q3 = requant4(s3, by, low, offset);
    const q = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(q0, q1), i16x8.narrow_i32x4_s(q2, q3));
    storeBytes(dst, i8x16.min_s(q, high), c);
    src += 16;
    dst += 16;
  }
}

export function qs8Pool(step: usize, base: usize): void {
  const average = load<i32>(step, POOL_KIND) == POOL_AVERAGE, countPads = load<i32>(step, POOL_COUNT_PADS) != 0;
  const ih = load<i32>(step, POOL_IH), iw = load<i32>(step, POOL_IW), channels = load<i32>(step, POOL_C);
  const oh = load<i32>(step, POOL_OH), ow = load<i32>(step, POOL_OW);
  const kh = load<i32>(step, POOL_KH), kw = load<i32>(step, POOL_KW), dh = load<i32>(step, POOL_DH), dw = load<i32>(step, POOL_DW);
  const srcRow = load<i32>(step, POOL_SRC_ROW), srcPixel = load<i32>(step, POOL_SRC_PIXEL);
  const srcScale = load<f32>(step, POOL_SRC_SCALE), dstScale = load<f32>(step, POOL_DST_SCALE);
  const min = load<i32>(step, POOL_MIN), srcZero = load<i32>(step, POOL_SRC_ZERO), dstZero = load<i32>(step, POOL_DST_ZERO);
  const averageLow = requantLow(min, dstZero), offset = requantOffset(dstZero);
  const low = i8x16.splat(<i8>min), high = i8x16.splat(<i8>load<i32>(step, POOL_MAX_VALUE));
  for (let n = 0; n < load<i32>(step, POOL_BATCH); n++) {
    const image = base + <usize>load<i32>(step, POOL_SRC) + <usize>(n * load<i32>(step, POOL_SRC_BATCH));
    for (let oy = 0; oy < oh; oy++) {
      let dst = base + <usize>load<i32>(step, POOL_DST)
        + <usize>(n * load<i32>(step, POOL_DST_BATCH) + oy * load<i32>(step, POOL_DST_ROW));
      const top = oy * load<i32>(step, POOL_SH) - load<i32>(step, POOL_PT);
      const ky = firstTap(top, dh), ny = endTap(top, dh, kh, ih) - ky;
      const countY = countPads ? endTap(top, dh, kh, ih + load<i32>(step, POOL_PB)) : ny;
      for (let ox = 0; ox < ow; ox++) {
        const left = ox * load<i32>(step, POOL_SW) - load<i32>(step, POOL_PL);
        const kx = firstTap(left, dw), nx = endTap(left, dw, kw, iw) - kx;
        const src = image + <usize>((top + ky * dh) * srcRow + (left + kx * dw) * srcPixel);
        if (average) {
          const countX = countPads ? endTap(left, dw, kw, iw + load<i32>(step, POOL_PR)) : nx;
          const scale = srcScale / <f32>(dstScale * <f32>(countY * countX));
          averagePixel(src, dst, channels, ny, nx, dh * srcRow, dw * srcPixel,
            i32x4.splat(-ny * nx * srcZero), f32x4.splat(scale), averageLow, offset, high);
        } else {
          maxPixel(src, dst, channels, ny, nx, dh * srcRow, dw * srcPixel, low, high);
        }
        dst += load<i32>(step, POOL_DST_PIXEL);
      }
    }
  }
}
