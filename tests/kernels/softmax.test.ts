// F32_SOFTMAX and QS8_SOFTMAX against the real softmax in float64: dense, strided and vector layouts, large inputs, log, beta.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  F32_SOFTMAX, QS8_SOFTMAX, SOFTMAX_AXIS, SOFTMAX_BETA, SOFTMAX_DIMS, SOFTMAX_DST, SOFTMAX_DST_AXIS_STRIDE, SOFTMAX_DST_SCALE,
  SOFTMAX_DST_STRIDES, SOFTMAX_DST_ZERO, SOFTMAX_LOG, SOFTMAX_SCRATCH, SOFTMAX_SRC, SOFTMAX_SRC_AXIS_STRIDE, SOFTMAX_SRC_SCALE,
  SOFTMAX_SRC_STRIDES, SOFTMAX_STEP_BYTES,
} from '../../assembly/abi.ts';
import { CANARY, executors, runStep, type Words } from './plan-image.ts';
import { canaries, closeFloats, positions, quantized, Random, randomDims, randomLayout, SEED } from './nests.ts';

const f32 = Math.fround;

function softmax(values: readonly number[], log: boolean): number[] {
  const best = Math.max(...values);
  const sum = values.reduce((total, v) => total + Math.exp(v - best), 0);
  return values.map((v) => (log ? v - best - Math.log(sum) : Math.exp(v - best) / sum));
}

function randomCase(random: Random) {
  const dims = randomDims(random, 5, 23);
  const turn = random.int(0, dims.length - 1);
  const all = [...dims.slice(turn), ...dims.slice(0, turn)];
  const [src, dst] = [randomLayout(random, all), randomLayout(random, all)];
  const words: Words = {
    [SOFTMAX_DIMS]: all.slice(0, 4), [SOFTMAX_SRC_STRIDES]: src.strides.slice(0, 4), [SOFTMAX_DST_STRIDES]: dst.strides.slice(0, 4),
    [SOFTMAX_AXIS]: all[4], [SOFTMAX_SRC_AXIS_STRIDE]: src.strides[4], [SOFTMAX_DST_AXIS_STRIDE]: dst.strides[4],
  };
  const lines = positions(all.slice(0, 4), src.strides.slice(0, 4)).map((at) => positions([all[4]], [src.strides[4]], at));
  const targets = positions(all.slice(0, 4), dst.strides.slice(0, 4)).map((at) => positions([all[4]], [dst.strides[4]], at));
  return { words, lines, targets, axis: all[4], srcSpan: src.span, dstSpan: dst.span };
}

for (const executor of executors) {
  test(`f32_softmax (${executor.name}, seed ${SEED})`, () => {
    const random = new Random(SEED);
    for (let round = 0; round < 120; round++) {
      const c = randomCase(random);
      const log = random.chance(0.4);
      const beta = random.pick([1, f32(0.7)]);
      const src = random.f32(c.srcSpan, random.pick([1, 10, 500]));
      const expected = new Float32Array(canaries(4 * c.dstSpan));
      c.lines.forEach((line, i) => { softmax(line.map((at) => src[at] * beta), log).forEach((p, k) => { expected[c.targets[i][k]] = p; }); });
      const actual = runStep(executor, {
        opcode: F32_SOFTMAX, stepBytes: SOFTMAX_STEP_BYTES, words: { ...c.words, [SOFTMAX_LOG]: log ? 1 : 0, [SOFTMAX_BETA]: { f32: beta } },
        operands: [{ field: SOFTMAX_SRC, data: src }], output: { field: SOFTMAX_DST, bytes: expected.byteLength },
      });
      // x - max is rounded for large x: the exponential carries that error into the result.
      closeFloats(actual, expected, 0, `round ${round}`, log ? 2e-4 : 1e-5);
    }
  });

  test(`qs8_softmax is within one of the real softmax, and equal nearly always (${executor.name}, seed ${SEED})`, () => {
    const random = new Random(SEED + 1);
    let elements = 0;
    let different = 0;
    for (let round = 0; round < 120; round++) {
      const c = randomCase(random);
      const src = random.i8(c.srcSpan);
      const si = f32(0.1 * (0.2 + random.next()));
      const [so, zo] = random.chance(0.7) ? [1 / 256, -128] : [f32(0.011), random.int(-128, 0)];
      const expected = new Int8Array(canaries(c.dstSpan));
      c.lines.forEach((line, i) => {
        softmax(line.map((at) => src[at] * si), false).forEach((p, k) => { expected[c.targets[i][k]] = quantized(f32(f32(p) / so), zo); });
      });
      // The scratch is written as well: it lies in the output's region, in front.
      const scratchBytes = Math.ceil((4 * c.axis) / 64) * 64;
      const bytes = runStep(executor, {
        opcode: QS8_SOFTMAX, stepBytes: SOFTMAX_STEP_BYTES,
        words: {
          ...c.words, [SOFTMAX_BETA]: { f32: 1 }, [SOFTMAX_SRC_SCALE]: { f32: si }, [SOFTMAX_DST_SCALE]: { f32: so }, [SOFTMAX_DST_ZERO]: zo,
        },
        operands: [{ field: SOFTMAX_SRC, data: src }],
        output: { field: SOFTMAX_SCRATCH, bytes: scratchBytes + c.dstSpan, also: { field: SOFTMAX_DST, skip: scratchBytes } },
      });
      assert.ok(bytes.subarray(4 * c.axis, scratchBytes).every((b) => b === CANARY), 'bytes behind the scratch');
      const actual = new Int8Array(bytes.slice(scratchBytes).buffer);
      expected.forEach((want, i) => {
        assert.ok(Math.abs(actual[i] - want) <= 1, `round ${round}: ${actual[i]} instead of ${want} (seed ${SEED})`);
        different += actual[i] === want ? 0 : 1;
      });
      elements += expected.length;
    }
    assert.ok(different <= elements / 1000, `${different} of ${elements} differ`);
  });
}
