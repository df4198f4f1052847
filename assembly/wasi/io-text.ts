// Names, types and shapes of a plan's records as text. In: records of the plan format. Out: text on stdout. Must not know commands.

import { DTYPE_F32, DTYPE_I32, DTYPE_I64, DTYPE_I8, DTYPE_U8, IO_DIMS, IO_DTYPE, IO_HAS_SCALE, IO_LAYOUT, IO_NAME_BYTES, IO_RANK, IO_SCALE, IO_ZERO_POINT } from "../abi.ts";
import { lengthOfLiteral } from "../literal.ts";
import { nameOf } from "../opened-plan.ts";
import { integer, jsonString, number, printable, put, text } from "./print.ts";

export function dtypeName(dtype: i32): string {
  return dtype == DTYPE_F32 ? "float32" : dtype == DTYPE_I8 ? "int8" : dtype == DTYPE_U8 ? "uint8" : dtype == DTYPE_I32 ? "int32" : dtype == DTYPE_I64 ? "int64" : "bool";
}

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
export function jsonText(key: string, value: string): void {
  jsonKey(key);
  put(0x22);
  text(value);
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
  text(dtypeName(load<i32>(record, IO_DTYPE)));
  text(between);
  shape(record);
}

/** The layout where it means something: 4-D, and the plan says so. */
export function layoutName(record: usize): string {
  const layout = load<i32>(record, IO_RANK) == 4 ? load<i32>(record, IO_LAYOUT) : 0;
  return layout == 1 ? "NHWC" : layout == 2 ? "NCHW" : "";
}

export function jsonIo(plan: usize, record: usize, type: string, index: i32): void {
  text("{\"type\":\"");
  text(type);
  put(0x22);
  jsonNumber("index", index);
  jsonName("name", plan, record, 0);
  jsonText("dtype", dtypeName(load<i32>(record, IO_DTYPE)));
  jsonDims("shape", record, IO_DIMS);
  const layout = layoutName(record);
  if (lengthOfLiteral(layout) > 0) jsonText("layout", layout);
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
