// What a detector's network proposes, before duplicates are put together. In: proposals in shares of the network's frame.
// Out: the ones that stay. Work is bounded whatever the network says. Must not know networks.

import type { Region } from '../image/region.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}
/** A proposal; in shares of the network's frame until the detector moves it to the picture's pixels. */
export interface Candidate {
  readonly index: number;
  readonly score: number;
  readonly box: Region;
  readonly keypoints?: readonly Point[];
}

/** Of more proposals, only the most certain are looked at: comparing pairs is quadratic. */
export const MAX_CANDIDATES = 1000;

/** Positions of the scores that reach the threshold, the best first, at most MAX_CANDIDATES. What is not a number reaches none. */
export function strongest(scores: ArrayLike<number>, threshold: number): number[] {
  const reaching: number[] = [];
  for (let i = 0; i < scores.length; i++) if (scores[i] >= threshold) reaching.push(i);
  return reaching.sort((a, b) => scores[b] - scores[a] || a - b).slice(0, MAX_CANDIDATES);
}

/** Non-maximum suppression: of boxes of one class that overlap more than `overlap`, the most certain stays. Sorted input, sorted output. */
export function suppressed(candidates: readonly Candidate[], overlap: number): Candidate[] {
  const kept: Candidate[] = [];
  for (const candidate of candidates) {
    if (!kept.some(({ index, box }) => index === candidate.index && intersectionOverUnion(box, candidate.box) > overlap)) kept.push(candidate);
  }
  return kept;
}

/** Overlapping boxes see the same thing: each group becomes its mean, weighted by score, with the best score. Steadier than one of them. */
export function averaged(candidates: readonly Candidate[], overlap: number): Candidate[] {
  const means: Candidate[] = [];
  for (let left = [...candidates]; left.length > 0;) {
    const [best] = left;
    const group = new Set(left.filter((one) => one === best || (one.index === best.index && intersectionOverUnion(one.box, best.box) > overlap)));
    means.push(mean([...group]));
    left = left.filter((one) => !group.has(one));
  }
  return means;
}

function mean(group: readonly Candidate[]): Candidate {
  const [best] = group, total = group.reduce((sum, { score }) => sum + score, 0);
  const of = (value: (one: Candidate) => number): number => group.reduce((sum, one) => sum + value(one) * one.score, 0) / total;
  const box = { x: of((o) => o.box.x), y: of((o) => o.box.y), width: of((o) => o.box.width), height: of((o) => o.box.height) };
  const keypoints = best.keypoints?.map((_, k) => ({ x: of((o) => o.keypoints?.[k].x ?? 0), y: of((o) => o.keypoints?.[k].y ?? 0) }));
  return { index: best.index, score: best.score, box, ...(keypoints && { keypoints }) };
}

export function intersectionOverUnion(a: Region, b: Region): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (!(width > 0 && height > 0)) return 0;
  const both = width * height;
  return both / (a.width * a.height + b.width * b.height - both);
}
