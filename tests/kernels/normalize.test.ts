// F32_NORMALIZE against plain loops in float64: across, along and neither, tails, repeated and differing parameters, large means.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BAD_OPERAND, BAD_READ, BAD_WRITE, F32_NORMALIZE, NORMALIZE_DIMS, NORMALIZE_DST, NORMALIZE_DST_STRIDES, NORMALIZE_EPSILON, NORMALIZE_FACTOR,
  NORMALIZE_FACTOR_STRIDES, NORMALIZE_OFFSET, NORMALIZE_REGION, NORMALIZE_REGION_DST_STRIDES, NORMALIZE_REGION_FACTOR_STRIDES,
  NORMALIZE_REGION_SRC_STRIDES, NORMALIZE_SRC, NORMALIZE_SRC_STRIDES, NORMALIZE_STEP_BYTES,
} from '../../assembly/abi.ts';
import { canaries, closeFloats, positions, Random, randomDims, randomLayout, randomSource, SEED } from './nests.ts';
import { buildImage, executors, runStep, verify, type StepCase } from './plan-image.ts';

const EPSILON = Math.fround(1e-5);

function randomStep(random: Random): { step: StepCase; expected: Float32Array } {
  const dims = randomDims(random, 7, 21);
  // Which axes form the region is a matter of chance: sometimes the innermost one is kept, sometimes normalised.
  const turn = random.pick([0, 0, 3, 5]);
  const all = [...dims.slice(turn), ...dims.slice(0, turn)];
  const [src, dst, factor] = [randomLayout(random, all), randomLayout(random, all), randomSource(random, all, random.pick([0.1, 0.6, 1]))];
  const x = random.f32(src.span, random.pick([1, 4, 100])).map((v, _, list) => v + list[0]);
  const [f, o] = [random.f32(factor.span), random.f32(factor.span)];
  const split = (strides: readonly number[]): [number[], number[]] => [strides.slice(0, 4), strides.slice(4)];
  const [kept, region] = split(all);
  const each = (strides: readonly number[]): number[][] => positions(kept, split(strides)[0]).map((at) => positions(region, split(strides)[1], at));
  const [from, to, by] = [each(src.strides), each(dst.strides), each(factor.strides)];
  const expected = new Float32Array(canaries(4 * dst.span));
  from.forEach((places, r) => {
    const mean = places.reduce((sum, at) => sum + x[at], 0) / places.length;
    const variance = places.reduce((sum, at) => sum + (x[at] - mean) ** 2, 0) / places.length;
    places.forEach((at, k) => { expected[to[r][k]] = ((x[at] - mean) / Math.sqrt(variance + EPSILON)) * f[by[r][k]] + o[by[r][k]]; });
  });
  const step: StepCase = {
    opcode: F32_NORMALIZE, stepBytes: NORMALIZE_STEP_BYTES,
    words: {
      [NORMALIZE_EPSILON]: { f32: EPSILON }, [NORMALIZE_DIMS]: kept, [NORMALIZE_SRC_STRIDES]: split(src.strides)[0],
      [NORMALIZE_DST_STRIDES]: split(dst.strides)[0], [NORMALIZE_FACTOR_STRIDES]: split(factor.strides)[0], [NORMALIZE_REGION]: region,
      [NORMALIZE_REGION_SRC_STRIDES]: split(src.strides)[1], [NORMALIZE_REGION_DST_STRIDES]: split(dst.strides)[1],
      [NORMALIZE_REGION_FACTOR_STRIDES]: split(factor.strides)[1],
    },
    operands: [{ field: NORMALIZE_SRC, data: x }, { field: NORMALIZE_FACTOR, data: f, constant: true }, { field: NORMALIZE_OFFSET, data: o, constant: true }],
    output: { field: NORMALIZE_DST, bytes: expected.byteLength },
  };
  return { step, expected };
}

for (const executor of executors) {
  test(`f32_normalize (${executor.name}, seed ${SEED})`, () => {
    const random = new Random(SEED);
    for (let round = 0; round < 200; round++) {
      const { step, expected } = randomStep(random);
      // Results lie around ±4; where x is nearly constant, its own rounding decides.
      closeFloats(runStep(executor, step), expected, 0, `round ${round}`, 2e-4);
    }
  });

  test(`f32_normalize of equal elements is the offset (${executor.name})`, () => {
    const { step } = randomStep(new Random(SEED + 1));
    const constants = step.operands.map((operand) => (operand.field === NORMALIZE_SRC ? { ...operand, data: new Float32Array(operand.data.byteLength / 4).fill(7) } : operand));
    const actual = new Float32Array(runStep(executor, { ...step, operands: constants }).slice().buffer);
    const offsets = new Float32Array(step.operands[2].data.buffer);
    const canary = new Float32Array(canaries(4))[0];
    assert.ok(actual.every((v) => v === canary || offsets.includes(v)));
  });

  test(`f32_normalize refuses what does not fit (${executor.name})`, () => {
    const { step } = randomStep(new Random(SEED + 2));
    const refused: [number, number[], number][] = [
      [NORMALIZE_DIMS, [1, 1, 0, 3], BAD_OPERAND], [NORMALIZE_REGION, [1, -1, 3], BAD_OPERAND], [NORMALIZE_REGION, [1, 1, 100000], BAD_READ],
      [NORMALIZE_SRC_STRIDES, [-1, 0, 0, 0], BAD_OPERAND], [NORMALIZE_REGION_FACTOR_STRIDES, [0, 0, -1], BAD_OPERAND],
    ];
    for (const [field, value, code] of refused) {
      const found = verify(executor, buildImage({ ...step, words: { ...step.words, [field]: value } }).plan);
      assert.ok(found === code || found === BAD_WRITE, `operand ${field}: [${value.join(', ')}] gives ${found}`);
    }
    const twice = { ...step.words, [NORMALIZE_REGION]: [1, 1, 2], [NORMALIZE_REGION_DST_STRIDES]: [0, 0, 0] };
    assert.equal(verify(executor, buildImage({ ...step, words: twice }).plan), BAD_OPERAND, 'a destination written again and again');
  });
}
