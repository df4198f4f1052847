// What F32_DWCONV and QS8_DWCONV share: proof that a depthwise step stays inside its operands, and which columns need no clipping.
// In: a hostile DW step. Out: verify.ts is told every byte the kernels read and write, and the work.
// Must not know element arithmetic: element bytes and weight layouts are parameters.

import {
  DW_BATCH, DW_C, DW_DH, DW_DST, DW_DST_BATCH, DW_DST_PIXEL, DW_DST_ROW, DW_DW, DW_IH, DW_IW, DW_KH, DW_KW, DW_OH, DW_OW, DW_PL,
  DW_PT, DW_SH, DW_SRC, DW_SRC_BATCH, DW_SRC_PIXEL, DW_SRC_ROW, DW_SW,
} from "../abi.ts";
import { addWork, positive, reads, require, stride, times, word, writes } from "../verify.ts";
import { verifyAxis } from "./conv.ts";

/** KH*KW, small enough for i32 loops. */
export function taps(step: usize): i64 { return times(positive(step, DW_KH), positive(step, DW_KW)); }

/** Everything except weights. Work: BATCH*OH*OW*KH*KW*ceil(C/blockChannels). */
export function verifyDwconv(step: usize, elementBytes: i64, blockChannels: i64): void {
  const batch = positive(step, DW_BATCH), channels = positive(step, DW_C);
  const ih = positive(step, DW_IH), iw = positive(step, DW_IW), oh = positive(step, DW_OH), ow = positive(step, DW_OW);
  verifyAxis(ih, oh, positive(step, DW_KH), positive(step, DW_SH), positive(step, DW_DH), <i64>word(step, DW_PT));
  verifyAxis(iw, ow, positive(step, DW_KW), positive(step, DW_SW), positive(step, DW_DW), <i64>word(step, DW_PL));
  const srcSpan = times(batch - 1, stride(step, DW_SRC_BATCH)) + times(ih - 1, stride(step, DW_SRC_ROW))
    + times(iw - 1, stride(step, DW_SRC_PIXEL)) + channels;
  reads(word(step, DW_SRC), times(srcSpan, elementBytes));
  const dstSpan = times(batch - 1, stride(step, DW_DST_BATCH)) + times(oh - 1, stride(step, DW_DST_ROW))
    + times(ow - 1, stride(step, DW_DST_PIXEL)) + channels;
  writes(word(step, DW_DST), times(dstSpan, elementBytes));
  const blocks = (channels + blockChannels - 1) / blockChannels;
  require(taps(step) <= <i64>i32.MAX_VALUE);
  addWork(times(times(times(batch, times(oh, ow)), taps(step)), blocks));
}

/** First output position whose whole window starts inside: ceil(pad/stride), at most `outputs`. */
// @ts-ignore: decorator
@inline export function insideFrom(outputs: i32, stride: i32, pad: i32): i32 {
  return pad <= 0 ? 0 : min((pad - 1) / stride + 1, outputs);
}
/** One past the last output position whose whole window ends inside, at least `from`. */
// @ts-ignore: decorator
@inline export function insideTo(from: i32, outputs: i32, inputs: i32, stride: i32, pad: i32, windowSpan: i32): i32 {
  const room = inputs + pad - windowSpan;
  return room < 0 ? from : max(from, min(room / stride + 1, outputs));
}
