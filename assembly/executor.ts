// The executor: init() verifies a plan once, run() walks its steps.
// In: a plan copied to `base` (64-byte aligned) with its arena behind it. Out: tensors in the arena.
// Must not know any model: everything about it was decided when the plan was compiled.

import {
  ABI_VERSION, BAD_HEADER, BAD_OPCODE, BAD_STEP_BYTES, BAD_WORK, HEADER_ARENA_BYTES, HEADER_DOT_MODE, HEADER_STEPS_AT, HEADER_STEPS_BYTES,
  HEADER_STEP_COUNT, HEADER_WEIGHTS_AT, HEADER_WORK, OK, PLAN_ALIGN, STEP_BYTES, STEP_OPCODE,
} from "./abi.ts";
import { dotMode, setDotMode } from "./simd.ts";
import { beginVerify, failure, totalWork } from "./verify.ts";
import { headerIsSound, recordsAreSound } from "./plan-tables.ts";
import { runStep, stepBytes, verifyStep } from "./steps.ts";

export { dotMode, setDotMode } from "./simd";
export { probeDot } from "./probe";
export { peakF32, peakF32Operations, peakI8, peakI8Operations } from "./peak";
// asc takes no .ts in `export … from`. Tiles are exported so that each stays a function of its own: tiered up, profiled and checked
// for spills by name.
export { f32_gemm_1x8, f32_gemm_4x8, f32_gemm_5x8, f32_gemm_6x4, f32_gemm_6x8 } from "./kernels/f32-gemm";
export { qs8_gemm_1x8, qs8_gemm_1x8_pairs, qs8_gemm_4x8, qs8_gemm_6x8 } from "./kernels/qs8-gemm";
export { f32_dwconv_1 } from "./kernels/f32-dwconv";
export { f32_dwconv_3s1x4, f32_dwconv_3s1x8, f32_dwconv_3s2x4, f32_dwconv_5s1x4, f32_dwconv_5s1x7, f32_dwconv_5s2x4 } from "./kernels/f32-dwconv-tiles";
export { f32_winograd_input, f32_winograd_output } from "./kernels/f32-winograd-tiles";
export { f32_maxpool_3s2x4 } from "./kernels/f32-pool-tiles";
export { qs8_dwconv_1 } from "./kernels/qs8-dwconv";
export { qs8_dwconv_x4 } from "./kernels/qs8-dwconv-window";
export { qs8_dwconv_3s1 } from "./kernels/qs8-dwconv-pairs";
export { qs8_dwconv_dot_3s1, qs8_dwconv_dot_3s2 } from "./kernels/qs8-dwconv-dot";

let failedStep: i32 = -1;

export function abiVersion(): i32 { return ABI_VERSION; }
/** Index of the step that init() refused, or -1 when the header, the records or the total was at fault. */
export function refusedStep(): i32 { return failedStep; }
/** Work of the plan that init() verified last. */
export function planWork(): f64 { return totalWork(); }

/**
 * Verifies the plan at `base`, for the dot mode that was set or DOT_I16 where its weights ask for that, and clears its arena. `memoryBytes` counts from address 0. Returns OK or an error code of abi.ts.
 * The checksum is the host's job.
 */
export function init(base: usize, planBytes: u32, memoryBytes: u32): i32 {
  failedStep = -1;
  const memoryTo = min(<i64>memoryBytes, <i64>memory.size() << 16);
  if (base % PLAN_ALIGN != 0 || !headerIsSound(base, <i64>planBytes, memoryTo - <i64>base) || !recordsAreSound(base)) return BAD_HEADER;
  const arenaBytes = load<u32>(base, HEADER_ARENA_BYTES);
  beginVerify(base, load<u32>(base, HEADER_WEIGHTS_AT), planBytes, arenaBytes);
  const code = verifySteps(base + load<u32>(base, HEADER_STEPS_AT), load<u32>(base, HEADER_STEPS_BYTES), load<u32>(base, HEADER_STEP_COUNT));
  if (code != OK) return code;
  if (!(totalWork() <= load<f64>(base, HEADER_WORK))) return BAD_WORK;
  store<i32>(base, dotMode(), HEADER_DOT_MODE);
  memory.fill(base + planBytes, 0, arenaBytes);
  return OK;
}

/** Exactly `count` steps fill the section up to alignment; each one's own verifier agrees. */
function verifySteps(step: usize, sectionBytes: u32, count: u32): i32 {
  let left = sectionBytes;
  for (let i: u32 = 0; i < count; i++) {
    failedStep = <i32>i;
    if (left < 8) return BAD_STEP_BYTES;
    const bytes = stepBytes(load<i32>(step, STEP_OPCODE));
    if (bytes == 0) return BAD_OPCODE;
    if (load<u32>(step, STEP_BYTES) != bytes || bytes > left) return BAD_STEP_BYTES;
    verifyStep(step);
    if (failure() != OK) return failure();
    step += bytes;
    left -= bytes;
  }
  failedStep = -1;
  return left == 0 ? OK : BAD_HEADER;
}

/** Runs steps [first, end) of a plan that init() accepted. */
export function run(base: usize, first: i32, end: i32): void {
  setDotMode(load<i32>(base, HEADER_DOT_MODE)); // plans of one memory may differ in it
  let step = base + load<u32>(base, HEADER_STEPS_AT);
  const last = min(end, load<i32>(base, HEADER_STEP_COUNT));
  for (let i = 0; i < last; i++) {
    if (i >= first) runStep(step, base);
    step += load<u32>(step, STEP_BYTES);
  }
}
