// Plan bytes → what the host needs: sizes, inputs, outputs, step names. Every number is checked before it is used.
// In: the loader's private copy of a plan. Out: PlanInfo, or ERR_PLAN_INVALID / ERR_PLAN_VERSION naming the field.
// The executor verifies steps itself. Must not import graph, ops, importers or passes.

import * as abi from '../../assembly/abi.ts';
import { KingletError } from '../error.ts';
import { elementBytes, elementCount, type DType } from '../dtype.ts';
import { checksum } from './checksum.ts';
import { kernelNames } from './kernel-names.ts';

export interface IoInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** How the source format orders a 4-D tensor; null when it is not an image-like tensor. */
  readonly layout: 'NHWC' | 'NCHW' | null;
  readonly quantization: { readonly scale: number; readonly zeroPoint: number } | null;
}
export interface IoRecord extends IoInfo {
  /** Byte offset from the plan's base. */
  readonly address: number;
  readonly elements: number;
}
export interface StepRecord {
  readonly index: number;
  readonly opcode: number;
  /** Kernel family: lower-case opcode name, for example "f32_conv". */
  readonly kernel: string;
  readonly op: string;
  /** Tensor that the step computes, or a part of it when `complete` is false. */
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly address: number;
  readonly complete: boolean;
  readonly macs: number;
  readonly params: number;
}
export interface PlanInfo {
  readonly planBytes: number;
  readonly arenaBytes: number;
  readonly liveBytes: number;
  readonly weightBytes: number;
  readonly stepCount: number;
  readonly macs: number;
  readonly params: number;
  readonly shuffles: number;
  readonly inputs: readonly IoRecord[];
  readonly outputs: readonly IoRecord[];
  readonly steps: readonly StepRecord[];
}

/** Sizes that the loader needs before it can copy the plan anywhere. The header is enough; its first bytes may be all there is yet. */
export function planSizes(bytes: Uint8Array): { planBytes: number; arenaBytes: number; listBytes: number } {
  const u32 = reader(bytes);
  if (bytes.byteLength < abi.HEADER_BYTES) throw bad('the file is shorter than a plan header');
  if (u32(abi.HEADER_MAGIC) !== abi.PLAN_MAGIC) throw bad('the file does not start with "KGL1"');
  if (u32(abi.HEADER_VERSION) !== abi.ABI_VERSION) {
    throw new KingletError('ERR_PLAN_VERSION', `the plan has format version ${u32(abi.HEADER_VERSION)}, this kinglet reads version ${abi.ABI_VERSION}`);
  }
  const planBytes = u32(abi.HEADER_PLAN_BYTES);
  const arenaBytes = u32(abi.HEADER_ARENA_BYTES);
  if (planBytes < abi.HEADER_BYTES || planBytes % abi.PLAN_ALIGN !== 0) throw bad(`the header states ${planBytes} bytes`);
  if (planBytes + arenaBytes > 2 ** 31) throw new KingletError('ERR_LIMIT', `the plan asks for ${arenaBytes} bytes of working memory`);
  // The steps with a barrier each: what one thread's list may take. Steps lie in the file.
  const listBytes = Math.min(u32(abi.HEADER_STEPS_BYTES), planBytes) + 8 * Math.min(u32(abi.HEADER_STEP_COUNT), planBytes >> 3);
  return { planBytes, arenaBytes, listBytes };
}

export function checkLength(planBytes: number, fileBytes: number): void {
  if (planBytes !== fileBytes) throw bad(`the header states ${planBytes} bytes, the file has ${fileBytes}`);
}

const dtypes = new Map<number, DType>([
  [abi.DTYPE_F32, 'float32'], [abi.DTYPE_I8, 'int8'], [abi.DTYPE_U8, 'uint8'], [abi.DTYPE_I32, 'int32'], [abi.DTYPE_I64, 'int64'],
  [abi.DTYPE_BOOL, 'bool'],
]);

function bad(message: string): KingletError {
  return new KingletError('ERR_PLAN_INVALID', `not a valid plan: ${message}`);
}
function reader(bytes: Uint8Array): (at: number) => number {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return (at) => {
    if (at < 0 || at + 4 > bytes.byteLength) throw bad(`a field at byte ${at} lies outside the file`);
    return data.getUint32(at, true);
  };
}

/** Finds accidents. `sum`: the checksum of these bytes, where it is known already. */
export function checkSum(bytes: Uint8Array, sum = checksum(bytes)): void {
  if (new DataView(bytes.buffer, bytes.byteOffset).getInt32(abi.HEADER_CHECKSUM, true) !== sum) {
    throw bad('the checksum does not match: the file was damaged on its way');
  }
}

/** Where the weights begin, as the header says: nothing behind it is decoded. */
export function headBytes(bytes: Uint8Array): number {
  return reader(bytes)(abi.HEADER_WEIGHTS_AT);
}

/** Reads what lies before the weights; they may still be on their way. */
export function decodePlan(bytes: Uint8Array): PlanInfo {
  const { planBytes, arenaBytes } = planSizes(bytes);
  checkLength(planBytes, bytes.byteLength);
  const u32 = reader(bytes);
  const i32 = (at: number): number => u32(at) | 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const f64 = (at: number): number => {
    const value = at + 8 <= bytes.byteLength ? view.getFloat64(at, true) : NaN;
    if (!(value >= 0 && value < 2 ** 60)) throw bad(`the count at byte ${at} is impossible`);
    return value;
  };
  const stringsAt = u32(abi.HEADER_STRINGS_AT);
  const stringsBytes = u32(abi.HEADER_STRINGS_BYTES);
  if (stringsAt + stringsBytes > planBytes) throw bad('the strings lie outside the file');
  const text = new TextDecoder();
  const name = (at: number): string => {
    const from = u32(at);
    const length = u32(at + 4);
    if (length > 1024 || from + length > stringsBytes) throw bad(`the name at byte ${at} lies outside the strings`);
    return text.decode(bytes.slice(stringsAt + from, stringsAt + from + length));
  };
  const type = (at: number): { dtype: DType; shape: number[]; rank: number } => {
    const dtype = dtypes.get(u32(at));
    const rank = u32(at + 4);
    if (!dtype) throw bad(`dtype ${u32(at)} at byte ${at} is unknown`);
    if (rank > 8) throw bad(`rank ${rank} at byte ${at + 4} is above 8`);
    const shape = Array.from({ length: rank }, (_, i) => i32(at + 8 + 4 * i));
    try {
      elementCount(shape);
    } catch (error) {
      throw bad(error instanceof Error ? error.message : 'impossible shape');
    }
    return { dtype, shape, rank };
  };
  /** The tensor's elements lie inside the arena. */
  const inArena = (address: number, span: number, dtype: DType): boolean =>
    address >= planBytes && address + span * elementBytes[dtype] <= planBytes + arenaBytes;

  const io = (at: number): IoRecord => {
    const { dtype, shape, rank } = type(at + abi.IO_DTYPE);
    const elements = elementCount(shape);
    const address = u32(at + abi.IO_ADDRESS);
    if (u32(at + abi.IO_ELEMENTS) !== elements) throw bad(`the element count at byte ${at + abi.IO_ELEMENTS} contradicts the shape`);
    if (!inArena(address, elements, dtype)) throw bad(`the tensor at byte ${at} lies outside the arena`);
    const layout = ([null, 'NHWC', 'NCHW'] as const)[u32(at + abi.IO_LAYOUT)];
    if (layout === undefined) throw bad(`the layout at byte ${at + abi.IO_LAYOUT} is unknown`);
    const quantization = u32(at + abi.IO_HAS_SCALE) === 0 ? null
      : { scale: view.getFloat32(at + abi.IO_SCALE, true), zeroPoint: i32(at + abi.IO_ZERO_POINT) };
    return { name: name(at + abi.IO_NAME_AT), dtype, shape, layout: rank === 4 ? layout : null, quantization, address, elements };
  };
  const inputCount = u32(abi.HEADER_INPUT_COUNT);
  const outputCount = u32(abi.HEADER_OUTPUT_COUNT);
  const ioAt = u32(abi.HEADER_IO_AT);
  if (ioAt + (inputCount + outputCount) * abi.IO_BYTES > planBytes) throw bad('the input and output records lie outside the file');
  const records = Array.from({ length: inputCount + outputCount }, (_, i) => io(ioAt + i * abi.IO_BYTES));

  const stepCount = u32(abi.HEADER_STEP_COUNT);
  const tracesAt = u32(abi.HEADER_TRACES_AT);
  if (tracesAt + stepCount * abi.TRACE_BYTES > planBytes) throw bad('the step records lie outside the file');
  let stepAt = u32(abi.HEADER_STEPS_AT);
  const step = (index: number): StepRecord => {
    const at = tracesAt + index * abi.TRACE_BYTES;
    const opcode = u32(stepAt + abi.STEP_OPCODE);
    const kernel = kernelNames[opcode];
    const stepBytes = u32(stepAt + abi.STEP_BYTES);
    if (kernel === undefined) throw bad(`step ${index} has the unknown opcode ${opcode}`);
    if (stepBytes < 8 || stepAt + stepBytes > planBytes) throw bad(`step ${index} has an impossible length`);
    stepAt += stepBytes;
    const { dtype, shape, rank } = type(at + abi.TRACE_DTYPE);
    const strides = Array.from({ length: rank }, (_, i) => i32(at + abi.TRACE_STRIDES + 4 * i));
    const address = u32(at + abi.TRACE_ADDRESS);
    const span = shape.reduce((sum, dim, i) => sum + Math.max(0, dim - 1) * Math.abs(strides[i] ?? 0), 1);
    const forward = strides.every((s, i) => s >= 0 || (shape[i] ?? 1) <= 1);
    const complete = u32(at + abi.TRACE_COMPLETE) !== 0 && forward;
    if (complete && !inArena(address, span, dtype)) throw bad(`the tensor of step ${index} lies outside the arena`);
    return {
      index, opcode, kernel, op: name(at + abi.TRACE_OP_AT), name: name(at + abi.TRACE_NAME_AT), dtype, shape, strides, address, complete,
      macs: f64(at + abi.TRACE_MACS), params: f64(at + abi.TRACE_PARAMS),
    };
  };
  return {
    planBytes, arenaBytes, stepCount,
    liveBytes: u32(abi.HEADER_LIVE_BYTES), weightBytes: u32(abi.HEADER_WEIGHTS_BYTES), shuffles: u32(abi.HEADER_SHUFFLES),
    macs: f64(abi.HEADER_MACS), params: f64(abi.HEADER_PARAMS),
    inputs: records.slice(0, inputCount), outputs: records.slice(inputCount),
    steps: Array.from({ length: stepCount }, (_, i) => step(i)),
  };
}
