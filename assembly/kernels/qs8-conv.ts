// QS8_CONV: grouped int8 convolution, dense layer or matmul, as blocks of packed rows times weight panels.
// In: a verified step; activations are s8 in memory whatever the dot mode. Out: the destination elements, exactly.
// Must not know tile shapes beyond their height.
//
// Rows are packed in the form of the dot mode: s8 (DOT_S8S8), s8 ^ 0x80 = u8 (DOT_U8S8) or i16 (DOT_I16); K is padded to K4 with
// bytes of any value (their weights are 0), positions outside the input hold SRC_ZERO.
// sum (a-za)(w-zw) = sum a*w - za*colsum - zw*rowsum + K*za*zw: the last term is in the bias, the second in the column starts
// (with za + 128 in DOT_U8S8), the third in the row sums, which exist only when WEIGHT_ZERO is not 0.
// SCRATCH in every mode: BLOCK_ROWS*K4*2 + BLOCK_ROWS*4 + 512 bytes = [packed rows][row sums][column starts 32][tile 6x8 i32].
// Over-reads: up to 15 bytes past the source.

import {
  CONV_BATCH, CONV_BLOCK_ROWS, CONV_DIRECT, CONV_DST, CONV_DST_BATCH, CONV_DST_CHANNEL, CONV_DST_PIXEL, CONV_DST_ZERO, CONV_GROUPS,
  CONV_IC, CONV_KH, CONV_KW, CONV_MAX, CONV_MIN, CONV_OC, CONV_OH, CONV_OUT_I32, CONV_OW, CONV_SCRATCH, CONV_SRC, CONV_SRC_BATCH,
  CONV_SRC_CHANNEL, CONV_SRC_PIXEL, CONV_SRC_ZERO, CONV_WEIGHTS, CONV_WEIGHT_ZERO, DOT_I16, DOT_S8S8,
  DOT_U8S8, OK,
} from "../abi.ts";
import { dotMode, setDotMode } from "../simd.ts";
import { at, failure, inRange, positive, reads, times, word } from "../verify.ts";
import { panels, rowLength, verifyConv, verifyScratch } from "./conv.ts";
import { packQs8Rows, sumRows } from "./qs8-pack.ts";
import { QS8_PANEL_HEAD, QS8_TILE_ROWS, hasPairsOfMinimum, qs8Gemm } from "./qs8-gemm.ts";

const STARTS_BYTES: usize = 32;

/** Work: see verifyConv. */
export function verifyQs8Conv(step: usize): void {
  const wide = inRange(step, CONV_OUT_I32, 0, 1) != 0;
  verifyConv(step, 1, wide ? 4 : 1);
  inRange(step, CONV_SRC_ZERO, -128, 127);
  inRange(step, CONV_DST_ZERO, -128, 127);
  inRange(step, CONV_WEIGHT_ZERO, -255, 255);
  if (!wide) {
    inRange(step, CONV_MIN, -128, 127);
    inRange(step, CONV_MAX, -128, 127);
  }
  const k4 = (rowLength(step) + 3) & ~3;
  verifyScratch(step, times(k4, 2) + 4, 512);
  const panelBytes = <i64>QS8_PANEL_HEAD + times(k4, 8);
  const count = times(positive(step, CONV_GROUPS), panels(step));
  reads(word(step, CONV_WEIGHTS), times(count, panelBytes));
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (failure() == OK && dotMode() == DOT_S8S8) avoidWrapping(at(word(step, CONV_WEIGHTS)), <i32>count, <i32>(k4 >> 2));
  }
}

/**
 * Engines without a native dot product (and V8's baseline compiler for arm64) add two 16-bit products first, so that
 * DOT_S8S8 wraps where both are (-128)*(-128). Weights are hardly ever -128; a plan that has such a pair runs in DOT_I16 instead.
 */
function avoidWrapping(weights: usize, count: i32, quads: i32): void {
  if (hasPairsOfMinimum(weights, count, quads)) setDotMode(DOT_I16);
}

export function qs8Conv(step: usize, base: usize): void {
  const ic = word(step, CONV_IC), oc = word(step, CONV_OC), groups = word(step, CONV_GROUPS), batch = word(step, CONV_BATCH);
  const k = word(step, CONV_KH) * word(step, CONV_KW) * ic, quads = (k + 3) >> 2;
  const pixels = word(step, CONV_OH) * word(step, CONV_OW), blockRows = word(step, CONV_BLOCK_ROWS);
  const mode = dotMode(), weightZero = word(step, CONV_WEIGHT_ZERO);
  const inPlace = mode == DOT_S8S8 && word(step, CONV_DIRECT) != 0 && weightZero == 0;
  const pixelBytes = <usize>word(step, CONV_SRC_PIXEL);
  const packedBytes = <usize>quads << (mode == DOT_I16 ? 3 : 2);
  const lda = inPlace ? pixelBytes : packedBytes;
  const scratch = base + <usize>word(step, CONV_SCRATCH), sums = scratch + ((<usize>blockRows * <usize>quads) << 3);
  const starts = sums + (<usize>blockRows << 2);
  const elementShift: usize = word(step, CONV_OUT_I32) != 0 ? 2 : 0;
  const ldc = <usize>word(step, CONV_DST_PIXEL) << elementShift, channelBytes = <usize>word(step, CONV_DST_CHANNEL) << elementShift;
  const panelBytes = QS8_PANEL_HEAD + (<usize>quads << 5);
  const storedZero = word(step, CONV_SRC_ZERO) + (mode == DOT_U8S8 ? 128 : 0);
  for (let n = 0; n < batch; n++) {
    const image = base + <usize>word(step, CONV_SRC) + <usize>n * <usize>word(step, CONV_SRC_BATCH);
    const result = base + <usize>word(step, CONV_DST) + ((<usize>n * <usize>word(step, CONV_DST_BATCH)) << elementShift);
    let weights = base + <usize>word(step, CONV_WEIGHTS);
    for (let g = 0; g < groups; g++) {
      const src = image + <usize>(g * ic) * <usize>word(step, CONV_SRC_CHANNEL);
      for (let first = 0; first < pixels; first += blockRows) {
        const rows = min(blockRows, pixels - first);
        let a = scratch;
        if (inPlace) a = src + <usize>first * pixelBytes;
        else packQs8Rows(step, src, scratch, first, rows, mode);
        if (weightZero != 0) sumRows(scratch, packedBytes, k, rows, -weightZero, mode, sums);
        let b = weights;
        for (let column = 0; column < oc; column += 8) {
          const c = result + <usize>first * ldc + <usize>(g * oc + column) * channelBytes;
          startColumns(b, starts, storedZero);
          const rowSums: usize = weightZero != 0 ? sums : 0;
          if (channelBytes == <usize>1 << elementShift && column + 8 <= oc) {
            qs8Gemm(rows, quads, a, lda, b, c, ldc, starts, rowSums, step);
          } else {
            scatter(step, rows, quads, a, lda, b, c, starts, rowSums, min(oc - column, 8));
          }
          b += panelBytes;
        }
      }
      weights += <usize>((oc + 7) >> 3) * panelBytes;
    }
  }
}

/** starts[c] = bias[c] - storedZero * colsum[c] */
// @ts-ignore: decorator
@inline function startColumns(panel: usize, starts: usize, storedZero: i32): void {
  const zero = i32x4.splat(storedZero);
  v128.store(starts, i32x4.sub(v128.load(panel), i32x4.mul(zero, v128.load(panel, 32))));
  v128.store(starts, i32x4.sub(v128.load(panel, 16), i32x4.mul(zero, v128.load(panel, 48))), 16);
}

/** One panel through the tile behind the column starts: `lanes` columns of every row, at the destination's own strides. */
function scatter(
  step: usize, rows: i32, quads: i32, a: usize, lda: usize, b: usize, c: usize, starts: usize, sums: usize, lanes: i32,
): void {
  const wide = word(step, CONV_OUT_I32) != 0, tile = starts + STARTS_BYTES;
  const elementShift: usize = wide ? 2 : 0, tileRow: usize = 8 << elementShift;
  const ldc = <usize>word(step, CONV_DST_PIXEL) << elementShift, channelBytes = <usize>word(step, CONV_DST_CHANNEL) << elementShift;
  for (let first = 0; first < rows; first += QS8_TILE_ROWS) {
    const count = min(rows - first, QS8_TILE_ROWS);
    qs8Gemm(count, quads, a, lda, b, tile, tileRow, starts, sums, step);
    let from = tile;
    for (let r = 0; r < count; r++) {
      let to = c;
      for (let lane: usize = 0; lane < <usize>lanes; lane++) {
        if (wide) store<i32>(to, load<i32>(from + (lane << 2)));
        else store<u8>(to, load<u8>(from + lane));
        to += channelBytes;
      }
      from += tileRow;
      c += ldc;
    }
    a += <usize>QS8_TILE_ROWS * lda;
    if (sums) sums += QS8_TILE_ROWS << 2;
  }
}
