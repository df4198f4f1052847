// F32_WINOGRAD against plain loops: maps from 1x1 to two tiles and one more, tails of channels, pads, blocks, canaries around every
// buffer. Weights are transformed here by the letter of the contract; what lies between pixels is NaN, so that no result can use it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as abi from '../../assembly/abi.ts';
import { tolerance } from '../tolerance.ts';
import { activate, convWords, eachOutput, eachTap, LEAKY, place, span, type Shape } from './conv-problem.ts';
import { fuzz, integer, machines, type Machine, type Problem, random, runOne, verdict } from './machine.ts';

const CASES = 200;
const [r, s] = [Math.SQRT1_2, Math.SQRT2];
const G = [
  [1, 0, 0], ...[r, -r].map((x) => [1, x, x * x].map((g) => -g / (3 * s))), ...[s, -s].map((x) => [1, x, x * x].map((g) => -g / 12)), [0, 0, 1],
];
const START = [1 / 2, s / 4, -s / 4, 1 / 4, 1 / 4, 1 / 2];

type Sizes = Pick<Shape, 'batch' | 'ih' | 'iw' | 'ic' | 'oh' | 'ow' | 'oc' | 'pt' | 'pl' | 'blockRows'> & { readonly hole: number };

function shapeOf({ hole, ...sizes }: Sizes): Shape {
  const srcPixel = sizes.ic + hole, dstPixel = sizes.oc + hole;
  const shape = {
    ...sizes, groups: 1, kh: 3, kw: 3, sh: 1, sw: 1, dh: 1, dw: 1, srcPixel, srcRow: sizes.iw * srcPixel + 2 * hole, srcChannel: 1, srcBatch: 0,
    dstPixel, dstChannel: 1, dstBatch: 0, direct: 0,
  };
  return { ...shape, srcBatch: span(shape, 'src') + hole, dstBatch: span(shape, 'dst') + hole };
}

function randomSizes(seed: number): Sizes {
  const next = random(seed);
  const pick = (low: number, high: number): number => integer(next, low, high);
  return {
    batch: pick(1, 2), ih: pick(1, 11), iw: pick(1, 11), ic: pick(1, pick(0, 1) ? 9 : 21), oh: pick(1, 9), ow: pick(1, 9), oc: pick(1, 19),
    pt: pick(-2, 3), pl: pick(-2, 3), blockRows: pick(1, 7), hole: pick(0, 1) * pick(1, 5),
  };
}

const plane = (bytes: number): number => Math.ceil(bytes / 128) * 128 + 64;
const scratchOf = ({ ic, blockRows }: Shape): number => 768 + 36 * (plane(blockRows * Math.ceil(ic / 4) * 16) + plane(blockRows * 32));

/** [panel][product][start, channels…][8]. */
function packed(shape: Shape, filters: readonly (readonly number[])[], bias: readonly number[]): Float32Array {
  const { ic } = shape, panels = Math.ceil(shape.oc / 8);
  const out = new Float32Array(panels * 36 * (ic + 1) * 8);
  filters.forEach((filter, o) => {
    for (let p = 0; p < 6; p++) for (let q = 0; q < 6; q++) {
      const at = ((o >> 3) * 36 + p * 6 + q) * (ic + 1) * 8 + (o & 7);
      out[at] = (bias[o] ?? 0) * START[p] * START[q];
      for (let c = 0; c < ic; c++) {
        let sum = 0;
        for (let ky = 0; ky < 3; ky++) for (let kx = 0; kx < 3; kx++) sum += G[p][ky] * G[q][kx] * filter[(ky * 3 + kx) * ic + c];
        out[at + (c + 1) * 8] = sum;
      }
    }
  });
  return out;
}

interface Case { readonly problem: Problem; readonly arena: Uint8Array; readonly expected: Float32Array; readonly dstAt: number }

function makeCase(shape: Shape, seed: number): Case {
  const next = random(seed);
  const value = (): number => Math.fround(next() * 4 - 2);
  const filters = Array.from({ length: shape.oc }, () => Array.from({ length: 9 * shape.ic }, value));
  const bias = filters.map(value);
  const scratchBytes = scratchOf(shape), at = place(shape, 4, 4, scratchBytes);
  const leaky = integer(next, 0, 2) === 0, clamped = !leaky && integer(next, 0, 1) === 1;
  const [min, max] = clamped ? [-1.5, 2.5] : [-Infinity, Infinity];
  const words = convWords(shape, at, scratchBytes).set(abi.CONV_MIN, { f32: min }).set(abi.CONV_MAX, { f32: max });
  const real = activate(words, abi.CONV_ACTIVATION, leaky ? LEAKY : 0);
  const arena = new Uint8Array(at.arenaBytes).fill(0x5a);
  const source = new Float32Array(arena.buffer, at.srcAt, (shape.batch - 1) * shape.srcBatch + span(shape, 'src')).fill(NaN);
  eachSource(shape, (i) => { source[i] = value(); });
  const expected = new Float32Array(arena.slice(at.dstAt).buffer);
  eachOutput(shape, (to, n, pixel, g, c) => {
    let sum = bias[c] ?? 0;
    eachTap(shape, n, pixel, g, (tap, from) => { sum += from < 0 ? 0 : (filters[c]?.[tap] ?? 0) * (source[from] ?? 0); });
    expected[to] = real(Math.min(Math.max(sum, min), max));
  });
  const weights = new Uint8Array(packed(shape, filters, bias).buffer);
  return { problem: { opcode: abi.F32_WINOGRAD, stepBytes: abi.CONV_STEP_BYTES, words, weights, arenaBytes: at.arenaBytes }, arena, expected, dstAt: at.dstAt };
}

function eachSource(shape: Shape, visit: (at: number) => void): void {
  for (let n = 0; n < shape.batch; n++) for (let y = 0; y < shape.ih; y++) for (let x = 0; x < shape.iw; x++) {
    for (let c = 0; c < shape.ic; c++) visit(n * shape.srcBatch + y * shape.srcRow + x * shape.srcPixel + c);
  }
}

function check(machine: Machine, shape: Shape, seed: number): void {
  const { problem, arena, expected, dstAt } = makeCase(shape, seed);
  const after = runOne(machine, problem, arena);
  const words = problem.words.get(abi.CONV_SCRATCH);
  assert.ok(typeof words === 'function');
  const scratchAt = words({ arena: 0, weights: 0 }), label = `${machine.name} seed ${seed} ${JSON.stringify(shape)}`;
  assert.deepEqual(after.slice(0, scratchAt), arena.slice(0, scratchAt), `the source changed: ${label}`);
  const scratchTo = scratchAt + scratchOf(shape);
  assert.deepEqual(after.slice(scratchTo, dstAt), arena.slice(scratchTo, dstAt), `something behind the scratch changed: ${label}`);
  // Sums over 9*IC products of numbers below 2 in size; holes hold what they held.
  const allowed = tolerance.kernel * 4 * Math.sqrt(9 * shape.ic + 1);
  new Float32Array(after.slice(dstAt).buffer).forEach((x, i) => {
    if (!(Math.abs(x - expected[i]) <= allowed)) assert.fail(`float ${i}: ${x} instead of ${expected[i]}: ${label}`);
  });
}

for (const machine of machines) {
  test(`f32 winograd, ${machine.name}: every map up to two tiles and one more`, () => {
    for (let oh = 1; oh <= 9; oh++) for (let ow = 1; ow <= 9; ow++) {
      check(machine, shapeOf({ batch: 1, ih: oh, iw: ow, ic: 5, oh, ow, oc: 9, pt: 1, pl: 1, blockRows: 4, hole: 0 }), oh * 10 + ow);
    }
  });

  test(`f32 winograd, ${machine.name}: every tail of channels`, () => {
    for (let channels = 1; channels <= 17; channels++) {
      const sizes = { batch: 1, ih: 6, iw: 7, oh: 6, ow: 7, pt: 1, pl: 1, blockRows: 3, hole: 3 };
      check(machine, shapeOf({ ...sizes, ic: channels, oc: 8 }), channels);
      check(machine, shapeOf({ ...sizes, ic: 4, oc: channels }), 100 + channels);
    }
  });

  test(`f32 winograd, ${machine.name}: pads, windows that hang out, batches, blocks`, () => {
    for (let seed = 1; seed <= CASES; seed++) check(machine, shapeOf(randomSizes(seed)), seed);
  });
}

/** Every dim and stride matters here, so that none can be changed unnoticed. */
const FULL = makeCase(shapeOf({ batch: 2, ih: 6, iw: 7, ic: 5, oh: 6, ow: 7, oc: 9, pt: 1, pl: 1, blockRows: 4, hole: 1 }), 3).problem;

test('f32 winograd: verify refuses any single word that leads outside, and layers of another kind', () => {
  const [machine] = machines;
  assert.equal(verdict(machine, FULL), abi.OK);
  const expectRefusal = (at: number, value: number): void => {
    assert.notEqual(verdict(machine, { ...FULL, words: new Map(FULL.words).set(at, value) }), abi.OK, `word ${at} = ${value}`);
  };
  for (let at = 8; at < abi.CONV_MIN; at += 4) {
    if (at === abi.CONV_PT || at === abi.CONV_PL) continue;
    expectRefusal(at, -1);
    if (at >= abi.CONV_BATCH) expectRefusal(at, 0x7fffffff);
  }
  for (const at of [abi.CONV_PT, abi.CONV_PL]) for (const value of [-0x80000000, 0x7fffffff]) expectRefusal(at, value);
  for (const at of [abi.CONV_KH, abi.CONV_KW, abi.CONV_SH, abi.CONV_SW, abi.CONV_DH, abi.CONV_DW, abi.CONV_GROUPS]) for (const value of [1, 2]) {
    if (FULL.words.get(at) !== value) expectRefusal(at, value);
  }
  for (const at of [abi.CONV_SRC_CHANNEL, abi.CONV_DST_CHANNEL]) for (const value of [0, 2]) expectRefusal(at, value);
  expectRefusal(abi.CONV_DIRECT, 1);
  expectRefusal(abi.CONV_BLOCK_ROWS, 5);
  expectRefusal(abi.CONV_SCRATCH_BYTES, scratchOf(shapeOf({ batch: 1, ih: 6, iw: 7, ic: 5, oh: 6, ow: 7, oc: 9, pt: 1, pl: 1, blockRows: 4, hole: 1 })) - 4);
  for (const kind of [-1, abi.UNARY_SIGMOID, abi.UNARY_HARD_SWISH, abi.UNARY_HARD_SIGMOID, abi.UNARY_KIND_COUNT]) expectRefusal(abi.CONV_ACTIVATION, kind);
});

test('f32 winograd: hostile words either are refused or stay inside', () => {
  for (const machine of machines) fuzz(machine, FULL, 600);
});
