// Kernel tests' machine: hand-written steps become a one-step plan, run by a real executor between canaries.
// In: step words, weights, arena contents. Out: the arena after the run. Must not know the compiler or any kernel.

import assert from 'node:assert/strict';
import * as abi from '../../assembly/abi.ts';
import { random } from '../random.ts';
import { align, builds, oneStepPlan } from './one-step-plan.ts';
import { checkShares } from './shares.ts';

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
export const machines: readonly Machine[] = builds(256).map(({ name, memory, exports }) => {
  const executor = exports as unknown as Executor;
  return { name, memory, executor, modes: [abi.DOT_I16, ...exactModes(memory, executor)] };
});

export { align, random };
export function integer(next: () => number, low: number, high: number): number {
  return low + Math.floor(next() * (high - low + 1));
}

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
  const { plan, view, stepAt, weightsAt } = oneStepPlan({ ...p, weightBytes: p.weights.length });
  const place = { weights: weightsAt, arena: plan.length };
  for (const [at, word] of p.words) {
    if (typeof word === 'object') view.setFloat32(stepAt + at, word.f32, true);
    else view.setInt32(stepAt + at, typeof word === 'number' ? word : word(place), true);
  }
  plan.set(p.weights, weightsAt);
  return { plan, place };
}

const BASE = 4096;
const CANARY = 0xa5;

/**
 * Runs the problem: `arena` is copied into the arena after init. Returns the arena's bytes (without slack). Then runs it again in the
 * parts that threads would do, which must leave the same bytes.
 * Fails when init refuses, or when a byte of the plan, before it, or behind the arena changed.
 */
export function runOne(machine: Machine, p: Problem, arena: Uint8Array): Uint8Array {
  const { plan } = onePlan(p);
  const result = runPlan(machine, p, plan, arena);
  checkShares(plan, arena, result, (part, before) => runPlan(machine, p, part, before));
  return result;
}

function runPlan({ memory, executor }: Machine, p: Problem, plan: Uint8Array, arena: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(memory.buffer);
  const arenaBytes = align(p.arenaBytes) + abi.SLACK_BYTES;
  const end = BASE + plan.length + arenaBytes;
  assert.ok(end + 4096 <= bytes.length, 'the test memory is too small');
  bytes.fill(CANARY, 0, BASE);
  bytes.set(plan, BASE);
  assert.equal(executor.init(BASE, plan.length, end), abi.OK, 'init accepts the step');
  const accepted = plan.slice();
  new DataView(accepted.buffer).setInt32(abi.HEADER_DOT_MODE, executor.dotMode(), true);
  bytes.set(arena, BASE + plan.length);
  bytes.fill(CANARY, end - abi.SLACK_BYTES, end + 4096);
  executor.run(BASE, 0, 1);
  assert.ok(bytes.subarray(0, BASE).every((b) => b === CANARY), 'nothing before the plan changed');
  assert.deepEqual(bytes.slice(BASE, BASE + plan.length), accepted, 'the plan did not change');
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
    // Not in parts: what was changed may write to its own source.
    runPlan(machine, changed, onePlan(changed).plan, new Uint8Array(p.arenaBytes).fill(0x3c));
  }
  assert.ok(accepted > 0, 'some changes are harmless');
}

function moved(word: (place: Place) => number, by: number): (place: Place) => number {
  return (place) => word(place) + by;
}
