// f32 depthwise tiles: 4, 7 or 8 neighbouring outputs along a row (or down a column), all blocks of 4 channels.
// In: `src` = first input pixel of the first kernel line inside, `lines` >= 1 kernel lines inside (lineStep bytes apart), weights of the
// first block, `skip` = offset of the first such line's weights in a block, `tap` and `lineTap` = bytes between the weights of
// neighbouring taps and lines, `panel` = bytes per block. Out: whole vectors. Must not know clipping: f32-dwconv.ts chooses positions.
//
// Input pixels stream through one register while a kernel line's weights and all accumulators stay: 13 loads for 24 multiply-adds
// in 3s1x8. Names: kernel size, stride, outputs.

import { DW_MAX, DW_MIN } from "../abi.ts";
import { clampF32, madd } from "../simd.ts";

export function f32_dwconv_3s1x8(
  step: usize, src: usize, pixel: usize, lineStep: usize, lines: i32, weights: usize, skip: usize, tap: usize, lineTap: usize,
  panel: usize, dst: usize, dstPixel: usize, blocks: i32,
): void {
  do {
    let c0 = v128.load(weights);
    let c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0;
    let p = src, w = weights + skip, left = lines;
    do {
      const w0 = v128.load(w), w1 = v128.load(w + tap), w2 = v128.load(w + tap + tap);
      let q = p;
      let i = v128.load(q); c0 = madd(i, w0, c0);
      q += pixel; i = v128.load(q); c0 = madd(i, w1, c0); c1 = madd(i, w0, c1);
      q += pixel; i = v128.load(q); c0 = madd(i, w2, c0); c1 = madd(i, w1, c1); c2 = madd(i, w0, c2);
      q += pixel; i = v128.load(q); c1 = madd(i, w2, c1); c2 = madd(i, w1, c2); c3 = madd(i, w0, c3);
      q += pixel; i = v128.load(q); c2 = madd(i, w2, c2); c3 = madd(i, w1, c3); c4 = madd(i, w0, c4);
      q += pixel; i = v128.load(q); c3 = madd(i, w2, c3); c4 = madd(i, w1, c4); c5 = madd(i, w0, c5);
      q += pixel; i = v128.load(q); c4 = madd(i, w2, c4); c5 = madd(i, w1, c5); c6 = madd(i, w0, c6);
      q += pixel; i = v128.load(q); c5 = madd(i, w2, c5); c6 = madd(i, w1, c6); c7 = madd(i, w0, c7);
      q += pixel; i = v128.load(q); c6 = madd(i, w2, c6); c7 = madd(i, w1, c7);
      q += pixel; i = v128.load(q); c7 = madd(i, w2, c7);
      p += lineStep;
      w += lineTap;
    } while (--left);
    const low = v128.load32_splat(step, DW_MIN), high = v128.load32_splat(step, DW_MAX);
    let o = dst;
    v128.store(o, clampF32(c0, low, high)); o += dstPixel;
    v128.store(o, clampF32(c1, low, high)); o += dstPixel;
    v128.store(o, clampF32(c2, low, high)); o += dstPixel;
    v128.store(o, clampF32(c3, low, high)); o += dstPixel;
    v128.store(o, clampF32(c4, low, high)); o += dstPixel;
    v128.store(o, clampF32(c5, low, high)); o += dstPixel;
    v128.store(o, clampF32(c6, low, high)); o += dstPixel;
    v128.store(o, clampF32(c7, low, high));
    src += 16;
    dst += 16;
    weights += panel;
  } while (--blocks);
}

export function f32_dwconv_3s1x4(
  step: usize, src: usize, pixel: usize, lineStep: usize, lines: i32, weights: usize, skip: usize, tap: usize, lineTap: usize,
  panel: usize, dst: usize, dstPixel: usize, blocks: i32,
): void {
  do {
    let c0 = v128.load(weights);
    let c1 = c0, c2 = c0, c3 = c0;
    let p = src, w = weights + skip, left = lines;
    do {
      const w0 = v128.load(w), w1 = v128.load(w + tap), w2 = v128.load(w + tap + tap);
      let q = p;
      let i = v128.load(q); c0 = madd(i, w0, c0);
      q += pixel; i = v128.load(q); c0 = madd(i, w1, c0); c1 = madd(i, w0, c1);
      q += pixel; i = v128.load(q); c0 = madd(i, w2, c0); c1 = madd(i, w1, c1); c2 = madd(i, w0, c2);
      q += pixel; i = v128.load(q); c1 = madd(i, w2, c1); c2 = madd(i, w1, c2); c3 = madd(i, w0, c3);
      q += pixel; i = v128.load(q); c2 = madd(i, w2, c2); c3 = madd(i, w1, c3);
      q += pixel; i = v128.load(q); c3 = madd(i, w2, c3);
      p += lineStep;
      w += lineTap;
    } while (--left);
    const low = v128.load32_splat(step, DW_MIN), high = v128.load32_splat(step, DW_MAX);
    let o = dst;
    v128.store(o, clampF32(c0, low, high)); o += dstPixel;
    v128.store(o, clampF32(c1, low, high)); o += dstPixel;
    v128.store(o, clampF32(c2, low, high)); o += dstPixel;
    v128.store(o, clampF32(c3, low, high));
    src += 16;
    dst += 16;
    weights += panel;
  } while (--blocks);
}

export function f32_dwconv_3s2x4(
  step: usize, src: usize, pixel: usize, lineStep: usize, lines: i32, weights: usize, skip: usize, tap: usize, lineTap: usize,
  panel: usize, dst: usize, dstPixel: usize, blocks: i32,
): void {
  do {
    let c0 = v128.load(weights);
    let c1 = c0, c2 = c0, c3 = c0;
    let p = src, w = weights + skip, left = lines;
    do {
      const w0 = v128.load(w), w1 = v128.load(w + tap), w2 = v128.load(w + tap + tap);
      let q = p;
      let i = v128.load(q); c0 = madd(i, w0, c0);
      q += pixel; i = v128.load(q); c0 = madd(i, w1, c0);
      q += pixel; i = v128.load(q); c0 = madd(i, w2, c0); c1 = madd(i, w0, c1);
      q += pixel; i = v128.load(q); c1 = madd(i, w1, c1);
      q += pixel; i = v128.load(q); c1 = madd(i, w2, c1); c2 = madd(i, w0, c2);
      q += pixel; i = v128.load(q); c2 = madd(i, w1, c2);
      q += pixel; i = v128.load(q); c2 = madd(i, w2, c2); c3 = madd(i, w0, c3);
      q += pixel; i = v128.load(q); c3 = madd(i, w1, c3);
      q += pixel; i = v128.load(q); c3 = madd(i, w2, c3);
      p += lineStep;
      w += lineTap;
    } while (--left);
    const low = v128.load32_splat(step, DW_MIN), high = v128.load32_splat(step, DW_MAX);
    let o = dst;
    v128.store(o, clampF32(c0, low, high)); o += dstPixel;
    v128.store(o, clampF32(c1, low, high)); o += dstPixel;
    v128.store(o, clampF32(c2, low, high)); o += dstPixel;
    v128.store(o, clampF32(c3, low, high));
    src += 16;
    dst += 16;
    weights += panel;
  } while (--blocks);
}

export function f32_dwconv_5s1x4(
  step: usize, src: usize, pixel: usize, lineStep: usize, lines: i32, weights: usize, skip: usize, tap: usize, lineTap: usize,
  panel: usize, dst: usize, dstPixel: usize, blocks: i32,
): void {
  do {
    let c0 = v128.load(weights);
    let c1 = c0, c2 = c0, c3 = c0;
    let p = src, w = weights + skip, left = lines;
    do {
      let u = w;
      const w0 = v128.load(u); u += tap;
      const w1 = v128.load(u); u += tap;
      const w2 = v128.load(u); u += tap;
      const w3 = v128.load(u); u += tap;
      const w4 = v128.load(u);
      let q = p;
      let i = v128.load(q); c0 = madd(i, w0, c0);
      q += pixel; i = v128.load(q); c0 = madd(i, w1, c0); c1 = madd(i, w0, c1);
      q += pixel; i = v128.load(q); c0 = madd(i, w2, c0); c1 = madd(i, w1, c1); c2 = madd(i, w0, c2);
      q += pixel; i = v128.load(q); c0 = madd(i, w3, c0); c1 = madd(i, w2, c1); c2 = madd(i, w1, c2); c3 = madd(i, w0, c3);
      q += pixel; i = v128.load(q); c0 = madd(i, w4, c0); c1 = madd(i, w3, c1); c2 = madd(i, w2, c2); c3 = madd(i, w1, c3);
      q += pixel; i = v128.load(q); c1 = madd(i, w4, c1); c2 = madd(i, w3, c2); c3 = madd(i, w2, c3);
      q += pixel; i = v128.load(q); c2 = madd(i, w4, c2); c3 = madd(i, w3, c3);
      q += pixel; i = v128.load(q); c3 = madd(i, w4, c3);
      p += lineStep;
      w += lineTap;
    } while (--left);
    const low = v128.load32_splat(step, DW_MIN), high = v128.load32_splat(step, DW_MAX);
    let o = dst;
    v128.store(o, clampF32(c0, low, high)); o += dstPixel;
    v128.store(o, clampF32(c1, low, high)); o += dstPixel;
    v128.store(o, clampF32(c2, low, high)); o += dstPixel;
    v128.store(o, clampF32(c3, low, high));
    src += 16;
    dst += 16;
    weights += panel;
  } while (--blocks);
}

export function f32_dwconv_5s1x7(
  step: usize, src: usize, pixel: usize, lineStep: usize, lines: i32, weights: usize, skip: usize, tap: usize, lineTap: usize,
  panel: usize, dst: usize, dstPixel: usize, blocks: i32,
): void {
  do {
    let c0 = v128.load(weights);
    let c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0;
    let p = src, w = weights + skip, left = lines;
    do {
      let u = w;
      const w0 = v128.load(u); u += tap;
      const w1 = v128.load(u); u += tap;
      const w2 = v128.load(u); u += tap;
      const w3 = v128.load(u); u += tap;
      const w4 = v128.load(u);
      let q = p;
      let i = v128.load(q); c0 = madd(i, w0, c0);
      q += pixel; i = v128.load(q); c0 = madd(i, w1, c0); c1 = madd(i, w0, c1);
      q += pixel; i = v128.load(q); c0 = madd(i, w2, c0); c1 = madd(i, w1, c1); c2 = madd(i, w0, c2);
      q += pixel; i = v128.load(q); c0 = madd(i, w3, c0); c1 = madd(i, w2, c1); c2 = madd(i, w1, c2); c3 = madd(i, w0, c3);
      q += pixel; i = v128.load(q); c0 = madd(i, w4, c0); c1 = madd(i, w3, c1); c2 = madd(i, w2, c2); c3 = madd(i, w1, c3); c4 = madd(i, w0, c4);
      q += pixel; i = v128.load(q); c1 = madd(i, w4, c1); c2 = madd(i, w3, c2); c3 = madd(i, w2, c3); c4 = madd(i, w1, c4); c5 = madd(i, w0, c5);
      q += pixel; i = v128.load(q); c2 = madd(i, w4, c2); c3 = madd(i, w3, c3); c4 = madd(i, w2, c4); c5 = madd(i, w1, c5); c6 = madd(i, w0, c6);
      q += pixel; i = v128.load(q); c3 = madd(i, w4, c3); c4 = madd(i, w3, c4); c5 = madd(i, w2, c5); c6 = madd(i, w1, c6);
      q += pixel; i = v128.load(q); c4 = madd(i, w4, c4); c5 = madd(i, w3, c5); c6 = madd(i, w2, c6);
      q += pixel; i = v128.load(q); c5 = madd(i, w4, c5); c6 = madd(i, w3, c6);
      q += pixel; i = v128.load(q); c6 = madd(i, w4, c6);
      p += lineStep;
      w += lineTap;
    } while (--left);
    const low = v128.load32_splat(step, DW_MIN), high = v128.load32_splat(step, DW_MAX);
    let o = dst;
    v128.store(o, clampF32(c0, low, high)); o += dstPixel;
    v128.store(o, clampF32(c1, low, high)); o += dstPixel;
    v128.store(o, clampF32(c2, low, high)); o += dstPixel;
    v128.store(o, clampF32(c3, low, high)); o += dstPixel;
    v128.store(o, clampF32(c4, low, high)); o += dstPixel;
    v128.store(o, clampF32(c5, low, high)); o += dstPixel;
    v128.store(o, clampF32(c6, low, high));
    src += 16;
    dst += 16;
    weights += panel;
  } while (--blocks);
}

export function f32_dwconv_5s2x4(
  step: usize, src: usize, pixel: usize, lineStep: usize, lines: i32, weights: usize, skip: usize, tap: usize, lineTap: usize,
  panel: usize, dst: usize, dstPixel: usize, blocks: i32,
): void {
  do {
    let c0 = v128.load(weights);
    let c1 = c0, c2 = c0, c3 = c0;
    let p = src, w = weights + skip, left = lines;
    do {
      let u = w;
      const w0 = v128.load(u); u += tap;
      const w1 = v128.load(u); u += tap;
      const w2 = v128.load(u); u += tap;
      const w3 = v128.load(u); u += tap;
      const w4 = v128.load(u);
      let q = p;
      let i = v128.load(q); c0 = madd(i, w0, c0);
      q += pixel; i = v128.load(q); c0 = madd(i, w1, c0);
      q += pixel; i = v128.load(q); c0 = madd(i, w2, c0); c1 = madd(i, w0, c1);
      q += pixel; i = v128.load(q); c0 = madd(i, w3, c0); c1 = madd(i, w1, c1);
      q += pixel; i = v128.load(q); c0 = madd(i, w4, c0); c1 = madd(i, w2, c1); c2 = madd(i, w0, c2);
      q += pixel; i = v128.load(q); c1 = madd(i, w3, c1); c2 = madd(i, w1, c2);
      q += pixel; i = v128.load(q); c1 = madd(i, w4, c1); c2 = madd(i, w2, c2); c3 = madd(i, w0, c3);
      q += pixel; i = v128.load(q); c2 = madd(i, w3, c2); c3 = madd(i, w1, c3);
      q += pixel; i = v128.load(q); c2 = madd(i, w4, c2); c3 = madd(i, w2, c3);
      q += pixel; i = v128.load(q); c3 = madd(i, w3, c3);
      q += pixel; i = v128.load(q); c3 = madd(i, w4, c3);
      p += lineStep;
      w += lineTap;
    } while (--left);
    const low = v128.load32_splat(step, DW_MIN), high = v128.load32_splat(step, DW_MAX);
    let o = dst;
    v128.store(o, clampF32(c0, low, high)); o += dstPixel;
    v128.store(o, clampF32(c1, low, high)); o += dstPixel;
    v128.store(o, clampF32(c2, low, high)); o += dstPixel;
    v128.store(o, clampF32(c3, low, high));
    src += 16;
    dst += 16;
    weights += panel;
  } while (--blocks);
}
