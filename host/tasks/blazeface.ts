// MediaPipe's BlazeFace, short and full range: for each anchor a logit, and a box with six keypoints relative to the anchor, in pixels
// of the network's square. In: its outputs. Out: faces. Anchors are the centres of grid cells; see Bazarevsky et al., BlazeFace, 2019.

import { averaged, strongest } from './candidates.ts';
import type { Candidate, Point } from './candidates.ts';
import { outputOf, sigmoid } from './family.ts';
import type { Decoder, Family } from './family.ts';

const KEYPOINTS = 6;
const NUMBERS = 4 + 2 * KEYPOINTS;

interface Grid {
  /** Cells per side, and anchors in each. */
  readonly cells: number;
  readonly anchors: number;
}
const variants: readonly { readonly size: number; readonly grids: readonly Grid[] }[] = [
  { size: 128, grids: [{ cells: 16, anchors: 2 }, { cells: 8, anchors: 6 }] },
  { size: 192, grids: [{ cells: 48, anchors: 1 }] },
];

/** Centres of all anchors, in shares of the square, in the network's order. */
export function anchorCentres(grids: readonly Grid[]): Point[] {
  return grids.flatMap(({ cells, anchors }) => Array.from({ length: cells * cells * anchors }, (_, i) => {
    const cell = Math.floor(i / anchors);
    return { x: ((cell % cells) + 0.5) / cells, y: (Math.floor(cell / cells) + 0.5) / cells };
  }));
}

export const blazeface: Family = {
  kind: 'blazeface',
  about: 'BlazeFace, short or full range (128x128 or 192x192; outputs [1, 896, 16] and [1, 896, 1], or with 2304)',
  preset: 'signed',
  labels: ['face'],
  threshold: 0.5,
  overlap: 0.3,
  merge: averaged,
  decoderFor({ width, height }, outputs) {
    const variant = variants.find(({ size }) => size === width && size === height);
    if (!variant) return null;
    const centres = anchorCentres(variant.grids);
    const boxesAt = outputOf(outputs, centres.length, NUMBERS), logitsAt = outputOf(outputs, centres.length, 1);
    return boxesAt < 0 || logitsAt < 0 ? null : decoder(centres, variant.size, boxesAt, logitsAt);
  },
};

function decoder(centres: readonly Point[], size: number, boxesAt: number, logitsAt: number): Decoder {
  return (outputs, threshold) => {
    const boxes = outputs[boxesAt], scores = Array.from(outputs[logitsAt], sigmoid);
    return strongest(scores, threshold).map((i): Candidate => {
      const point = (k: number): Point => ({ x: boxes[i * NUMBERS + k] / size + centres[i].x, y: boxes[i * NUMBERS + k + 1] / size + centres[i].y });
      const middle = point(0), width = boxes[i * NUMBERS + 2] / size, height = boxes[i * NUMBERS + 3] / size;
      return {
        index: 0, score: scores[i], box: { x: middle.x - width / 2, y: middle.y - height / 2, width, height },
        keypoints: Array.from({ length: KEYPOINTS }, (_, k) => point(4 + 2 * k)),
      };
    });
  };
}
