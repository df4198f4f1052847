// `selftest`: whether this engine computes what the kernels mean, without any file. In: nothing. Out: a line per check; code 70 where one
// fails. Small convolutions of each kind go through the whole executor and are compared with plain loops over the same numbers:
// small integers, so that float32 is exact and one right answer exists. Must not know real networks.

import {
  ABI_VERSION, CONV_BATCH, CONV_BLOCK_ROWS, CONV_DIRECT, CONV_DST, CONV_DST_BATCH, CONV_DST_CHANNEL, CONV_DST_PIXEL, CONV_DW, CONV_IC,
  CONV_IW, CONV_MAX, CONV_MIN, CONV_OC, CONV_OUT_I32, CONV_OW, CONV_SCRATCH, CONV_SCRATCH_BYTES, CONV_SRC,
  CONV_SRC_BATCH, CONV_SRC_CHANNEL, CONV_SRC_PIXEL, CONV_SRC_ROW, CONV_STEP_BYTES, CONV_WEIGHTS, F32_CONV, HEADER_ARENA_BYTES, HEADER_BYTES,
  HEADER_IO_AT, HEADER_MAGIC, HEADER_PLAN_BYTES, HEADER_STEPS_AT, HEADER_STEPS_BYTES, HEADER_STEP_COUNT, HEADER_STRINGS_AT, HEADER_TRACES_AT, HEADER_VERSION,
  HEADER_WEIGHTS_AT, HEADER_WEIGHTS_BYTES, HEADER_WORK, OK, PLAN_MAGIC, QS8_CONV, QS8_PANEL_HEAD, STEP_BYTES, STEP_OPCODE, TRACE_DTYPE,
} from "../abi.ts";
import { release } from "../blocks.ts";
import { init, run } from "../executor";
import { INTERNAL, fault } from "../fault.ts";
import { chooseDotMode } from "../opened-plan.ts";
import { allocateOrStop } from "./files.ts";
import { endLine, orStop, text } from "./print.ts";
import { tierText } from "./tier.ts";

/** 1x1 convolutions with tails in rows, channels and depth: 29 pixels, 35 channels in, 20 out. */
const PIXELS = 29;
const DEPTH = 35;
const CHANNELS = 20;
const PANELS = 3;
const STEPS_AT: usize = 256;
const WEIGHTS_AT: usize = 448;
const PLAN_BYTES: usize = 16384;
const ARENA_BYTES: usize = 65536;

let state: u32 = 7;
function next(low: i32, high: i32): i32 {
  state = state * 1664525 + 1013904223;
  return low + <i32>((state >> 8) % <u32>(high - low + 1));
}

export function selftestCommand(): void {
  orStop(chooseDotMode());
  const plan = allocateOrStop(PLAN_BYTES + ARENA_BYTES);
  const floats = convolve(plan, F32_CONV), bytes = convolve(plan, QS8_CONV);
  release(plan);
  report("float32 convolution", floats);
  report("int8 convolution", bytes);
  tierText();
  endLine();
  if (!floats || !bytes) orStop(fault(INTERNAL, "this engine computes wrong results"));
}
function report(what: string, isRight: bool): void {
  text(isRight ? "ok     " : "WRONG  ");
  text(what);
  endLine();
}

function convolve(plan: usize, opcode: i32): bool {
  memory.fill(plan, 0, PLAN_BYTES);
  writeHeader(plan);
  writeStep(plan + STEPS_AT, opcode);
  if (opcode == F32_CONV) writeFloatWeights(plan + WEIGHTS_AT);
  else writeByteWeights(plan + WEIGHTS_AT);
  if (init(plan, <u32>PLAN_BYTES, <u32>(memory.size() << 16)) != OK) return false;
  const source = plan + PLAN_BYTES;
  for (let i: usize = 0; i < <usize>(PIXELS * DEPTH); i++) {
    if (opcode == F32_CONV) store<f32>(source + (i << 2), <f32>next(-100, 100));
    else store<i8>(source + i, <i8>next(-128, 127));
  }
  run(plan, 0, 1);
  return opcode == F32_CONV ? floatsAreRight(plan) : bytesAreRight(plan);
}

function writeHeader(plan: usize): void {
  store<i32>(plan, PLAN_MAGIC, HEADER_MAGIC);
  store<i32>(plan, ABI_VERSION, HEADER_VERSION);
  store<usize>(plan, PLAN_BYTES, HEADER_PLAN_BYTES);
  store<usize>(plan, ARENA_BYTES, HEADER_ARENA_BYTES);
  store<usize>(plan, HEADER_BYTES, HEADER_IO_AT);
  store<usize>(plan, HEADER_BYTES, HEADER_TRACES_AT);
  store<i32>(plan + HEADER_BYTES, 1, TRACE_DTYPE);
  store<usize>(plan, STEPS_AT, HEADER_STEPS_AT);
  store<i32>(plan, CONV_STEP_BYTES, HEADER_STEPS_BYTES);
  store<i32>(plan, 1, HEADER_STEP_COUNT);
  store<usize>(plan, WEIGHTS_AT, HEADER_STRINGS_AT);
  store<usize>(plan, WEIGHTS_AT, HEADER_WEIGHTS_AT);
  store<usize>(plan, PLAN_BYTES - WEIGHTS_AT, HEADER_WEIGHTS_BYTES);
  store<f64>(plan, 1e9, HEADER_WORK);
}

const DST: i32 = 16384 + 8192;
function writeStep(step: usize, opcode: i32): void {
  for (let at: usize = CONV_BATCH; at <= <usize>CONV_DW; at += 4) store<i32>(step + at, 1);
  store<i32>(step, opcode, STEP_OPCODE);
  store<i32>(step, CONV_STEP_BYTES, STEP_BYTES);
  store<i32>(step, <i32>PLAN_BYTES, CONV_SRC);
  store<i32>(step, DST, CONV_DST);
  store<i32>(step, <i32>WEIGHTS_AT, CONV_WEIGHTS);
  store<i32>(step, DST + 8192, CONV_SCRATCH);
  store<i32>(step, 32768, CONV_SCRATCH_BYTES);
  store<i32>(step, PIXELS, CONV_IW);
  store<i32>(step, PIXELS, CONV_OW);
  store<i32>(step, DEPTH, CONV_IC);
  store<i32>(step, CHANNELS, CONV_OC);
  store<i32>(step, PIXELS * DEPTH, CONV_SRC_BATCH);
  store<i32>(step, PIXELS * DEPTH, CONV_SRC_ROW);
  store<i32>(step, DEPTH, CONV_SRC_PIXEL);
  store<i32>(step, 1, CONV_SRC_CHANNEL);
  store<i32>(step, PIXELS * CHANNELS, CONV_DST_BATCH);
  store<i32>(step, CHANNELS, CONV_DST_PIXEL);
  store<i32>(step, 1, CONV_DST_CHANNEL);
  store<i32>(step, 48, CONV_BLOCK_ROWS);
  store<f32>(step, -Infinity, CONV_MIN);
  store<f32>(step, Infinity, CONV_MAX);
  if (opcode == QS8_CONV) {
    store<i32>(step, -128, CONV_MIN);
    store<i32>(step, 127, CONV_MAX);
    store<i32>(step, 1, CONV_OUT_I32);
  } else store<i32>(step, 1, CONV_DIRECT);
}

/** Per panel of 8 channels: biases, then rows of 8 weights. */
function writeFloatWeights(at: usize): void {
  for (let i = 0; i < PANELS * 8 * (1 + DEPTH); i++, at += 4) store<f32>(at, <f32>next(-100, 100));
}
/** Per panel: biases, sums of the columns, scales, no row factor; then four neighbouring weights of each channel side by side. */
function writeByteWeights(at: usize): void {
  for (let panel = 0; panel < PANELS; panel++, at += QS8_PANEL_HEAD + 36 * 8) {
    for (let channel: usize = 0; channel < 8; channel++) {
      let sum = 0;
      for (let k: usize = 0; k < <usize>DEPTH; k++) {
        const weight = next(-127, 127);
        store<i8>(at + QS8_PANEL_HEAD + (k >> 2 << 5) + (channel << 2) + (k & 3), <i8>weight);
        sum += weight;
      }
      store<i32>(at + (channel << 2), next(-1000, 1000));
      store<i32>(at + 32 + (channel << 2), sum);
      store<f32>(at + 64 + (channel << 2), 1);
    }
  }
}

function floatsAreRight(plan: usize): bool {
  for (let pixel: usize = 0; pixel < <usize>PIXELS; pixel++) {
    for (let channel: usize = 0; channel < <usize>CHANNELS; channel++) {
      const panel = plan + WEIGHTS_AT + (channel >> 3) * ((1 + DEPTH) * 32) + ((channel & 7) << 2);
      let sum = <f64>load<f32>(panel);
      for (let k: usize = 0; k < <usize>DEPTH; k++) sum += <f64>load<f32>(panel + 32 + (k << 5)) * <f64>load<f32>(plan + PLAN_BYTES + ((pixel * DEPTH + k) << 2));
      if (<f64>load<f32>(plan + DST + ((pixel * CHANNELS + channel) << 2)) != sum) return false;
    }
  }
  return true;
}
function bytesAreRight(plan: usize): bool {
  for (let pixel: usize = 0; pixel < <usize>PIXELS; pixel++) {
    for (let channel: usize = 0; channel < <usize>CHANNELS; channel++) {
      const panel = plan + WEIGHTS_AT + (channel >> 3) * (QS8_PANEL_HEAD + 36 * 8), column = panel + QS8_PANEL_HEAD + ((channel & 7) << 2);
      let sum = load<i32>(panel + ((channel & 7) << 2));
      for (let k: usize = 0; k < <usize>DEPTH; k++) sum += <i32>load<i8>(column + (k >> 2 << 5) + (k & 3)) * <i32>load<i8>(plan + PLAN_BYTES + pixel * DEPTH + k);
      if (load<i32>(plan + DST + ((pixel * CHANNELS + channel) << 2)) != sum) return false;
    }
  }
  return true;
}
