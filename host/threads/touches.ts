// Which bytes a step reads and writes, as ranges of plan addresses: the same spans as its verifier states (assembly/kernels/).
// In: a step. Out: ranges, from which schedule.ts learns where threads must meet. A range may be too large, never too small.
// Weights are never written: tables of them are left out.

import * as abi from '../../assembly/abi.ts';
import { nestOf, type NestOperand } from './share-nests.ts';
import { resizeBytes } from './share-windows.ts';
import type { StepWords } from './step-words.ts';

export interface Range {
  readonly from: number;
  readonly to: number;
}
export interface Touches {
  readonly reads: readonly Range[];
  readonly writes: readonly Range[];
}

/** From an address on, `dims` = pairs of a count and a stride in elements. */
function range(step: StepWords, at: number, bytes: number, ...dims: readonly (readonly [number, number])[]): Range {
  let from = step.get(at), to = from + bytes;
  for (const [count, stride] of dims) {
    const reach = (count - 1) * stride * bytes;
    if (reach < 0) from += reach;
    else to += reach;
  }
  return { from, to };
}

function conv(step: StepWords): Touches {
  const g = (at: number): number => step.get(at), src = step.opcode === abi.QS8_CONV ? 1 : 4, dst = src === 1 && g(abi.CONV_OUT_I32) === 0 ? 1 : 4;
  return {
    reads: [range(step, abi.CONV_SRC, src, [g(abi.CONV_BATCH), g(abi.CONV_SRC_BATCH)], [g(abi.CONV_IH), g(abi.CONV_SRC_ROW)],
      [g(abi.CONV_IW), g(abi.CONV_SRC_PIXEL)], [g(abi.CONV_GROUPS) * g(abi.CONV_IC), g(abi.CONV_SRC_CHANNEL)])],
    writes: [range(step, abi.CONV_DST, dst, [g(abi.CONV_BATCH), g(abi.CONV_DST_BATCH)], [g(abi.CONV_OH) * g(abi.CONV_OW), g(abi.CONV_DST_PIXEL)],
      [g(abi.CONV_GROUPS) * g(abi.CONV_OC), g(abi.CONV_DST_CHANNEL)])],
  };
}

function dwconv(step: StepWords): Touches {
  const g = (at: number): number => step.get(at), bytes = step.opcode === abi.F32_DWCONV ? 4 : 1;
  return {
    reads: [range(step, abi.DW_SRC, bytes, [g(abi.DW_BATCH), g(abi.DW_SRC_BATCH)], [g(abi.DW_IH), g(abi.DW_SRC_ROW)], [g(abi.DW_IW), g(abi.DW_SRC_PIXEL)], [g(abi.DW_C), 1])],
    writes: [range(step, abi.DW_DST, bytes, [g(abi.DW_BATCH), g(abi.DW_DST_BATCH)], [g(abi.DW_OH), g(abi.DW_DST_ROW)], [g(abi.DW_OW), g(abi.DW_DST_PIXEL)], [g(abi.DW_C), 1])],
  };
}

function pool(step: StepWords): Touches {
  const g = (at: number): number => step.get(at), bytes = step.opcode === abi.F32_POOL ? 4 : 1;
  return {
    reads: [range(step, abi.POOL_SRC, bytes, [g(abi.POOL_BATCH), g(abi.POOL_SRC_BATCH)], [g(abi.POOL_IH), g(abi.POOL_SRC_ROW)], [g(abi.POOL_IW), g(abi.POOL_SRC_PIXEL)], [g(abi.POOL_C), 1])],
    writes: [range(step, abi.POOL_DST, bytes, [g(abi.POOL_BATCH), g(abi.POOL_DST_BATCH)], [g(abi.POOL_OH), g(abi.POOL_DST_ROW)], [g(abi.POOL_OW), g(abi.POOL_DST_PIXEL)], [g(abi.POOL_C), 1])],
  };
}

function resize(step: StepWords): Touches {
  const g = (at: number): number => step.get(at), { element } = resizeBytes(step);
  return {
    reads: [range(step, abi.RESIZE_SRC, element, [g(abi.RESIZE_BATCH), g(abi.RESIZE_SRC_BATCH)], [g(abi.RESIZE_IH), g(abi.RESIZE_SRC_ROW)], [g(abi.RESIZE_IW), g(abi.RESIZE_SRC_PIXEL)], [g(abi.RESIZE_C), 1])],
    writes: [range(step, abi.RESIZE_DST, element, [g(abi.RESIZE_BATCH), g(abi.RESIZE_DST_BATCH)], [g(abi.RESIZE_OH), g(abi.RESIZE_DST_ROW)], [g(abi.RESIZE_OW), g(abi.RESIZE_DST_PIXEL)], [g(abi.RESIZE_C), 1])],
  };
}

function gather(step: StepWords): Touches {
  const g = (at: number): number => step.get(at), inner = g(abi.GATHER_INNER_BYTES), src = step.get(abi.GATHER_SRC);
  let reach = (g(abi.GATHER_OUTER) - 1) * g(abi.GATHER_SRC_OUTER_BYTES) + inner;
  for (let k = 0; k < g(abi.GATHER_DEPTH); k++) reach += (g(abi.GATHER_AXIS + 4 * k) - 1) * g(abi.GATHER_AXIS_BYTES + 4 * k);
  return {
    reads: [{ from: src, to: src + reach }, range(step, abi.GATHER_INDICES, 4, [g(abi.GATHER_COUNT) * g(abi.GATHER_DEPTH), 1])],
    writes: [range(step, abi.GATHER_DST, 1, [g(abi.GATHER_OUTER) * g(abi.GATHER_COUNT) * inner, 1])],
  };
}

function matmul(step: StepWords): Touches {
  const g = (at: number): number => step.get(at), m = g(abi.MATMUL_M), k = g(abi.MATMUL_K), n = g(abi.MATMUL_N), batch = g(abi.MATMUL_BATCH);
  return {
    reads: [range(step, abi.MATMUL_A, 1, [batch, g(abi.MATMUL_A_BATCH)], [m, g(abi.MATMUL_A_ROW)], [k, g(abi.MATMUL_A_COLUMN)]),
      range(step, abi.MATMUL_B, 1, [batch, g(abi.MATMUL_B_BATCH)], [k, g(abi.MATMUL_B_ROW)], [n, g(abi.MATMUL_B_COLUMN)])],
    writes: [range(step, abi.MATMUL_DST, g(abi.MATMUL_OUT_I32) === 0 ? 1 : 4, [batch, g(abi.MATMUL_DST_BATCH)], [m, g(abi.MATMUL_DST_ROW)], [n, 1])],
  };
}

/** What a run of a nest reads or writes at each position, in elements: pairs of a count and a stride. */
function runDims(step: StepWords, writes: boolean): (readonly [number, number])[] {
  const g = (at: number): number => step.get(at);
  const three = (dims: number, strides: number): (readonly [number, number])[] => [0, 4, 8].map((o) => [g(dims + o), g(strides + o)]);
  switch (step.opcode) {
    case abi.F32_REDUCE: case abi.QS8_REDUCE: return writes ? [] : three(abi.REDUCE_INNER_DIMS, abi.REDUCE_INNER_STRIDES);
    case abi.F32_SOFTMAX: case abi.QS8_SOFTMAX: return [[g(abi.SOFTMAX_AXIS), g(writes ? abi.SOFTMAX_DST_AXIS_STRIDE : abi.SOFTMAX_SRC_AXIS_STRIDE)]];
    case abi.X_ARGMAX: return writes ? [] : [[g(abi.ARGMAX_AXIS), g(abi.ARGMAX_SRC_AXIS_STRIDE)]];
    case abi.F32_LRN: return [[g(abi.LRN_C), 1]];
    default: return [];
  }
}

function normalizeDims(step: StepWords, at: number): (readonly [number, number])[] {
  const strides = at === abi.NORMALIZE_SRC ? abi.NORMALIZE_REGION_SRC_STRIDES : at === abi.NORMALIZE_DST ? abi.NORMALIZE_REGION_DST_STRIDES : abi.NORMALIZE_REGION_FACTOR_STRIDES;
  return [0, 4, 8].map((o) => [step.get(abi.NORMALIZE_REGION + o), step.get(strides + o)]);
}

function nested(step: StepWords): Touches {
  const nest = nestOf(step);
  if (nest === null) return { reads: [{ from: 0, to: Infinity }], writes: [{ from: 0, to: Infinity }] };
  const one = (operand: NestOperand): Range => range(step, operand.at, operand.bytes,
    ...Array.from({ length: nest.rank }, (_, i) => [step.get(nest.dims + 4 * i), step.get(operand.strides + 4 * i)] as const),
    ...step.opcode === abi.F32_NORMALIZE ? normalizeDims(step, operand.at) : runDims(step, operand.writes === true));
  return { reads: nest.operands.filter((o) => !o.writes).map(one), writes: nest.operands.filter((o) => o.writes).map(one) };
}

function operands(step: StepWords): Touches {
  switch (step.opcode) {
    case abi.F32_CONV: case abi.QS8_CONV: case abi.F32_WINOGRAD: return conv(step);
    case abi.F32_DWCONV: case abi.QS8_DWCONV: return dwconv(step);
    case abi.F32_POOL: case abi.QS8_POOL: return pool(step);
    case abi.F32_RESIZE: case abi.QS8_RESIZE: case abi.F32_RESIZE_CUBIC: case abi.X_RESIZE_NEAREST: return resize(step);
    case abi.X_GATHER: return gather(step);
    case abi.QS8_MATMUL: return matmul(step);
    default: return nested(step);
  }
}

/** Where a step's scratch stands, null where it has none; and its bytes. */
export function scratchOf(step: StepWords): { at: number; bytes: number } | null {
  switch (step.opcode) {
    case abi.F32_CONV: case abi.QS8_CONV: case abi.F32_WINOGRAD: return { at: abi.CONV_SCRATCH, bytes: step.get(abi.CONV_SCRATCH_BYTES) };
    case abi.F32_DWCONV: return { at: abi.DW_SCRATCH, bytes: step.get(abi.DW_SCRATCH_BYTES) };
    case abi.QS8_DWCONV: return step.get(abi.DW_CHUNK) === 0 ? null : { at: abi.DW_SCRATCH, bytes: step.get(abi.DW_SCRATCH_BYTES) };
    case abi.QS8_SOFTMAX: return { at: abi.SOFTMAX_SCRATCH, bytes: 4 * step.get(abi.SOFTMAX_AXIS) };
    case abi.F32_LRN: return { at: abi.LRN_SCRATCH, bytes: 4 * (step.get(abi.LRN_BEFORE) + step.get(abi.LRN_C) + step.get(abi.LRN_AFTER)) };
    default: return null;
  }
}

export function touches(step: StepWords): Touches {
  const { reads, writes } = operands(step), scratch = scratchOf(step);
  if (scratch === null) return { reads, writes };
  const from = step.get(scratch.at);
  return { reads, writes: [...writes, { from, to: from + scratch.bytes }] };
}
