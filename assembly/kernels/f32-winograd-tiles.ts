// The transforms of Winograd convolution F(4x4,3x3): windows of 6x6 inputs to 36 factors, 36 products to 4x4 outputs.
// In: one tile's place in source and destination. Out: its factors, or its outputs. Must not know weights or the products' tiles.
//
// Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2016), with the interpolation points 0, ±√½, ±√2 and
// infinity instead of 0, ±1, ±2, for a fifth of the error. Rows of the transforms are scaled so that few constants remain; the
// weights' transform (host/ops/pack-winograd.ts) holds the inverse of the scales. Both directions work on four channels at once,
// first down the columns into `temp` (576 bytes), then along the lines.

import {
  CONV_ACTIVATION, CONV_DST_PIXEL, CONV_IC, CONV_IH, CONV_IW, CONV_MAX, CONV_MIN, CONV_OH, CONV_OW, CONV_P0, CONV_SRC_PIXEL, CONV_SRC_ROW,
  UNARY_LEAKY_RELU,
} from "../abi.ts";
import { clampF32, madd, nmadd, storeLanesF32 } from "../simd.ts";
import { word } from "../verify.ts";

/** Six values to six factors, `step` bytes apart. */
// @ts-ignore: decorator
@inline function factors(to: usize, step: usize, d0: v128, d1: v128, d2: v128, d3: v128, d4: v128, d5: v128): void {
  const two = f32x4.splat(2), root = f32x4.splat(1.4142135), r = f32x4.splat(2.5);
  v128.store(to, nmadd(r, d2, f32x4.add(d0, d4)));
  to += step;
  let even = f32x4.mul(root, nmadd(two, d2, d4)), odd = nmadd(two, d1, d3);
  v128.store(to, f32x4.add(even, odd));
  to += step;
  v128.store(to, f32x4.sub(even, odd));
  to += step;
  even = nmadd(two, d4, d2);
  odd = nmadd(two, d3, d1);
  v128.store(to, madd(root, odd, even));
  to += step;
  v128.store(to, nmadd(root, odd, even));
  to += step;
  v128.store(to, nmadd(r, d3, f32x4.add(d1, d5)));
}

// @ts-ignore: decorator
@inline function isInside(y: i32, ih: i32): bool { return <u32>y < <u32>ih; }

/**
 * The factors of the tile whose window begins at (y0, x0), zero outside the source: factor i of channel c at to + i*plane + 4*c.
 * Reads up to 12 bytes past the last channel; what comes of them is written and never used.
 */
export function f32_winograd_input(step: usize, src: usize, y0: i32, x0: i32, to: usize, plane: usize, temp: usize): void {
  const ih = word(step, CONV_IH), iw = word(step, CONV_IW);
  const line = <usize>word(step, CONV_SRC_ROW) << 2, pixel = <usize>word(step, CONV_SRC_PIXEL) << 2;
  const whole = y0 >= 0 && y0 + 6 <= ih, none = f32x4.splat(0);
  // May begin before the source: only what is inside is read.
  let from = src + <usize>y0 * line + <usize>x0 * pixel;
  for (let left = word(step, CONV_IC); left > 0; left -= 4) {
    let p = from, t = temp;
    for (let x = x0; x < x0 + 6; x++) {
      let a = p;
      if (<u32>x >= <u32>iw) {
        v128.store(t, none);
        v128.store(t, none, 96);
        v128.store(t, none, 192);
        v128.store(t, none, 288);
        v128.store(t, none, 384);
        v128.store(t, none, 480);
      } else {
        const d0 = whole || isInside(y0, ih) ? v128.load(a) : none; a += line;
        const d1 = whole || isInside(y0 + 1, ih) ? v128.load(a) : none; a += line;
        const d2 = whole || isInside(y0 + 2, ih) ? v128.load(a) : none; a += line;
        const d3 = whole || isInside(y0 + 3, ih) ? v128.load(a) : none; a += line;
        const d4 = whole || isInside(y0 + 4, ih) ? v128.load(a) : none; a += line;
        factors(t, 96, d0, d1, d2, d3, d4, whole || isInside(y0 + 5, ih) ? v128.load(a) : none);
      }
      p += pixel;
      t += 16;
    }
    let q = to;
    const end = temp + 576;
    t = temp;
    do {
      factors(q, plane, v128.load(t), v128.load(t, 16), v128.load(t, 32), v128.load(t, 48), v128.load(t, 64), v128.load(t, 80));
      q += plane * 6;
      t += 96;
    } while (t < end);
    from += 16;
    to += 16;
  }
}

/** Clamped, or as leaky relu where that stands in the clamp's place; the first `lanes` channels. */
// @ts-ignore: decorator
@inline function put(to: usize, x: v128, step: usize, leaky: bool, lanes: i32): void {
  const y = leaky ? f32x4.pmax(x, f32x4.mul(x, v128.load32_splat(step, CONV_P0)))
    : clampF32(x, v128.load32_splat(step, CONV_MIN), v128.load32_splat(step, CONV_MAX));
  if (lanes >= 4) v128.store(to, y);
  else storeLanesF32(to, y, lanes);
}

/**
 * The outputs from (oy, ox) on, as far as they belong to the destination: product i of 8 channels at from + i*plane, of which the
 * first `lanes` are wanted at `to`, the place of output (oy, ox).
 */
export function f32_winograd_output(step: usize, from: usize, plane: usize, to: usize, oy: i32, ox: i32, lanes: i32, temp: usize): void {
  const pixel = <usize>word(step, CONV_DST_PIXEL) << 2, line = <usize>word(step, CONV_OW) * pixel;
  const lines = min(word(step, CONV_OH) - oy, 4), columns = min(word(step, CONV_OW) - ox, 4);
  const leaky = word(step, CONV_ACTIVATION) == UNARY_LEAKY_RELU;
  const two = f32x4.splat(2), root = f32x4.splat(1.4142135), half = f32x4.splat(0.70710677), double = f32x4.splat(2.828427);
  const row = plane * 6;
  for (; lanes > 0; lanes -= 4) {
    let p = from, t = temp;
    const end = temp + 96;
    do {
      let a = p;
      const m0 = v128.load(a); a += row;
      const m1 = v128.load(a); a += row;
      const m2 = v128.load(a); a += row;
      const m3 = v128.load(a); a += row;
      const m4 = v128.load(a); a += row;
      const s1 = f32x4.add(m1, m2), e1 = f32x4.sub(m1, m2), s2 = f32x4.add(m3, m4), e2 = f32x4.sub(m3, m4);
      v128.store(t, madd(two, s1, f32x4.add(m0, s2)));
      v128.store(t, f32x4.mul(root, f32x4.add(e1, e2)), 96);
      v128.store(t, madd(two, s2, s1), 192);
      v128.store(t, madd(double, e2, madd(half, e1, v128.load(a))), 288);
      p += plane;
      t += 16;
    } while (t < end);
    t = temp;
    let q = to;
    for (let y = 0; y < lines; y++) {
      const m0 = v128.load(t), m1 = v128.load(t, 16), m2 = v128.load(t, 32), m3 = v128.load(t, 48), m4 = v128.load(t, 64);
      const s1 = f32x4.add(m1, m2), e1 = f32x4.sub(m1, m2), s2 = f32x4.add(m3, m4), e2 = f32x4.sub(m3, m4);
      let o = q;
      put(o, madd(two, s1, f32x4.add(m0, s2)), step, leaky, lanes);
      o += pixel;
      if (columns > 1) put(o, f32x4.mul(root, f32x4.add(e1, e2)), step, leaky, lanes);
      o += pixel;
      if (columns > 2) put(o, madd(two, s2, s1), step, leaky, lanes);
      o += pixel;
      if (columns > 3) put(o, madd(double, e2, madd(half, e1, v128.load(t, 80))), step, leaky, lanes);
      t += 96;
      q += line;
    }
    from += 16;
    to += 16;
  }
}
