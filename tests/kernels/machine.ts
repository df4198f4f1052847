// Kernel tests' machine: hand-written steps become a one-step plan, run by a real executor between canaries.
// In: step words, weights, arena contents. Out: the arena after the run. Must not know the compiler or any kernel.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as abi from '../../assembly/abi.ts';

export interface Executor {
  readonly init: (base: number, planBytes: number, memoryBytes: number) => number;
  readonly run: (base: number, first: number, end: number) => void;
  readonly setDotMode: (mode: number) => void;
  readonly dotMode: () => number;
  readonly planWork: () => number;
  readonly refusedStep: () => number;
  readonly probeDot: (a: number, b: number, c: number, out: number, count: number) => number;
  readonly peakF32: (iterations: number, x: number, y: number) => number;
  readonly peakF32Operations: () => number;
  readonly peakI8: (iterations: number, x: number, y: number) => number;
  readonly peakI8Operations: () => number;
}

export interface Machine {
  readonly name: string;
  readonly memory: WebAssembly.Memory;
  readonly executor: Executor;
  /** Dot modes that are exact here for activations of any value. */
  readonly modes: readonly number[];
}

const MEMORY_PAGES = 256;

function boot(target: string): Machine | null {
  const bytes = readFileSync(new URL(`../../host/kinglet.${target}.wasm`, import.meta.url));
  if (!WebAssembly.validate(bytes)) return null;
  const memory = new WebAssembly.Memory({ initial: MEMORY_PAGES });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  const executor = instance.exports as unknown as Executor;
  return { name: target, memory, executor, modes: [abi.DOT_I16, ...exactModes(memory, executor)] };
}

/** Modes whose extreme products come out exactly. */
function exactModes(memory: WebAssembly.Memory, executor: Executor): number[] {
  const bytes = new Int8Array(memory.buffer);
  bytes.fill(-128, 0, 16);
  bytes.fill(-1, 16, 32);
  bytes.fill(0, 32, 64);
  if (executor.probeDot(0, 16, 32, 48, 1) === 0) return [];
  const result = new Int32Array(memory.buffer)[12];
  bytes.fill(0, 0, 64);
  return result === -130560 ? [abi.DOT_U8S8] : result === 512 ? [abi.DOT_S8S8] : [];
}

/** Every build that this engine accepts. */
export const machines: readonly Machine[] = ['simd', 'relaxed'].map(boot).filter((m) => m !== null);

/** Deterministic numbers in [0, 1). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
export function integer(next: () => number, low: number, high: number): number {
  return low + Math.floor(next() * (high - low + 1));
}

export const align = (n: number): number => (n + abi.PLAN_ALIGN - 1) & -abi.PLAN_ALIGN;

/** A number, a float, or an address that depends on where weights and arena begin. */
export type Word = number | { readonly f32: number } | ((place: Place) => number);

export interface Problem {
  readonly opcode: number;
  readonly stepBytes: number;
  /** Byte offset in the step → word. */
  readonly words: ReadonlyMap<number, Word>;
  readonly weights: Uint8Array;
  readonly arenaBytes: number;
}
export interface Place { readonly weights: number; readonly arena: number }

/** The plan's bytes, and where its weights and arena lie. */
export function onePlan(p: Problem): { plan: Uint8Array; place: Place } {
  const tracesAt = abi.HEADER_BYTES;
  const stepsAt = align(tracesAt + abi.TRACE_BYTES);
  const weightsAt = align(stepsAt + p.stepBytes);
  const planBytes = align(weightsAt + p.weights.length);
  const plan = new Uint8Array(planBytes);
  const view = new DataView(plan.buffer);
  const set = (at: number, value: number): void => { view.setInt32(at, value, true); };
  set(abi.HEADER_MAGIC, abi.PLAN_MAGIC);
  set(abi.HEADER_VERSION, abi.ABI_VERSION);
  set(abi.HEADER_PLAN_BYTES, planBytes);
  set(abi.HEADER_ARENA_BYTES, align(p.arenaBytes) + abi.SLACK_BYTES);
  for (const at of [abi.HEADER_IO_AT, abi.HEADER_TRACES_AT]) set(at, tracesAt);
  set(abi.HEADER_STEPS_AT, stepsAt);
  set(abi.HEADER_STEPS_BYTES, p.stepBytes);
  set(abi.HEADER_STEP_COUNT, 1);
  for (const at of [abi.HEADER_STRINGS_AT, abi.HEADER_WEIGHTS_AT]) set(at, weightsAt);
  set(abi.HEADER_WEIGHTS_BYTES, p.weights.length);
  view.setFloat64(abi.HEADER_WORK, 1e15, true);
  set(tracesAt + abi.TRACE_DTYPE, abi.DTYPE_F32);
  const place = { weights: weightsAt, arena: planBytes };
  set(stepsAt + abi.STEP_OPCODE, p.opcode);
  set(stepsAt + abi.STEP_BYTES, p.stepBytes);
  for (const [at, word] of p.words) {
    if (typeof word === 'object') view.setFloat32(stepsAt + at, word.f32, true);
    else set(stepsAt + at, typeof word === 'number' ? word : word(place));
  }
  plan.set(p.weights, weightsAt);
  return { plan, place };
}

const BASE = 4096;
const CANARY = 0xa5;

/**
 * Runs the problem: `arena` is copied into the arena after init. Returns the arena's bytes (without slack).
 * Fails when init refuses, or when a byte of the plan, before it, or behind the arena changed.
 */
export function runOne({ memory, executor }: Machine, p: Problem, arena: Uint8Array): Uint8Array {
  const { plan } = onePlan(p);
  const bytes = new Uint8Array(memory.buffer);
  const arenaBytes = align(p.arenaBytes) + abi.SLACK_BYTES;
  const end = BASE + plan.length + arenaBytes;
  assert.ok(end + 4096 <= bytes.length, 'the test memory is too small');
  bytes.fill(CANARY, 0, BASE);
  bytes.set(plan, BASE);
  assert.equal(executor.init(BASE, plan.length, end), abi.OK, 'init accepts the step');
  bytes.set(arena, BASE + plan.length);
  bytes.fill(CANARY, end - abi.SLACK_BYTES, end + 4096);
  executor.run(BASE, 0, 1);
  assert.ok(bytes.subarray(0, BASE).every((b) => b === CANARY), 'nothing before the plan changed');
  assert.deepEqual(bytes.slice(BASE, BASE + plan.length), plan, 'the plan did not change');
  assert.ok(bytes.subarray(end - abi.SLACK_BYTES, end + 4096).every((b) => b === CANARY), 'nothing behind the arena changed');
  return bytes.slice(BASE + plan.length, BASE + plan.length + p.arenaBytes);
}

/** init()'s verdict on the problem, changed first by `edit` on the plan's bytes. */
export function verdict({ memory, executor }: Machine, p: Problem, edit: (plan: DataView, place: Place) => void = () => undefined): number {
  const { plan, place } = onePlan(p);
  edit(new DataView(plan.buffer), place);
  const bytes = new Uint8Array(memory.buffer);
  bytes.set(plan, BASE);
  return executor.init(BASE, plan.length, BASE + plan.length + align(p.arenaBytes) + abi.SLACK_BYTES);
}

const NASTY = [-0x80000000, -0x7fffffff, -65536, -7, -1, 0, 1, 2, 3, 5, 8, 17, 64, 1000, 65535, 65536, 0x3fffffff, 0x40000000, 0x7fffffc0, 0x7fffffff];

/** Changes one to three words at random, many times; a plan that init still accepts must run without touching a canary. */
export function fuzz(machine: Machine, p: Problem, rounds: number): void {
  const next = random(rounds);
  const keys = [...p.words.keys()];
  let accepted = 0;
  for (let round = 0; round < rounds; round++) {
    const words = new Map(p.words);
    for (let i = integer(next, 1, 3); i > 0; i--) {
      const key = keys[integer(next, 0, keys.length - 1)] ?? 0, old = words.get(key);
      const nudged = typeof old === 'number' ? old + integer(next, -3, 3) : typeof old === 'function' ? moved(old, integer(next, -90, 90)) : 0;
      words.set(key, integer(next, 0, 1) ? nudged : NASTY[integer(next, 0, NASTY.length - 1)] ?? 0);
    }
    const changed = { ...p, words };
    if (verdict(machine, changed) !== abi.OK || machine.executor.planWork() > 1e7) continue;
    accepted++;
    runOne(machine, changed, new Uint8Array(p.arenaBytes).fill(0x3c));
  }
  assert.ok(accepted > 0, 'some changes are harmless');
}

function moved(word: (place: Place) => number, by: number): (place: Place) => number {
  return (place) => word(place) + by;
}
