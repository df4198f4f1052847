// F32_DWCONV and QS8_DWCONV against plain loops: fast windows and odd ones, every channel tail, clipping on all sides, canaries.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as abi from '../../assembly/abi.ts';
import { activate, activations, requantised } from './conv-problem.ts';
import { align, fuzz, integer, machines, type Problem, random, runOne, verdict, type Word } from './machine.ts';

const CASES = 300;

interface Shape {
  batch: number; ih: number; iw: number; c: number; oh: number; ow: number; kh: number; kw: number; sh: number; sw: number;
  dh: number; dw: number; pt: number; pl: number; srcBatch: number; srcRow: number; srcPixel: number; dstBatch: number; dstRow: number; dstPixel: number;
}

function randomShape(seed: number): Shape {
  const next = random(seed);
  const pick = (low: number, high: number): number => integer(next, low, high);
  const fast = pick(0, 2) > 0;
  const side = pick(0, 1) ? 3 : 5, step = pick(1, 2);
  const [kh, kw, sh, sw, dh, dw] = fast ? [side, side, step, step, 1, 1] : [pick(1, 4), pick(1, 5), pick(1, 3), pick(1, 3), pick(1, 3), pick(1, 2)];
  const ih = pick(1, 12), iw = pick(1, 25), c = pick(1, 27), batch = pick(1, 2);
  const pt = pick(-1, 3), pl = pick(-1, 3), oh = pick(1, Math.ceil(ih / sh) + 1), ow = pick(1, Math.ceil(iw / sw) + 1);
  const srcPixel = c + pick(0, 1) * pick(0, 5), srcRow = iw * srcPixel + pick(0, 1) * pick(0, 9), srcBatch = ih * srcRow + pick(0, 3);
  const dstPixel = c + pick(0, 1) * pick(0, 5), dstRow = ow * dstPixel + pick(0, 1) * pick(0, 9), dstBatch = oh * dstRow + pick(0, 3);
  return { batch, ih, iw, c, oh, ow, kh, kw, sh, sw, dh, dw, pt, pl, srcBatch, srcRow, srcPixel, dstBatch, dstRow, dstPixel };
}

const srcSpan = (s: Shape): number => (s.batch - 1) * s.srcBatch + (s.ih - 1) * s.srcRow + (s.iw - 1) * s.srcPixel + s.c;
const dstSpan = (s: Shape): number => (s.batch - 1) * s.dstBatch + (s.oh - 1) * s.dstRow + (s.ow - 1) * s.dstPixel + s.c;

/** Visits every output element, handing over a function that visits its taps: tap index, and source element or -1. */
function eachOutput(s: Shape, visit: (at: number, channel: number, taps: (each: (t: number, from: number) => void) => void) => void): void {
  for (let n = 0; n < s.batch; n++) for (let y = 0; y < s.oh; y++) for (let x = 0; x < s.ow; x++) for (let c = 0; c < s.c; c++) {
    visit(n * s.dstBatch + y * s.dstRow + x * s.dstPixel + c, c, (each) => {
      for (let t = 0; t < s.kh * s.kw; t++) {
        const iy = y * s.sh - s.pt + Math.floor(t / s.kw) * s.dh, ix = x * s.sw - s.pl + (t % s.kw) * s.dw;
        each(t, iy >= 0 && iy < s.ih && ix >= 0 && ix < s.iw ? n * s.srcBatch + iy * s.srcRow + ix * s.srcPixel + c : -1);
      }
    });
  }
}

function words(s: Shape, srcAt: number, dstAt: number): Map<number, Word> {
  return new Map<number, Word>([
    [abi.DW_SRC, (p) => p.arena + srcAt], [abi.DW_DST, (p) => p.arena + dstAt], [abi.DW_WEIGHTS, (p) => p.weights],
    [abi.DW_BATCH, s.batch], [abi.DW_IH, s.ih], [abi.DW_IW, s.iw], [abi.DW_C, s.c], [abi.DW_OH, s.oh], [abi.DW_OW, s.ow],
    [abi.DW_KH, s.kh], [abi.DW_KW, s.kw], [abi.DW_SH, s.sh], [abi.DW_SW, s.sw], [abi.DW_DH, s.dh], [abi.DW_DW, s.dw],
    [abi.DW_PT, s.pt], [abi.DW_PL, s.pl], [abi.DW_SRC_BATCH, s.srcBatch], [abi.DW_SRC_ROW, s.srcRow], [abi.DW_SRC_PIXEL, s.srcPixel],
    [abi.DW_DST_BATCH, s.dstBatch], [abi.DW_DST_ROW, s.dstRow], [abi.DW_DST_PIXEL, s.dstPixel],
  ]);
}

interface Case { readonly problem: Problem; readonly arena: Uint8Array; readonly expected: Uint8Array; readonly scratch: readonly [number, number] }

/** Source positions that `outputs` windows reach along an axis. */
const reach = (outputs: number, stride: number, kernel: number, dilation: number): number => (outputs - 1) * stride + (kernel - 1) * dilation + 1;

/** Room for one tile, and for the padded copy where `chunk` asks for one. */
function scratchBytes(s: Shape, chunk: number): number {
  return 128 + chunk * s.ih * ((s.ow - 1) * s.sw + s.kw) * 16;
}

function f32Case(s: Shape, seed: number): Case {
  const next = random(seed), value = (): number => Math.fround(next() * 4 - 2);
  const taps = s.kh * s.kw, w = Array.from({ length: s.c }, () => Array.from({ length: taps }, value)), bias = w.map(value);
  const weights = new Float32Array(Math.ceil(s.c / 4) * 4 * (taps + 1));
  w.forEach((column, c) => {
    const at = (c >> 2) * 4 * (taps + 1) + (c & 3);
    weights[at] = bias[c] ?? 0;
    column.forEach((x, t) => { weights[at + 4 * (t + 1)] = x; });
  });
  const copies = (s.kw === 3 || s.kw === 5) && s.sw <= 2 && s.dw === 1 && s.ow >= 4 && integer(next, 0, 1) === 1;
  const chunk = copies ? integer(next, 1, 4) : 0, bytes = scratchBytes(s, chunk);
  const srcAt = 64, scratchAt = align(srcAt + srcSpan(s) * 4) + 64, dstAt = align(scratchAt + bytes) + 64, arenaBytes = dstAt + dstSpan(s) * 4;
  const arena = new Uint8Array(arenaBytes).fill(0x5a);
  const source = new Float32Array(arena.buffer, srcAt, srcSpan(s));
  source.forEach((_, i) => { source[i] = value(); });
  const clamped = integer(next, 0, 1) === 1, min = clamped ? -1.5 : -Infinity, max = clamped ? 2.5 : Infinity;
  const all = words(s, srcAt, dstAt), real = activate(all, abi.DW_ACTIVATION, integer(next, 0, activations.length - 1));
  const expected = arena.slice(), answer = new Float32Array(expected.buffer, dstAt);
  eachOutput(s, (at, c, each) => {
    let sum = bias[c] ?? 0;
    each((t, from) => { if (from >= 0) sum += (w[c]?.[t] ?? 0) * (source[from] ?? 0); });
    answer[at] = real(Math.min(Math.max(sum, min), max));
  });
  all.set(abi.DW_MIN, { f32: min }).set(abi.DW_MAX, { f32: max }).set(abi.DW_SRC_ZERO, 0).set(abi.DW_DST_ZERO, 0)
    .set(abi.DW_SCRATCH, (p) => p.arena + scratchAt).set(abi.DW_SCRATCH_BYTES, bytes).set(abi.DW_CHUNK, chunk);
  return { problem: { opcode: abi.F32_DWCONV, stepBytes: abi.DW_STEP_BYTES, words: all, weights: new Uint8Array(weights.buffer), arenaBytes }, arena, expected, scratch: [scratchAt, scratchAt + bytes] };
}

/** `positive` keeps activations in 0…127. */
function qs8Case(s: Shape, seed: number, positive: boolean): Case {
  const next = random(seed), taps = s.kh * s.kw, blockBytes = 64 + Math.ceil(taps / 2) * 32;
  const low = positive ? 0 : -128, srcZero = integer(next, low, 127), dstZero = integer(next, -128, 127), weightZero = integer(next, 0, 1) * integer(next, -128, 127);
  const clamped = integer(next, 0, 1) === 1, min = clamped ? -90 : -128, max = clamped ? 100 : 127;
  const weights = new Uint8Array(Math.ceil(s.c / 8) * blockBytes);
  const ints = new Int32Array(weights.buffer), floats = new Float32Array(weights.buffer), shorts = new Int16Array(weights.buffer);
  const w = Array.from({ length: s.c }, () => Array.from({ length: taps }, () => integer(next, -128, 127) - weightZero));
  const bias = w.map(() => integer(next, -5000, 5000)), scale = w.map(() => Math.fround((0.2 + next()) * (next() < 0.1 ? 1 : 0.004)));
  w.forEach((column, c) => {
    const at = (c >> 3) * blockBytes, lane = c & 7;
    ints[at / 4 + lane] = (bias[c] ?? 0) - srcZero * column.reduce((a, b) => a + b, 0);
    floats[at / 4 + 8 + lane] = scale[c] ?? 0;
    column.forEach((x, t) => { shorts[(at + 64) / 2 + (t >> 1) * 16 + lane * 2 + (t & 1)] = x; });
  });
  const chunk = integer(next, 0, 4), bytes = chunk && 32 + reach(s.oh, s.sh, s.kh, s.dh) * reach(Math.max(s.ow, 4), s.sw, s.kw, s.dw) * chunk * 8;
  const srcAt = 64, scratchAt = align(srcAt + srcSpan(s)) + 64, dstAt = align(scratchAt + bytes) + 64, arenaBytes = dstAt + dstSpan(s);
  const arena = new Uint8Array(arenaBytes).fill(0x5a);
  const source = new Int8Array(arena.buffer, srcAt, srcSpan(s));
  source.forEach((_, i) => { source[i] = integer(next, low, 127); });
  const expected = arena.slice(), answer = new Int8Array(expected.buffer, dstAt);
  eachOutput(s, (at, c, each) => {
    let acc = bias[c] ?? 0;
    each((t, from) => { if (from >= 0) acc += ((source[from] ?? 0) - srcZero) * (w[c]?.[t] ?? 0); });
    answer[at] = requantised(acc, scale[c] ?? 0, dstZero, min, max);
  });
  const all = words(s, srcAt, dstAt).set(abi.DW_MIN, min).set(abi.DW_MAX, max).set(abi.DW_SRC_ZERO, srcZero).set(abi.DW_DST_ZERO, dstZero)
    .set(abi.DW_FILL, (srcZero & 255) * 0x01010101 | 0).set(abi.DW_FILL + 4, (srcZero & 255) * 0x01010101 | 0)
    .set(abi.DW_SCRATCH, (p) => p.arena + scratchAt).set(abi.DW_SCRATCH_BYTES, bytes).set(abi.DW_CHUNK, chunk);
  return { problem: { opcode: abi.QS8_DWCONV, stepBytes: abi.DW_STEP_BYTES, words: all, weights, arenaBytes }, arena, expected, scratch: [scratchAt, scratchAt + bytes] };
}

function withoutScratch({ scratch }: Case, bytes: Uint8Array): Uint8Array {
  return bytes.fill(0, ...scratch);
}

for (const machine of machines) {
  test(`f32 dwconv, ${machine.name}`, () => {
    for (let seed = 1; seed <= CASES; seed++) {
      const s = randomShape(seed), c = f32Case(s, seed);
      const a = new Float32Array(withoutScratch(c, runOne(machine, c.problem, c.arena)).buffer), b = new Float32Array(withoutScratch(c, c.expected).buffer);
      a.forEach((x, i) => { if (!(Math.abs(x - (b[i] ?? NaN)) <= 1e-4)) assert.fail(`seed ${seed}, float ${i}: ${x} instead of ${b[i]} ${JSON.stringify(s)}`); });
    }
  });
  for (const mode of machine.modes) {
    test(`qs8 dwconv, ${machine.name}, dot mode ${mode}`, () => {
      machine.executor.setDotMode(mode);
      for (let seed = 1; seed <= CASES; seed++) {
        const s = randomShape(seed + 1000), c = qs8Case(s, seed, false);
        assert.deepEqual(withoutScratch(c, runOne(machine, c.problem, c.arena)), withoutScratch(c, c.expected), `seed ${seed} ${JSON.stringify(s)}`);
      }
    });
  }
  // Activations of 0…127 mean the same to signed and unsigned engines: plain bytes can be checked on either.
  if (machine.modes.length > 1) {
    test(`qs8 dwconv, ${machine.name}, plain bytes`, () => {
      machine.executor.setDotMode(abi.DOT_S8S8);
      for (let seed = 1; seed <= CASES; seed++) {
        const s = randomShape(seed + 2000), c = qs8Case(s, seed, true);
        assert.deepEqual(withoutScratch(c, runOne(machine, c.problem, c.arena)), withoutScratch(c, c.expected), `seed ${seed} ${JSON.stringify(s)}`);
      }
    });
  }
}

/** A step in which every dim and stride matters. */
const FULL: Shape = {
  batch: 2, ih: 7, iw: 11, c: 19, oh: 7, ow: 11, kh: 3, kw: 3, sh: 1, sw: 1, dh: 1, dw: 1, pt: 1, pl: 1,
  srcBatch: 1463, srcRow: 209, srcPixel: 19, dstBatch: 1463, dstRow: 209, dstPixel: 19,
};

const fullCases = {
  'f32 dwconv': f32Case(FULL, 3), 'f32 dwconv, stride 2': f32Case({ ...FULL, sw: 2, sh: 2, ow: 6, oh: 4 }, 4), 'qs8 dwconv': qs8Case(FULL, 4, false), 'qs8 dwconv, stride 2': qs8Case({ ...FULL, sw: 2, sh: 2, ow: 6, oh: 4 }, 7, false),
};
for (const [name, { problem }] of Object.entries(fullCases)) {
  test(`${name}: verify refuses any single word that leads outside`, () => {
    const machine = machines[0];
    assert.ok(machine);
    assert.equal(verdict(machine, problem), abi.OK);
    for (let at = 8; at < abi.DW_MIN; at += 4) {
      const pad = at === abi.DW_PT || at === abi.DW_PL;
      for (const value of pad ? [-0x80000000, 0x7fffffff] : at < abi.DW_BATCH ? [-1] : [-1, 0x7fffffff]) {
        const changed = new Map(problem.words).set(at, value);
        assert.notEqual(verdict(machine, { ...problem, words: changed }), abi.OK, `word ${at} = ${value}`);
      }
    }
    const activation = problem.opcode === abi.F32_DWCONV ? [[abi.DW_ACTIVATION, abi.UNARY_TANH]] as const : [];
    for (const [at, value] of [[abi.DW_SCRATCH, -1], [abi.DW_SCRATCH_BYTES, 31], [abi.DW_CHUNK, -1], [abi.DW_CHUNK, 99], ...activation] as const) {
      assert.notEqual(verdict(machine, { ...problem, words: new Map(problem.words).set(at, value) }), abi.OK, `word ${at} = ${value}`);
    }
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
