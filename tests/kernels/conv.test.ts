// F32_CONV and QS8_CONV against plain loops: every tail, stride, group, pad and dot mode, canaries around every buffer.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as abi from '../../assembly/abi.ts';
import { activate, activations, convWords, eachOutput, eachTap, LEAKY, place, randomShape, requantised, span, type Shape } from './conv-problem.ts';
import { fuzz, integer, type Machine, machines, type Problem, random, runOne, verdict } from './machine.ts';

const CASES = 250;

interface Case { readonly problem: Problem; readonly arena: Uint8Array; readonly expected: Uint8Array; readonly tolerance: number }

function f32Case(s: Shape, seed: number): Case {
  const next = random(seed);
  const k = s.kh * s.kw * s.ic, panels = Math.ceil(s.oc / 8);
  const weights = new Float32Array(s.groups * panels * 8 * (k + 1));
  const value = (): number => Math.fround(next() * 4 - 2);
  const w: number[][] = Array.from({ length: s.groups * s.oc }, () => Array.from({ length: k }, value));
  const bias = w.map(value);
  w.forEach((column, index) => {
    const g = Math.floor(index / s.oc), c = index % s.oc;
    const at = (g * panels + (c >> 3)) * 8 * (k + 1) + (c & 7);
    weights[at] = bias[index] ?? 0;
    column.forEach((x, i) => { weights[at + (rowPlace(s, i) + 1) * 8] = x; });
  });
  const scratchBytes = (s.direct ? 0 : s.blockRows * k * 4) + 256;
  const at = place(s, 4, 4, scratchBytes);
  const kind = integer(next, 0, activations.length - 1), clamped = kind !== LEAKY && integer(next, 0, 1) === 1;
  const min = clamped ? -1.5 : -Infinity, max = clamped ? 2.5 : Infinity;
  const words = convWords(s, at, scratchBytes);
  words.set(abi.CONV_MIN, { f32: min }).set(abi.CONV_MAX, { f32: max });
  const real = activate(words, abi.CONV_ACTIVATION, kind);
  const arena = new Uint8Array(at.arenaBytes).fill(0x5a);
  const source = new Float32Array(arena.buffer, at.srcAt, (s.batch - 1) * s.srcBatch + span(s, 'src'));
  source.forEach((_, i) => { source[i] = value(); });
  const expected = arena.slice();
  const answer = new Float32Array(expected.buffer, at.dstAt);
  eachOutput(s, (to, n, pixel, g, c) => {
    let sum = bias[g * s.oc + c] ?? 0;
    eachTap(s, n, pixel, g, (tap, from) => { sum += from < 0 ? 0 : (w[g * s.oc + c]?.[tap] ?? 0) * (source[from] ?? 0); });
    answer[to] = real(Math.min(Math.max(sum, min), max));
  });
  const problem = { opcode: abi.F32_CONV, stepBytes: abi.CONV_STEP_BYTES, words, weights: new Uint8Array(weights.buffer), arenaBytes: at.arenaBytes };
  return { problem, arena, expected: wipe(expected, at.scratchAt, scratchBytes), tolerance: 1e-5 * 4 * Math.sqrt(k + 1) };
}

/** Where product i of (ky, kx, c) order stands in a packed row. */
function rowPlace(s: Shape, i: number): number {
  return s.planar ? (i % s.ic) * s.kh * s.kw + Math.floor(i / s.ic) : i;
}

/** `positive` keeps activations in 0…127, where signed and unsigned engines agree. */
function qs8Case(s: Shape, seed: number, positive: boolean): Case {
  const next = random(seed);
  const k = s.kh * s.kw * s.ic, quads = Math.ceil(k / 4), panels = Math.ceil(s.oc / 8), panelBytes = abi.QS8_PANEL_HEAD + quads * 32;
  const low = positive ? 0 : -128;
  const srcZero = integer(next, low, 127), dstZero = integer(next, -128, 127), perChannel = integer(next, 0, 1) === 1;
  const weightZero = perChannel ? 0 : integer(next, -128, 127), wide = integer(next, 0, 4) === 0;
  const clamped = integer(next, 0, 1) === 1, min = clamped ? -100 : -128, max = clamped ? 90 : 127;
  const weights = new Uint8Array(s.groups * panels * panelBytes);
  const ints = new Int32Array(weights.buffer), floats = new Float32Array(weights.buffer), bytes = new Int8Array(weights.buffer);
  const w: number[][] = Array.from({ length: s.groups * s.oc }, () => Array.from({ length: k }, () => integer(next, perChannel ? -127 : -128, 127)));
  const bias = w.map(() => integer(next, -20000, 20000));
  const panelZero = Array.from({ length: s.groups * panels }, () => (integer(next, 0, 2) === 0 ? 0 : weightZero));
  const zeroOf = (index: number): number => panelZero[Math.floor(index / s.oc) * panels + ((index % s.oc) >> 3)] ?? 0;
  const scale = w.map(() => Math.fround((0.2 + next()) * (next() < 0.1 ? 1 : 0.003)));
  w.forEach((column, index) => {
    const g = Math.floor(index / s.oc), c = index % s.oc, at = (g * panels + (c >> 3)) * panelBytes, lane = c & 7;
    ints[at / 4 + lane] = (bias[index] ?? 0) + k * srcZero * zeroOf(index);
    ints[at / 4 + 8 + lane] = column.reduce((a, b) => a + b, 0);
    floats[at / 4 + 16 + lane] = scale[index] ?? 0;
    ints[(at + abi.QS8_PANEL_ROW_FACTOR) / 4] = -zeroOf(index);
    column.forEach((x, i) => { bytes[at + abi.QS8_PANEL_HEAD + (i >> 2) * 32 + lane * 4 + (i & 3)] = x; });
  });
  const scratchBytes = s.blockRows * quads * 8 + s.blockRows * 4 + 512;
  const at = place(s, 1, wide ? 4 : 1, scratchBytes);
  const words = convWords(s, at, scratchBytes);
  words.set(abi.CONV_MIN, min).set(abi.CONV_MAX, max).set(abi.CONV_SRC_ZERO, srcZero).set(abi.CONV_DST_ZERO, dstZero)
    .set(abi.CONV_WEIGHT_ZERO, weightZero).set(abi.CONV_OUT_I32, wide ? 1 : 0);
  const arena = new Uint8Array(at.arenaBytes).fill(0x5a);
  const source = new Int8Array(arena.buffer, at.srcAt, (s.batch - 1) * s.srcBatch + span(s, 'src'));
  source.forEach((_, i) => { source[i] = integer(next, low, 127); });
  const expected = arena.slice();
  const answer = wide ? new Int32Array(expected.buffer, at.dstAt) : new Int8Array(expected.buffer, at.dstAt);
  eachOutput(s, (to, n, pixel, g, c) => {
    const column = w[g * s.oc + c] ?? [];
    let acc = bias[g * s.oc + c] ?? 0;
    eachTap(s, n, pixel, g, (tap, from) => { acc += ((from < 0 ? srcZero : source[from] ?? 0) - srcZero) * ((column[tap] ?? 0) - zeroOf(g * s.oc + c)); });
    answer[to] = wide ? acc : requantised(acc, scale[g * s.oc + c] ?? 0, dstZero, min, max);
  });
  const problem = { opcode: abi.QS8_CONV, stepBytes: abi.CONV_STEP_BYTES, words, weights, arenaBytes: at.arenaBytes };
  return { problem, arena, expected: wipe(expected, at.scratchAt, scratchBytes), tolerance: 0 };
}

/** Scratch contents are nobody's business. */
function wipe(arena: Uint8Array, at: number, bytes: number): Uint8Array { return arena.fill(0, at, at + bytes); }

function check(machine: Machine, c: Case, s: Shape, label: string): void {
  const scratch = c.problem.words.get(abi.CONV_SCRATCH), bytes = c.problem.words.get(abi.CONV_SCRATCH_BYTES);
  assert.ok(typeof scratch === 'function' && typeof bytes === 'number');
  const got = wipe(runOne(machine, c.problem, c.arena), scratch({ arena: 0, weights: 0 }), bytes);
  if (c.tolerance === 0) {
    assert.deepEqual(got, c.expected, `${label} ${JSON.stringify(s)}`);
    return;
  }
  const floats = (b: Uint8Array): Float32Array => new Float32Array(b.buffer, 0, b.length >> 2);
  const a = floats(got), b = floats(c.expected);
  a.forEach((x, i) => { if (!(Math.abs(x - (b[i] ?? NaN)) <= c.tolerance)) assert.fail(`${label} float ${i}: ${x} instead of ${b[i]} ${JSON.stringify(s)}`); });
}

for (const machine of machines) {
  test(`f32 conv, ${machine.name}`, () => {
    for (let seed = 1; seed <= CASES; seed++) {
      const s = randomShape(seed);
      check(machine, f32Case(s, seed), s, `seed ${seed}`);
    }
  });
  for (const mode of machine.modes) {
    test(`qs8 conv, ${machine.name}, dot mode ${mode}`, () => {
      machine.executor.setDotMode(mode);
      assert.equal(machine.executor.dotMode(), mode);
      for (let seed = 1; seed <= CASES; seed++) {
        const s = randomShape(seed + 1000);
        check(machine, qs8Case(s, seed, false), s, `seed ${seed}`);
      }
    });
  }
  // Activations of 0…127 mean the same to signed and unsigned engines: the plain packing can be checked on either.
  if (machine.modes.length > 1) {
    test(`qs8 conv, ${machine.name}, bytes packed plainly`, () => {
      machine.executor.setDotMode(abi.DOT_S8S8);
      for (let seed = 1; seed <= CASES; seed++) {
        const s = randomShape(seed + 2000);
        check(machine, qs8Case(s, seed, true), s, `seed ${seed}`);
      }
    });
  }
}

test('NaN survives clamping; infinite bounds leave infinities alone', () => {
  for (const machine of machines) {
    const s = { ...randomShape(1), batch: 1, ih: 1, iw: 7, ic: 1, oh: 1, ow: 7, oc: 8, groups: 1, kh: 1, kw: 1, sh: 1, sw: 1, dh: 1, dw: 1, pt: 0, pl: 0,
      srcBatch: 7, srcRow: 7, srcPixel: 1, srcChannel: 1, dstBatch: 56, dstPixel: 8, dstChannel: 1, direct: 1, blockRows: 12, planar: 0 };
    const { problem, arena } = f32Case(s, 5);
    const words = new Map(problem.words).set(abi.CONV_MIN, { f32: 0 }).set(abi.CONV_MAX, { f32: Infinity }).set(abi.CONV_ACTIVATION, 0);
    const source = new Float32Array(arena.buffer, 64, 7);
    source.set([NaN, Infinity, -Infinity, 1, 2, 3, NaN]);
    const weights = new Uint8Array(new Float32Array(16).fill(0).fill(1, 8).buffer);
    const got = runOne(machine, { ...problem, words, weights }, arena);
    const dst = problem.words.get(abi.CONV_DST);
    assert.ok(typeof dst === 'function');
    const rows = [...new Float32Array(got.buffer, dst({ arena: 0, weights: 0 }), 56)].filter((_, i) => i % 8 === 0);
    assert.deepEqual(rows, [NaN, Infinity, 0, 1, 2, 3, NaN], machine.name);
  }
});

/** A step in which every dim and stride matters, so that none can be changed unnoticed. */
const FULL: Shape = {
  batch: 2, ih: 5, iw: 6, ic: 3, oh: 3, ow: 4, oc: 9, groups: 2, kh: 2, kw: 3, sh: 2, sw: 1, dh: 2, dw: 1, pt: 1, pl: 0,
  srcBatch: 180, srcRow: 36, srcPixel: 6, srcChannel: 1, dstBatch: 216, dstPixel: 18, dstChannel: 1, direct: 0, blockRows: 12, planar: 0,
};

for (const [name, { problem }] of Object.entries({ 'f32 conv': f32Case(FULL, 3), 'qs8 conv': qs8Case(FULL, 4, false) })) {
  test(`${name}: verify refuses any single word that leads outside`, () => {
    const machine = machines[0];
    assert.ok(machine);
    assert.equal(verdict(machine, problem), abi.OK);
    const expectRefusal = (at: number, value: number): void => {
      const words = new Map(problem.words).set(at, value);
      assert.notEqual(verdict(machine, { ...problem, words }), abi.OK, `word ${at} = ${value}`);
    };
    for (let at = 8; at < abi.CONV_MIN; at += 4) {
      if (at === abi.CONV_PT || at === abi.CONV_PL) continue;
      expectRefusal(at, -1);
      if (at >= abi.CONV_BATCH) expectRefusal(at, 0x7fffffff);
    }
    for (const at of [abi.CONV_PT, abi.CONV_PL]) for (const value of [-0x80000000, 0x7fffffff]) expectRefusal(at, value);
    expectRefusal(abi.CONV_DIRECT, 1);
    if (name === 'f32 conv') {
      for (const value of [-1, 2]) expectRefusal(abi.CONV_PLANAR, value);
      for (const value of [-1, abi.UNARY_SIGMOID, abi.UNARY_KIND_COUNT]) expectRefusal(abi.CONV_ACTIVATION, value);
    }
    expectRefusal(abi.CONV_BLOCK_ROWS, 13);
    expectRefusal(abi.CONV_SCRATCH_BYTES, 16);
  });

  test(`${name}: hostile words either are refused or stay inside`, () => {
    for (const machine of machines) {
      for (const mode of machine.modes) {
        machine.executor.setDotMode(mode);
        fuzz(machine, problem, 400);
      }
    }
  });
}
