// Packing of int8 rows for QS8_CONV: windows become rows of K4 elements in the form that the dot mode multiplies.
// In: s8 activations at any strides. Out: rows in scratch, optionally their sums. Must not know weights.
//
// Rows are written in ascending order with whole vectors, so up to 15 bytes past the last one are overwritten: the row sums and
// column starts behind them are written afterwards. Up to 15 bytes past the source are read.

import {
  CONV_DH, CONV_DIRECT, CONV_DW, CONV_IC, CONV_IH, CONV_IW, CONV_KH, CONV_KW, CONV_OW, CONV_PL, CONV_PT, CONV_SH, CONV_SRC_CHANNEL,
  CONV_SRC_PIXEL, CONV_SRC_ROW, CONV_SRC_ZERO, CONV_SW, DOT_I16, DOT_U8S8,
} from "../abi.ts";
import { storeWords } from "../nest.ts";
import { dot2, dot4 } from "../simd.ts";
import { word } from "../verify.ts";
import { insideFrom, insideTo } from "./dwconv.ts";

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
  const ic = <usize>word(step, CONV_IC), pixel = <usize>word(step, CONV_SRC_PIXEL), line = <usize>word(step, CONV_KW) * ic;
  const wide = mode == DOT_I16, seamless = word(step, CONV_SRC_CHANNEL) == 1 && word(step, CONV_DW) == 1 && pixel == ic;
  if (word(step, CONV_DIRECT) != 0 && seamless && (ic & 3) == 0) {
    copyRun(to, src + <usize>first * pixel, <usize>rows * ic, wide, flipOf(mode));
  } else if (seamless && line <= 16 && !wide) packShortLines(step, src, to, first, rows, mode);
  else packWindows(step, src, to, first, rows, mode);
}

// @ts-ignore: decorator
@inline function flipOf(mode: i32): v128 { return i8x16.splat(mode == DOT_U8S8 ? -128 : 0); }

/** Windows whose lines are one vector each (the first layer on RGB): bytes in, bytes out. */
function packShortLines(step: usize, src: usize, to: usize, first: i32, rows: i32, mode: i32): void {
  const ih = word(step, CONV_IH), ow = word(step, CONV_OW), kh = word(step, CONV_KH), sw = word(step, CONV_SW);
  const ic = <usize>word(step, CONV_IC), line = <usize>word(step, CONV_KW) * ic, packed = (<usize>kh * line + 3) & ~3;
  const flip = flipOf(mode), reach = (kh - 1) * word(step, CONV_DH), lineStep = <usize>word(step, CONV_DH) * <usize>word(step, CONV_SRC_ROW);
  const xFrom = insideFrom(ow, sw, word(step, CONV_PL));
  const xTo = insideTo(xFrom, ow, word(step, CONV_IW), sw, word(step, CONV_PL), word(step, CONV_KW));
  let oy = first / ow, ox = first % ow;
  while (rows > 0) {
    const iy = oy * word(step, CONV_SH) - word(step, CONV_PT), inside = iy >= 0 && iy + reach < ih;
    const count = min(rows, (inside && ox >= xFrom && ox < xTo ? xTo : inside && ox < xFrom ? xFrom : ow) - ox);
    if (inside && ox >= xFrom && ox < xTo) {
      let from = src + <usize>iy * <usize>word(step, CONV_SRC_ROW) + <usize>(ox * sw - word(step, CONV_PL)) * ic;
      for (let i = count; i > 0; i--) {
        let p = to, q = from;
        for (let ky = kh; ky > 0; ky--) {
          v128.store(p, v128.xor(v128.load(q), flip));
          p += line;
          q += lineStep;
        }
        to += packed;
        from += <usize>sw * ic;
      }
    } else {
      packWindows(step, src, to, oy * ow + ox, count, mode);
      to += <usize>count * packed;
    }
    rows -= count;
    ox += count;
    if (ox == ow) { ox = 0; oy++; }
  }
}

/** Any window, tap by tap where it hangs out of the input or has gaps. */
function packWindows(step: usize, src: usize, to: usize, first: i32, rows: i32, mode: i32): void {
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

/** sums[r] = factor * sum of the row's first k activations, as s8 values whatever form they are packed in; `lda` bytes per row. */
export function sumRows(from: usize, lda: usize, k: i32, rows: i32, factor: i32, mode: i32, sums: usize): void {
  const by = i32x4.splat(factor), correction = i32x4.splat(mode == DOT_U8S8 ? k << 7 : 0), bytes = k << (mode == DOT_I16 ? 1 : 0);
  for (; rows > 0; rows -= 4) {
    let p0 = from, p1 = rows > 1 ? p0 + lda : p0, p2 = rows > 2 ? p1 + lda : p1, p3 = rows > 3 ? p2 + lda : p2;
    let s0 = i32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
    for (let left = bytes; left > 0; left -= 16) {
      const used = i8x16.lt_u(i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), i8x16.splat(<i8>min(left, 16)));
      s0 = addElements(v128.and(v128.load(p0), used), s0, mode); p0 += 16;
      s1 = addElements(v128.and(v128.load(p1), used), s1, mode); p1 += 16;
      s2 = addElements(v128.and(v128.load(p2), used), s2, mode); p2 += 16;
      s3 = addElements(v128.and(v128.load(p3), used), s3, mode); p3 += 16;
    }
    storeWords(sums, i32x4.mul(by, i32x4.sub(foldLanes(foldLanes(s0, s1), foldLanes(s2, s3)), correction)), rows);
    sums += 16;
    from += 4 * lda;
  }
}
// @ts-ignore: decorator
@inline function foldLanes(x: v128, y: v128): v128 {
  return i32x4.add(v128.shuffle<i32>(x, y, 0, 2, 4, 6), v128.shuffle<i32>(x, y, 1, 3, 5, 7));
}
// @ts-ignore: decorator
@inline function addElements(x: v128, acc: v128, mode: i32): v128 {
  return !ASC_FEATURE_RELAXED_SIMD || mode == DOT_I16 ? dot2(x, i16x8.splat(1), acc) : dot4(i8x16.splat(1), x, acc);
}
