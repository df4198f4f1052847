// Tables on stdout, written in two passes: the first finds the columns' widths, the second writes. Numbers stand right.
// In: text, and where cells and rows end. Out: aligned text. Must not know what stands in the cells.

import { unpackWord, unpackedBytes } from "../literal.ts";
import { drop, endLine, fixed, integer, mark, marked, padStart, put } from "./print.ts";

const MOST_COLUMNS: usize = 8;
const widths: usize = memory.data(32, 4);
let isWriting: bool = false;
let column: i32 = 0;
/** Spaces owed to the column on the left: none are written at a line's end. */
let pending: i32 = 0;

/** `pass` 0 measures, 1 writes. */
export function beginTable(pass: i32): void {
  isWriting = pass > 0;
  if (!isWriting) memory.fill(widths, 0, 4 * MOST_COLUMNS);
  mark();
}
export function endRow(): void {
  if (isWriting) endLine();
  column = pending = 0;
  mark();
}

/** What was written since the last cell is one. */
export function endCell(isNumber: bool = false): void {
  const width = widths + <usize>(column << 2), length = marked(), room = load<i32>(width) - length;
  if (!isWriting) {
    store<i32>(width, max(load<i32>(width), length));
    drop();
  } else {
    if (column > 0) pending += 2;
    if (isNumber || length == 0) pending += room;
    if (length > 0) {
      padStart(length + pending);
      pending = isNumber ? 0 : room;
    }
  }
  column++;
  mark();
}

/** The columns' names, of which those of `numbers`, a bit each, stand right; "_" in a name stands for a space. */
export function headRow(names: string, numbers: i32): void {
  for (let i = 0; ; i++) {
    const from = unpackWord(names, i), end = from + unpackedBytes();
    if (from == end) break;
    for (let at = from; at < end; at++) put(load<u8>(at) == 0x5f ? 0x20 : load<u8>(at));
    endCell((numbers >> i & 1) != 0);
  }
  endRow();
}
export function numberCell(n: i32): void {
  integer(n);
  endCell(true);
}
/** As toFixed(digits). */
export function fixedCell(x: f64, digits: i32): void {
  fixed(x, digits);
  endCell(true);
}
