// A plan's steps one after another, with what their records say. In: an opened plan. Out: the current step, cells and JSON about it.
// Must not run the plan.

import {
  HEADER_STEPS_AT, HEADER_STEP_COUNT, HEADER_TRACES_AT, STEP_BYTES, STEP_OPCODE, TRACE_ADDRESS, TRACE_BYTES, TRACE_COMPLETE, TRACE_DIMS, TRACE_DTYPE,
  TRACE_MACS, TRACE_NAME_AT, TRACE_NAME_BYTES, TRACE_OP_AT, TRACE_PARAMS, TRACE_RANK, TRACE_STRIDES,
} from "../abi.ts";
import { nameOf } from "../opened-plan.ts";
import { dtypeText, jsonDims, jsonDtype, jsonKey, jsonName, jsonNumber, jsonWord, shape } from "./io-text.ts";
import { printable, put, text, textWord } from "./print.ts";
import { endCell } from "./table.ts";

/** The lower-case names of abi.ts's opcodes from 1 on, as host/plan/kernel-names.ts has them. */
export const KERNELS = "f32_conv qs8_conv f32_dwconv qs8_dwconv f32_pool qs8_pool f32_binary i32_binary qs8_binary f32_unary qs8_lut x_copy x_gather f32_reduce qs8_reduce f32_softmax qs8_softmax x_argmax f32_resize qs8_resize x_resize_nearest x_convert qs8_matmul f32_lrn f32_normalize f32_winograd f32_resize_cubic";

/** Ops have short names; in a hostile plan they need not. */
const MOST_OP = 1000;

/** Index of the current step, its address and that of its record. */
export let stepIndex: i32 = 0;
export let step: usize = 0;
export let trace: usize = 0;
let left: i32 = 0;

export function firstStep(plan: usize): void {
  step = plan + load<u32>(plan, HEADER_STEPS_AT);
  trace = plan + load<u32>(plan, HEADER_TRACES_AT);
  stepIndex = 0;
  left = load<i32>(plan, HEADER_STEP_COUNT);
}
/** Whether there is a current step. */
export function isStep(): bool { return stepIndex < left; }
export function nextStep(): void {
  step += load<u32>(step, STEP_BYTES);
  trace += TRACE_BYTES;
  stepIndex++;
}
export function stepOpcode(): i32 { return load<i32>(step, STEP_OPCODE); }
export function stepMacs(): f64 { return load<f64>(trace, TRACE_MACS); }

/** The tensor is whole after the step, and not stored in reverse along any axis. */
export function isComplete(): bool {
  for (let i: usize = 0; i < load<usize>(trace, TRACE_RANK); i++) {
    if (load<i32>(trace + (i << 2), TRACE_STRIDES) < 0 && load<i32>(trace + (i << 2), TRACE_DIMS) > 1) return false;
  }
  return load<u32>(trace, TRACE_COMPLETE) != 0;
}

export function jsonStep(plan: usize): void {
  jsonNumber("index", stepIndex);
  jsonNumber("opcode", stepOpcode());
  jsonWord("kernel", KERNELS, stepOpcode() - 1);
  jsonName("op", plan, trace, TRACE_OP_AT);
  jsonName("name", plan, trace, TRACE_NAME_AT);
  jsonDtype(load<i32>(trace, TRACE_DTYPE));
  jsonDims("shape", trace, TRACE_DIMS);
  jsonDims("strides", trace, TRACE_STRIDES);
  jsonNumber("address", load<u32>(trace, TRACE_ADDRESS));
  jsonKey("complete");
  text(isComplete() ? "true" : "false");
  jsonNumber("macs", stepMacs());
  jsonNumber("params", load<f64>(trace, TRACE_PARAMS));
}

export function opCell(plan: usize): void { nameCell(plan, trace + TRACE_OP_AT, MOST_OP); }
/** The tensor's name in at most `limit` letters. */
export function tensorCell(plan: usize, limit: i32): void { nameCell(plan, trace, limit); }
function nameCell(plan: usize, record: usize, limit: i32): void {
  printable(nameOf(plan, record), load<usize>(record, TRACE_NAME_BYTES), limit);
  endCell();
}
export function kernelCell(opcode: i32): void {
  textWord(KERNELS, opcode - 1);
  endCell();
}
/** `float32 [1, 4]`, with a mark where the tensor is not complete and `marks`. */
export function outputCell(marks: bool): void {
  dtypeText(load<i32>(trace, TRACE_DTYPE));
  put(0x20);
  shape(trace);
  if (marks && !isComplete()) text(" *");
  endCell();
}
