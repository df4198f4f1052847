// Gather and gather-ND: copies runs of bytes that int32 indices name at run time.
// In: one X_GATHER step. Out: dst dense, OUTER × COUNT × INNER_BYTES. Exact.
// Indices come from the arena and are hostile: each is read once and clamped before use. src and dst must not overlap.
// Must not know dtypes.

import {
  GATHER_AXIS, GATHER_AXIS_BYTES, GATHER_COUNT, GATHER_DEPTH, GATHER_DST, GATHER_INDICES, GATHER_INNER_BYTES, GATHER_OUTER,
  GATHER_SRC, GATHER_SRC_OUTER_BYTES,
} from "../abi.ts";
import { addWork, inRange, positive, reads, stride, times, word, writes } from "../verify.ts";
import { copyBytes } from "./x-copy.ts";

/** Work: OUTER*COUNT*(DEPTH + INNER_BYTES). */
export function verifyXGather(step: usize): void {
  const outer = positive(step, GATHER_OUTER), count = positive(step, GATHER_COUNT), inner = positive(step, GATHER_INNER_BYTES);
  const depth = inRange(step, GATHER_DEPTH, 1, 4);
  let bytes = times(outer - 1, stride(step, GATHER_SRC_OUTER_BYTES)) + inner;
  for (let k: i64 = 0; k < depth; k++) {
    const o = <usize>k << 2;
    bytes += times(positive(step, o + GATHER_AXIS) - 1, stride(step, o + GATHER_AXIS_BYTES));
  }
  reads(word(step, GATHER_SRC), bytes);
  reads(word(step, GATHER_INDICES), times(count, depth * 4));
  writes(word(step, GATHER_DST), times(times(outer, count), inner));
  addWork(times(times(outer, count), depth + inner));
}

export function xGather(step: usize, base: usize): void {
  const count = load<i32>(step, GATHER_COUNT), depth = load<i32>(step, GATHER_DEPTH), inner = load<i32>(step, GATHER_INNER_BYTES);
  const indices = base + <usize>load<i32>(step, GATHER_INDICES);
  let src = base + <usize>load<i32>(step, GATHER_SRC), dst = base + <usize>load<i32>(step, GATHER_DST);
  for (let o = load<i32>(step, GATHER_OUTER); o > 0; o--) {
    for (let m = 0; m < count; m++) {
      let from = src;
      for (let k = 0; k < depth; k++) {
        const axis = load<i32>(step + <usize>(k << 2), GATHER_AXIS);
        let i = load<i32>(indices + <usize>(m * depth + k << 2));
        if (i < 0) i += axis;
        i = min<i32>(max<i32>(i, 0), axis - 1);
        from += <usize>(i * load<i32>(step + <usize>(k << 2), GATHER_AXIS_BYTES));
      }
      copyBytes(dst, from, inner);
      dst += <usize>inner;
    }
    src += <usize>load<i32>(step, GATHER_SRC_OUTER_BYTES);
  }
}
