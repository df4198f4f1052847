// How steps over nests of loops are shared: by one of their outer dimensions. Also gathers and the product of two tensors.
// In: a step. Out: one smaller step per thread. Must not know how steps depend on each other.

import * as abi from '../../assembly/abi.ts';
import { alone, cut, sharesOf, worst, type Cut, type Shares, type StepWords } from './step-words.ts';

/** One operand of a nest: where its address and its strides stand, and the bytes of an element. */
export interface NestOperand {
  readonly at: number;
  readonly strides: number;
  readonly bytes: number;
  readonly writes?: true;
}
export interface Nest {
  readonly dims: number;
  readonly rank: number;
  readonly operands: readonly NestOperand[];
  /** What is done per position of the nest. */
  readonly weight: number;
}

const LEAST_WORK = 6_000;
/** The innermost dimension is cut at multiples of the widest vectors that kernels use. */
const VECTOR = 16;

const srcConvert = new Map([[abi.CONVERT_FLIP, 1], [abi.CONVERT_DEQUANTIZE, 1], [abi.CONVERT_I8_I32, 1], [abi.CONVERT_I64_I32, 8]]);
const dstConvert = new Map([[abi.CONVERT_FLIP, 1], [abi.CONVERT_QUANTIZE, 1], [abi.CONVERT_I32_I8, 1], [abi.CONVERT_I32_I64, 8]]);

function product(step: StepWords, at: number, count: number): number {
  let all = 1;
  for (let i = 0; i < count; i++) all *= step.get(at + 4 * i);
  return all;
}

function binaryNest(bytes: number): Nest {
  return { dims: abi.BINARY_DIMS, rank: abi.NEST_RANK, weight: 1, operands: [
    { at: abi.BINARY_A, strides: abi.BINARY_A_STRIDES, bytes }, { at: abi.BINARY_B, strides: abi.BINARY_B_STRIDES, bytes },
    { at: abi.BINARY_DST, strides: abi.BINARY_DST_STRIDES, bytes, writes: true },
  ] };
}

/** A nest of one source and one destination. */
function moving(dims: number, rank: number, src: readonly [number, number, number], dst: readonly [number, number, number], weight: number): Nest {
  return { dims, rank, weight, operands: [
    { at: src[0], strides: src[1], bytes: src[2] }, { at: dst[0], strides: dst[1], bytes: dst[2], writes: true },
  ] };
}

/** The nest that a step walks, null for steps that walk none. */
export function nestOf(step: StepWords): Nest | null {
  switch (step.opcode) {
    case abi.F32_BINARY: case abi.I32_BINARY: return binaryNest(4);
    case abi.QS8_BINARY: return binaryNest(1);
    case abi.F32_UNARY: return moving(abi.UNARY_DIMS, 6, [abi.UNARY_SRC, abi.UNARY_SRC_STRIDES, 4], [abi.UNARY_DST, abi.UNARY_DST_STRIDES, 4], 2);
    case abi.QS8_LUT: return moving(abi.LUT_DIMS, 6, [abi.LUT_SRC, abi.LUT_SRC_STRIDES, 1], [abi.LUT_DST, abi.LUT_DST_STRIDES, 1], 2);
    case abi.X_COPY: {
      const bytes = step.get(abi.COPY_ELEMENT_BYTES);
      return moving(abi.COPY_DIMS, 6, [abi.COPY_SRC, abi.COPY_SRC_STRIDES, bytes], [abi.COPY_DST, abi.COPY_DST_STRIDES, bytes], 1);
    }
    case abi.X_CONVERT: {
      const kind = step.get(abi.CONVERT_KIND);
      return moving(abi.CONVERT_DIMS, 6, [abi.CONVERT_SRC, abi.CONVERT_SRC_STRIDES, srcConvert.get(kind) ?? 4],
        [abi.CONVERT_DST, abi.CONVERT_DST_STRIDES, dstConvert.get(kind) ?? 4], 1);
    }
    default: return runNestOf(step);
  }
}

/** Nests of runs: something is done along an axis or over a region for each position. */
function runNestOf(step: StepWords): Nest | null {
  switch (step.opcode) {
    case abi.F32_REDUCE: case abi.QS8_REDUCE: {
      const bytes = step.opcode === abi.F32_REDUCE ? 4 : 1;
      return moving(abi.REDUCE_DIMS, 4, [abi.REDUCE_SRC, abi.REDUCE_SRC_STRIDES, bytes], [abi.REDUCE_DST, abi.REDUCE_DST_STRIDES, bytes], product(step, abi.REDUCE_INNER_DIMS, 3));
    }
    case abi.F32_SOFTMAX: case abi.QS8_SOFTMAX: {
      const bytes = step.opcode === abi.F32_SOFTMAX ? 4 : 1;
      return moving(abi.SOFTMAX_DIMS, 4, [abi.SOFTMAX_SRC, abi.SOFTMAX_SRC_STRIDES, bytes], [abi.SOFTMAX_DST, abi.SOFTMAX_DST_STRIDES, bytes], 4 * step.get(abi.SOFTMAX_AXIS));
    }
    case abi.X_ARGMAX: return moving(abi.ARGMAX_DIMS, 4, [abi.ARGMAX_SRC, abi.ARGMAX_SRC_STRIDES, step.get(abi.ARGMAX_DTYPE) === abi.DTYPE_I8 ? 1 : 4],
      [abi.ARGMAX_DST, abi.ARGMAX_DST_STRIDES, 4], step.get(abi.ARGMAX_AXIS));
    case abi.F32_LRN: return moving(abi.LRN_DIMS, 4, [abi.LRN_SRC, abi.LRN_SRC_STRIDES, 4], [abi.LRN_DST, abi.LRN_DST_STRIDES, 4], 4 * step.get(abi.LRN_C));
    case abi.F32_NORMALIZE: return { dims: abi.NORMALIZE_DIMS, rank: 4, weight: 3 * product(step, abi.NORMALIZE_REGION, 3), operands: [
      { at: abi.NORMALIZE_SRC, strides: abi.NORMALIZE_SRC_STRIDES, bytes: 4 }, { at: abi.NORMALIZE_FACTOR, strides: abi.NORMALIZE_FACTOR_STRIDES, bytes: 4 },
      { at: abi.NORMALIZE_OFFSET, strides: abi.NORMALIZE_FACTOR_STRIDES, bytes: 4 }, { at: abi.NORMALIZE_DST, strides: abi.NORMALIZE_DST_STRIDES, bytes: 4, writes: true },
    ] };
    default: return null;
  }
}

export function shareNest(step: StepWords, threads: number, nest: Nest, least: number): Shares {
  if (product(step, nest.dims, nest.rank) * nest.weight < LEAST_WORK * least) return alone(step, threads);
  let best: { dim: number; cuts: Cut[] } | null = null;
  for (let dim = 0; dim < nest.rank; dim++) {
    const size = step.get(nest.dims + 4 * dim);
    const cuts = cut(size, threads, dim === nest.rank - 1 ? VECTOR : 1);
    if (size > 1 && (best === null || worst(cuts) < worst(best.cuts) * 0.97)) best = { dim, cuts };
  }
  if (best === null) return alone(step, threads);
  const { dim, cuts } = best;
  return sharesOf(cuts, ({ from, count }) => {
    const part = step.with({ set: { [nest.dims + 4 * dim]: count } });
    for (const { at, strides, bytes } of nest.operands) part.words[at >> 2] += from * step.get(strides + 4 * dim) * bytes;
    return part;
  });
}

export function shareGather(step: StepWords, threads: number, least: number): Shares {
  const outer = step.get(abi.GATHER_OUTER), count = step.get(abi.GATHER_COUNT), inner = step.get(abi.GATHER_INNER_BYTES);
  if (outer * count * inner < LEAST_WORK * least) return alone(step, threads);
  if (outer > 1) {
    return sharesOf(cut(outer, threads, 1), (part) => step.with({ set: { [abi.GATHER_OUTER]: part.count }, add: {
      [abi.GATHER_SRC]: part.from * step.get(abi.GATHER_SRC_OUTER_BYTES), [abi.GATHER_DST]: part.from * count * inner,
    } }));
  }
  return sharesOf(cut(count, threads, 1), (part) => step.with({ set: { [abi.GATHER_COUNT]: part.count }, add: {
    [abi.GATHER_INDICES]: 4 * part.from * step.get(abi.GATHER_DEPTH), [abi.GATHER_DST]: part.from * inner,
  } }));
}

export function shareMatmul(step: StepWords, threads: number, least: number): Shares {
  const m = step.get(abi.MATMUL_M);
  if (step.get(abi.MATMUL_BATCH) * m * step.get(abi.MATMUL_K) * step.get(abi.MATMUL_N) < LEAST_WORK * least) return alone(step, threads);
  return sharesOf(cut(m, threads, 1), ({ from, count }) => step.with({ set: { [abi.MATMUL_M]: count }, add: {
    [abi.MATMUL_A]: from * step.get(abi.MATMUL_A_ROW), [abi.MATMUL_DST]: from * step.get(abi.MATMUL_DST_ROW) * (step.get(abi.MATMUL_OUT_I32) === 0 ? 1 : 4),
  } }));
}
