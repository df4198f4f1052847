// Packing of int8 rows for QS8_CONV: windows become rows of K4 elements in the form that the dot mode multiplies.
// In: s8 activations at any strides. Out: rows in scratch, optionally their sums. Must not know weights.
//
// Rows are written in ascending order with whole vectors, so up to 15 bytes past the last one are overwritten: the row sums and
// column starts behind them are written afterwards. Up to 15 bytes past the source are read.

import {
  CONV_DH, CONV_DW, CONV_IC, CONV_IH, CONV_IW, CONV_KH, CONV_KW, CONV_OW, CONV_PL, CONV_PT, CONV_SH, CONV_SRC_CHANNEL,
  CONV_SRC_PIXEL, CONV_SRC_ROW, CONV_SRC_ZERO, CONV_SW, DOT_I16, DOT_U8S8,
} from "../abi.ts";
import { sumI32 } from "../simd.ts";
import { word } from "../verify.ts";

/** `count` neighbouring bytes. `flip` is 0x80 in every byte for u8 rows, else 0. */
// @ts-ignore: decorator
@inline function copyRun(to: usize, from: usize, count: usize, wide: bool, flip: v128): void {
  const end = from + count;
  if (wide) {
    while (from < end) {
      v128.store(to, v128.load8x8_s(from));
      to += 16;
      from += 8;
    }
  } else {
    while (from < end) {
      v128.store(to, v128.xor(v128.load(from), flip));
      to += 16;
      from += 16;
    }
  }
}
// @ts-ignore: decorator
@inline function fillRun(to: usize, bytes: usize, value: v128): void {
  const end = to + bytes;
  while (to < end) {
    v128.store(to, value);
    to += 16;
  }
}
/** Channels that are not neighbours in memory (NCHW sources). */
// @ts-ignore: decorator
@inline function gather(to: usize, from: usize, count: usize, channel: usize, wide: bool, flip: i32): void {
  for (let i: usize = 0; i < count; i++) {
    const a = <i32>load<i8>(from);
    if (wide) store<i16>(to + (i << 1), <i16>a);
    else store<u8>(to + i, <u8>(a ^ flip));
    from += channel;
  }
}

/** Packs `rows` output pixels from pixel `first` on, each as K4 elements in (ky,kx,c) order. */
export function packQs8Rows(step: usize, src: usize, to: usize, first: i32, rows: i32, mode: i32): void {
  const ih = word(step, CONV_IH), iw = word(step, CONV_IW), ow = word(step, CONV_OW), kh = word(step, CONV_KH), kw = word(step, CONV_KW);
  const ic = <usize>word(step, CONV_IC), channel = <usize>word(step, CONV_SRC_CHANNEL), pixel = <usize>word(step, CONV_SRC_PIXEL);
  const wide = mode == DOT_I16, shift: usize = wide ? 1 : 0, flipByte = mode == DOT_U8S8 ? 0x80 : 0, flip = i8x16.splat(<i8>flipByte);
  const zero = word(step, CONV_SRC_ZERO), fill = wide ? i16x8.splat(<i16>zero) : i8x16.splat(<i8>(zero ^ flipByte));
  const k = <usize>(kh * kw) * ic, packed = ((k + 3) & ~3) << shift;
  const tap = ic << shift, line = <usize>kw * tap, dw = word(step, CONV_DW), seamless = channel == 1 && dw == 1 && pixel == ic;
  let oy = first / ow, ox = first % ow;
  for (let r = 0; r < rows; r++) {
    let iy = oy * word(step, CONV_SH) - word(step, CONV_PT), p = to;
    const x0 = ox * word(step, CONV_SW) - word(step, CONV_PL);
    for (let ky = 0; ky < kh; ky++) {
      const from = src + <usize>iy * <usize>word(step, CONV_SRC_ROW);
      if (<u32>iy >= <u32>ih) fillRun(p, line, fill);
      else if (seamless && x0 >= 0 && x0 + kw <= iw) copyRun(p, from + <usize>x0 * pixel, <usize>kw * ic, wide, flip);
      else {
        let ix = x0, q = p;
        for (let kx = 0; kx < kw; kx++) {
          if (<u32>ix >= <u32>iw) fillRun(q, tap, fill);
          else if (channel == 1) copyRun(q, from + <usize>ix * pixel, ic, wide, flip);
          else gather(q, from + <usize>ix * pixel, ic, channel, wide, flipByte);
          q += tap;
          ix += dw;
        }
      }
      p += line;
      iy += word(step, CONV_DH);
    }
    to += packed;
    if (++ox == ow) { ox = 0; oy++; }
  }
}

/** sums[r] = factor * sum of the row's first k activations, as s8 values whatever form they are packed in. */
export function sumRows(from: usize, packedBytes: usize, k: i32, rows: i32, factor: i32, mode: i32, sums: usize): void {
  const correction = mode == DOT_U8S8 ? k << 7 : 0;
  for (let r = 0; r < rows; r++) {
    const sum = mode == DOT_I16 ? sumI16(from, k) : mode == DOT_U8S8 ? sumU8(from, k) : sumS8(from, k);
    store<i32>(sums, factor * (sum - correction));
    sums += 4;
    from += packedBytes;
  }
}

function sumI16(p: usize, k: i32): i32 {
  let acc = i32x4.splat(0);
  for (; k >= 8; k -= 8) {
    acc = i32x4.add(acc, i32x4.extadd_pairwise_i16x8_s(v128.load(p)));
    p += 16;
  }
  let sum = sumI32(acc);
  for (; k > 0; k--) {
    sum += <i32>load<i16>(p);
    p += 2;
  }
  return sum;
}
function sumU8(p: usize, k: i32): i32 {
  let acc = i32x4.splat(0);
  for (; k >= 16; k -= 16) {
    acc = i32x4.add(acc, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(v128.load(p))));
    p += 16;
  }
  let sum = sumI32(acc);
  for (; k > 0; k--) sum += <i32>load<u8>(p++);
  return sum;
}
function sumS8(p: usize, k: i32): i32 {
  let acc = i32x4.splat(0);
  for (; k >= 16; k -= 16) {
    acc = i32x4.add(acc, i32x4.extadd_pairwise_i16x8_s(i16x8.extadd_pairwise_i8x16_s(v128.load(p))));
    p += 16;
  }
  let sum = sumI32(acc);
  for (; k > 0; k--) sum += <i32>load<i8>(p++);
  return sum;
}
