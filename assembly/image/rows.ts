// Rows of pixels, scaled: across makes one source row narrow (or wide), down mixes such rows into one.
// In: 8-bit pixels and entries of taps.ts. Out: rows of four bytes per pixel, red, green, blue and one without meaning.
// Sums are exact in i32; each pass rounds once, to the nearest whole step, halves up. Must not know whole pictures.
//
// Both passes take source positions in pairs: lanes (a0 b0 a1 b1 …) of 16 bits times (weight of a, weight of b) in one dot product.

import { LOW_BITS, WEIGHT_BITS, firstOf, tapsOf } from "./taps.ts";

export const RGB565_BYTES: i32 = 2;

/** Brings the samples of two neighbouring pixels, as loaded, into pairs of 16-bit lanes; gray becomes red, green and blue. */
// @ts-ignore: decorator
@inline function pairing(pixelBytes: i32): v128 {
  if (pixelBytes == 4) return i8x16(0, -1, 4, -1, 1, -1, 5, -1, 2, -1, 6, -1, 3, -1, 7, -1);
  if (pixelBytes == 3) return i8x16(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1);
  return i8x16(0, -1, 1, -1, 0, -1, 1, -1, 0, -1, 1, -1, -1, -1, -1, -1);
}

/** Sums of high and low weights → rounded samples, still of 32 bits. */
// @ts-ignore: decorator
@inline function rounded(high: v128, low: v128): v128 {
  const sum = i32x4.add(i32x4.add(i32x4.shl(high, LOW_BITS), low), i32x4.splat(1 << (WEIGHT_BITS - 1)));
  return i32x4.shr_u(sum, WEIGHT_BITS);
}

/** One source row of pixels of 1, 3 or 4 bytes → `width` pixels at `to`. Reads up to 8 bytes past the row. */
export function across(row: usize, pixelBytes: i32, entry: usize, stride: usize, width: i32, to: usize): void {
  const pairs = pairing(pixelBytes), step = <usize>pixelBytes << 1;
  for (const end = to + (<usize>width << 2); to < end; to += 4, entry += stride) {
    let high = i32x4.splat(0), low = high;
    let at = row + <usize>firstOf(entry) * <usize>pixelBytes, weights = entry + 8;
    for (let k = tapsOf(entry); k > 0; k -= 2) {
      const samples = i8x16.swizzle(v128.load64_zero(at), pairs);
      high = i32x4.add(high, i32x4.dot_i16x8_s(samples, v128.load32_splat(weights)));
      low = i32x4.add(low, i32x4.dot_i16x8_s(samples, v128.load32_splat(weights, 4)));
      at += step;
      weights += 8;
    }
    const words = rounded(high, low), halves = i16x8.narrow_i32x4_u(words, words);
    v128.store32_lane(to, i8x16.narrow_i16x8_u(halves, halves), 0);
  }
}

/**
 * Mixes the rows that `entry` names into one row at `to`. Row r lies at ring + (r % slots) * rowBytes; rowBytes is a multiple of 16.
 */
export function down(ring: usize, slots: i32, rowBytes: usize, entry: usize, to: usize): void {
  const first = firstOf(entry), taps = tapsOf(entry);
  const zero = i32x4.splat(0);
  for (let x: usize = 0; x < rowBytes; x += 16) {
    let h0 = zero, h1 = zero, h2 = zero, h3 = zero, l0 = zero, l1 = zero, l2 = zero, l3 = zero;
    let slot = first % slots, weights = entry + 8;
    for (let k = taps; k > 0; k -= 2) {
      const a = v128.load(ring + <usize>slot * rowBytes + x);
      if (++slot == slots) slot = 0;
      const b = v128.load(ring + <usize>slot * rowBytes + x);
      if (++slot == slots) slot = 0;
      const highs = v128.load32_splat(weights), lows = v128.load32_splat(weights, 4);
      const left = i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      const right = i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
      const p0 = i16x8.extend_low_i8x16_u(left), p1 = i16x8.extend_high_i8x16_u(left);
      const p2 = i16x8.extend_low_i8x16_u(right), p3 = i16x8.extend_high_i8x16_u(right);
      h0 = i32x4.add(h0, i32x4.dot_i16x8_s(p0, highs));
      l0 = i32x4.add(l0, i32x4.dot_i16x8_s(p0, lows));
      h1 = i32x4.add(h1, i32x4.dot_i16x8_s(p1, highs));
      l1 = i32x4.add(l1, i32x4.dot_i16x8_s(p1, lows));
      h2 = i32x4.add(h2, i32x4.dot_i16x8_s(p2, highs));
      l2 = i32x4.add(l2, i32x4.dot_i16x8_s(p2, lows));
      h3 = i32x4.add(h3, i32x4.dot_i16x8_s(p3, highs));
      l3 = i32x4.add(l3, i32x4.dot_i16x8_s(p3, lows));
      weights += 8;
    }
    const front = i16x8.narrow_i32x4_u(rounded(h0, l0), rounded(h1, l1)), back = i16x8.narrow_i32x4_u(rounded(h2, l2), rounded(h3, l3));
    v128.store(to + x, i8x16.narrow_i16x8_u(front, back));
  }
}

/** One row of rgb565 (red in the high bits, little-endian) → RGBA. The high bits of a sample are repeated below it, so 31 becomes 255. */
export function unpack565(row: usize, width: i32, to: usize): void {
  for (let x = 0; x < width; x++, row += 2, to += 4) {
    const bits = <i32>load<u16>(row), red = bits >> 11, green = (bits >> 5) & 63, blue = bits & 31;
    store<i32>(to, (red << 3 | red >> 2) | (green << 2 | green >> 4) << 8 | (blue << 3 | blue >> 2) << 16);
  }
}
