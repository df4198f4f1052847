// `inspect`: what a plan consists of and costs, as the host's command prints it for .kgl files. In: an opened plan. Out: a table and
// totals, or one JSON object a line. Must not run the plan.

import {
  F32_BINARY, F32_CONV, F32_DWCONV, F32_LRN, F32_NORMALIZE, F32_POOL, F32_REDUCE, F32_RESIZE, F32_RESIZE_CUBIC, F32_SOFTMAX, F32_UNARY,
  F32_WINOGRAD, HEADER_ARENA_BYTES, HEADER_LIVE_BYTES, HEADER_MACS, HEADER_OUTPUT_COUNT, HEADER_PARAMS, HEADER_SHUFFLES, HEADER_STEPS_AT,
  HEADER_STEP_COUNT, HEADER_TRACES_AT, HEADER_WEIGHTS_BYTES, I32_BINARY, IO_HAS_SCALE, IO_SCALE, IO_ZERO_POINT, QS8_BINARY, QS8_CONV, QS8_DWCONV,
  QS8_LUT, QS8_MATMUL, QS8_POOL, QS8_REDUCE, QS8_RESIZE, QS8_SOFTMAX, STEP_BYTES, STEP_OPCODE, TRACE_ADDRESS, TRACE_BYTES, TRACE_COMPLETE,
  TRACE_DIMS, TRACE_DTYPE, TRACE_MACS, TRACE_NAME_AT, TRACE_NAME_BYTES, TRACE_OP_AT, TRACE_PARAMS, TRACE_RANK, TRACE_STRIDES, X_ARGMAX, X_CONVERT, X_COPY,
  X_GATHER, X_RESIZE_NEAREST,
} from "../abi.ts";
import { lengthOfLiteral } from "../literal.ts";
import { inputCount, ioRecord, nameOf } from "../opened-plan.ts";
import { OPTION_JSON, hasFlag, positional } from "./arguments.ts";
import { dtypeName, jsonDims, jsonIo, jsonKey, jsonName, jsonNumber, jsonText, layoutName, nameAndType, shape } from "./io-text.ts";
import { openModel } from "./model.ts";
import { endLine, fixed, grouped, integer, number, printable, printableLength, put, spaces, text } from "./print.ts";
import { dotName, tierName } from "./tier.ts";

/** The lower-case names of abi.ts's opcodes, as host/plan/kernel-names.ts has them. */
export function kernelName(opcode: i32): string {
  switch (opcode) {
    case F32_CONV: return "f32_conv";
    case QS8_CONV: return "qs8_conv";
    case F32_DWCONV: return "f32_dwconv";
    case QS8_DWCONV: return "qs8_dwconv";
    case F32_POOL: return "f32_pool";
    case QS8_POOL: return "qs8_pool";
    case F32_BINARY: return "f32_binary";
    case I32_BINARY: return "i32_binary";
    case QS8_BINARY: return "qs8_binary";
    case F32_UNARY: return "f32_unary";
    case QS8_LUT: return "qs8_lut";
    case X_COPY: return "x_copy";
    case X_GATHER: return "x_gather";
    case F32_REDUCE: return "f32_reduce";
    case QS8_REDUCE: return "qs8_reduce";
    case F32_SOFTMAX: return "f32_softmax";
    case QS8_SOFTMAX: return "qs8_softmax";
    case X_ARGMAX: return "x_argmax";
    case F32_RESIZE: return "f32_resize";
    case QS8_RESIZE: return "qs8_resize";
    case X_RESIZE_NEAREST: return "x_resize_nearest";
    case X_CONVERT: return "x_convert";
    case QS8_MATMUL: return "qs8_matmul";
    case F32_LRN: return "f32_lrn";
    case F32_NORMALIZE: return "f32_normalize";
    case F32_WINOGRAD: return "f32_winograd";
    case F32_RESIZE_CUBIC: return "f32_resize_cubic";
    default: return "";
  }
}

export function inspectCommand(): void {
  const plan = openModel(positional(1));
  if (hasFlag(OPTION_JSON)) printObjects(plan);
  else printForPeople(plan);
}

/** Step `index` and its trace record, of a walk from the first one on. */
let step: usize = 0;
let trace: usize = 0;
function firstStep(plan: usize): void {
  step = plan + load<u32>(plan, HEADER_STEPS_AT);
  trace = plan + load<u32>(plan, HEADER_TRACES_AT);
}
function nextStep(): void {
  step += load<u32>(step, STEP_BYTES);
  trace += TRACE_BYTES;
}

function printObjects(plan: usize): void {
  const inputs = inputCount(plan), outputs = load<i32>(plan, HEADER_OUTPUT_COUNT), steps = load<i32>(plan, HEADER_STEP_COUNT);
  for (let i = 0; i < inputs; i++) { jsonIo(plan, ioRecord(plan, i), "input", i); endLine(); }
  for (let i = 0; i < outputs; i++) { jsonIo(plan, ioRecord(plan, inputs + i), "output", i); endLine(); }
  firstStep(plan);
  for (let i = 0; i < steps; i++, nextStep()) jsonStep(plan, i);
  text("{\"type\":\"total\"");
  jsonNumber("macs", load<f64>(plan, HEADER_MACS));
  jsonNumber("params", load<f64>(plan, HEADER_PARAMS));
  jsonNumber("weightBytes", load<u32>(plan, HEADER_WEIGHTS_BYTES));
  jsonNumber("arenaBytes", load<u32>(plan, HEADER_ARENA_BYTES));
  jsonNumber("liveBytes", load<u32>(plan, HEADER_LIVE_BYTES));
  jsonNumber("steps", steps);
  jsonNumber("shuffles", load<u32>(plan, HEADER_SHUFFLES));
  jsonText("kernels", tierName());
  jsonText("dot", dotName());
  jsonNumber("threads", 1);
  jsonNumber("arenaRatio", arenaRatio(plan));
  put(0x7d);
  endLine();
}

function jsonStep(plan: usize, index: i32): void {
  text("{\"type\":\"step\"");
  jsonNumber("index", index);
  jsonNumber("opcode", load<i32>(step, STEP_OPCODE));
  jsonText("kernel", kernelName(load<i32>(step, STEP_OPCODE)));
  jsonName("op", plan, trace, TRACE_OP_AT);
  jsonName("name", plan, trace, TRACE_NAME_AT);
  jsonText("dtype", dtypeName(load<i32>(trace, TRACE_DTYPE)));
  jsonDims("shape", trace, TRACE_DIMS);
  jsonDims("strides", trace, TRACE_STRIDES);
  jsonNumber("address", load<u32>(trace, TRACE_ADDRESS));
  jsonKey("complete");
  text(isComplete() ? "true" : "false");
  jsonNumber("macs", load<f64>(trace, TRACE_MACS));
  jsonNumber("params", load<f64>(trace, TRACE_PARAMS));
  put(0x7d);
  endLine();
}

/** Whole, and not stored in reverse along any axis. */
function isComplete(): bool {
  for (let i: usize = 0; i < load<usize>(trace, TRACE_RANK); i++) {
    if (load<i32>(trace + (i << 2), TRACE_STRIDES) < 0 && load<i32>(trace + (i << 2), TRACE_DIMS) > 1) return false;
  }
  return load<u32>(trace, TRACE_COMPLETE) != 0;
}

function arenaRatio(plan: usize): f64 {
  const live = load<u32>(plan, HEADER_LIVE_BYTES);
  return live == 0 ? 1 : <f64>load<u32>(plan, HEADER_ARENA_BYTES) / <f64>live;
}


/** Widths of the columns # op kernel name output params MACs. */
const widths: usize = memory.data(28, 4);

/** Writes a cell (`write`) or widens its column to it. Numbers stand right. */
function cell(column: i32, length: i32, isNumber: bool, write: bool): bool {
  const width = widths + <usize>(column << 2);
  if (!write) { store<i32>(width, max(load<i32>(width), length)); return false; }
  if (column > 0) pending += 2;
  if (isNumber) pending += load<i32>(width) - length;
  spaces(pending);
  pending = isNumber ? 0 : load<i32>(width) - length;
  return true;
}
/** Spaces owed to the column on the left: none are written at a line's end. */
let pending: i32 = 0;

function wordCell(column: i32, word: string, isNumber: bool, write: bool): void { if (cell(column, lengthOfLiteral(word), isNumber, write)) text(word); }
function nameCell(column: i32, from: usize, bytes: usize, limit: i32, write: bool): void {
  if (cell(column, printableLength(from, bytes, limit), false, write)) printable(from, bytes, limit);
}
function fixedCell(column: i32, x: f64, digits: i32, write: bool): void {
  let power: f64 = 1, length = digits + 2;
  for (let i = 0; i < digits; i++) power *= 10;
  for (let whole = floor((x * power + 0.5)) / power; whole >= 10; whole /= 10) length++;
  if (cell(column, length, true, write)) fixed(x, digits);
}
function outputCell(column: i32, write: bool): void {
  const dtype = dtypeName(load<i32>(trace, TRACE_DTYPE)), rank = load<i32>(trace, TRACE_RANK);
  let length = lengthOfLiteral(dtype) + 3 + (isComplete() ? 0 : 2);
  for (let i = 0; i < rank; i++) length += digitsOf(load<i32>(trace + <usize>(i << 2), TRACE_DIMS)) + (i > 0 ? 2 : 0);
  if (!cell(column, length, false, write)) return;
  text(dtype);
  put(0x20);
  shape(trace);
  if (!isComplete()) text(" *");
}
function digitsOf(n: i32): i32 {
  let digits = 1;
  for (; n >= 10; n /= 10) digits++;
  return digits;
}

function headRow(write: bool): void {
  wordCell(0, "#", true, write);
  wordCell(1, "op", false, write);
  wordCell(2, "kernel", false, write);
  wordCell(3, "name", false, write);
  wordCell(4, "output", false, write);
  wordCell(5, "params k", true, write);
  wordCell(6, "MACs M", true, write);
  if (write) endLine();
  pending = 0;
}
function stepRow(plan: usize, index: i32, write: bool): void {
  if (cell(0, digitsOf(index), true, write)) integer(index);
  nameCell(1, nameOf(plan, trace + TRACE_OP_AT), load<usize>(trace + TRACE_OP_AT, TRACE_NAME_BYTES), 1 << 20, write);
  wordCell(2, kernelName(load<i32>(step, STEP_OPCODE)), false, write);
  nameCell(3, nameOf(plan, trace), load<usize>(trace, TRACE_NAME_BYTES), 48, write);
  outputCell(4, write);
  fixedCell(5, load<f64>(trace, TRACE_PARAMS) / 1e3, 2, write);
  fixedCell(6, load<f64>(trace, TRACE_MACS) / 1e6, 3, write);
  if (write) endLine();
  pending = 0;
}

/** First all widths, then all rows. */
function printSteps(plan: usize): void {
  for (let pass = 0; pass < 2; pass++) {
    headRow(pass > 0);
    firstStep(plan);
    for (let i = 0; i < load<i32>(plan, HEADER_STEP_COUNT); i++, nextStep()) stepRow(plan, i, pass > 0);
  }
  endLine();
}

function printForPeople(plan: usize): void {
  const inputs = inputCount(plan), outputs = load<i32>(plan, HEADER_OUTPUT_COUNT);
  printSteps(plan);
  for (let i = 0; i < inputs; i++) { text("input "); printIo(plan, i, i); }
  for (let i = 0; i < outputs; i++) { text("output "); printIo(plan, inputs + i, i); }
  text("plan                ");
  integer(load<i32>(plan, HEADER_STEP_COUNT));
  text(" steps, ");
  grouped(<i64>load<f64>(plan, HEADER_MACS));
  text(" MACs, ");
  grouped(<i64>load<f64>(plan, HEADER_PARAMS));
  text(" constants in ");
  grouped(load<u32>(plan, HEADER_WEIGHTS_BYTES));
  text(" weight bytes");
  endLine();
  text("arena bytes         ");
  grouped(load<u32>(plan, HEADER_ARENA_BYTES));
  text(", largest live sum ");
  grouped(load<u32>(plan, HEADER_LIVE_BYTES));
  text(" (arena / live ");
  fixed(arenaRatio(plan), 3);
  put(0x29);
  endLine();
  text("channel shuffles    ");
  integer(load<u32>(plan, HEADER_SHUFFLES));
  text(" recognised");
  endLine();
  text("kernels             ");
  text(tierName());
  text(", dot ");
  text(dotName());
  text(", 1 thread");
  endLine();
}
function printIo(plan: usize, index: i32, shown: i32): void {
  const record = ioRecord(plan, index), layout = layoutName(record);
  integer(shown);
  text(index == shown ? "             " : "            ");
  nameAndType(plan, record, "  ");
  if (lengthOfLiteral(layout) > 0) { spaces(2); text(layout); }
  if (load<u32>(record, IO_HAS_SCALE) != 0) {
    text("  scale ");
    number(<f64>load<f32>(record, IO_SCALE));
    text(" zero point ");
    integer(load<i32>(record, IO_ZERO_POINT));
  }
  endLine();
}
