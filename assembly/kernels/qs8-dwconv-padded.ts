// qs8 depthwise windows of any size on small pictures: channels are copied with their border, then every window lies inside.
// In: a verified step with CHUNK, one picture. Out: its pixels in the blocks of 8 channels from a given one on, the last one exact.
// SCRATCH: [results of 4 pixels of a block, 32 bytes][rows that windows reach][columns that windows reach][CHUNK blocks of 8].
// A row of the copy has room for four windows at least: pictures that are narrower compute pixels that nobody stores.
// Over-reads: up to 7 bytes past the source. Must not know tile arithmetic.

import {
  DW_BATCH, DW_C, DW_CHUNK, DW_DH, DW_DST_PIXEL, DW_DST_ROW, DW_DW, DW_FILL, DW_IH, DW_IW, DW_KH, DW_KW, DW_OH, DW_OW, DW_PL, DW_PT,
  DW_SCRATCH, DW_SCRATCH_BYTES, DW_SH, DW_SRC_PIXEL, DW_SRC_ROW, DW_SW,
} from "../abi.ts";
import { storeBytes } from "../nest.ts";
import { addWork, positive, require, times, word, writes } from "../verify.ts";
import { blockBytes, qs8_dwconv_x4 } from "./qs8-dwconv-window.ts";

const TILE_BYTES: usize = 32;

/** Source positions that `outputs` windows reach along an axis. */
// @ts-ignore: decorator
@inline function reach(outputs: i64, stride: i64, kernel: i64, dilation: i64): i64 {
  return times(outputs - 1, stride) + times(kernel - 1, dilation) + 1;
}
function rows(step: usize): i64 { return reach(word(step, DW_OH), word(step, DW_SH), word(step, DW_KH), word(step, DW_DH)); }
function columns(step: usize): i64 { return reach(max(word(step, DW_OW), 4), word(step, DW_SW), word(step, DW_KW), word(step, DW_DW)); }

/** The scratch, and the copy's work in blocks of 8 channels. */
export function verifyPadded(step: usize): void {
  const pixels = times(rows(step), columns(step));
  require(times(pixels, times(positive(step, DW_CHUNK), 8)) + <i64>TILE_BYTES <= positive(step, DW_SCRATCH_BYTES));
  writes(word(step, DW_SCRATCH), positive(step, DW_SCRATCH_BYTES));
  addWork(times(positive(step, DW_BATCH), times(pixels, (positive(step, DW_C) + 7) >> 3)));
}

/** The picture's blocks of 8 channels from `first` on, CHUNK of them at a time. */
export function paddedBlocks(step: usize, base: usize, src: usize, weights: usize, dst: usize, first: i32): void {
  const tile = base + <usize>word(step, DW_SCRATCH), all = (word(step, DW_C) + 7) >> 3;
  const weightBytes = blockBytes(word(step, DW_KH) * word(step, DW_KW));
  while (first < all) {
    const blocks = min(word(step, DW_CHUNK), all - first), at = <usize>first << 3;
    copy(step, src + at, tile + TILE_BYTES, <usize>blocks << 3);
    compute(step, tile, weights + <usize>first * weightBytes, weightBytes, dst + at, blocks, word(step, DW_C) - (first << 3));
    first += blocks;
  }
}

// @ts-ignore: decorator
@inline function fill(at: usize, end: usize, bytes: u64): usize {
  for (; at < end; at += 8) store<u64>(at, bytes);
  return at;
}

/** `pixel` bytes of every pixel; outside of the picture SRC_ZERO. */
function copy(step: usize, src: usize, to: usize, pixel: usize): void {
  const width = <i32>columns(step), height = <i32>rows(step), pl = word(step, DW_PL), outside = load<u64>(step, DW_FILL);
  const from = min(max(pl, 0), width), until = max(min(word(step, DW_IW) + pl, width), from);
  for (let y = -word(step, DW_PT), end = y + height; y < end; y++) {
    const inside = <u32>y < <u32>word(step, DW_IH), line = to + <usize>width * pixel;
    if (inside) {
      to = fill(to, to + <usize>from * pixel, outside);
      let p = src + <usize>(y * word(step, DW_SRC_ROW) + (from - pl) * word(step, DW_SRC_PIXEL));
      for (let x = from; x < until; x++) {
        for (let c: usize = 0; c < pixel; c += 8) store<u64>(to + c, load<u64>(p + c));
        p += <usize>word(step, DW_SRC_PIXEL);
        to += pixel;
      }
    }
    to = fill(to, line, outside);
  }
}

/** All pixels of `blocks` blocks, of whose channels the first `lanes` exist. */
function compute(step: usize, tile: usize, weights: usize, weightBytes: usize, dst: usize, blocks: i32, lanes: i32): void {
  const ow = word(step, DW_OW), pixel = <usize>blocks << 3, line = <usize>columns(step) * pixel, dstPixel = <usize>word(step, DW_DST_PIXEL);
  const whole = ow >= 4 ? min(blocks, lanes >> 3) : 0;
  for (let oy = 0; oy < word(step, DW_OH); oy++) {
    const first = tile + TILE_BYTES + <usize>(oy * word(step, DW_SH)) * line, o = dst + <usize>(oy * word(step, DW_DST_ROW));
    for (let x = 0; x < ow; x += 4) {
      const at = max(min(x, ow - 4), 0), p = first + <usize>(at * word(step, DW_SW)) * pixel, to = o + <usize>at * dstPixel;
      if (whole) qs8_dwconv_x4(step, p, pixel, line, weights, to, dstPixel, whole);
      for (let block = whole; block < blocks; block++) {
        qs8_dwconv_x4(step, p + (<usize>block << 3), pixel, line, weights + <usize>block * weightBytes, tile, 8, 1);
        for (let i = 0; i < min(ow, 4); i++) {
          storeBytes(to + <usize>i * dstPixel + (<usize>block << 3), v128.load64_zero(tile + (<usize>i << 3)), min(lanes - (block << 3), 8));
        }
      }
    }
  }
}
