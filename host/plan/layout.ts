// Where every arena region lies, and when: lifetimes from the steps' operands, offsets from the arena planner.
// In: lowered steps. Out: regions with first and last step and offset; the arena's size. Must not know ops or the file format.

import { planArena, type Lifetime } from './arena.ts';
import type { Lowered, Step } from './lower.ts';
import type { Address, Region, Word } from './lowering.ts';

/** A region's bytes, its offset in the arena, and the steps it lives through. */
export interface PlacedRegion extends Lifetime {
  readonly region: Region;
  readonly offset: number;
}
export interface ArenaLayout {
  readonly regions: readonly PlacedRegion[];
  /** End of the last region; the plan adds alignment and slack. */
  readonly arenaBytes: number;
  /** Largest sum of regions alive at one step. */
  readonly liveBytes: number;
}

export function layOutArena(lowered: Lowered): ArenaLayout {
  const lives = [...lifetimes(lowered)];
  const { offsets, arenaBytes, liveBytes } = planArena(lives.map(([, life]) => life), lowered.steps.length);
  return { regions: lives.map(([region, life], i) => ({ region, ...life, offset: offsets[i] ?? 0 })), arenaBytes, liveBytes };
}

export function wordsOf(step: Step): Word[] {
  return Object.values(step.words).flatMap((w) => w as Word | Word[]);
}
export function isAddress(word: Word): word is Address {
  return typeof word === 'object' && 'region' in word;
}

/** First and last use of every arena region. */
function lifetimes(lowered: Lowered): Map<Region, Lifetime> {
  const map = new Map<Region, { bytes: number; first: number; last: number }>();
  const end = lowered.steps.length;
  const touch = (region: Region, step: number): void => {
    if (region.kind !== 'arena') return;
    const life = map.get(region);
    if (life) {
      life.first = Math.min(life.first, step);
      life.last = Math.max(life.last, step);
    } else {
      map.set(region, { bytes: region.bytes, first: step, last: step });
    }
  };
  // The caller owns inputs during the whole run: running twice without setting them again must give the same answer.
  for (const { view } of lowered.inputs) for (const step of [-1, end]) touch(view.at.region, step);
  lowered.steps.forEach((step, i) => {
    for (const word of wordsOf(step)) if (isAddress(word)) touch(word.region, i);
  });
  for (const { view } of lowered.outputs) touch(view.at.region, end);
  return map;
}
