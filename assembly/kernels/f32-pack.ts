// Packs f32 convolution windows into rows of K floats for the matrix tiles.
// In: a verified F32_CONV step, the group's first source element. Out: `rows` rows in scratch, ascending, and up to 12 bytes behind them.
// Must not know tiles or weights.
//
// A window is made of runs of neighbouring floats: KH runs of KW*IC where channels are neighbours (K order ky,kx,c), or IC*KH runs
// of KW where pixels are (PLANAR, K order c,ky,kx). Runs are copied in whole vectors: what is too much is overwritten by the next run.

import {
  CONV_DH, CONV_DW, CONV_IC, CONV_IH, CONV_IW, CONV_KH, CONV_KW, CONV_OW, CONV_PL, CONV_PLANAR, CONV_PT, CONV_SH, CONV_SRC_CHANNEL,
  CONV_SRC_PIXEL, CONV_SRC_ROW, CONV_SW,
} from "../abi.ts";
import { word } from "../verify.ts";
import { insideFrom, insideTo } from "./dwconv.ts";

/** Packs output pixels first … first+rows-1, zero where the window leaves the source. */
export function packF32Rows(step: usize, src: usize, to: usize, first: i32, rows: i32): void {
  const ih = word(step, CONV_IH), ow = word(step, CONV_OW), kh = word(step, CONV_KH), kw = word(step, CONV_KW), ic = word(step, CONV_IC);
  const sw = word(step, CONV_SW), pl = word(step, CONV_PL), dh = word(step, CONV_DH);
  const planar = word(step, CONV_PLANAR) != 0, pixel = word(step, CONV_SRC_PIXEL), channel = word(step, CONV_SRC_CHANNEL);
  const runs = word(step, CONV_DW) == 1 && (planar ? pixel == 1 : channel == 1 && pixel == ic);
  const from = runs ? insideFrom(ow, sw, pl) : ow, until = runs ? insideTo(from, ow, word(step, CONV_IW), sw, pl, kw) : ow;
  const line = <usize>word(step, CONV_SRC_ROW) << 2, rowBytes = <usize>(kh * kw * ic) << 2;
  const planes = planar ? ic : 1, planeBytes = <usize>channel << 2, runBytes = <usize>(planar ? kw : kw * ic) << 2;
  let oy = first / ow, ox = first % ow;
  while (rows > 0) {
    const y0 = oy * word(step, CONV_SH) - word(step, CONV_PT);
    const end = min(ow, ox + rows);
    rows -= end - ox;
    const inside = y0 >= 0 && y0 + (kh - 1) * dh < ih;
    while (ox < end) {
      if (inside && ox >= from && ox < until) {
        const last = min(end, until), p = src + <usize>y0 * line + <usize>((ox * sw - pl) * pixel << 2);
        if (planar && kh == 3 && kw == 3) copyPlanarWindows3(to, p, last - ox, <usize>(sw * pixel) << 2, planes, planeBytes, line * <usize>dh);
        else copyWindows(to, p, last - ox, <usize>(sw * pixel) << 2, planes, planeBytes, kh, line * <usize>dh, runBytes);
        to += <usize>(last - ox) * rowBytes;
        ox = last;
      } else {
        if (planar) for (let c = 0; c < ic; c++) to = clippedWindow(step, src + <usize>c * planeBytes, to, y0, ox * sw - pl, 4);
        else to = clippedWindow(step, src, to, y0, ox * sw - pl, <usize>ic << 2);
        ox++;
      }
    }
    ox = 0;
    oy++;
  }
}

/** The same for 3 x 3 windows of planes, which is how networks look at pictures: nothing but moves. */
function copyPlanarWindows3(to: usize, from: usize, count: i32, step: usize, planes: i32, planeBytes: usize, lineBytes: usize): void {
  do {
    let p = from, left = planes;
    do {
      v128.store(to, v128.load(p));
      v128.store(to, v128.load(p + lineBytes), 12);
      v128.store(to, v128.load(p + lineBytes + lineBytes), 24);
      to += 36;
      p += planeBytes;
    } while (--left);
    from += step;
  } while (--count);
}

/** `count` whole windows whose first elements lie `step` bytes apart. */
function copyWindows(
  to: usize, from: usize, count: i32, step: usize, planes: i32, planeBytes: usize, lines: i32, lineBytes: usize, runBytes: usize,
): void {
  do {
    let plane = from, left = planes;
    do {
      let p = plane, more = lines;
      do {
        copyRun(to, p, runBytes);
        to += runBytes;
        p += lineBytes;
      } while (--more);
      plane += planeBytes;
    } while (--left);
    from += step;
  } while (--count);
}

/** The window of one plane, tap by tap: KH*KW times tapBytes. Returns where the next one goes. */
function clippedWindow(step: usize, src: usize, to: usize, y0: i32, x0: i32, tapBytes: usize): usize {
  const ih = word(step, CONV_IH), iw = word(step, CONV_IW), kh = word(step, CONV_KH), kw = word(step, CONV_KW);
  const channel = <usize>word(step, CONV_SRC_CHANNEL) << 2, pixel = <usize>word(step, CONV_SRC_PIXEL) << 2;
  let iy = y0;
  for (let ky = 0; ky < kh; ky++) {
    const line = src + <usize>iy * (<usize>word(step, CONV_SRC_ROW) << 2);
    let ix = x0;
    for (let kx = 0; kx < kw; kx++) {
      if (<u32>iy >= <u32>ih || <u32>ix >= <u32>iw) zeroRun(to, tapBytes);
      else if (channel == 4) copyRun(to, line + <usize>ix * pixel, tapBytes);
      else gather(to, line + <usize>ix * pixel, tapBytes, channel);
      to += tapBytes;
      ix += word(step, CONV_DW);
    }
    iy += word(step, CONV_DH);
  }
  return to;
}

/** Copies whole vectors: up to 12 bytes too many are read and written. */
// @ts-ignore: decorator
@inline function copyRun(to: usize, from: usize, bytes: usize): void {
  const end = to + bytes;
  while (to + 48 < end) {
    v128.store(to, v128.load(from));
    v128.store(to, v128.load(from, 16), 16);
    v128.store(to, v128.load(from, 32), 32);
    v128.store(to, v128.load(from, 48), 48);
    to += 64;
    from += 64;
  }
  while (to < end) {
    v128.store(to, v128.load(from));
    to += 16;
    from += 16;
  }
}
// @ts-ignore: decorator
@inline function zeroRun(to: usize, bytes: usize): void {
  const end = to + bytes;
  while (to < end) {
    v128.store(to, i64x2.splat(0));
    to += 16;
  }
}

/** Channels that are not neighbours in memory. */
// @ts-ignore: decorator
@inline function gather(to: usize, from: usize, bytes: usize, channel: usize): void {
  const end = to + bytes;
  do {
    store<f32>(to, load<f32>(from));
    to += 4;
    from += channel;
  } while (to < end);
}
