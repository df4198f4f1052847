// The executor of a team of threads: run by every thread at once, each on its own list of steps, with barriers between dependent ones.
// In: a plan that init() accepted, and lists that the host made of its steps (host/threads/). Out: tensors in the arena.
// A list's entries are steps as in a plan, so that the same verifiers bound what a thread may touch, and barriers: [BARRIER][8].
// One instance per thread over one shared memory. Everything that threads share lies in the control words, nothing in globals.

import {
  BAD_OPCODE, BAD_STEP_BYTES, BARRIER, CONTROL_ABORT, CONTROL_ARRIVED, CONTROL_ROUND, CONTROL_SLEEPERS, HEADER_DOT_MODE, HEADER_PLAN_BYTES,
  HEADER_WEIGHTS_AT, OK, STEP_BYTES, STEP_OPCODE,
} from "./abi.ts";
import { setDotMode } from "./simd.ts";
import { runStep, stepBytes, verifyStep } from "./steps.ts";
import { beginVerify, failure } from "./verify.ts";

/** Atomics.wait: memory.atomic.wait32 spoils locals in Node 20's baseline compiler, a call does not. */
// @ts-ignore: decorator
@external("env", "wait") declare function hostWait(word: usize, value: i32, ms: i32): void;

/** How long a sleeper sleeps before it looks again whether the team was stopped. */
const SLEEP_MS: i32 = 50;
/** Looking so often costs less than to sleep and be woken. */
const SHORT_LOOKS: i32 = 4_000;
const LEAST_PENALTY: i32 = 4;
const MOST_PENALTY: i32 = 4_096;

/** Barriers at which this thread only looks shortly, because it looked long in vain: the cores have other work. Its own: one instance is one thread. */
let penance: i32 = 0;
let penalty: i32 = 4; // LEAST_PENALTY; a literal, because a constant would need a start function

/**
 * Verifies one thread's list at [list, list + bytes) for the plan at `base`, whose arena was made `extraBytes` longer for the scratch
 * of further threads. Returns OK or an error code of abi.ts.
 */
export function verifyList(base: usize, list: usize, bytes: u32, arenaBytes: u32): i32 {
  beginVerify(base, load<u32>(base, HEADER_WEIGHTS_AT), load<u32>(base, HEADER_PLAN_BYTES), arenaBytes);
  let left = bytes;
  while (left > 0) {
    if (left < 8) return BAD_STEP_BYTES;
    const barrier = load<i32>(list, STEP_OPCODE) == BARRIER, size: u32 = barrier ? 8 : stepBytes(load<i32>(list, STEP_OPCODE));
    if (size == 0) return BAD_OPCODE;
    if (load<u32>(list, STEP_BYTES) != size || size > left) return BAD_STEP_BYTES;
    if (!barrier) verifyStep(list);
    if (failure() != OK) return failure();
    list += size;
    left -= size;
  }
  return OK;
}

/** Runs a list that verifyList() accepted, as one of `threads`. Returns 1, or 0 when the team was stopped meanwhile. */
export function runList(base: usize, list: usize, bytes: u32, control: usize, threads: i32, spins: i32): i32 {
  setDotMode(load<i32>(base, HEADER_DOT_MODE));
  for (const end = list + bytes; list < end; list += load<u32>(list, STEP_BYTES)) {
    if (load<i32>(list, STEP_OPCODE) != BARRIER) runStep(list, base);
    else if (!barrier(control, threads, spins)) return 0;
  }
  return 1;
}

/** Waits until all threads are here: the last one begins the next round, the others look a while and then sleep. */
function barrier(control: usize, threads: i32, spins: i32): bool {
  const round = atomic.load<i32>(control, CONTROL_ROUND);
  if (atomic.add<i32>(control, 1, CONTROL_ARRIVED) == threads - 1) {
    atomic.store<i32>(control, 0, CONTROL_ARRIVED);
    atomic.store<i32>(control, round + 1, CONTROL_ROUND);
    if (atomic.load<i32>(control, CONTROL_SLEEPERS) != 0) atomic.notify(control + CONTROL_ROUND, -1);
    return true;
  }
  return !stays(control + CONTROL_ROUND, round, min(spins, SHORT_LOOKS)) || lookLong(control, round, spins) || sleep(control, round);
}

/** Looks up to `spins` times, unless that was in vain lately; the more often in vain, the longer it does without. */
function lookLong(control: usize, round: i32, spins: i32): bool {
  if (penance > 0) penance--;
  else if (spins > SHORT_LOOKS) {
    if (!stays(control + CONTROL_ROUND, round, spins)) {
      penalty = LEAST_PENALTY;
      return true;
    }
    penance = penalty;
    penalty = min(2 * penalty, MOST_PENALTY);
  }
  return false;
}

/** False when the team was stopped. */
function sleep(control: usize, round: i32): bool {
  while (atomic.load<i32>(control, CONTROL_ROUND) == round) {
    if (atomic.load<i32>(control, CONTROL_ABORT) != 0) return false;
    atomic.add<i32>(control, 1, CONTROL_SLEEPERS);
    hostWait(control + CONTROL_ROUND, round, SLEEP_MS);
    atomic.sub<i32>(control, 1, CONTROL_SLEEPERS);
  }
  return true;
}

/** Looks `spins` times whether the word is still `value`; false as soon as it is not. */
export function stays(word: usize, value: i32, spins: i32): bool {
  for (; spins > 0; spins--) if (atomic.load<i32>(word) != value) return false;
  return true;
}
