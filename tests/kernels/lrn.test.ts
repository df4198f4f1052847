// F32_LRN against plain loops: channel counts around the vector, windows wider than the channels, exponents, strided and in place.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BAD_OPERAND, BAD_READ, BAD_WRITE, F32_LRN, LRN_AFTER, LRN_BEFORE, LRN_BETA, LRN_BIAS, LRN_C, LRN_DIMS, LRN_DST, LRN_DST_STRIDES, LRN_SCALE,
  LRN_SCRATCH, LRN_SRC, LRN_SRC_STRIDES, LRN_STEP_BYTES,
} from '../../assembly/abi.ts';
import { tolerance } from '../tolerance.ts';
import { canaries, closeFloats, positions, Random, randomDims, sameBytes, SEED } from './nests.ts';
import { buildImage, CANARY, executors, runStep, verify, type Executor, type StepCase } from './plan-image.ts';

interface Lrn { channels: number; before: number; after: number; scale: number; bias: number; beta: number }
const f32 = Math.fround;

/** Dense pixels of C channels with a gap behind each. */
function layout(random: Random, dims: readonly number[], channels: number): { strides: number[]; span: number } {
  const strides = dims.map(() => 0);
  let next = channels + random.int(0, 3);
  for (let i = dims.length - 1; i >= 0; i--) {
    strides[i] = next;
    next = next * dims[i] + random.int(0, 2);
  }
  return { strides, span: dims.reduce((sum, dim, i) => sum + (dim - 1) * strides[i], channels) };
}

/** One element; `round` is the identity or float32 rounding after every operation. */
function lrnOf(line: ArrayLike<number>, c: number, l: Lrn, round: (v: number) => number): number {
  let sum = 0;
  for (let k = c - l.before; k <= c + l.after; k++) sum = round(sum + (k < 0 || k >= l.channels ? 0 : round(line[k] * line[k])));
  const base = round(l.bias + round(l.scale * sum));
  if (round !== f32) return line[c] / base ** l.beta;
  const root = f32(Math.sqrt(base));
  return f32(line[c] / f32(root * f32(Math.sqrt(root))));
}

function stepOf(random: Random, dims: readonly number[], l: Lrn, magnitude = 4): { step: StepCase; expect: (round: (v: number) => number) => Float32Array; dstAt: number } {
  const [from, to] = [layout(random, dims, l.channels), layout(random, dims, l.channels)];
  const src = random.f32(from.span, magnitude);
  const dstAt = Math.ceil((4 * (l.before + l.channels + l.after)) / 64) * 64;
  const starts = positions(dims, from.strides);
  const expect = (round: (v: number) => number): Float32Array => {
    const expected = new Float32Array(canaries(4 * to.span));
    positions(dims, to.strides).forEach((at, i) => {
      const line = src.subarray(starts[i], starts[i] + l.channels);
      for (let c = 0; c < l.channels; c++) expected[at + c] = lrnOf(line, c, l, round);
    });
    return expected;
  };
  const step: StepCase = {
    opcode: F32_LRN, stepBytes: LRN_STEP_BYTES,
    words: {
      [LRN_DIMS]: dims, [LRN_SRC_STRIDES]: from.strides, [LRN_DST_STRIDES]: to.strides, [LRN_C]: l.channels, [LRN_BEFORE]: l.before,
      [LRN_AFTER]: l.after, [LRN_SCALE]: { f32: l.scale }, [LRN_BIAS]: { f32: l.bias }, [LRN_BETA]: { f32: l.beta },
    },
    operands: [{ field: LRN_SRC, data: src }],
    // The scratch is written as well: it lies in the output's region, in front.
    output: { field: LRN_SCRATCH, bytes: dstAt + 4 * to.span, also: { field: LRN_DST, skip: dstAt } },
  };
  return { step, expect, dstAt };
}

function outputOf(executor: Executor, { step, dstAt }: ReturnType<typeof stepOf>, l: Lrn): Uint8Array {
  const bytes = runStep(executor, step);
  assert.ok(bytes.subarray(4 * (l.before + l.channels + l.after), dstAt).every((b) => b === CANARY), 'bytes behind the scratch');
  return bytes.slice(dstAt);
}

for (const executor of executors) {
  test(`f32_lrn (${executor.name}, seed ${SEED})`, () => {
    const random = new Random(SEED);
    for (let round = 0; round < 120; round++) {
      const l = { channels: random.int(1, 19), before: random.int(0, 5), after: random.int(0, 21), scale: f32(random.next()), bias: f32(0.5 + random.next()), beta: f32(random.pick([0.75, 0.5, 1, 0.2, 2, -1])) };
      const c = stepOf(random, randomDims(random, 4, 3), l, random.pick([1, 4, 300]));
      const expected = c.expect((v) => v);
      const largest = expected.reduce((a, v) => Math.max(a, Math.abs(v)), 0);
      closeFloats(outputOf(executor, c, l), expected, 0, `round ${round}`, tolerance.kernel * largest);
    }
  });

  test(`f32_lrn with exponent 3/4 has the bytes of stepwise float32 (${executor.name}, seed ${SEED})`, () => {
    const random = new Random(SEED + 1);
    for (let round = 0; round < 60; round++) {
      const l = { channels: random.int(1, 19), before: random.int(0, 3), after: random.int(0, 3), scale: f32(random.next()), bias: 1, beta: 0.75 };
      const c = stepOf(random, randomDims(random, 4, 3), l);
      sameBytes(outputOf(executor, c, l), c.expect(f32), `round ${round}`);
    }
  });

  test(`f32_lrn refuses what does not fit (${executor.name})`, () => {
    const { step } = stepOf(new Random(SEED + 2), [1, 1, 2, 3], { channels: 5, before: 2, after: 2, scale: 1, bias: 1, beta: 0.75 });
    const refused: [number, number | number[], number][] = [
      [LRN_C, 0, BAD_OPERAND], [LRN_C, 1000, BAD_READ], [LRN_BEFORE, -1, BAD_OPERAND], [LRN_AFTER, 2 ** 31 - 1, BAD_WRITE],
      [LRN_DIMS, [1, 1, 0, 3], BAD_OPERAND], [LRN_DST_STRIDES, [0, 0, 0, 5], BAD_OPERAND], [LRN_SRC_STRIDES, [0, 0, -5, 5], BAD_OPERAND],
      [LRN_SRC_STRIDES, [0, 0, 1000, 5], BAD_READ],
    ];
    for (const [field, value, code] of refused) {
      assert.equal(verify(executor, buildImage({ ...step, words: { ...step.words, [field]: value } }).plan), code, `operand ${field}: ${String(value)}`);
    }
  });
}
