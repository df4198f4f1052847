// F32_CONV: grouped convolution, dense layer or matmul, as blocks of packed rows times weight panels.
// In: a verified step. Out: the destination elements, exactly. Must not know tile shapes beyond their height.
//
// Per group the weights are ceil(OC/8) panels [bias 8][K][8] f32, columns past OC are zero.
// SCRATCH: (DIRECT ? 0 : BLOCK_ROWS*K*4) + 256 bytes = [packed rows][tile 6x8 f32, also the packer's overrun].
// Over-reads: up to 12 bytes past the source. A last panel of up to 4 columns has a tile of its own. Panels of 5 to 7 columns, and all panels where
// destination channels are not neighbours, go through the tile in scratch, from where single elements are stored.

import {
  CONV_ACTIVATION, CONV_BATCH, CONV_BLOCK_ROWS, CONV_DIRECT, CONV_DST, CONV_DST_BATCH, CONV_DST_CHANNEL, CONV_DST_PIXEL, CONV_GROUPS, CONV_IC,
  CONV_KH, CONV_KW, CONV_OC, CONV_OH, CONV_OW, CONV_PLANAR, CONV_SCRATCH, CONV_SRC, CONV_SRC_BATCH, CONV_SRC_CHANNEL, CONV_SRC_PIXEL,
  CONV_WEIGHTS,
} from "../abi.ts";
import { COMPACT } from "../compact.ts";
import { inRange, positive, reads, times, word } from "../verify.ts";
import { verifyActivation } from "./f32-activation.ts";
import { panels, rowLength, verifyConv, verifyScratch } from "./conv.ts";
import { packF32Rows } from "./f32-pack.ts";
import { F32_TILE_ROWS, f32Gemm, f32_gemm_6x4, fetchesAhead, touchPanel } from "./f32-gemm.ts";

const TILE_BYTES: i64 = 256;

/** Work: see verifyConv. */
export function verifyF32Conv(step: usize): void {
  verifyConv(step, 4, 4);
  inRange(step, CONV_PLANAR, 0, 1);
  verifyActivation(step + CONV_ACTIVATION);
  const k = rowLength(step);
  verifyScratch(step, word(step, CONV_DIRECT) != 0 ? 0 : times(k, 4), TILE_BYTES);
  reads(word(step, CONV_WEIGHTS), times(times(positive(step, CONV_GROUPS), panels(step)), times(k + 1, 32)));
}

export function f32Conv(step: usize, base: usize): void {
  const ic = word(step, CONV_IC), oc = word(step, CONV_OC), groups = word(step, CONV_GROUPS), batch = word(step, CONV_BATCH);
  const k = word(step, CONV_KH) * word(step, CONV_KW) * ic;
  const pixels = word(step, CONV_OH) * word(step, CONV_OW), blockRows = word(step, CONV_BLOCK_ROWS);
  const direct = word(step, CONV_DIRECT) != 0;
  const scratch = base + <usize>word(step, CONV_SCRATCH);
  const pixelBytes = <usize>word(step, CONV_SRC_PIXEL) << 2;
  const groupBytes = <usize>(ic * word(step, CONV_SRC_CHANNEL)) << 2;
  const lda = direct ? pixelBytes : <usize>k << 2;
  const tile = direct ? scratch : scratch + <usize>blockRows * lda;
  const ldc = <usize>word(step, CONV_DST_PIXEL) << 2, channelBytes = <usize>word(step, CONV_DST_CHANNEL) << 2;
  const panelBytes = <usize>(k + 1) << 5;
  for (let n = 0; n < batch; n++) {
    const image = base + <usize>word(step, CONV_SRC) + ((<usize>n * <usize>word(step, CONV_SRC_BATCH)) << 2);
    const result = base + <usize>word(step, CONV_DST) + ((<usize>n * <usize>word(step, CONV_DST_BATCH)) << 2);
    let weights = base + <usize>word(step, CONV_WEIGHTS);
    for (let g = 0; g < groups; g++) {
      const src = image + <usize>g * groupBytes;
      for (let first = 0; first < pixels; first += blockRows) {
        const rows = min(blockRows, pixels - first);
        let a = scratch;
        if (direct) a = src + <usize>first * pixelBytes;
        else packF32Rows(step, src, scratch, first, rows);
        let b = weights;
        const ahead = fetchesAhead(rows) && channelBytes == 4;
        for (let column = 0; column < oc; column += 8) {
          const c = result + <usize>first * ldc + <usize>(g * oc + column) * channelBytes;
          if (first == 0 && (!ahead || column == 0)) touchPanel(b, panelBytes);
          const next = !ahead ? b : column + 8 < oc ? b + panelBytes : weights;
          if (channelBytes == 4 && column + 8 <= oc) f32Gemm(rows, k, a, lda, b, c, ldc, step, next);
          else if (!COMPACT && channelBytes == 4 && oc - column <= 4) f32_gemm_6x4(rows, k, a, lda, b, c, ldc, step, oc - column);
          else scatter(step, rows, k, a, lda, b, c, tile, min(oc - column, 8));
          b += panelBytes;
        }
      }
      weights += <usize>((oc + 7) >> 3) * panelBytes;
    }
  }
}

/** One panel through the tile in scratch: `lanes` columns of every row, at the destination's own strides. */
function scatter(step: usize, rows: i32, k: i32, a: usize, lda: usize, b: usize, c: usize, tile: usize, lanes: i32): void {
  const ldc = <usize>word(step, CONV_DST_PIXEL) << 2, channelBytes = <usize>word(step, CONV_DST_CHANNEL) << 2;
  for (let first = 0; first < rows; first += F32_TILE_ROWS) {
    const count = min(rows - first, F32_TILE_ROWS);
    f32Gemm(count, k, a, lda, b, tile, 32, step, b);
    let from = tile;
    for (let r = 0; r < count; r++) {
      let to = c;
      for (let lane: usize = 0; lane < <usize>lanes; lane++) {
        store<f32>(to, load<f32>(from + (lane << 2)));
        to += channelBytes;
      }
      from += 32;
      c += ldc;
    }
    a += <usize>F32_TILE_ROWS * lda;
  }
}
