// QS8_CONV: grouped int8 convolution, dense layer or matmul, as blocks of packed rows times weight panels.
// In: a verified step; activations are s8 in memory whatever the dot mode. Out: the destination elements, exactly.
// Must not know tile shapes beyond their height.
//
// Rows are packed in the form of the dot mode: s8 (DOT_S8S8), s8 ^ 0x80 = u8 (DOT_U8S8) or i16 (DOT_I16); K is padded to K4 with
// bytes of any value (their weights are 0), positions outside the input hold SRC_ZERO.
// sum (a-za)(w-zw) = sum a*w - za*colsum - zw*rowsum + K*za*zw: the last term is in the bias, the second in the column starts
// (with za + 128 in DOT_U8S8), the third in the row sums, which exist only when WEIGHT_ZERO is not 0 and are added only in panels
// whose row factor is not 0: most panels of uint8 weights fit int8 after subtracting their zero point.
// SCRATCH in every mode: BLOCK_ROWS*K4*2 + BLOCK_ROWS*4 + 512 bytes = [packed rows][row sums][starts, constants 96][tile 12x8 i32].
// Over-reads: up to 15 bytes past the source.

import {
  CONV_BATCH, CONV_BLOCK_ROWS, CONV_DIRECT, CONV_DST, CONV_DST_BATCH, CONV_DST_CHANNEL, CONV_DST_PIXEL, CONV_DST_ZERO, CONV_GROUPS,
  CONV_IC, CONV_KH, CONV_KW, CONV_MAX, CONV_MIN, CONV_OC, CONV_OH, CONV_OUT_I32, CONV_OW, CONV_SCRATCH, CONV_SRC, CONV_SRC_BATCH,
  CONV_SRC_CHANNEL, CONV_SRC_PIXEL, CONV_SRC_ZERO, CONV_WEIGHTS, CONV_WEIGHT_ZERO, DOT_I16, DOT_S8S8,
  DOT_U8S8, OK, QS8_PANEL_HEAD, QS8_PANEL_ROW_FACTOR, QS8_PANEL_SCALES,
} from "../abi.ts";
import { dotMode, setDotMode } from "../simd.ts";
import { at, failure, inRange, positive, reads, times, word } from "../verify.ts";
import { REQUANT_LIMIT, requant8, requantLow, requantMagic, requantOffset } from "../requant.ts";
import { panels, rowLength, verifyConv, verifyScratch } from "./conv.ts";
import { packQs8Rows, sumRows } from "./qs8-pack.ts";
import { hasPairsOfMinimum, INIT_BYTES, INIT_HIGH, INIT_LOW, INIT_MAGIC, INIT_OFFSET, qs8Gemm } from "./qs8-gemm.ts";

/** Rows of the int32 tile in SCRATCH. */
const TILE_ROWS: i32 = 12;
/** Largest sum of four products and their share of a row sum: 4 * (255*128 + 255*255). */
const QUAD_REACH: f32 = 390660;

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
  const mode = dotMode(), weightZero = word(step, CONV_WEIGHT_ZERO), wide = word(step, CONV_OUT_I32) != 0;
  const inPlace = mode == DOT_S8S8 && word(step, CONV_DIRECT) != 0;
  const pixelBytes = <usize>word(step, CONV_SRC_PIXEL);
  const lda = inPlace ? pixelBytes : <usize>quads << (mode == DOT_I16 ? 3 : 2);
  const scratch = base + <usize>word(step, CONV_SCRATCH), sums = scratch + ((<usize>blockRows * <usize>quads) << 3);
  const init = sums + (<usize>blockRows << 2);
  const elementShift: usize = wide ? 2 : 0;
  const ldc = <usize>word(step, CONV_DST_PIXEL) << elementShift, channelBytes = <usize>word(step, CONV_DST_CHANNEL) << elementShift;
  const panelBytes = <usize>QS8_PANEL_HEAD + (<usize>quads << 5);
  const storedZero = word(step, CONV_SRC_ZERO) + (mode == DOT_U8S8 ? 128 : 0);
  const rowsAtOnce = evenBlocks(pixels, blockRows);
  for (let n = 0; n < batch; n++) {
    const image = base + <usize>word(step, CONV_SRC) + <usize>n * <usize>word(step, CONV_SRC_BATCH);
    const result = base + <usize>word(step, CONV_DST) + ((<usize>n * <usize>word(step, CONV_DST_BATCH)) << elementShift);
    let weights = base + <usize>word(step, CONV_WEIGHTS);
    for (let g = 0; g < groups; g++) {
      const src = image + <usize>(g * ic) * <usize>word(step, CONV_SRC_CHANNEL);
      for (let first = 0; first < pixels; first += rowsAtOnce) {
        const rows = min(rowsAtOnce, pixels - first);
        let a = scratch;
        if (inPlace) a = src + <usize>first * pixelBytes;
        else packQs8Rows(step, src, scratch, first, rows, mode);
        if (weightZero != 0) sumRows(a, lda, k, rows, -weightZero, mode, sums);
        storeConstants(step, init);
        let b = weights;
        for (let column = 0; column < oc; column += 8) {
          const c = result + <usize>first * ldc + <usize>(g * oc + column) * channelBytes;
          const bounded = startPanel(b, init, storedZero, quads);
          const rowSums: usize = load<i32>(b, QS8_PANEL_ROW_FACTOR) != 0 ? sums : 0;
          const plain = wide ? rowSums == 0 : bounded;
          if (plain && channelBytes == <usize>1 << elementShift && column + 8 <= oc) {
            qs8Gemm(rows, quads, a, lda, b, c, ldc, init, rowSums, wide);
          } else {
            scatter(step, rows, quads, a, lda, b, c, init, rowSums, min(oc - column, 8));
          }
          b += panelBytes;
        }
      }
      weights += <usize>((oc + 7) >> 3) * panelBytes;
    }
  }
}

/** Rows of a block: as few blocks as BLOCK_ROWS allows, of about one size, so that no short one reads all weights again. */
function evenBlocks(pixels: i32, blockRows: i32): i32 {
  const blocks = (pixels - 1) / blockRows + 1, share = (pixels - 1) / blocks + 1;
  return min(blockRows, (share + 5) / 6 * 6);
}

/** What requantisation needs of the step, for all panels. */
// @ts-ignore: decorator
@inline function storeConstants(step: usize, init: usize): void {
  const zero = word(step, CONV_DST_ZERO), offset = requantOffset(zero);
  v128.store(init, requantMagic(offset, zero), INIT_MAGIC);
  v128.store(init, offset, INIT_OFFSET);
  v128.store(init, i8x16.splat(<i8>word(step, CONV_MIN)), INIT_LOW);
  v128.store(init, i8x16.splat(<i8>word(step, CONV_MAX)), INIT_HIGH);
}

/** Column starts: init[c] = bias[c] - storedZero * colsum[c]. Whether |acc*scale| < 2^22 for any activations. */
// @ts-ignore: decorator
@inline function startPanel(panel: usize, init: usize, storedZero: i32, quads: i32): bool {
  const zero = i32x4.splat(storedZero), reach = f32x4.splat(<f32>quads * QUAD_REACH), limit = f32x4.splat(REQUANT_LIMIT);
  const s0 = i32x4.sub(v128.load(panel), i32x4.mul(zero, v128.load(panel, 32)));
  const s1 = i32x4.sub(v128.load(panel, 16), i32x4.mul(zero, v128.load(panel, 48)));
  v128.store(init, s0);
  v128.store(init, s1, 16);
  const x0 = f32x4.mul(f32x4.add(f32x4.abs(f32x4.convert_i32x4_s(s0)), reach), v128.load(panel, QS8_PANEL_SCALES));
  const x1 = f32x4.mul(f32x4.add(f32x4.abs(f32x4.convert_i32x4_s(s1)), reach), v128.load(panel, QS8_PANEL_SCALES + 16));
  return i32x4.all_true(v128.and(f32x4.lt(f32x4.abs(x0), limit), f32x4.lt(f32x4.abs(x1), limit)));
}

/** One panel through int32 tiles behind the constants: what is not plain int8 (row sums, tails, strides, large products). */
function scatter(
  step: usize, rows: i32, quads: i32, a: usize, lda: usize, b: usize, c: usize, init: usize, sums: usize, lanes: i32,
): void {
  const wide = word(step, CONV_OUT_I32) != 0, tile = init + INIT_BYTES, zero = word(step, CONV_DST_ZERO);
  const elementShift: usize = wide ? 2 : 0;
  const ldc = <usize>word(step, CONV_DST_PIXEL) << elementShift, channelBytes = <usize>word(step, CONV_DST_CHANNEL) << elementShift;
  const low = requantLow(word(step, CONV_MIN), zero), offset = v128.load(init, INIT_OFFSET), magic = v128.load(init, INIT_MAGIC);
  const high = v128.load16_splat(step, CONV_MAX), s0 = v128.load(b, QS8_PANEL_SCALES), s1 = v128.load(b, QS8_PANEL_SCALES + 16);
  for (let first = 0; first < rows; first += TILE_ROWS) {
    const count = min(rows - first, TILE_ROWS);
    qs8Gemm(count, quads, a, lda, b, tile, 32, init, 0, true);
    for (let from = tile, end = tile + (<usize>count << 5); from < end; from += 32) {
      let x0 = v128.load(from), x1 = v128.load(from, 16);
      if (sums) {
        const sum = v128.load32_splat(sums);
        x0 = i32x4.add(x0, sum);
        x1 = i32x4.add(x1, sum);
        sums += 4;
      }
      if (!wide) x0 = requant8(x0, x1, s0, s1, low, offset, high, magic);
      if (channelBytes == 1 && lanes == 8) v128.store64_lane(c, x0, 0);
      else {
        v128.store(from, x0);
        v128.store(from, x1, 16);
        let to = c;
        for (let lane: usize = 0; lane < <usize>lanes; lane++) {
          if (wide) store<i32>(to, load<i32>(from + (lane << 2)));
          else store<u8>(to, load<u8>(from + lane));
          to += channelBytes;
        }
      }
      c += ldc;
    }
    a += <usize>TILE_ROWS * lda;
  }
}
