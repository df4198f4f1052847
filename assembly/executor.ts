// The executor: init() verifies a plan once, run() walks its steps and calls kernels. One `case` line per opcode.
// In: a plan copied to `base` (64-byte aligned) with its arena behind it. Out: tensors in the arena.
// Must not know any model: everything about it was decided when the plan was compiled.

import {
  ABI_VERSION, BAD_HEADER, BAD_OPCODE, BAD_STEP_BYTES, BAD_WORK, HEADER_ARENA_BYTES, HEADER_BYTES, HEADER_MAGIC, HEADER_PLAN_BYTES,
  HEADER_STEPS_AT, HEADER_STEPS_BYTES, HEADER_STEP_COUNT, HEADER_VERSION, HEADER_WEIGHTS_AT, HEADER_WEIGHTS_BYTES, HEADER_WORK, OK,
  OPCODE_COUNT, PLAN_ALIGN, PLAN_MAGIC, SLACK_BYTES, STEP_BYTES, STEP_OPCODE,
  F32_BINARY, F32_CONV, F32_DWCONV, F32_POOL, F32_REDUCE, F32_RESIZE, F32_SOFTMAX, F32_UNARY, I32_BINARY, QS8_BINARY, QS8_CONV,
  QS8_DWCONV, QS8_LUT, QS8_MATMUL, QS8_POOL, QS8_REDUCE, QS8_RESIZE, QS8_SOFTMAX, X_ARGMAX, X_CONVERT, X_COPY, X_GATHER,
  X_RESIZE_NEAREST,
} from "./abi.ts";
import { beginVerify, failure, totalWork } from "./verify.ts";
// Kernel files follow the pattern verifyF32Conv(step), f32Conv(step, base).

let failedStep: i32 = -1;

export function abiVersion(): i32 { return ABI_VERSION; }
/** Index of the step that init() refused, or -1 when the header was at fault. */
export function refusedStep(): i32 { return failedStep; }
