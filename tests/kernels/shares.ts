// A step in the parts that 2, 3 and 5 threads would do, one after another: together they leave the bytes that the whole step leaves.
// In: a one-step plan, the arena before and after the whole step. Out: an assertion. Must not know any kernel.

import assert from 'node:assert/strict';
import { HEADER_STEPS_AT } from '../../assembly/abi.ts';
import { share } from '../../host/threads/schedule.ts';
import { StepWords } from '../../host/threads/step-words.ts';
import { scratchOf, touches } from '../../host/threads/touches.ts';

const threadCounts = [2, 3, 5];
let turn = 0;

/** `run`: the arena after a plan of this length ran on an arena. Each call takes the next thread count. */
export function checkShares(plan: Uint8Array, before: Uint8Array, after: Uint8Array, run: (part: Uint8Array, arena: Uint8Array) => Uint8Array): void {
  const threads = threadCounts[turn++ % threadCounts.length];
  const stepAt = new DataView(plan.buffer).getUint32(HEADER_STEPS_AT, true), whole = StepWords.at(plan.buffer, stepAt);
  const parts = share(whole, threads, 0).filter((part) => part !== null);
  assert.ok(parts.length >= 1 && parts.length <= threads);
  let arena: Uint8Array = before.slice();
  for (const part of parts) {
    const own = plan.slice();
    new Int32Array(own.buffer, stepAt, part.words.length).set(part.words);
    const next = run(own, arena);
    checkRanges(part, plan.length, arena, next);
    arena = next;
  }
  const scratch = scratchOf(whole), from = scratch ? whole.get(scratch.at) - plan.length : 0;
  if (scratch) for (const bytes of [arena, after = after.slice()]) bytes.fill(0, from, from + scratch.bytes);
  assert.deepEqual(arena, after, `the same bytes in ${parts.length} parts for ${threads} threads`);
}

/** Nothing changes but what touches() says is written. */
function checkRanges(part: StepWords, arenaAt: number, before: Uint8Array, after: Uint8Array): void {
  const { writes } = touches(part);
  for (let i = 0; i < after.length; i++) {
    if (after[i] === before[i]) continue;
    assert.ok(writes.some(({ from, to }) => i + arenaAt >= from && i + arenaAt < to), `byte ${i} of the arena was written, but touches() leaves it out`);
  }
}
