// Linzaer's Ultra-Light face detectors (version-RFB and version-slim, 320x240 or 640x480), exported with their post-processing: for each
// prior the probabilities of background and face, and a box as corners in shares of the frame. In: its outputs. Out: faces.

import { strongest, suppressed } from './candidates.ts';
import type { Candidate } from './candidates.ts';
import { outputOf } from './family.ts';
import type { Family } from './family.ts';

/** Cells of each feature map are this many pixels wide; so many boxes are tried in each. */
const levels = [{ stride: 8, boxes: 3 }, { stride: 16, boxes: 2 }, { stride: 32, boxes: 2 }, { stride: 64, boxes: 3 }];

export const rfb: Family = {
  kind: 'rfb',
  about: 'Ultra-Light RFB or slim with post-processing (320x240 or 640x480; outputs [1, 4420, 2] and [1, 4420, 4], or with 17640)',
  preset: 'rfb-320',
  labels: ['face'],
  threshold: 0.7,
  overlap: 0.3,
  merge: suppressed,
  decoderFor({ width, height }, outputs) {
    const priors = levels.reduce((sum, { stride, boxes }) => sum + Math.ceil(width / stride) * Math.ceil(height / stride) * boxes, 0);
    const scoresAt = outputOf(outputs, priors, 2), boxesAt = outputOf(outputs, priors, 4);
    if (scoresAt < 0 || boxesAt < 0 || outputs.length !== 2) return null;
    return (values, threshold) => {
      const pairs = values[scoresAt], corners = values[boxesAt];
      const scores = Float64Array.from({ length: priors }, (_, i) => pairs[2 * i + 1]);
      return strongest(scores, threshold).map((i): Candidate => {
        const [x, y] = [corners[4 * i], corners[4 * i + 1]];
        return { index: 0, score: scores[i], box: { x, y, width: corners[4 * i + 2] - x, height: corners[4 * i + 3] - y } };
      });
    };
  },
};
