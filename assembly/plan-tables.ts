// Verification of a plan's frame: header, section order, input/output records and step records (traces).
// In: a plan's bytes (hostile). Out: whether every number in them is consistent and inside its section. Reads nothing beyond the plan.
// Must not know opcodes: executor.ts walks the steps.

import {
  ABI_VERSION, DTYPE_BOOL, DTYPE_F32, DTYPE_I32, DTYPE_I64, HEADER_ARENA_BYTES, HEADER_BYTES, HEADER_INPUT_COUNT, HEADER_IO_AT, HEADER_MAGIC,
  HEADER_OUTPUT_COUNT, HEADER_PLAN_BYTES, HEADER_STEPS_AT, HEADER_STEPS_BYTES, HEADER_STEP_COUNT, HEADER_STRINGS_AT,
  HEADER_STRINGS_BYTES, HEADER_TRACES_AT, HEADER_VERSION, HEADER_WEIGHTS_AT, HEADER_WEIGHTS_BYTES, IO_ADDRESS, IO_BYTES, IO_DIMS,
  IO_DTYPE, IO_ELEMENTS, IO_HAS_SCALE, IO_LAYOUT, IO_NAME_AT, IO_NAME_BYTES, IO_RANK, PLAN_ALIGN, PLAN_MAGIC, SLACK_BYTES,
  TRACE_ADDRESS, TRACE_BYTES, TRACE_COMPLETE, TRACE_DIMS, TRACE_DTYPE, TRACE_NAME_AT, TRACE_NAME_BYTES, TRACE_OP_AT, TRACE_OP_BYTES,
  TRACE_RANK, TRACE_STRIDES,
} from "./abi.ts";

const MAX_RANK: u32 = 8;
const MAX_ELEMENTS: i64 = 1 << 31;

// @ts-ignore: decorator
@inline function field(plan: usize, at: usize): i64 { return <i64>load<u32>(plan + at); }

/** Magic, version, sizes and sections. `room` = bytes of memory from `plan` on. Nothing else may be read before this said yes. */
export function headerIsSound(plan: usize, planBytes: i64, room: i64): bool {
  if (planBytes < HEADER_BYTES || planBytes % PLAN_ALIGN != 0 || planBytes > room) return false;
  if (load<i32>(plan, HEADER_MAGIC) != PLAN_MAGIC || load<i32>(plan, HEADER_VERSION) != ABI_VERSION) return false;
  const arenaBytes = field(plan, HEADER_ARENA_BYTES), inputs = field(plan, HEADER_INPUT_COUNT), outputs = field(plan, HEADER_OUTPUT_COUNT);
  const stepCount = field(plan, HEADER_STEP_COUNT);
  if (field(plan, HEADER_PLAN_BYTES) != planBytes || arenaBytes < SLACK_BYTES || planBytes + arenaBytes > room) return false;
  const ioAt = field(plan, HEADER_IO_AT), stepsAt = field(plan, HEADER_STEPS_AT), stringsAt = field(plan, HEADER_STRINGS_AT);
  const weightsAt = field(plan, HEADER_WEIGHTS_AT), tracesAt = field(plan, HEADER_TRACES_AT);
  const ioTo = ioAt + (inputs + outputs) * IO_BYTES, stepsTo = stepsAt + field(plan, HEADER_STEPS_BYTES);
  const stringsTo = stringsAt + field(plan, HEADER_STRINGS_BYTES), weightsTo = weightsAt + field(plan, HEADER_WEIGHTS_BYTES);
  if ((ioAt | stepsAt | stringsAt | weightsAt | tracesAt) % PLAN_ALIGN != 0) return false;
  const inOrder = ioAt >= HEADER_BYTES && stepsAt >= ioTo && stringsAt >= stepsTo && weightsAt >= stringsTo && planBytes >= weightsTo;
  return inOrder && tracesAreApart(tracesAt, tracesAt + stepCount * TRACE_BYTES, ioTo, stepsAt, stepsTo, stringsAt, stringsTo, weightsAt);
}

/** Traces lie in one of the gaps between the io records and the weights. */
function tracesAreApart(
  from: i64, to: i64, ioTo: i64, stepsAt: i64, stepsTo: i64, stringsAt: i64, stringsTo: i64, weightsAt: i64,
): bool {
  return (from >= ioTo && to <= stepsAt) || (from >= stepsTo && to <= stringsAt) || (from >= stringsTo && to <= weightsAt);
}

/** Input, output and step records. Only for a plan whose header is sound. */
export function recordsAreSound(plan: usize): bool {
  const io = plan + load<u32>(plan, HEADER_IO_AT), ioTo = io + (load<u32>(plan, HEADER_INPUT_COUNT) + load<u32>(plan, HEADER_OUTPUT_COUNT)) * IO_BYTES;
  for (let record = io; record < ioTo; record += IO_BYTES) if (!ioIsSound(plan, record)) return false;
  const traces = plan + load<u32>(plan, HEADER_TRACES_AT), tracesTo = traces + load<u32>(plan, HEADER_STEP_COUNT) * TRACE_BYTES;
  for (let record = traces; record < tracesTo; record += TRACE_BYTES) if (!traceIsSound(plan, record)) return false;
  return true;
}

function ioIsSound(plan: usize, record: usize): bool {
  const rank = load<u32>(record, IO_RANK), bytes = elementBytes(load<i32>(record, IO_DTYPE));
  if (!nameIsSound(plan, load<u32>(record, IO_NAME_AT), load<u32>(record, IO_NAME_BYTES)) || rank > MAX_RANK || bytes == 0) return false;
  if (load<u32>(record, IO_HAS_SCALE) > 1 || load<u32>(record, IO_LAYOUT) > 2) return false;
  let elements: i64 = 1;
  for (let i: usize = 0; i < <usize>rank; i++) {
    elements *= <i64>load<u32>(record + (i << 2), IO_DIMS); // below 2^63: a factor is below 2^32
    if (elements > MAX_ELEMENTS) return false;
  }
  const address = <i64>load<u32>(record, IO_ADDRESS);
  return elements == <i64>load<u32>(record, IO_ELEMENTS) && address % bytes == 0 && isInArena(plan, address, elements * bytes);
}

function traceIsSound(plan: usize, record: usize): bool {
  const rank = load<u32>(record, TRACE_RANK), bytes = elementBytes(load<i32>(record, TRACE_DTYPE));
  if (!nameIsSound(plan, load<u32>(record, TRACE_NAME_AT), load<u32>(record, TRACE_NAME_BYTES))) return false;
  if (!nameIsSound(plan, load<u32>(record, TRACE_OP_AT), load<u32>(record, TRACE_OP_BYTES))) return false;
  if (rank > MAX_RANK || bytes == 0 || load<u32>(record, TRACE_COMPLETE) > 1) return false;
  // An incomplete record's tensor, or a reversed one, may live elsewhere or nowhere: nobody reads it through its address.
  if (load<u32>(record, TRACE_COMPLETE) == 0) return true;
  let span: i64 = 1, elements: i64 = 1;
  for (let i: usize = 0; i < <usize>rank; i++) {
    const dim = <i64>load<u32>(record + (i << 2), TRACE_DIMS), stride = <i64>load<i32>(record + (i << 2), TRACE_STRIDES);
    if (dim < 1 || dim > MAX_ELEMENTS) return false;
    if (dim > 1 && stride < 0) return true;
    elements *= dim;
    span += (dim - 1) * stride;
    if (elements > MAX_ELEMENTS || span > MAX_ELEMENTS) return false;
  }
  const address = <i64>load<u32>(record, TRACE_ADDRESS);
  return address % bytes == 0 && isInArena(plan, address, span * bytes);
}

/** Bytes per element, 0 for an unknown dtype. */
function elementBytes(dtype: i32): i64 {
  if (dtype < DTYPE_F32 || dtype > DTYPE_BOOL) return 0;
  return dtype == DTYPE_F32 || dtype == DTYPE_I32 ? 4 : dtype == DTYPE_I64 ? 8 : 1;
}
function nameIsSound(plan: usize, at: u32, bytes: u32): bool {
  return <i64>at + <i64>bytes <= field(plan, HEADER_STRINGS_BYTES);
}
function isInArena(plan: usize, from: i64, bytes: i64): bool {
  const arena = field(plan, HEADER_PLAN_BYTES);
  return from >= arena && from + bytes <= arena + field(plan, HEADER_ARENA_BYTES) - SLACK_BYTES;
}
