// Any function of one int8 operand as a table of its 256 results.
// In: one QS8_LUT step. Out: dst = table[src + 128] over a nest of 6 dims. Exact.
// dst may be src at the same address and strides. Must not know what the table means.

import { LUT_DIMS, LUT_DST, LUT_DST_STRIDES, LUT_SRC, LUT_SRC_STRIDES, LUT_TABLE, NEST_RANK } from "../abi.ts";
import { addWork, nestCount, nestSpan, reads, readsConstant, word, writes } from "../verify.ts";
import { nestNext, nestOffset, nestStart, spreads } from "../nest.ts";

/** Work: product of DIMS. */
export function verifyQs8Lut(step: usize): void {
  spreads(step, LUT_DIMS, LUT_DST_STRIDES, NEST_RANK);
  readsConstant(word(step, LUT_TABLE), 256);
  reads(word(step, LUT_SRC), nestSpan(step, LUT_DIMS, LUT_SRC_STRIDES));
  writes(word(step, LUT_DST), nestSpan(step, LUT_DIMS, LUT_DST_STRIDES));
  addWork(nestCount(step, LUT_DIMS));
}

/** Both strides 1; `table` points at the result for 0. Four at a time keep the loop's bookkeeping small. */
function denseRow(src: usize, dst: usize, count: i32, table: usize): void {
  for (; count >= 4; count -= 4) {
    const b0 = load<u8>(table + <usize>load<i8>(src)), b1 = load<u8>(table + <usize>load<i8>(src, 1));
    const b2 = load<u8>(table + <usize>load<i8>(src, 2)), b3 = load<u8>(table + <usize>load<i8>(src, 3));
    store<u8>(dst, b0);
    store<u8>(dst, b1, 1);
    store<u8>(dst, b2, 2);
    store<u8>(dst, b3, 3);
    src += 4;
    dst += 4;
  }
  for (; count > 0; count--) store<u8>(dst++, load<u8>(table + <usize>load<i8>(src++)));
}

export function qs8Lut(step: usize, base: usize): void {
  const table = base + <usize>load<i32>(step, LUT_TABLE) + 128;
  const rows = load<i32>(step, LUT_DIMS + 16), count = load<i32>(step, LUT_DIMS + 20);
  const ss = load<i32>(step, LUT_SRC_STRIDES + 20), ds = load<i32>(step, LUT_DST_STRIDES + 20);
  nestStart();
  do {
    let src = base + <usize>load<i32>(step, LUT_SRC) + <usize>nestOffset(step, LUT_SRC_STRIDES);
    let dst = base + <usize>load<i32>(step, LUT_DST) + <usize>nestOffset(step, LUT_DST_STRIDES);
    for (let row = 0; row < rows; row++) {
      if (ss == 1 && ds == 1) denseRow(src, dst, count, table);
      else {
        for (let i = 0; i < count; i++) store<u8>(dst + <usize>(i * ds), load<u8>(table + <usize>load<i8>(src + <usize>(i * ss))));
      }
      src += <usize>load<i32>(step, LUT_SRC_STRIDES + 16);
      dst += <usize>load<i32>(step, LUT_DST_STRIDES + 16);
    }
  } while (nestNext(step, LUT_DIMS));
}
