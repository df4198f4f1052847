// Steps → plan bytes (docs/plan-format.md). In: lowered steps and weights. Out: a .kgl file image.
// Offsets are fixed here: weights in the file, regions in the arena that follows it in memory. Must not know any op.

import * as abi from '../../assembly/abi.ts';
import { KingletError } from '../error.ts';
import { elementCount, type DType, type TensorType } from '../tensor.ts';
import { checksum } from './checksum.ts';
import { isAddress, layOutArena, wordsOf } from './layout.ts';
import type { Address, Region, View, Word } from './lowering.ts';
import type { Lowered } from './lower.ts';

export interface PlanFacts {
  readonly shuffles: number;
  /** 'NHWC' or 'NCHW' for rank-4 tensors of the source format. */
  readonly layout: 'NHWC' | 'NCHW';
}

const dtypeCode: Readonly<Record<DType, number>> = {
  float32: abi.DTYPE_F32, int8: abi.DTYPE_I8, uint8: abi.DTYPE_U8, int32: abi.DTYPE_I32, int64: abi.DTYPE_I64, bool: abi.DTYPE_BOOL,
};
const align = (bytes: number): number => Math.ceil(bytes / abi.PLAN_ALIGN) * abi.PLAN_ALIGN;

/** Strings of the plan, each stored once. */
class Strings {
  readonly #at = new Map<string, [number, number]>();
  readonly #parts: Uint8Array[] = [];
  bytes = 0;
  add(text: string): [number, number] {
    const known = this.#at.get(text);
    if (known) return known;
    const encoded = new TextEncoder().encode(text).subarray(0, 1024);
    const entry: [number, number] = [this.bytes, encoded.length];
    this.#at.set(text, entry);
    this.#parts.push(encoded);
    this.bytes += encoded.length;
    return entry;
  }
  writeTo(target: Uint8Array): void {
    let at = 0;
    for (const part of this.#parts) {
      target.set(part, at);
      at += part.length;
    }
  }
}

/** Upper bound of the executor's inner-loop iterations: it refuses a plan that would do more. */
function workBound(lowered: Lowered): number {
  let bound = 1e6;
  for (const step of lowered.steps) {
    const touched = wordsOf(step).reduce((sum: number, w) => (isAddress(w) ? sum + w.region.bytes : sum), 0);
    bound += 64 * (step.trace.macs + touched);
  }
  return bound;
}

export function encodePlan(lowered: Lowered, facts: PlanFacts): Uint8Array<ArrayBuffer> {
  const { steps } = lowered;
  const strings = new Strings();
  const traceNames = steps.map((s) => ({ name: strings.add(s.trace.name), op: strings.add(s.trace.op) }));
  const ioNames = [...lowered.inputs, ...lowered.outputs].map(({ value }) => strings.add(value.name));

  const ioAt = abi.HEADER_BYTES;
  const tracesAt = align(ioAt + ioNames.length * abi.IO_BYTES);
  const stepsAt = align(tracesAt + steps.length * abi.TRACE_BYTES);
  const stepsBytes = steps.reduce((sum, s) => sum + s.stepBytes, 0);
  const stringsAt = align(stepsAt + stepsBytes);
  const weightsAt = align(stringsAt + strings.bytes);
  const offsets = new Map<Region, number>();
  let end = weightsAt;
  for (const region of lowered.weights.keys()) {
    offsets.set(region, end);
    end = align(end + region.bytes);
  }
  const planBytes = align(end + abi.SLACK_BYTES);

  const arena = layOutArena(lowered);
  for (const { region, offset } of arena.regions) offsets.set(region, planBytes + offset);
  const arenaBytes = align(arena.arenaBytes) + abi.SLACK_BYTES;
  if (planBytes + arenaBytes > 2 ** 31 - 2 ** 16) {
    throw new KingletError('ERR_LIMIT', `the network needs ${Math.round((planBytes + arenaBytes) / 2 ** 20)} MiB; a plan may use 2047 MiB`);
  }

  const bytes = new Uint8Array(planBytes);
  const data = new DataView(bytes.buffer);
  const i32 = (at: number, value: number): void => { data.setInt32(at, value, true); };
  const addressOf = (a: Address): number => (offsets.get(a.region) ?? planBytes) + a.offsetBytes;
  const setWord = (at: number, word: Word): void => {
    if (typeof word === 'number') i32(at, word);
    else if ('f32' in word) data.setFloat32(at, word.f32, true);
    else i32(at, addressOf(word));
  };
  const setType = (at: number, fields: { dtype: number; rank: number; dims: number }, type: TensorType): void => {
    i32(at + fields.dtype, dtypeCode[type.dtype]);
    i32(at + fields.rank, type.shape.length);
    type.shape.forEach((dim, i) => { i32(at + fields.dims + 4 * i, dim); });
  };

  const io = (record: { value: TensorType; view: View }, i: number): void => {
    const at = ioAt + i * abi.IO_BYTES;
    const [nameAt, nameBytes] = ioNames[i] ?? [0, 0];
    const q = record.value.quantization;
    i32(at + abi.IO_NAME_AT, nameAt);
    i32(at + abi.IO_NAME_BYTES, nameBytes);
    setType(at, { dtype: abi.IO_DTYPE, rank: abi.IO_RANK, dims: abi.IO_DIMS }, record.value);
    i32(at + abi.IO_ADDRESS, addressOf(record.view.at));
    i32(at + abi.IO_ELEMENTS, elementCount(record.value.shape));
    i32(at + abi.IO_HAS_SCALE, q?.scale.length === 1 ? 1 : 0);
    data.setFloat32(at + abi.IO_SCALE, q?.scale[0] ?? 0, true);
    i32(at + abi.IO_ZERO_POINT, q?.zeroPoint[0] ?? 0);
    i32(at + abi.IO_LAYOUT, record.value.shape.length !== 4 ? 0 : facts.layout === 'NHWC' ? 1 : 2);
  };
  [...lowered.inputs, ...lowered.outputs].forEach(io);

  let stepAt = stepsAt;
  steps.forEach((step, i) => {
    i32(stepAt + abi.STEP_OPCODE, step.opcode);
    i32(stepAt + abi.STEP_BYTES, step.stepBytes);
    for (const [key, word] of Object.entries(step.words)) {
      const list = (Array.isArray(word) ? word : [word]) as Word[];
      list.forEach((w, k) => { setWord(stepAt + Number(key) + 4 * k, w); });
    }
    stepAt += step.stepBytes;
    const at = tracesAt + i * abi.TRACE_BYTES;
    const { trace } = step;
    const names = traceNames[i];
    i32(at + abi.TRACE_NAME_AT, names?.name[0] ?? 0);
    i32(at + abi.TRACE_NAME_BYTES, names?.name[1] ?? 0);
    i32(at + abi.TRACE_OP_AT, names?.op[0] ?? 0);
    i32(at + abi.TRACE_OP_BYTES, names?.op[1] ?? 0);
    setType(at, { dtype: abi.TRACE_DTYPE, rank: abi.TRACE_RANK, dims: abi.TRACE_DIMS }, trace.view);
    trace.view.strides.forEach((stride, k) => { i32(at + abi.TRACE_STRIDES + 4 * k, stride); });
    i32(at + abi.TRACE_ADDRESS, addressOf(trace.view.at));
    // A view whose region was never touched by a step (a temporary replaced it) has no data to show.
    i32(at + abi.TRACE_COMPLETE, trace.complete && offsets.has(trace.view.at.region) ? 1 : 0);
    data.setFloat64(at + abi.TRACE_MACS, trace.macs, true);
    data.setFloat64(at + abi.TRACE_PARAMS, trace.params, true);
  });

  strings.writeTo(bytes.subarray(stringsAt));
  for (const [region, content] of lowered.weights) bytes.set(content, offsets.get(region) ?? weightsAt);

  i32(abi.HEADER_MAGIC, abi.PLAN_MAGIC);
  i32(abi.HEADER_VERSION, abi.ABI_VERSION);
  i32(abi.HEADER_PLAN_BYTES, planBytes);
  i32(abi.HEADER_ARENA_BYTES, arenaBytes);
  i32(abi.HEADER_IO_AT, ioAt);
  i32(abi.HEADER_INPUT_COUNT, lowered.inputs.length);
  i32(abi.HEADER_OUTPUT_COUNT, lowered.outputs.length);
  i32(abi.HEADER_TRACES_AT, tracesAt);
  i32(abi.HEADER_STEPS_AT, stepsAt);
  i32(abi.HEADER_STEPS_BYTES, stepsBytes);
  i32(abi.HEADER_STEP_COUNT, steps.length);
  i32(abi.HEADER_STRINGS_AT, stringsAt);
  i32(abi.HEADER_STRINGS_BYTES, strings.bytes);
  i32(abi.HEADER_WEIGHTS_AT, weightsAt);
  i32(abi.HEADER_WEIGHTS_BYTES, planBytes - weightsAt);
  i32(abi.HEADER_LIVE_BYTES, arena.liveBytes);
  data.setFloat64(abi.HEADER_WORK, workBound(lowered), true);
  data.setFloat64(abi.HEADER_MACS, steps.reduce((sum, s) => sum + s.trace.macs, 0), true);
  data.setFloat64(abi.HEADER_PARAMS, steps.reduce((sum, s) => sum + s.trace.params, 0), true);
  i32(abi.HEADER_SHUFFLES, facts.shuffles);
  i32(abi.HEADER_CHECKSUM, checksum(bytes));
  return bytes;
}
