// F32_REDUCE, QS8_REDUCE and X_ARGMAX against plain loops: every kind, vector and scalar layouts, ties.

import { test } from 'node:test';
import {
  ARGMAX_AXIS, ARGMAX_DIMS, ARGMAX_DST, ARGMAX_DST_STRIDES, ARGMAX_DTYPE, ARGMAX_LAST, ARGMAX_SRC, ARGMAX_SRC_AXIS_STRIDE, ARGMAX_SRC_STRIDES,
  ARGMAX_STEP_BYTES, DTYPE_F32, DTYPE_I32, DTYPE_I8, F32_REDUCE, QS8_REDUCE, REDUCE_DIMS, REDUCE_DST, REDUCE_DST_SCALE, REDUCE_DST_STRIDES,
  REDUCE_DST_ZERO, REDUCE_INNER_DIMS, REDUCE_INNER_STRIDES, REDUCE_KIND, REDUCE_KIND_COUNT, REDUCE_MAX, REDUCE_MEAN, REDUCE_MIN, REDUCE_PROD,
  REDUCE_SRC,
  REDUCE_SRC_SCALE, REDUCE_SRC_STRIDES, REDUCE_SRC_ZERO, REDUCE_STEP_BYTES, REDUCE_SUM, X_ARGMAX,
} from '../../assembly/abi.ts';
import { canaries, closeFloats, positions, quantized, Random, randomDims, randomLayout, sameBytes, SEED } from './nests.ts';
import { executors, runStep, type StepCase, type Words } from './plan-image.ts';

const f32 = Math.fround;

/** A random source nest, split into kept and reduced dims, and a destination. */
function randomReduction(random: Random, kept: number, reduced: number) {
  const dims = randomDims(random, kept + reduced, 21);
  // Any dim may be the long one: rotate, so that both ends get it.
  const turn = random.int(0, dims.length - 1);
  const all = [...dims.slice(turn), ...dims.slice(0, turn)];
  const src = randomLayout(random, all);
  const outer = all.slice(0, kept);
  const dst = randomLayout(random, outer);
  return { outer, inner: all.slice(kept), srcOuter: src.strides.slice(0, kept), srcInner: src.strides.slice(kept), srcSpan: src.span, dst };
}
type Reduction = ReturnType<typeof randomReduction>;

function fill(target: { [i: number]: number }, r: Reduction, src: ArrayLike<number>, reduce: (values: number[]) => number): void {
  const starts = positions(r.outer, r.srcOuter);
  positions(r.outer, r.dst.strides).forEach((o, i) => { target[o] = reduce(positions(r.inner, r.srcInner, starts[i]).map((at) => src[at])); });
}

function stepOf(opcode: number, kind: number, r: Reduction, src: ArrayBufferView, bytes: number, more: Words = {}): StepCase {
  return {
    opcode, stepBytes: REDUCE_STEP_BYTES,
    words: {
      [REDUCE_KIND]: kind, [REDUCE_DIMS]: r.outer, [REDUCE_SRC_STRIDES]: r.srcOuter, [REDUCE_DST_STRIDES]: r.dst.strides,
      [REDUCE_INNER_DIMS]: r.inner, [REDUCE_INNER_STRIDES]: r.srcInner, ...more,
    },
    operands: [{ field: REDUCE_SRC, data: src }], output: { field: REDUCE_DST, bytes },
  };
}

function real(kind: number, values: readonly number[]): number {
  if (kind === REDUCE_PROD) return values.reduce((a, b) => a * b, 1);
  const sum = values.reduce((a, b) => a + b, 0);
  return kind === REDUCE_MAX ? Math.max(...values) : kind === REDUCE_MIN ? Math.min(...values) : kind === REDUCE_SUM ? sum : sum / values.length;
}

for (const executor of executors) {
  for (let kind = 0; kind < REDUCE_KIND_COUNT; kind++) {
    test(`f32_reduce kind ${kind} (${executor.name}, seed ${SEED})`, () => {
      const random = new Random(SEED + kind);
      for (let round = 0; round < 80; round++) {
        const r = randomReduction(random, 4, 3);
        const src = random.f32(r.srcSpan);
        // Products of thousands of numbers stay in range only near 1, where every multiplication may cost half an ulp.
        if (kind === REDUCE_PROD) src.forEach((v, i) => { src[i] = Math.sign(v) * (1 + v * 1e-3); });
        if (random.chance(0.2)) src[random.int(0, src.length - 1)] = NaN;
        const expected = new Float32Array(canaries(4 * r.dst.span));
        fill(expected, r, src, (values) => real(kind, values));
        const actual = runStep(executor, stepOf(F32_REDUCE, kind, r, src, expected.byteLength));
        // Sums may cancel: the error is that of the summands, not of the sum.
        const roundings = kind === REDUCE_PROD ? r.inner.reduce((a, d) => a * d, 1) : 0;
        closeFloats(actual, expected, roundings, `kind ${kind}, round ${round}`, kind === REDUCE_MEAN ? 1e-6 : kind === REDUCE_SUM ? 2e-4 : 0);
      }
    });

    if (kind !== REDUCE_PROD) test(`qs8_reduce kind ${kind} (${executor.name}, seed ${SEED})`, () => {
      const random = new Random(SEED + 10 + kind);
      for (let round = 0; round < 80; round++) {
        const r = randomReduction(random, 4, 3);
        const src = random.i8(r.srcSpan);
        const [si, so] = [f32(0.03 * (0.5 + random.next())), f32(0.03 * (0.5 + random.next()))];
        const [zi, zo] = [random.int(-128, 127), random.int(-128, 127)];
        const expected = new Int8Array(canaries(r.dst.span));
        fill(expected, r, src, (values) => {
          if (kind === REDUCE_MAX || kind === REDUCE_MIN) return real(kind, values);
          const sum = values.reduce((total, v) => total + v - zi, 0);
          return quantized(f32(sum * f32(si / f32(so * (kind === REDUCE_MEAN ? values.length : 1)))), zo);
        });
        const more = { [REDUCE_SRC_SCALE]: { f32: si }, [REDUCE_DST_SCALE]: { f32: so }, [REDUCE_SRC_ZERO]: zi, [REDUCE_DST_ZERO]: zo };
        sameBytes(runStep(executor, stepOf(QS8_REDUCE, kind, r, src, expected.byteLength, more)), expected, `kind ${kind}, round ${round}`);
      }
    });
  }

  test(`x_argmax (${executor.name}, seed ${SEED})`, () => {
    const random = new Random(SEED + 20);
    for (let round = 0; round < 150; round++) {
      const r = randomReduction(random, 4, 1);
      const dtype = random.pick([DTYPE_F32, DTYPE_I8, DTYPE_I32]);
      const last = random.chance(0.5);
      // Few distinct values: ties are the point.
      const values = Array.from({ length: r.srcSpan }, () => random.int(-4, 3));
      const src = dtype === DTYPE_F32 ? Float32Array.from(values, (v) => v / 4) : dtype === DTYPE_I8 ? Int8Array.from(values) : Int32Array.from(values);
      const expected = new Int32Array(canaries(4 * r.dst.span));
      fill(expected, r, src, (line) => (last ? line.lastIndexOf(Math.max(...line)) : line.indexOf(Math.max(...line))));
      const actual = runStep(executor, {
        opcode: X_ARGMAX, stepBytes: ARGMAX_STEP_BYTES,
        words: {
          [ARGMAX_DTYPE]: dtype, [ARGMAX_DIMS]: r.outer, [ARGMAX_SRC_STRIDES]: r.srcOuter, [ARGMAX_DST_STRIDES]: r.dst.strides,
          [ARGMAX_AXIS]: r.inner, [ARGMAX_SRC_AXIS_STRIDE]: r.srcInner, [ARGMAX_LAST]: last ? 1 : 0,
        },
        operands: [{ field: ARGMAX_SRC, data: src }], output: { field: ARGMAX_DST, bytes: expected.byteLength },
      });
      sameBytes(actual, expected, `round ${round}`);
    }
  });
}
