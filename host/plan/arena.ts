// Arena planning: gives every arena region an offset so that regions alive at the same time do not overlap.
// In: lifetimes and sizes. Out: offsets, arena size, largest live sum. Must not know steps' meaning or opcodes.
// Offline greedy placement after Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference" (2020):
// by size, by first use, by breadth of the busiest step and by area, each improved for some rounds; the smallest result wins.

import { PLAN_ALIGN } from '../../assembly/abi.ts';

export interface Lifetime {
  readonly bytes: number;
  /** First and last step that touches the region, inclusive; inputs start at -1, outputs end after the last step. */
  readonly first: number;
  readonly last: number;
}
export interface ArenaPlan {
  readonly offsets: readonly number[];
  readonly arenaBytes: number;
  /** Largest sum of bytes alive at one step: no plan can be smaller. */
  readonly liveBytes: number;
}

const align = (bytes: number): number => Math.ceil(bytes / PLAN_ALIGN) * PLAN_ALIGN;

function overlap(a: Lifetime, b: Lifetime): boolean {
  return a.first <= b.last && b.first <= a.last;
}

/** Places regions one after the other at the lowest (or best-fitting) gap among those alive with it. */
function place(lifetimes: readonly Lifetime[], order: readonly number[], bestFit: boolean): Placement {
  const offsets = new Array<number>(lifetimes.length).fill(0);
  const placed: number[] = []; // ascending by offset
  let arenaBytes = 0;
  for (const index of order) {
    const region = lifetimes[index];
    if (!region) continue;
    const bytes = align(region.bytes);
    let end = 0;
    let best = -1;
    let bestGap = Infinity;
    for (const other of placed) {
      const lifetime = lifetimes[other];
      if (!lifetime || !overlap(region, lifetime)) continue;
      const start = offsets[other] ?? 0;
      const gap = start - end;
      if (gap >= bytes && gap < bestGap) {
        best = end;
        bestGap = bestFit ? gap : -1;
      }
      end = Math.max(end, start + align(lifetime.bytes));
    }
    const offset = best >= 0 ? best : end;
    offsets[index] = offset;
    arenaBytes = Math.max(arenaBytes, offset + bytes);
    const at = placed.findIndex((other) => (offsets[other] ?? 0) > offset);
    placed.splice(at < 0 ? placed.length : at, 0, index);
  }
  return { offsets, arenaBytes };
}

/** Live bytes at every step, index 0 = before the first step. */
function liveSums(lifetimes: readonly Lifetime[], stepCount: number): number[] {
  const change = new Array<number>(stepCount + 3).fill(0);
  for (const { bytes, first, last } of lifetimes) {
    change[first + 1] = (change[first + 1] ?? 0) + bytes;
    change[last + 2] = (change[last + 2] ?? 0) - bytes;
  }
  let sum = 0;
  return change.map((c) => (sum += c));
}

export function planArena(lifetimes: readonly Lifetime[], stepCount: number): ArenaPlan {
  const live = liveSums(lifetimes, stepCount);
  const busiest = (l: Lifetime): number => {
    let most = 0;
    for (let step = l.first; step <= l.last; step++) most = Math.max(most, live[step + 1] ?? 0);
    return most;
  };
  const breadth = lifetimes.map(busiest);
  const bytes = (i: number): number => lifetimes[i]?.bytes ?? 0;
  const first = (i: number): number => lifetimes[i]?.first ?? 0;
  const span = (i: number): number => (lifetimes[i]?.last ?? 0) - first(i);
  const indices = lifetimes.map((_, i) => i);
  const orders = [
    indices.toSorted((a, b) => bytes(b) - bytes(a) || first(a) - first(b)),
    indices.toSorted((a, b) => (breadth[b] ?? 0) - (breadth[a] ?? 0) || bytes(b) - bytes(a)),
    indices.toSorted((a, b) => first(a) - first(b) || bytes(b) - bytes(a)),
    indices.toSorted((a, b) => span(b) * bytes(b) - span(a) * bytes(a)),
  ];
  const liveBytes = live.reduce((a, b) => Math.max(a, b), 0);
  let best: Placement = { offsets: [], arenaBytes: Infinity };
  for (const order of orders) {
    for (const bestFit of [false, true]) {
      if (best.arenaBytes <= liveBytes * GOOD_ENOUGH) break;
      const plan = improve(lifetimes, order, bestFit);
      if (plan.arenaBytes < best.arenaBytes) best = plan;
    }
  }
  return { ...best, liveBytes };
}

/** Placement rounds that may follow the first: each lets the region that sticks out furthest choose its place first. */
const ROUNDS = 50;
/** A plan this close to the bound (alignment costs something) ends the search. */
const GOOD_ENOUGH = 1.005;

interface Placement {
  readonly offsets: readonly number[];
  readonly arenaBytes: number;
}

function improve(lifetimes: readonly Lifetime[], start: readonly number[], bestFit: boolean): Placement {
  let order = start;
  let best = place(lifetimes, order, bestFit);
  let current = best;
  for (let round = 0; round < ROUNDS; round++) {
    const { offsets, arenaBytes } = current;
    const furthest = order.find((i) => offsets[i] + align(lifetimes[i].bytes) === arenaBytes);
    if (furthest === undefined || furthest === order[0]) break;
    order = [furthest, ...order.filter((i) => i !== furthest)];
    current = place(lifetimes, order, bestFit);
    if (current.arenaBytes < best.arenaBytes) best = current;
  }
  return best;
}
