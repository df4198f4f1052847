// F32_WINOGRAD: 3x3 convolution at stride 1 as 36 matrix products over 4x4 output tiles, with a quarter of the multiplications.
// In: a verified step. Out: the destination elements, exactly. Must not know the transforms' arithmetic.
//
// The weights are ceil(OC/8) panels of 36 products [start 8][IC][8] f32, columns past OC are zero. The starts of the 36 sums are
// such that the output transform makes the bias of them.
// SCRATCH: [a step's words for the products, 192][one tile between two passes, 576][36 planes of factors][36 planes of 8 products];
// a plane has BLOCK_ROWS rows. Rows of the planes are tiles, so the products use the matrix tiles of F32_CONV.

import {
  CONV_ACTIVATION, CONV_BATCH, CONV_BLOCK_ROWS, CONV_DH, CONV_DST, CONV_DST_BATCH, CONV_DST_CHANNEL, CONV_DST_PIXEL, CONV_DW, CONV_GROUPS,
  CONV_IC, CONV_KH, CONV_KW, CONV_MAX, CONV_MIN, CONV_OC, CONV_OH, CONV_OW, CONV_PL, CONV_PT, CONV_SCRATCH, CONV_SCRATCH_BYTES, CONV_SH,
  CONV_SRC, CONV_SRC_BATCH, CONV_SRC_CHANNEL, CONV_SW, CONV_WEIGHTS, UNARY_CLAMP, UNARY_LEAKY_RELU,
} from "../abi.ts";
import { addWork, positive, reads, require, times, word, writes } from "../verify.ts";
import { panels, verifyConv } from "./conv.ts";
import { f32_winograd_input, f32_winograd_output } from "./f32-winograd-tiles.ts";
import { f32Gemm, fetchesAhead, touchPanel } from "./f32-gemm.ts";

const PLAIN_BYTES = 192;
const TEMP_BYTES = 576;

/** Bytes of a plane: an odd number of cache lines, so that the same row of all planes does not fall into one set of the cache. */
// @ts-ignore: decorator
@inline function planeBytes(bytes: i64): i64 { return (bytes + 127 & ~127) + 64; }
// @ts-ignore: decorator
@inline function across(outputs: i64): i64 { return (outputs + 3) >> 2; }
/** Bytes of one tile's row in a plane of factors. */
// @ts-ignore: decorator
@inline function rowBytes(ic: i32): usize { return <usize>(ic + 3 & ~3) << 2; }

/** Work: 36*IC*(panels + 1) for each tile, the 1 being the transforms, besides verifyConv's. */
export function verifyF32Winograd(step: usize): void {
  verifyConv(step, 4, 4);
  require(word(step, CONV_KH) == 3 && word(step, CONV_KW) == 3 && word(step, CONV_GROUPS) == 1);
  require(word(step, CONV_SH) == 1 && word(step, CONV_SW) == 1 && word(step, CONV_DH) == 1 && word(step, CONV_DW) == 1);
  require(word(step, CONV_SRC_CHANNEL) == 1 && word(step, CONV_DST_CHANNEL) == 1);
  require(word(step, CONV_ACTIVATION) == UNARY_CLAMP || word(step, CONV_ACTIVATION) == UNARY_LEAKY_RELU);
  const ic = positive(step, CONV_IC), rows = positive(step, CONV_BLOCK_ROWS);
  const bytes = PLAIN_BYTES + TEMP_BYTES + 36 * (planeBytes(times(rows, (ic + 3 & ~3) << 2)) + planeBytes(times(rows, 32)));
  require(bytes <= positive(step, CONV_SCRATCH_BYTES));
  writes(word(step, CONV_SCRATCH), positive(step, CONV_SCRATCH_BYTES));
  reads(word(step, CONV_WEIGHTS), times(36 * panels(step), times(ic + 1, 32)));
  const tiles = times(positive(step, CONV_BATCH), times(across(positive(step, CONV_OH)), across(positive(step, CONV_OW))));
  addWork(times(times(tiles, 36), times(ic, panels(step) + 1)));
}

export function f32Winograd(step: usize, base: usize): void {
  const ic = word(step, CONV_IC), oc = word(step, CONV_OC), batch = word(step, CONV_BATCH), block = word(step, CONV_BLOCK_ROWS);
  const tiles = <i32>(across(word(step, CONV_OW)) * across(word(step, CONV_OH)));
  const plane = <usize>planeBytes(<i64>block * <i64>rowBytes(ic)), productPlane = <usize>planeBytes(<i64>block << 5);
  const plain = base + <usize>word(step, CONV_SCRATCH), temp = plain + PLAIN_BYTES, factors = temp + TEMP_BYTES, products = factors + 36 * plane;
  // The products are neither clamped nor activated.
  store<f32>(plain, <f32>-Infinity, CONV_MIN);
  store<f32>(plain, <f32>Infinity, CONV_MAX);
  store<i32>(plain, UNARY_CLAMP, CONV_ACTIVATION);
  for (let n = 0; n < batch; n++) {
    const src = base + <usize>word(step, CONV_SRC) + ((<usize>n * <usize>word(step, CONV_SRC_BATCH)) << 2);
    const dst = base + <usize>word(step, CONV_DST) + ((<usize>n * <usize>word(step, CONV_DST_BATCH)) << 2);
    for (let first = 0; first < tiles; first += block) {
      const rows = min(block, tiles - first);
      transformInputs(step, src, first, rows, factors, plane, temp);
      let weights = base + <usize>word(step, CONV_WEIGHTS);
      for (let column = 0; column < oc; column += 8) {
        weights = multiply(rows, ic, factors, plane, weights, products, productPlane, plain);
        transformOutputs(step, products, productPlane, dst, first, rows, column, temp);
      }
    }
  }
}

function transformInputs(step: usize, src: usize, first: i32, rows: i32, factors: usize, plane: usize, temp: usize): void {
  const wide = <i32>across(word(step, CONV_OW)), pt = word(step, CONV_PT), pl = word(step, CONV_PL), bytes = rowBytes(word(step, CONV_IC));
  for (let tile = first; tile < first + rows; tile++) {
    f32_winograd_input(step, src, (tile / wide << 2) - pt, (tile % wide << 2) - pl, factors, plane, temp);
    factors += bytes;
  }
}

/** One panel's 36 products of `rows` tiles. Returns where the next panel begins. */
function multiply(rows: i32, ic: i32, factors: usize, plane: usize, weights: usize, products: usize, productPlane: usize, plain: usize): usize {
  const bytes = <usize>(ic + 1) << 5, ahead = fetchesAhead(rows);
  for (let i = 0; i < 36; i++) {
    if (rows > 1 && (!ahead || i == 0)) touchPanel(weights, bytes);
    f32Gemm(rows, ic, factors, rowBytes(ic), weights, products, 32, plain, ahead && i < 35 ? weights + bytes : weights);
    factors += plane;
    weights += bytes;
    products += productPlane;
  }
  return weights;
}

function transformOutputs(step: usize, products: usize, plane: usize, dst: usize, first: i32, rows: i32, column: i32, temp: usize): void {
  const ow = word(step, CONV_OW), wide = <i32>across(ow), lanes = min(word(step, CONV_OC) - column, 8);
  const pixel = <usize>word(step, CONV_DST_PIXEL) << 2, to = dst + (<usize>column << 2);
  for (let tile = first; tile < first + rows; tile++) {
    const y = tile / wide << 2, x = tile % wide << 2;
    f32_winograd_output(step, products, plane, to + <usize>(y * ow + x) * pixel, y, x, lanes, temp);
    products += 32;
  }
}
