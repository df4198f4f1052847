// A plan in this program's memory: checked, verified, ready to run; and what its records say about inputs and outputs.
// In: the address of plan bytes with room for the arena behind them. Out: 0, or minus a code with the sentence in fault.ts.
// Must not know files, hosts or pictures.

import {
  ABI_VERSION, BAD_HEADER, BAD_OPCODE, BAD_READ, BAD_STEP_BYTES, BAD_TABLE, BAD_WORK, BAD_WRITE, DTYPE_F32, DTYPE_I32, DTYPE_I64, DTYPE_I8,
  HEADER_ARENA_BYTES, HEADER_BYTES, HEADER_CHECKSUM, HEADER_INPUT_COUNT, HEADER_IO_AT, HEADER_MAGIC, HEADER_PLAN_BYTES, HEADER_STRINGS_AT, HEADER_VERSION,
  IO_ADDRESS, IO_BYTES, IO_DTYPE, IO_ELEMENTS, IO_HAS_SCALE, IO_NAME_AT, IO_SCALE, IO_ZERO_POINT, OK, PLAN_ALIGN, PLAN_MAGIC,
} from "./abi.ts";
import { allocate, release } from "./blocks.ts";
import { PROBE_BYTES, probedDotMode } from "./dot-probe.ts";
import { init, planWork, refusedStep } from "./executor";
import { DATA, RESOURCE, fault, say, sayNumber } from "./fault.ts";
import { setDotMode } from "./simd.ts";

/** Most inner-loop iterations that a plan may ask for, as in host/backends/wasm.ts. */
const MAX_WORK: f64 = 68719476736;
const TFLITE_MARK: u32 = 0x334c4654; // "TFL3" at byte 4

/** Chooses the dot mode, once, before the first plan is opened. */
export function chooseDotMode(): i32 {
  const scratch = allocate(PROBE_BYTES);
  if (scratch == 0) return noMemory(PROBE_BYTES);
  const mode = probedDotMode(scratch);
  release(scratch);
  if (mode < 0) return fault(RESOURCE, "this engine computes relaxed dot products wrongly: use the simd build");
  setDotMode(mode);
  return 0;
}

export function noMemory(bytes: u64): i32 {
  fault(RESOURCE, "the engine gave no memory of ");
  sayNumber((bytes + 0xfffff) >> 20);
  say(" MiB");
  return -RESOURCE;
}

/** The header's first words, of which `bytes` are there. Sizes are sound afterwards, nothing else. */
export function checkHead(head: usize, bytes: usize): i32 {
  if (bytes >= 8 && load<u32>(head, 4) == TFLITE_MARK) return fault(DATA, "this is a .tflite model: compile it to .kgl first (npx kinglet compile)");
  if (bytes < <usize>HEADER_BYTES) return fault(DATA, "the file is shorter than a plan header");
  if (load<i32>(head, HEADER_MAGIC) != PLAN_MAGIC) return fault(DATA, "not a .kgl plan: it does not start with \"KGL1\" (compile models with npx kinglet compile)");
  if (load<i32>(head, HEADER_VERSION) != ABI_VERSION) {
    fault(DATA, "the plan has format version ");
    sayNumber(load<u32>(head, HEADER_VERSION));
    say(", this program reads version ");
    sayNumber(ABI_VERSION);
    return -DATA;
  }
  const planBytes = load<u32>(head, HEADER_PLAN_BYTES);
  return planBytes < <u32>HEADER_BYTES || planBytes % PLAN_ALIGN != 0 ? fault(DATA, "the plan's length is impossible") : 0;
}

/** Bytes of the plan and its arena, as checkHead left them. */
export function roomOf(head: usize): u64 { return <u64>load<u32>(head, HEADER_PLAN_BYTES) + <u64>load<u32>(head, HEADER_ARENA_BYTES); }

/** The four sums of host/plan/checksum.ts as the lanes of a vector. */
function checksum(plan: usize, planBytes: usize): i32 {
  const prime = 0x01000193, start = <i32>0x811c9dc5;
  let sums = i32x4.replace_lane(i32x4.splat(start), 3, (start ^ load<i32>(plan, 12)) * prime);
  const primes = i32x4.splat(prime);
  for (let at = plan + 16, end = plan + planBytes; at < end; at += 16) sums = i32x4.mul(v128.xor(sums, v128.load(at)), primes);
  let sum = (start ^ i32x4.extract_lane(sums, 0)) * prime;
  sum = (sum ^ i32x4.extract_lane(sums, 1)) * prime;
  sum = (sum ^ i32x4.extract_lane(sums, 2)) * prime;
  return (sum ^ i32x4.extract_lane(sums, 3)) * prime;
}

/** Checks and verifies the plan whose roomOf() bytes begin at `plan`, and clears its arena. */
export function openPlan(plan: usize): i32 {
  const planBytes = load<u32>(plan, HEADER_PLAN_BYTES);
  if (load<i32>(plan, HEADER_CHECKSUM) != checksum(plan, planBytes)) return fault(DATA, "the checksum does not match: the plan was damaged on its way");
  const code = init(plan, planBytes, <u32>min<u64>(<u64>memory.size() << 16, 0xffffffff));
  if (code != OK) return refusal(code);
  return planWork() > MAX_WORK ? fault(DATA, "the network asks for more work than the limit allows") : 0;
}

function refusal(code: i32): i32 {
  fault(DATA, "not a valid plan: ");
  if (refusedStep() < 0) say("the header");
  else { say("step "); sayNumber(refusedStep()); }
  say(": ");
  say(code == BAD_HEADER ? "the header contradicts itself" : code == BAD_OPCODE ? "unknown opcode" : code == BAD_STEP_BYTES ? "wrong length"
    : code == BAD_READ ? "it would read outside its tensors" : code == BAD_WRITE ? "it would write outside its tensors"
    : code == BAD_WORK ? "it asks for more work than its header states" : code == BAD_TABLE ? "a table has an entry out of range"
    : "an operand is out of range");
  return -DATA;
}

export function inputCount(plan: usize): i32 { return load<i32>(plan, HEADER_INPUT_COUNT); }
/** Record of input `index`, or of output `index - inputCount`. */
export function ioRecord(plan: usize, index: i32): usize { return plan + load<u32>(plan, HEADER_IO_AT) + <usize>index * IO_BYTES; }
export function ioData(plan: usize, record: usize): usize { return plan + load<u32>(record, IO_ADDRESS); }
export function ioBytes(record: usize): u32 { return load<u32>(record, IO_ELEMENTS) * elementBytes(load<i32>(record, IO_DTYPE)); }
/** Name of an io record, or of a trace record's tensor. */
export function nameOf(plan: usize, record: usize): usize { return plan + load<u32>(plan, HEADER_STRINGS_AT) + load<u32>(record, IO_NAME_AT); }
export function elementBytes(dtype: i32): u32 { return dtype == DTYPE_F32 || dtype == DTYPE_I32 ? 4 : dtype == DTYPE_I64 ? 8 : 1; }

/** Element `i` at `data` as a number. */
export function element(data: usize, dtype: i32, i: usize): f64 {
  if (dtype == DTYPE_F32) return <f64>load<f32>(data + (i << 2));
  if (dtype == DTYPE_I32) return <f64>load<i32>(data + (i << 2));
  if (dtype == DTYPE_I64) return <f64>load<i64>(data + (i << 3));
  return dtype == DTYPE_I8 ? <f64>load<i8>(data + i) : <f64>load<u8>(data + i);
}

/** The same as the real number it stands for. */
export function realElement(plan: usize, record: usize, i: usize): f64 {
  const value = element(ioData(plan, record), load<i32>(record, IO_DTYPE), i);
  if (load<u32>(record, IO_HAS_SCALE) == 0) return value;
  return (value - <f64>load<i32>(record, IO_ZERO_POINT)) * <f64>load<f32>(record, IO_SCALE);
}

/**
 * Index of the largest score after `last` in the order of falling scores, and rising indices where they are equal; -1: none is left.
 * `last` < 0 begins. Not a number comes last of all: never.
 */
export function nextBest(plan: usize, record: usize, last: i32): i32 {
  const count = load<i32>(record, IO_ELEMENTS), bound = last < 0 ? Infinity : realElement(plan, record, last);
  let best = -1, most = -Infinity;
  for (let i = 0; i < count; i++) {
    const score = realElement(plan, record, i), isLater = last < 0 || score < bound || (score == bound && i > last);
    if (isLater && (score > most || (best < 0 && score == most))) { best = i; most = score; }
  }
  return best;
}
