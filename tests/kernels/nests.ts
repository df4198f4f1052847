// Seeded random numbers, loop nests with gaps, and comparisons for kernel tests.
// In: a seed. Out: dims, strides and data that aim at tails and odd layouts. Must not know any opcode.

import assert from 'node:assert/strict';
import { CANARY } from './plan-image.ts';

/** Fixed, so that a failure can be repeated; printed with every failure by the test's own message. */
export const SEED = 20260817;

export class Random {
  #state: number;
  constructor(seed: number) { this.#state = seed >>> 0; }
  /** Uniform in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
  /** Integer in [low, high]. */
  int(low: number, high: number): number { return low + Math.floor(this.next() * (high - low + 1)); }
  pick<T>(items: readonly T[]): T { return items[this.int(0, items.length - 1)]; }
  chance(p: number): boolean { return this.next() < p; }
  f32(count: number, size = 4): Float32Array { return Float32Array.from({ length: count }, () => (this.next() * 2 - 1) * size); }
  i8(count: number): Int8Array { return Int8Array.from({ length: count }, () => this.int(-128, 127)); }
  i32(count: number, size = 1000): Int32Array { return Int32Array.from({ length: count }, () => this.int(-size, size)); }
}

/** `rank` dims, most of them 1, the innermost one up to `longest`. */
export function randomDims(random: Random, rank: number, longest = 37): number[] {
  return Array.from({ length: rank }, (_, i) => {
    if (i === rank - 1) return random.int(1, longest);
    return random.chance(i < rank - 3 ? 0.3 : 0.7) ? random.int(2, i === rank - 2 ? 9 : 3) : 1;
  });
}

export interface Layout {
  readonly strides: readonly number[];
  /** Elements from the first to the last one touched. */
  readonly span: number;
}

/** Strides without overlap: sometimes permuted, sometimes with gaps, mostly dense inside. */
export function randomLayout(random: Random, dims: readonly number[]): Layout {
  const order = dims.map((_, i) => i).reverse();
  if (random.chance(0.4)) order.sort(() => random.next() - 0.5);
  const strides = dims.map(() => 0);
  let next = random.chance(0.15) ? 2 : 1;
  for (const i of order) {
    strides[i] = next;
    next *= dims[i];
    next += random.chance(0.3) ? random.int(1, 5) : 0;
  }
  return { strides, span: spanOf(dims, strides) };
}

/** A source: like randomLayout, but some dims repeat (stride 0). */
export function randomSource(random: Random, dims: readonly number[], repeats = 0.25): Layout {
  const { strides } = randomLayout(random, dims);
  const some = strides.map((s) => (random.chance(repeats) ? 0 : s));
  return { strides: some, span: spanOf(dims, some) };
}

export function spanOf(dims: readonly number[], strides: readonly number[]): number {
  return dims.reduce((sum, dim, i) => sum + (dim - 1) * Math.abs(strides[i]), 1);
}

/** Element offsets of a nest, innermost dim fastest. */
export function positions(dims: readonly number[], strides: readonly number[], start = 0): number[] {
  return dims.reduce((outer, dim, i) => outer.flatMap((o) => Array.from({ length: dim }, (_, k) => o + k * strides[i])), [start]);
}

export function canaries(bytes: number): ArrayBuffer { return new Uint8Array(bytes).fill(CANARY).buffer; }

export function sameBytes(actual: Uint8Array, expected: ArrayBufferView, message: string): void {
  const wanted = new Uint8Array(expected.buffer, expected.byteOffset, expected.byteLength);
  if (Buffer.compare(actual, wanted) === 0) return;
  const at = actual.findIndex((b, i) => b !== wanted[i]);
  assert.fail(`${message}: byte ${at} of ${wanted.length} is ${actual[at]}, expected ${wanted[at]} (seed ${SEED})`);
}

/** Distance of two floats in representable numbers; 0 for two NaNs and for ±0. */
export function ulps(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b) ? 0 : Infinity;
  return Math.abs(order(a) - order(b));
}
const bits = new DataView(new ArrayBuffer(4));
function order(x: number): number {
  bits.setFloat32(0, x);
  const i = bits.getInt32(0);
  return i < 0 ? -(i & 0x7fffffff) : i;
}

/** Every float within `limit` ulp, or within `absolute` of the expected one. */
export function closeFloats(actual: Uint8Array, expected: Float32Array, limit: number, message: string, absolute = 0): void {
  const got = new Float32Array(actual.slice().buffer);
  assert.equal(got.length, expected.length);
  expected.forEach((want, i) => {
    if (ulps(got[i], want) <= limit || Math.abs(got[i] - want) <= absolute) return;
    assert.fail(`${message}: element ${i} of ${got.length} is ${got[i]}, expected ${want} (seed ${SEED})`);
  });
}

const ROUNDER = 1.5 * 2 ** 52;
/** To the nearest integer, ties to even. */
export function rint(x: number): number { return Math.abs(x) < 2 ** 51 ? x + ROUNDER - ROUNDER : x; }
export function clamp(x: number, low: number, high: number): number { return x < low ? low : x > high ? high : x; }
/** rint(units) + zero into int8 bounds; NaN counts as 0. */
export function quantized(units: number, zero: number, low = -128, high = 127): number {
  return clamp(Number.isNaN(units) ? zero : rint(units) + zero, low, high);
}
