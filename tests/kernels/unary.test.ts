// F32_UNARY and QS8_LUT against plain loops: every kind, strides, tails, in place, special values.

import { test } from 'node:test';
import {
  F32_UNARY, LUT_DIMS, LUT_DST, LUT_DST_STRIDES, LUT_SRC, LUT_SRC_STRIDES, LUT_STEP_BYTES, LUT_TABLE, QS8_LUT, UNARY_ABS, UNARY_CEIL, UNARY_CLAMP,
  UNARY_DIMS, UNARY_DST, UNARY_DST_STRIDES, UNARY_ELU, UNARY_EXP, UNARY_FLOOR, UNARY_HARD_SIGMOID, UNARY_HARD_SWISH, UNARY_KIND, UNARY_KIND_COUNT,
  UNARY_LEAKY_RELU, UNARY_LOG, UNARY_NEG, UNARY_P0, UNARY_P1, UNARY_ROUND, UNARY_RSQRT, UNARY_SIGMOID, UNARY_SOFTPLUS, UNARY_SQRT, UNARY_SRC,
  UNARY_SRC_STRIDES, UNARY_STEP_BYTES, UNARY_SWISH, UNARY_TANH,
} from '../../assembly/abi.ts';
import { canaries, clamp, closeFloats, positions, Random, randomDims, randomLayout, randomSource, sameBytes, SEED } from './nests.ts';
import { executors, runStep } from './plan-image.ts';

const f32 = Math.fround;

/** Exact kinds round every step; transcendental ones are the real function, rounded once. */
function real(kind: number, x: number, p0: number, p1: number): number {
  switch (kind) {
    case UNARY_CLAMP: return clamp(x, p0, p1);
    case UNARY_LEAKY_RELU: return x >= 0 ? x : f32(p0 * x);
    case UNARY_SIGMOID: return x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x));
    case UNARY_TANH: return Math.tanh(x);
    case UNARY_HARD_SIGMOID: return clamp(f32(f32(p0 * x) + p1), 0, 1);
    case UNARY_HARD_SWISH: return f32(x * clamp(f32(f32(x / 6) + 0.5), 0, 1));
    case UNARY_ELU: return x >= 0 ? x : f32(p0 * f32(Math.expm1(x)));
    case UNARY_SOFTPLUS: return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
    case UNARY_EXP: return Math.exp(x);
    case UNARY_LOG: return Math.log(x);
    case UNARY_SQRT: return Math.sqrt(x);
    case UNARY_NEG: return -x;
    case UNARY_ABS: return Math.abs(x);
    case UNARY_RSQRT: return f32(1 / f32(Math.sqrt(x)));
    case UNARY_FLOOR: return Math.floor(x);
    case UNARY_CEIL: return Math.ceil(x);
    case UNARY_SWISH: return f32(x * f32(real(UNARY_SIGMOID, x, p0, p1)));
    case UNARY_ROUND: return Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x);
    default: return x * x;
  }
}
const inexact = new Map<number, number>([
  [UNARY_SIGMOID, 3], [UNARY_TANH, 3], [UNARY_ELU, 4], [UNARY_SOFTPLUS, 4], [UNARY_EXP, 2], [UNARY_LOG, 2], [UNARY_SWISH, 4],
]);
/** Where a sigmoid is subnormal, its last unit is multiplied by x as well. */
const SUBNORMAL_PRODUCT = 1e-42;
const specials = [NaN, Infinity, -Infinity, 0, -0, 1e-45, -1e-45, 1e-39, 88, 89, -87, -88, -103, -110, 3e38, -3e38, 0.625, -0.625, 1, -1];

for (const executor of executors) {
  for (let kind = 0; kind < UNARY_KIND_COUNT; kind++) {
    test(`f32_unary kind ${kind} (${executor.name}, seed ${SEED})`, () => {
      const random = new Random(SEED + kind);
      const [p0, p1] = kind === UNARY_CLAMP ? [f32(-0.3), 6] : [f32(0.2), f32(0.4)];
      for (let round = 0; round < 60; round++) {
        const dims = randomDims(random, 6);
        const from = random.chance(0.5) ? randomLayout(random, dims) : randomSource(random, dims);
        const to = randomLayout(random, dims);
        const src = random.f32(from.span, random.pick([1e-3, 1, 10, 100]));
        for (let i = 0; i < 3; i++) src[random.int(0, src.length - 1)] = random.pick(specials);
        const expected = new Float32Array(canaries(4 * to.span));
        const at = positions(dims, from.strides);
        positions(dims, to.strides).forEach((o, i) => { expected[o] = real(kind, src[at[i]], p0, p1); });
        const actual = runStep(executor, {
          opcode: F32_UNARY, stepBytes: UNARY_STEP_BYTES,
          words: {
            [UNARY_KIND]: kind, [UNARY_P0]: { f32: p0 }, [UNARY_P1]: { f32: p1 }, [UNARY_DIMS]: dims,
            [UNARY_SRC_STRIDES]: from.strides, [UNARY_DST_STRIDES]: to.strides,
          },
          operands: [{ field: UNARY_SRC, data: src }], output: { field: UNARY_DST, bytes: expected.byteLength },
        });
        closeFloats(actual, expected, inexact.get(kind) ?? 0, `kind ${kind}, round ${round}, dims ${dims.join('x')}`, kind === UNARY_SWISH ? SUBNORMAL_PRODUCT : 0);
      }
    });
  }

  test(`qs8_lut (${executor.name}, seed ${SEED})`, () => {
    const random = new Random(SEED);
    for (let round = 0; round < 100; round++) {
      const dims = randomDims(random, 6);
      const from = randomSource(random, dims);
      const to = randomLayout(random, dims);
      const src = random.i8(from.span);
      const table = random.i8(256);
      const expected = new Int8Array(canaries(to.span));
      const at = positions(dims, from.strides);
      positions(dims, to.strides).forEach((o, i) => { expected[o] = table[src[at[i]] + 128]; });
      const actual = runStep(executor, {
        opcode: QS8_LUT, stepBytes: LUT_STEP_BYTES, words: { [LUT_DIMS]: dims, [LUT_SRC_STRIDES]: from.strides, [LUT_DST_STRIDES]: to.strides },
        operands: [{ field: LUT_SRC, data: src }, { field: LUT_TABLE, data: table, constant: true }],
        output: { field: LUT_DST, bytes: expected.length },
      });
      sameBytes(actual, expected, `round ${round}`);
    }
  });
}
