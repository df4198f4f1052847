// What F32_CONV and QS8_CONV share: proof that a convolution step stays inside its operands.
// In: a hostile CONV step. Out: verify.ts is told every byte the drivers read and write, and the work.
// Must not know element arithmetic: element sizes and weight layouts are parameters.

import {
  CONV_BATCH, CONV_BLOCK_ROWS, CONV_DH, CONV_DIRECT, CONV_DST, CONV_DST_BATCH, CONV_DST_CHANNEL, CONV_DST_PIXEL, CONV_DW, CONV_GROUPS,
  CONV_IC, CONV_IH, CONV_IW, CONV_KH, CONV_KW, CONV_OC, CONV_OH, CONV_OW, CONV_PL, CONV_PT, CONV_SCRATCH, CONV_SCRATCH_BYTES, CONV_SH,
  CONV_SRC, CONV_SRC_BATCH, CONV_SRC_CHANNEL, CONV_SRC_PIXEL, CONV_SRC_ROW, CONV_SW,
} from "../abi.ts";
import { addWork, inRange, positive, reads, require, stride, times, word, writes } from "../verify.ts";

/** Window coordinates o*S - P + k*D stay below this in size, so the drivers compute them in i32. */
const COORDINATE_LIMIT: i64 = 1 << 30;

/** One axis: every coordinate the window visits, inside the input or not, fits i32. */
export function verifyAxis(inputs: i64, outputs: i64, kernel: i64, stride: i64, dilation: i64, pad: i64): void {
  const reach = times(outputs - 1, stride) + times(kernel - 1, dilation) + inputs + (pad < 0 ? -pad : pad);
  require(reach <= COORDINATE_LIMIT);
}

/** K = KH*KW*IC, the length of a packed row. */
export function rowLength(step: usize): i64 {
  return times(times(positive(step, CONV_KH), positive(step, CONV_KW)), positive(step, CONV_IC));
}

/** Panels of 8 output channels per group. */
export function panels(step: usize): i64 { return (positive(step, CONV_OC) + 7) >> 3; }

/** Everything except weights and scratch. Work: BATCH*OH*OW*GROUPS*K*(panels + 1), the 1 being the packing. */
export function verifyConv(step: usize, srcBytes: i64, dstBytes: i64): void {
  const batch = positive(step, CONV_BATCH), groups = positive(step, CONV_GROUPS);
  const ih = positive(step, CONV_IH), iw = positive(step, CONV_IW), oh = positive(step, CONV_OH), ow = positive(step, CONV_OW);
  verifyAxis(ih, oh, positive(step, CONV_KH), positive(step, CONV_SH), positive(step, CONV_DH), <i64>word(step, CONV_PT));
  verifyAxis(iw, ow, positive(step, CONV_KW), positive(step, CONV_SW), positive(step, CONV_DW), <i64>word(step, CONV_PL));
  const pixels = times(oh, ow);
  require(pixels <= COORDINATE_LIMIT);
  if (inRange(step, CONV_DIRECT, 0, 1) != 0) requireDirect(step);

  const srcSpan = 1 + times(batch - 1, stride(step, CONV_SRC_BATCH)) + times(ih - 1, stride(step, CONV_SRC_ROW))
    + times(iw - 1, stride(step, CONV_SRC_PIXEL))
    + times(times(groups, positive(step, CONV_IC)) - 1, stride(step, CONV_SRC_CHANNEL));
  reads(word(step, CONV_SRC), times(srcSpan, srcBytes));
  const dstSpan = 1 + times(batch - 1, stride(step, CONV_DST_BATCH)) + times(pixels - 1, stride(step, CONV_DST_PIXEL))
    + times(times(groups, positive(step, CONV_OC)) - 1, stride(step, CONV_DST_CHANNEL));
  writes(word(step, CONV_DST), times(dstSpan, dstBytes));
  addWork(times(times(times(batch, pixels), groups), times(rowLength(step), panels(step) + 1)));
}

/** Scratch of BLOCK_ROWS*rowBytes + fixed bytes is there and writable. */
export function verifyScratch(step: usize, rowBytes: i64, fixed: i64): void {
  require(positive(step, CONV_BLOCK_ROWS) % 12 == 0);
  const bytes = times(positive(step, CONV_BLOCK_ROWS), rowBytes) + fixed;
  require(bytes <= positive(step, CONV_SCRATCH_BYTES));
  writes(word(step, CONV_SCRATCH), positive(step, CONV_SCRATCH_BYTES));
}

/** Direct rows: output pixel r reads exactly the IC elements at r*SRC_PIXEL. */
function requireDirect(step: usize): void {
  require(word(step, CONV_KH) == 1 && word(step, CONV_KW) == 1 && word(step, CONV_SH) == 1 && word(step, CONV_SW) == 1);
  require(word(step, CONV_PT) == 0 && word(step, CONV_PL) == 0 && word(step, CONV_SRC_CHANNEL) == 1);
  require(word(step, CONV_OH) == word(step, CONV_IH) && word(step, CONV_OW) == word(step, CONV_IW));
  require(<i64>word(step, CONV_SRC_ROW) == times(positive(step, CONV_IW), stride(step, CONV_SRC_PIXEL)));
}
