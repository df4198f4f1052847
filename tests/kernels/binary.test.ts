// F32_BINARY, I32_BINARY and QS8_BINARY against plain loops: every kind, random broadcasting, strides, tails and clamps.

import { test } from 'node:test';
import {
  BINARY_A, BINARY_ADD, BINARY_A_SCALE, BINARY_A_STRIDES, BINARY_A_ZERO, BINARY_B, BINARY_B_SCALE, BINARY_B_STRIDES, BINARY_B_ZERO, BINARY_DIMS,
  BINARY_DIV, BINARY_DST, BINARY_DST_SCALE, BINARY_DST_STRIDES, BINARY_DST_ZERO, BINARY_EQUAL, BINARY_FLOOR_DIV, BINARY_KEEP, BINARY_KIND, BINARY_KIND_COUNT, BINARY_LESS, BINARY_MAX,
  BINARY_MAXIMUM, BINARY_MIN, BINARY_MINIMUM, BINARY_MUL, BINARY_POW, BINARY_PRELU, BINARY_STEP_BYTES, BINARY_SUB, F32_BINARY, I32_BINARY,
  QS8_BINARY,
} from '../../assembly/abi.ts';
import {
  canaries, clamp, closeFloats, positions, quantized, Random, randomDims, randomLayout, randomSource, sameBytes, SEED, type Layout,
} from './nests.ts';
import { executors, runStep, type StepCase, type Word, type Words } from './plan-image.ts';

const f32 = Math.fround;

function real(kind: number, a: number, b: number): number {
  switch (kind) {
    case BINARY_ADD: return f32(a + b);
    case BINARY_SUB: return f32(a - b);
    case BINARY_MUL: return f32(a * b);
    case BINARY_DIV: return f32(a / b);
    case BINARY_MAXIMUM: return Math.max(a, b);
    case BINARY_MINIMUM: return Math.min(a, b);
    case BINARY_POW: return f32(Math.pow(a, b));
    case BINARY_PRELU: return a >= 0 ? a : f32(a * b);
    case BINARY_FLOOR_DIV: return Math.floor(f32(a / b));
    case BINARY_LESS: return Number(a < b);
    case BINARY_EQUAL: return Number(a === b);
    case BINARY_KEEP: return a === 0 ? 0 : b;
    default: return f32(f32(a - b) * f32(a - b));
  }
}

function whole(kind: number, a: number, b: number): number {
  switch (kind) {
    case BINARY_MUL: return Math.imul(a, b);
    case BINARY_DIV: return b === 0 ? 0 : (a / b) | 0;
    case BINARY_FLOOR_DIV: return b === 0 ? 0 : Math.floor(a / b) | 0;
    case BINARY_LESS: case BINARY_EQUAL: case BINARY_KEEP: return real(kind, a, b);
    case BINARY_PRELU: return a >= 0 ? a : Math.imul(a, b);
    case BINARY_POW: return Number(BigInt.asIntN(32, b < 0 ? BigInt(a === 0 ? 0 : Math.trunc(a ** b)) : BigInt(a) ** BigInt(b)));
    case BINARY_ADD: case BINARY_SUB: case BINARY_MAXIMUM: case BINARY_MINIMUM: return real64(kind, a, b) | 0;
    default: return Math.imul(a - b, a - b);
  }
}
const real64 = (kind: number, a: number, b: number): number =>
  kind === BINARY_ADD ? a + b : kind === BINARY_SUB ? a - b : kind === BINARY_MAXIMUM ? Math.max(a, b) : Math.min(a, b);

interface Nest { readonly dims: readonly number[]; readonly a: Layout; readonly b: Layout; readonly dst: Layout }

function randomNest(random: Random): Nest {
  const dims = randomDims(random, 6);
  return { dims, a: randomSource(random, dims), b: randomSource(random, dims), dst: randomLayout(random, dims) };
}
function stepOf(opcode: number, kind: number, nest: Nest, a: ArrayBufferView, b: ArrayBufferView, bytes: number, low: Word, high: Word, more: Words = {}): StepCase {
  return {
    opcode, stepBytes: BINARY_STEP_BYTES,
    words: {
      [BINARY_KIND]: kind, [BINARY_DIMS]: nest.dims, [BINARY_A_STRIDES]: nest.a.strides, [BINARY_B_STRIDES]: nest.b.strides,
      [BINARY_DST_STRIDES]: nest.dst.strides, [BINARY_MIN]: low, [BINARY_MAX]: high, ...more,
    },
    operands: [{ field: BINARY_A, data: a }, { field: BINARY_B, data: b, constant: kind % 2 === 1 }],
    output: { field: BINARY_DST, bytes },
  };
}
/** Runs plain loops over a nest. */
function fill(target: { [i: number]: number }, nest: Nest, value: (a: number, b: number) => number, a: ArrayLike<number>, b: ArrayLike<number>): void {
  const pa = positions(nest.dims, nest.a.strides);
  const pb = positions(nest.dims, nest.b.strides);
  positions(nest.dims, nest.dst.strides).forEach((at, i) => { target[at] = value(a[pa[i]], b[pb[i]]); });
}

for (const executor of executors) {
  for (let kind = 0; kind < BINARY_KIND_COUNT; kind++) {
    test(`f32_binary kind ${kind} (${executor.name}, seed ${SEED})`, () => {
      const random = new Random(SEED + kind);
      for (let round = 0; round < 60; round++) {
        const nest = randomNest(random);
        const a = random.f32(nest.a.span);
        const b = random.f32(nest.b.span);
        if (kind >= BINARY_LESS) for (const x of [a, b]) x.forEach((v, i) => { x[i] = Math.round(2 * v); }); // ties are the point
        a[0] = random.pick([NaN, Infinity, -0, 0, -Infinity, a[0]]);
        const [low, high] = random.chance(0.5) ? [-Infinity, Infinity] : [f32(-0.7), f32(1.3)];
        const expected = new Float32Array(canaries(4 * nest.dst.span));
        fill(expected, nest, (x, y) => clamp(real(kind, x, y), low, high), a, b);
        const actual = runStep(executor, stepOf(F32_BINARY, kind, nest, a, b, expected.byteLength, { f32: low }, { f32: high }));
        closeFloats(actual, expected, kind === BINARY_POW ? 1 : 0, `kind ${kind}, round ${round}, dims ${nest.dims.join('x')}`);
      }
    });

    test(`i32_binary kind ${kind} (${executor.name}, seed ${SEED})`, () => {
      const random = new Random(SEED + 100 + kind);
      for (let round = 0; round < 20; round++) {
        const nest = randomNest(random);
        const a = random.i32(nest.a.span, 100);
        const b = random.i32(nest.b.span, kind === BINARY_POW ? 9 : 12);
        a[0] = random.pick([-(2 ** 31), 2 ** 31 - 1, 1, -1, 0]);
        b[0] = random.pick([-1, 0, 1]);
        const [low, high] = random.chance(0.5) ? [-(2 ** 31), 2 ** 31 - 1] : [-50, 60];
        const expected = new Int32Array(canaries(4 * nest.dst.span));
        fill(expected, nest, (x, y) => clamp(whole(kind, x, y), low, high), a, b);
        const actual = runStep(executor, stepOf(I32_BINARY, kind, nest, a, b, expected.byteLength, low, high));
        sameBytes(actual, expected, `kind ${kind}, round ${round}`);
      }
    });

    test(`qs8_binary kind ${kind} (${executor.name}, seed ${SEED})`, () => {
      const random = new Random(SEED + 200 + kind);
      for (let round = 0; round < 60; round++) {
        const nest = randomNest(random);
        const a = random.i8(nest.a.span);
        const b = random.i8(nest.b.span);
        const [sa, sb, so] = [0.02, 0.031, 0.05].map((s) => f32(s * (0.5 + random.next())));
        const [za, zb, zo] = [random.int(-128, 127), random.int(-128, 127), random.int(-128, 127)];
        const [low, high] = random.chance(0.5) ? [-128, 127] : [-60, 71];
        const linear = kind === BINARY_ADD || kind === BINARY_SUB;
        const [fa, fb] = linear ? [f32(sa / so), f32(sb / so)] : [sa, sb];
        const expected = new Int8Array(canaries(nest.dst.span));
        fill(expected, nest, (x, y) => {
          if (kind === BINARY_MUL) return quantized(f32((x - za) * (y - zb) * f32(f32(sa * sb) / so)), zo, low, high);
          const r = real(kind, f32((x - za) * fa), f32((y - zb) * fb));
          return quantized(linear ? r : f32(r / so), zo, low, high);
        }, a, b);
        const actual = runStep(executor, stepOf(QS8_BINARY, kind, nest, a, b, expected.byteLength, low, high, {
          [BINARY_A_SCALE]: { f32: sa }, [BINARY_B_SCALE]: { f32: sb }, [BINARY_DST_SCALE]: { f32: so },
          [BINARY_A_ZERO]: za, [BINARY_B_ZERO]: zb, [BINARY_DST_ZERO]: zo,
        }));
        sameBytes(actual, expected, `kind ${kind}, round ${round}, dims ${nest.dims.join('x')}`);
      }
    });
  }
}
