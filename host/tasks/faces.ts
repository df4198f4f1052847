// Faces in photos with MediaPipe's short-range BlazeFace. In: the loaded network and a picture. Out: faces in picture pixels.
// The network sees a square of 128x128 and answers, for each of 896 anchors, a score and a box with six keypoints relative to it.
// Must not know files or formats.

import { KingletError } from '../error.ts';
import type { Picture } from '../image/picture.ts';
import { regionOf } from '../image/region.ts';
import type { Region } from '../image/region.ts';
import { toTensor } from '../image/tensor.ts';
import type { Model } from '../model.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}
export interface Face {
  readonly score: number;
  readonly box: Region;
  /** Right eye, left eye, nose, mouth, right ear, left ear. */
  readonly keypoints: readonly Point[];
}
export interface FaceOptions {
  /** Least score of a face. */
  readonly threshold?: number | undefined;
  /** Boxes whose intersection is more than this share of their union are one face. */
  readonly overlap?: number | undefined;
  /** Look at each face a second time, closer; default true. Costs one inference per face. */
  readonly closeUps?: boolean | undefined;
}

const SIZE = 128;
const CLOSE_UP = 3;
const KEYPOINTS = 6;
const NUMBERS = 4 + 2 * KEYPOINTS;
/** Grid cells per side and anchors per cell; an anchor is the centre of its cell. */
const grids = [{ cells: 16, anchors: 2 }, { cells: 8, anchors: 6 }];

/** Centres of the 896 anchors, in fractions of the square, in the network's order. */
export function anchorCentres(): Point[] {
  return grids.flatMap(({ cells, anchors }) => Array.from({ length: cells * cells * anchors }, (_, i) => {
    const cell = Math.floor(i / anchors);
    return { x: ((cell % cells) + 0.5) / cells, y: (Math.floor(cell / cells) + 0.5) / cells };
  }));
}
const centres = anchorCentres();

/**
 * Finds faces. First look: the whole picture, padded to a square. A face that is small there has few pixels, so each one is looked at
 * again in a square of CLOSE_UP times its width: that confirms it, or not, and says better where its parts are.
 * The most certain face comes first.
 */
export function detectFaces(model: Model, picture: Picture, options: FaceOptions = {}): Face[] {
  const { threshold = 0.5, overlap = 0.3, closeUps = true } = options;
  const look = (region: Region): Face[] => {
    const outputs = model.runSync([toTensor(picture, model.inputs[0], { region })]);
    const boxes = outputs[indexOf(model, NUMBERS)], logits = outputs[indexOf(model, 1)];
    return mergeFaces(decodeFaces(boxes as Float32Array, logits as Float32Array, region, threshold), overlap);
  };
  const faces = look(regionOf(picture, { width: SIZE, height: SIZE }, 'pad'));
  if (!closeUps) return faces;
  const confirmed = faces.map((face) => look(around(face.box)).find(({ box }) => intersectionOverUnion(box, face.box) > overlap));
  return mergeFaces(confirmed.filter((face) => face !== undefined), overlap);
}

function around({ x, y, width, height }: Region): Region {
  const side = CLOSE_UP * width;
  return { x: x + (width - side) / 2, y: y + (height - side) / 2, width: side, height: side };
}

function indexOf(model: Model, numbers: number): number {
  const index = model.outputs.findIndex(({ dtype, shape }) => dtype === 'float32' && shape.at(-1) === numbers && shape.at(-2) === centres.length);
  if (index < 0) throw new KingletError('ERR_INPUT', 'this network is not the short-range BlazeFace', { hint: 'Use face_detection_short_range.tflite.' });
  return index;
}

/** The anchors whose score reaches the threshold, as faces in the pixels that `region` is given in. */
export function decodeFaces(boxes: Float32Array, logits: Float32Array, region: Region, threshold: number): Face[] {
  const faces: Face[] = [];
  centres.forEach((centre, i) => {
    const score = 1 / (1 + Math.exp(-logits[i]));
    if (!(score >= threshold)) return;
    const at = i * NUMBERS;
    const point = (k: number): Point => ({
      x: region.x + (boxes[at + k] / SIZE + centre.x) * region.width,
      y: region.y + (boxes[at + k + 1] / SIZE + centre.y) * region.height,
    });
    const middle = point(0), width = (boxes[at + 2] / SIZE) * region.width, height = (boxes[at + 3] / SIZE) * region.height;
    const keypoints = Array.from({ length: KEYPOINTS }, (_, k) => point(4 + 2 * k));
    faces.push({ score, box: { x: middle.x - width / 2, y: middle.y - height / 2, width, height }, keypoints });
  });
  return faces;
}

/** Neighbouring anchors see the same face: each group becomes its mean, weighted by score, with the best score. */
export function mergeFaces(faces: readonly Face[], overlap: number): Face[] {
  let left = [...faces].sort((a, b) => b.score - a.score);
  const merged: Face[] = [];
  while (left.length > 0) {
    const [best] = left;
    const group = left.filter((face) => face === best || intersectionOverUnion(face.box, best.box) > overlap);
    merged.push(meanFace(group));
    left = left.filter((face) => !group.includes(face));
  }
  return merged;
}

function meanFace(group: readonly Face[]): Face {
  const total = group.reduce((sum, face) => sum + face.score, 0);
  const mean = (of: (face: Face) => number): number => group.reduce((sum, face) => sum + of(face) * face.score, 0) / total;
  return {
    score: group[0].score,
    box: { x: mean((f) => f.box.x), y: mean((f) => f.box.y), width: mean((f) => f.box.width), height: mean((f) => f.box.height) },
    keypoints: group[0].keypoints.map((_, k) => ({ x: mean((f) => f.keypoints[k].x), y: mean((f) => f.keypoints[k].y) })),
  };
}

export function intersectionOverUnion(a: Region, b: Region): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (!(width > 0 && height > 0)) return 0;
  const both = width * height;
  return both / (a.width * a.height + b.width * b.height - both);
}
