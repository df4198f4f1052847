// Builds plans of one step by hand and runs them in every executor build this engine accepts.
// In: an opcode, its words, and operands as bytes. Out: the output's bytes, after checking that nothing else changed.
// Must not know the compiler: kernels are tested against the ABI alone.

import assert from 'node:assert/strict';
import { OK, PLAN_ALIGN, SLACK_BYTES } from '../../assembly/abi.ts';
import { align, builds, oneStepPlan } from './one-step-plan.ts';

export type Word = number | { readonly f32: number } | readonly number[];
export type Words = Readonly<Record<number, Word>>;

export interface Operand {
  /** Byte offset in the step of the operand's address. */
  readonly field: number;
  readonly data: ArrayBufferView;
  /** In the weights instead of the arena. */
  readonly constant?: boolean;
  /** Bytes from the data's start to the address in the step: for negative strides. */
  readonly skip?: number;
}

export interface StepCase {
  readonly opcode: number;
  readonly stepBytes: number;
  readonly words: Words;
  readonly operands: readonly Operand[];
  /** Field and size of the output; it starts out filled with CANARY. `also`: a second address in it, `skip` bytes further. */
  readonly output: { readonly field: number; readonly bytes: number; readonly also?: { readonly field: number; readonly skip: number } };
}

interface Exports {
  init(base: number, planBytes: number, memoryBytes: number): number;
  run(base: number, first: number, end: number): void;
  planWork(): number;
}
export interface Executor {
  readonly name: string;
  readonly memory: WebAssembly.Memory;
  readonly calls: Exports;
}

/** Fills everything that no kernel may touch, and outputs before the run. */
export const CANARY = 0xc5;
/** Where plans lie in memory: bytes before it are guarded too. */
export const BASE = 4096;

/** The builds this engine accepts. */
export const executors: readonly Executor[] = builds(64).map(({ name, memory, exports }) => ({ name, memory, calls: exports as unknown as Exports }));

export interface Image {
  readonly plan: Uint8Array;
  /** What the arena holds before the run: operands in their places, CANARY elsewhere. */
  readonly arena: Uint8Array;
  readonly outputAt: number; // in the arena
}

/** Lays out a case: guards of at least one vector around every operand. */
export function buildImage(step: StepCase): Image {
  let weightBytes = 0;
  let arenaBytes = PLAN_ALIGN;
  const places = step.operands.map(({ data, constant }) => {
    const at = constant ? weightBytes : arenaBytes;
    const to = align(at + data.byteLength + PLAN_ALIGN);
    if (constant) weightBytes = to;
    else arenaBytes = to;
    return at;
  });
  const outputAt = arenaBytes;
  arenaBytes = align(outputAt + step.output.bytes + PLAN_ALIGN);
  const { plan, view, stepAt, weightsAt } = oneStepPlan({ ...step, weightBytes, arenaBytes });
  const arena = new Uint8Array(arenaBytes + SLACK_BYTES).fill(CANARY);
  writeWords(view, stepAt, step.words);
  view.setInt32(stepAt + step.output.field, plan.length + outputAt, true);
  const { also } = step.output;
  if (also) view.setInt32(stepAt + also.field, plan.length + outputAt + also.skip, true);
  step.operands.forEach(({ field, data, constant, skip = 0 }, i) => {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const at = places[i] + (constant ? weightsAt : 0);
    (constant ? plan : arena).set(bytes, at);
    view.setInt32(stepAt + field, at + (constant ? 0 : plan.length) + skip, true);
  });
  return { plan, arena, outputAt };
}

function writeWords(view: DataView, at: number, words: Words): void {
  for (const [field, word] of Object.entries(words)) {
    const where = at + Number(field);
    if (typeof word === 'number') view.setInt32(where, word, true);
    else if ('f32' in word) view.setFloat32(where, word.f32, true);
    else word.forEach((value, i) => { view.setInt32(where + 4 * i, value, true); });
  }
}

/** Copies the plan to BASE and verifies it: init()'s code. `around` fills all other memory. */
export function verify({ memory, calls }: Executor, plan: Uint8Array, around = CANARY): number {
  const bytes = new Uint8Array(memory.buffer);
  bytes.fill(around);
  bytes.set(plan, BASE);
  return calls.init(BASE, plan.length, bytes.length);
}

/** Runs a case in one executor and returns the output's bytes. Every other byte of memory must stay as it was. */
export function runStep(executor: Executor, step: StepCase): Uint8Array {
  const { plan, arena, outputAt } = buildImage(step);
  assert.equal(verify(executor, plan), OK, `init of ${executor.name}`);
  const bytes = new Uint8Array(executor.memory.buffer);
  const arenaAt = BASE + plan.length;
  bytes.set(arena, arenaAt);
  executor.calls.run(BASE, 0, 1);
  const output = bytes.slice(arenaAt + outputAt, arenaAt + outputAt + step.output.bytes);
  bytes.fill(CANARY, arenaAt + outputAt, arenaAt + outputAt + step.output.bytes);
  const touched = (from: number, expected: Uint8Array): boolean => Buffer.compare(bytes.subarray(from, from + expected.length), expected) !== 0;
  assert.ok(!touched(BASE, plan), 'the plan changed');
  assert.ok(!touched(arenaAt, arena), 'the arena changed outside the output');
  assert.ok(bytes.subarray(0, BASE).every((b) => b === CANARY), 'bytes before the plan changed');
  assert.ok(bytes.subarray(arenaAt + arena.length, arenaAt + arena.length + 4096).every((b) => b === CANARY), 'bytes behind the arena changed');
  return output;
}
