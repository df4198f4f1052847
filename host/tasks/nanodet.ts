// NanoDet-Plus of any size and number of classes: for each point of four grids, a score per class and, for each side of the box, 8 bins
// whose softmax is the distribution of its distance in strides (Li et al., Generalized Focal Loss, 2020). In: its output. Out: boxes.
// The output is [1, classes + 32, points] or [1, points, classes + 32]; scores are logits or, where an export has the sigmoid, not.

import { strongest, suppressed } from './candidates.ts';
import type { Candidate } from './candidates.ts';
import { cocoLabels } from './coco-labels.ts';
import { sigmoid } from './family.ts';
import type { Decoder, Family } from './family.ts';

const BINS = 8;
const SIDES = 4;
const strides = [8, 16, 32, 64];

/** Where the points lie, in pixels: the cells' upper left corners, as the network was trained. */
interface Anchor {
  readonly x: number;
  readonly y: number;
  readonly stride: number;
}
export function gridAnchors(width: number, height: number): Anchor[] {
  return strides.flatMap((stride) => {
    const columns = Math.ceil(width / stride), rows = Math.ceil(height / stride);
    return Array.from({ length: columns * rows }, (_, i) => ({ x: (i % columns) * stride, y: Math.floor(i / columns) * stride, stride }));
  });
}

export const nanodet: Family = {
  kind: 'nanodet',
  about: 'NanoDet-Plus (320x320: output [1, 112, 2125] or [1, 2125, 112])',
  preset: 'nanodet',
  labels: cocoLabels,
  threshold: 0.5,
  overlap: 0.5,
  merge: suppressed,
  decoderFor(frame, outputs) {
    const points = strides.reduce((sum, stride) => sum + Math.ceil(frame.width / stride) * Math.ceil(frame.height / stride), 0);
    const shape = outputs[0].shape, [rows, columns] = shape.slice(-2);
    const pointsLast = columns === points, numbers = pointsLast ? rows : columns, classes = numbers - SIDES * BINS;
    if (outputs.length !== 1 || shape.length !== 3 || shape[0] !== 1 || (!pointsLast && rows !== points) || !(classes >= 1)) return null;
    return decoder(frame, classes, pointsLast ? { point: 1, number: points } : { point: numbers, number: 1 });
  },
};

/** `step`: how far apart in the output the next point and the next number of a point lie. */
function decoder(frame: { width: number; height: number }, classes: number, step: { point: number; number: number }): Decoder {
  const anchors = gridAnchors(frame.width, frame.height);
  return ([values], threshold) => {
    const { scores, winners } = likeliest(values, anchors.length, classes, step);
    return strongest(scores, threshold).map((i): Candidate => {
      const { x, y, stride } = anchors[i];
      const [left, top, right, bottom] = Array.from({ length: SIDES }, (_, side) => (
        stride * expectation(Float64Array.from({ length: BINS }, (_bin, k) => values[i * step.point + (classes + side * BINS + k) * step.number]))));
      const box = { x: (x - left) / frame.width, y: (y - top) / frame.height, width: (left + right) / frame.width, height: (top + bottom) / frame.height };
      return { index: winners[i], score: scores[i], box };
    });
  };
}

/** Each point's likeliest class and its probability. */
function likeliest(values: ArrayLike<number>, points: number, classes: number, step: { point: number; number: number }): { scores: Float64Array; winners: Int32Array } {
  const scores = new Float64Array(points).fill(-Infinity), winners = new Int32Array(points);
  let lowest = Infinity, highest = -Infinity;
  for (let c = 0; c < classes; c++) {
    for (let i = 0; i < points; i++) {
      const value = values[i * step.point + c * step.number];
      lowest = Math.min(lowest, value);
      if (value > scores[i]) {
        scores[i] = value;
        winners[i] = c;
      }
    }
  }
  for (const score of scores) highest = Math.max(highest, score);
  return { scores: lowest < 0 || highest > 1 ? scores.map(sigmoid) : scores, winners };
}

/** Mean of 0, 1, 2 … with the softmax of the bins as weights. */
function expectation(bins: Float64Array): number {
  const largest = Math.max(...bins), powers = bins.map((bin) => Math.exp(bin - largest));
  return powers.reduce((sum, power, k) => sum + k * power, 0) / powers.reduce((sum, power) => sum + power, 0);
}
