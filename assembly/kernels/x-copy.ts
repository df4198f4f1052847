// Copies elements of 1, 2, 4 or 8 bytes from one nest to another: pad, concat, slice, split, transpose, broadcast, shuffle.
// In: one X_COPY step. Out: dst[i] = src[i] over 6 dims; source strides may be negative or 0. Exact.
// Loads and stores touch the operands only. src and dst must not overlap.
// Must not know dtypes or layouts.

import {
  COPY_DIMS, COPY_DST, COPY_DST_STRIDES, COPY_ELEMENT_BYTES, COPY_SRC, COPY_SRC_STRIDES, NEST_RANK,
} from "../abi.ts";
import { addWork, nestCount, nestSpan, positive, reads, require, times, word, writes } from "../verify.ts";
import { nestNext, nestOffset, nestStart, spreads, storeBytes } from "../nest.ts";

/** Work: product of DIMS. */
export function verifyXCopy(step: usize): void {
  const bytes = word(step, COPY_ELEMENT_BYTES);
  require(bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8);
  spreads(step, COPY_DIMS, COPY_DST_STRIDES, NEST_RANK);
  let below: i64 = 0, above: i64 = 0; // elements before and after the first one
  for (let i = 0; i < NEST_RANK; i++) {
    const o = <usize>(i << 2), last = positive(step, o + COPY_DIMS) - 1, move = <i64>word(step, o + COPY_SRC_STRIDES);
    if (move < 0) below += times(last, -move);
    else above += times(last, move);
  }
  const from = <i64>word(step, COPY_SRC) - times(below, bytes);
  require(from >= 0);
  reads(from >= 0 ? <i32>from : 0, times(below + above + 1, bytes));
  writes(word(step, COPY_DST), times(nestSpan(step, COPY_DIMS, COPY_DST_STRIDES), bytes));
  addWork(nestCount(step, COPY_DIMS));
}

/** Copies a dense run; short runs are not worth the engine's memory.copy. */
export function copyBytes(dst: usize, src: usize, bytes: i32): void {
  if (bytes >= 512) { memory.copy(dst, src, <usize>bytes); return; }
  for (; bytes >= 16; bytes -= 16) {
    v128.store(dst, v128.load(src));
    src += 16;
    dst += 16;
  }
  if (bytes & 8) { store<u64>(dst, load<u64>(src)); src += 8; dst += 8; }
  if (bytes & 4) { store<u32>(dst, load<u32>(src)); src += 4; dst += 4; }
  if (bytes & 2) { store<u16>(dst, load<u16>(src)); src += 2; dst += 2; }
  if (bytes & 1) store<u8>(dst, load<u8>(src));
}

/** Fills a dense run with one element. */
function fill(dst: usize, src: usize, bytes: i32, elementBytes: i32): void {
  const v = elementBytes == 1 ? v128.load8_splat(src) : elementBytes == 2 ? v128.load16_splat(src)
    : elementBytes == 4 ? v128.load32_splat(src) : v128.load64_splat(src);
  for (; bytes > 0; bytes -= 16) {
    storeBytes(dst, v, bytes);
    dst += 16;
  }
}

/** A row with any strides (in bytes), four elements at a time. */
// @ts-ignore: decorator
@inline function strided<T>(dst: usize, src: usize, count: i32, dstStep: usize, srcStep: usize): void {
  const dst2 = dstStep + dstStep, src2 = srcStep + srcStep, dst3 = dst2 + dstStep, src3 = src2 + srcStep;
  for (; count >= 4; count -= 4) {
    store<T>(dst, load<T>(src));
    store<T>(dst + dstStep, load<T>(src + srcStep));
    store<T>(dst + dst2, load<T>(src + src2));
    store<T>(dst + dst3, load<T>(src + src3));
    src += src2 + src2;
    dst += dst2 + dst2;
  }
  for (; count > 0; count--) {
    store<T>(dst, load<T>(src));
    src += srcStep;
    dst += dstStep;
  }
}
function stridedRow(dst: usize, src: usize, count: i32, dstStep: i32, srcStep: i32, elementBytes: i32): void {
  if (elementBytes == 4) strided<u32>(dst, src, count, <usize>dstStep, <usize>srcStep);
  else if (elementBytes == 1) strided<u8>(dst, src, count, <usize>dstStep, <usize>srcStep);
  else if (elementBytes == 8) strided<u64>(dst, src, count, <usize>dstStep, <usize>srcStep);
  else strided<u16>(dst, src, count, <usize>dstStep, <usize>srcStep);
}

/** 4×4 words: row i of dst is column i of src. */
// @ts-ignore: decorator
@inline function transpose4(dst: usize, src: usize, dstRow: i32, srcColumn: i32): void {
  const a = v128.load(src), b = v128.load(src + <usize>srcColumn);
  const c = v128.load(src + <usize>(2 * srcColumn)), d = v128.load(src + <usize>(3 * srcColumn));
  const ab = i32x4.shuffle(a, b, 0, 4, 1, 5), cd = i32x4.shuffle(c, d, 0, 4, 1, 5);
  const efab = i32x4.shuffle(a, b, 2, 6, 3, 7), efcd = i32x4.shuffle(c, d, 2, 6, 3, 7);
  v128.store(dst, i64x2.shuffle(ab, cd, 0, 2));
  v128.store(dst + <usize>dstRow, i64x2.shuffle(ab, cd, 1, 3));
  v128.store(dst + <usize>(2 * dstRow), i64x2.shuffle(efab, efcd, 0, 2));
  v128.store(dst + <usize>(3 * dstRow), i64x2.shuffle(efab, efcd, 1, 3));
}

/** rows × columns words; dst is dense along columns, src along rows. Steps in bytes. */
function transposeWords(dst: usize, src: usize, rows: i32, columns: i32, dstRow: i32, srcColumn: i32): void {
  let r = 0;
  for (; r + 4 <= rows; r += 4) {
    let c = 0;
    for (; c + 4 <= columns; c += 4) {
      transpose4(dst + <usize>(r * dstRow + (c << 2)), src + <usize>(c * srcColumn + (r << 2)), dstRow, srcColumn);
    }
    for (; c < columns; c++) stridedRow(dst + <usize>(r * dstRow + (c << 2)), src + <usize>(c * srcColumn + (r << 2)), 4, dstRow, 4, 4);
  }
  for (; r < rows; r++) stridedRow(dst + <usize>(r * dstRow), src + <usize>(r << 2), columns, 4, srcColumn, 4);
}

/** a0 b0 a1 b1 … from two dense rows of words or bytes: the channel shuffle of two groups. */
function interleave(dst: usize, a: usize, b: usize, count: i32, elementBytes: i32): void {
  const vector = elementBytes == 4 ? 4 : 16;
  for (; count >= vector; count -= vector) {
    const va = v128.load(a), vb = v128.load(b);
    if (elementBytes == 4) {
      v128.store(dst, i32x4.shuffle(va, vb, 0, 4, 1, 5));
      v128.store(dst, i32x4.shuffle(va, vb, 2, 6, 3, 7), 16);
    } else {
      v128.store(dst, i8x16.shuffle(va, vb, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
      v128.store(dst, i8x16.shuffle(va, vb, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), 16);
    }
    a += 16;
    b += 16;
    dst += 32;
  }
  stridedRow(dst, a, count, elementBytes << 1, elementBytes, elementBytes);
  stridedRow(dst + <usize>elementBytes, b, count, elementBytes << 1, elementBytes, elementBytes);
}

/** The two innermost dims; steps in bytes. */
function plane(
  dst: usize, src: usize, rows: i32, columns: i32, dstRow: i32, dstColumn: i32, srcRow: i32, srcColumn: i32, elementBytes: i32,
): void {
  const rowBytes = columns * elementBytes;
  if (dstColumn == elementBytes && srcColumn == elementBytes) {
    if (dstRow == rowBytes && srcRow == rowBytes) { copyBytes(dst, src, rows * rowBytes); return; }
    for (let r = 0; r < rows; r++) copyBytes(dst + <usize>(r * dstRow), src + <usize>(r * srcRow), rowBytes);
  } else if (dstColumn == elementBytes && srcColumn == 0) {
    for (let r = 0; r < rows; r++) fill(dst + <usize>(r * dstRow), src + <usize>(r * srcRow), rowBytes, elementBytes);
  } else if (rows == 2 && dstRow == elementBytes && dstColumn == 2 * elementBytes && srcColumn == elementBytes && (elementBytes & 5) != 0) {
    interleave(dst, src, src + <usize>srcRow, columns, elementBytes);
  } else if (elementBytes == 4 && columns > 3 && dstColumn == 4 && srcRow == 4) {
    transposeWords(dst, src, rows, columns, dstRow, srcColumn);
  } else {
    for (let r = 0; r < rows; r++) {
      stridedRow(dst + <usize>(r * dstRow), src + <usize>(r * srcRow), columns, dstColumn, srcColumn, elementBytes);
    }
  }
}

export function xCopy(step: usize, base: usize): void {
  const bytes = load<i32>(step, COPY_ELEMENT_BYTES);
  const rows = load<i32>(step, COPY_DIMS + 16), columns = load<i32>(step, COPY_DIMS + 20);
  const srcRow = load<i32>(step, COPY_SRC_STRIDES + 16) * bytes, srcColumn = load<i32>(step, COPY_SRC_STRIDES + 20) * bytes;
  const dstRow = load<i32>(step, COPY_DST_STRIDES + 16) * bytes, dstColumn = load<i32>(step, COPY_DST_STRIDES + 20) * bytes;
  // The longer of the two dims becomes the inner loop, unless the inner one is dense already.
  const turn = columns == 1 || (dstRow == bytes && srcRow != bytes) || (columns < rows && columns < 4 && srcColumn != bytes);
  nestStart();
  do {
    const src = base + <usize>load<i32>(step, COPY_SRC) + <usize>(nestOffset(step, COPY_SRC_STRIDES) * bytes);
    const dst = base + <usize>load<i32>(step, COPY_DST) + <usize>(nestOffset(step, COPY_DST_STRIDES) * bytes);
    if (turn) plane(dst, src, columns, rows, dstColumn, dstRow, srcColumn, srcRow, bytes);
    else plane(dst, src, rows, columns, dstRow, dstColumn, srcRow, srcColumn, bytes);
  } while (nestNext(step, COPY_DIMS));
}
