// f32 maximum of 3x3 windows at stride 2, four outputs of one row, all channels: neighbouring windows share a column.
// In: first input pixel of the first window row inside, `lines` >= 1 rows inside (`line` bytes apart). Out: whole vectors or, at the end
// of the channels, single floats; false where a NaN may be among the inputs: then f32-pool.ts does these pixels again, one by one.
// Must not know clipping.
//
// pmax is one instruction on x86, where max is eight, but drops NaN. The sum of all inputs is NaN whenever one of them is.

import { POOL_MAX_VALUE, POOL_MIN } from "../abi.ts";
import { clampF32, storeLanesF32 } from "../simd.ts";

// @ts-ignore: decorator
@inline function max3(a: v128, b: v128, c: v128): v128 { return f32x4.pmax(f32x4.pmax(a, b), c); }

// @ts-ignore: decorator
@inline function put(to: usize, x: v128, channels: i32): void {
  if (channels >= 4) v128.store(to, x);
  else storeLanesF32(to, x, channels);
}

export function f32_maxpool_3s2x4(
  step: usize, src: usize, pixel: usize, line: usize, lines: i32, dst: usize, dstPixel: usize, channels: i32,
): bool {
  const low = v128.load32_splat(step, POOL_MIN), high = v128.load32_splat(step, POOL_MAX_VALUE);
  let doubt = f32x4.splat(0);
  do {
    let c0 = f32x4.splat(-Infinity);
    let c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0, c8 = c0, s0 = f32x4.splat(0), s1 = s0, s2 = s0;
    let p = src, left = lines;
    do {
      let q = p;
      let i = v128.load(q); c0 = f32x4.pmax(c0, i); s0 = f32x4.add(s0, i);
      q += pixel; i = v128.load(q); c1 = f32x4.pmax(c1, i); s1 = f32x4.add(s1, i);
      q += pixel; i = v128.load(q); c2 = f32x4.pmax(c2, i); s2 = f32x4.add(s2, i);
      q += pixel; i = v128.load(q); c3 = f32x4.pmax(c3, i); s0 = f32x4.add(s0, i);
      q += pixel; i = v128.load(q); c4 = f32x4.pmax(c4, i); s1 = f32x4.add(s1, i);
      q += pixel; i = v128.load(q); c5 = f32x4.pmax(c5, i); s2 = f32x4.add(s2, i);
      q += pixel; i = v128.load(q); c6 = f32x4.pmax(c6, i); s0 = f32x4.add(s0, i);
      q += pixel; i = v128.load(q); c7 = f32x4.pmax(c7, i); s1 = f32x4.add(s1, i);
      q += pixel; i = v128.load(q); c8 = f32x4.pmax(c8, i); s2 = f32x4.add(s2, i);
      p += line;
    } while (--left);
    let o = dst;
    put(o, clampF32(max3(c0, c1, c2), low, high), channels); o += dstPixel;
    put(o, clampF32(max3(c2, c3, c4), low, high), channels); o += dstPixel;
    put(o, clampF32(max3(c4, c5, c6), low, high), channels); o += dstPixel;
    put(o, clampF32(max3(c6, c7, c8), low, high), channels);
    // Lanes behind the last channel may hold anything: a false alarm costs time only.
    const sum = f32x4.add(f32x4.add(s0, s1), s2);
    doubt = v128.or(doubt, f32x4.ne(sum, sum));
    src += 16;
    dst += 16;
    channels -= 4;
  } while (channels > 0);
  return !v128.any_true(doubt);
}
