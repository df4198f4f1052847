// Names, types and shapes of a plan's records as text. In: records of the plan format. Out: text on stdout. Must not know commands.

import { IO_DIMS, IO_DTYPE, IO_HAS_SCALE, IO_LAYOUT, IO_NAME_BYTES, IO_RANK, IO_SCALE, IO_ZERO_POINT } from "../abi.ts";
import { nameOf } from "../opened-plan.ts";
import { integer, jsonString, number, printable, put, text, textWord } from "./print.ts";

/** In the order of abi.ts, from 1 on. */
const DTYPES = "float32 int8 uint8 int32 int64 bool";
export function dtypeText(dtype: i32): void { textWord(DTYPES, dtype - 1); }
export function jsonDtype(dtype: i32): void { jsonWord("dtype", DTYPES, dtype - 1); }

/** Numbers of 4 bytes at `at`, for example the dimensions of a record. */
function list(at: usize, count: i32, between: string): void {
  for (let i = 0; i < count; i++) {
    if (i > 0) text(between);
    integer(load<i32>(at + <usize>(i << 2)));
  }
}
/** "[1, 224, 224, 3]" */
export function shape(record: usize): void {
  put(0x5b);
  list(record + IO_DIMS, load<i32>(record, IO_RANK), ", ");
  put(0x5d);
}
/** `,"key":[1,224,224,3]` from the record's words at `at`. */
export function jsonDims(key: string, record: usize, at: usize): void {
  jsonKey(key);
  put(0x5b);
  list(record + at, load<i32>(record, IO_RANK), ",");
  put(0x5d);
}
/** `,"key":` */
export function jsonKey(key: string): void {
  text(",\"");
  text(key);
  text("\":");
}
export function jsonNumber(key: string, value: f64): void {
  jsonKey(key);
  number(value);
}
export function jsonWord(key: string, words: string, index: i32): void {
  jsonKey(key);
  put(0x22);
  textWord(words, index);
  put(0x22);
}
/** A name of the plan's strings: `at` is where its address and length stand in the record. */
export function jsonName(key: string, plan: usize, record: usize, at: usize): void {
  jsonKey(key);
  jsonString(nameOf(plan, record + at), load<usize>(record + at, IO_NAME_BYTES));
}

/** `name dtype [shape]` */
export function nameAndType(plan: usize, record: usize, between: string): void {
  printable(nameOf(plan, record), load<usize>(record, IO_NAME_BYTES), 60);
  text(between);
  dtypeText(load<i32>(record, IO_DTYPE));
  text(between);
  shape(record);
}

export const LAYOUTS = "NHWC NCHW";
/** Position in LAYOUTS where the layout means something: 4-D, and the plan says so. Otherwise below 0. */
export function layoutOf(record: usize): i32 { return load<i32>(record, IO_RANK) == 4 ? load<i32>(record, IO_LAYOUT) - 1 : -1; }

export function jsonIo(plan: usize, record: usize, type: string, index: i32): void {
  text("{\"type\":\"");
  text(type);
  put(0x22);
  jsonNumber("index", index);
  jsonName("name", plan, record, 0);
  jsonDtype(load<i32>(record, IO_DTYPE));
  jsonDims("shape", record, IO_DIMS);
  if (layoutOf(record) >= 0) jsonWord("layout", LAYOUTS, layoutOf(record));
  else text(",\"layout\":null");
  jsonKey("quantization");
  if (load<u32>(record, IO_HAS_SCALE) == 0) text("null");
  else {
    text("{\"scale\":");
    number(<f64>load<f32>(record, IO_SCALE));
    jsonNumber("zeroPoint", load<i32>(record, IO_ZERO_POINT));
    put(0x7d);
  }
  put(0x7d);
}
