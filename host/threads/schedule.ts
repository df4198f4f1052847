// A plan's steps → one list of steps per thread, with barriers where a thread needs what another one wrote, or would overwrite what
// another one still reads. In: the steps of a verified plan. Out: list bytes. docs/threads.md explains the rules.
// The executor verifies every list (verifyList): a mistake here can give wrong numbers, never a write outside the plan's own memory.

import * as abi from '../../assembly/abi.ts';
import { shareConv } from './share-conv.ts';
import { nestOf, shareGather, shareMatmul, shareNest } from './share-nests.ts';
import { shareDwconv, sharePool, shareResize } from './share-windows.ts';
import { alone, StepWords, type Shares } from './step-words.ts';
import { scratchOf, touches, type Range, type Touches } from './touches.ts';

/** One step, shared. `least`: how much of the usual work makes it worth the threads' while; 0 shares whatever can be. */
export function share(step: StepWords, threads: number, least = 1): Shares {
  switch (step.opcode) {
    case abi.F32_CONV: case abi.QS8_CONV: case abi.F32_WINOGRAD: return shareConv(step, threads, least);
    case abi.F32_DWCONV: case abi.QS8_DWCONV: return shareDwconv(step, threads, least);
    case abi.F32_POOL: case abi.QS8_POOL: return sharePool(step, threads, least);
    case abi.F32_RESIZE: case abi.QS8_RESIZE: case abi.F32_RESIZE_CUBIC: case abi.X_RESIZE_NEAREST: return shareResize(step, threads, least);
    case abi.X_GATHER: return shareGather(step, threads, least);
    case abi.QS8_MATMUL: return shareMatmul(step, threads, least);
    default: {
      const nest = nestOf(step);
      return nest === null ? alone(step, threads) : shareNest(step, threads, nest, least);
    }
  }
}

export interface Schedule {
  /** Per thread. */
  readonly lists: readonly Int32Array[];
  /** Scratch of each thread. The plan's own lies where other threads may still read a tensor. */
  readonly scratchBytes: number;
  readonly barriers: number;
}

/** `scratchAt`: the plan address where the first thread's scratch begins, a multiple of 64; the others' follow. */
export function schedule(steps: readonly StepWords[], threads: number, scratchAt: number): Schedule {
  const shared = steps.map((step) => share(step, threads));
  const scratchBytes = Math.max(0, ...shared.flatMap((shares) => shares.map((step) => (step && scratchOf(step)?.bytes) ?? 0))) + 63 & ~63;
  const lists = Array.from({ length: threads }, () => [] as number[]);
  let since: Touches[][] = lists.map(() => []);
  let barriers = 0;
  for (const shares of shared) {
    const moved = shares.map((step, t) => (step ? withScratch(step, scratchAt + t * scratchBytes) : null));
    const now = moved.map((step) => (step ? touches(step) : null));
    if (now.some((mine, t) => mine && since.some((others, u) => u !== t && others.some((other) => conflict(mine, other))))) {
      lists.forEach((list) => { list.push(abi.BARRIER, 8); });
      since = lists.map(() => []);
      barriers++;
    }
    moved.forEach((step, t) => {
      if (step) lists[t].push(...step.words);
      if (now[t]) since[t].push(now[t]);
    });
  }
  return { lists: lists.map((list) => Int32Array.from(list)), scratchBytes, barriers };
}

function withScratch(step: StepWords, address: number): StepWords {
  const scratch = scratchOf(step);
  return scratch ? step.with({ set: { [scratch.at]: address } }) : step;
}

function conflict(a: Touches, b: Touches): boolean {
  return meet(a.writes, b.writes) || meet(a.writes, b.reads) || meet(a.reads, b.writes);
}
function meet(a: readonly Range[], b: readonly Range[]): boolean {
  return a.some((x) => b.some((y) => x.from < y.to && y.from < x.to));
}
