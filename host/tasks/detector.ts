// Where things are in a photo. In: a loaded network of a known family, and photos. Out: boxes in the photo's pixels.
// Must not know files, formats of models, or what a family's numbers mean.

import { KingletError } from '../error.ts';
import { normalisationOf } from '../image/presets.ts';
import type { Normalisation, Preset } from '../image/presets.ts';
import { regionOf } from '../image/region.ts';
import type { Fit, Region } from '../image/region.ts';
import { pictureOf } from '../image/source.ts';
import type { PictureSource } from '../image/source.ts';
import { frameOf, regionFor, toTensor } from '../image/tensor.ts';
import type { Model } from '../model.ts';
import { blazeface } from './blazeface.ts';
import { intersectionOverUnion } from './candidates.ts';
import type { Candidate, Point } from './candidates.ts';
import { readPicture } from './classifier.ts';
import type { Decoder, DetectorKind, Family } from './family.ts';
import { nanodet } from './nanodet.ts';
import { realNumbers } from './real-numbers.ts';
import { rfb } from './rfb.ts';

export interface Detection {
  readonly index: number;
  readonly label: string | null;
  /** From 0 to 1. */
  readonly score: number;
  /** In pixels of the photo; may reach beyond its edges where the network thinks that the thing does. */
  readonly box: Region;
  /** BlazeFace: right eye, left eye, nose, mouth, right ear, left ear, in pixels. */
  readonly keypoints?: readonly Point[];
}
export interface DetectOptions {
  /** Least score; default by the network: 0.5, for RFB 0.7. */
  readonly threshold?: number | undefined;
  /** Boxes of one class whose intersection is more than this share of their union are one thing; default 0.3 for faces, 0.5 for NanoDet. */
  readonly overlap?: number | undefined;
  /** How many at most; default 100. */
  readonly top?: number | undefined;
  /** Look at each one again, in a square of three times its width: for faces that are small in a large photo. Costs a run each; default no. */
  readonly closeUps?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}
export interface DetectorOptions extends Omit<DetectOptions, 'signal'> {
  /** Default: 'face', or COCO's 80. */
  readonly labels?: readonly string[] | undefined;
  readonly preset?: Preset | Normalisation | undefined;
  /** How the photo fills the input; default pad, which keeps proportions and sees everything. */
  readonly fit?: Fit | undefined;
}
export interface Detector {
  readonly model: Model;
  readonly kind: DetectorKind;
  /** The most certain first. Throws what toTensor, decodeImage and Model.run throw. */
  detect(source: PictureSource | Blob, options?: DetectOptions): Promise<Detection[]>;
}

const families: readonly Family[] = [blazeface, rfb, nanodet];
const CLOSE_UP = 3;

/** Throws ERR_INPUT for a network of no known family, ERR_USAGE for unknown presets and fits. */
export function detector(model: Model, options: DetectorOptions = {}): Detector {
  const { family, decode } = familyOf(model);
  const [input] = model.inputs, frame = frameOf(input), preset = options.preset ?? family.preset, fit = options.fit ?? normalisationOf(preset).fit ?? 'pad';
  const labels = options.labels ?? family.labels;

  const look = async (picture: PictureSource, region: Region, { threshold, overlap, signal }: Settings): Promise<Candidate[]> => {
    const outputs = await model.run([toTensor(picture, input, { preset, region })], signal ? { signal } : {});
    const candidates = decode(outputs.map((data, i) => realNumbers(data, model.outputs[i])), threshold);
    return family.merge(candidates.map((one) => placed(one, region)).filter(({ box }) => isSane(box)), overlap);
  };
  return {
    model, kind: family.kind,
    async detect(source, asked = {}) {
      const settings = { threshold: asked.threshold ?? options.threshold ?? family.threshold, overlap: asked.overlap ?? options.overlap ?? family.overlap, signal: asked.signal };
      const picture = pictureOf(await readPicture(source)), whole = regionFor(picture, input, { preset, fit });
      const seen = (await look(picture, whole, settings)).slice(0, asked.top ?? options.top ?? 100);
      const closer = asked.closeUps ?? options.closeUps ?? false;
      const sure = closer ? family.merge(await confirmed(seen, settings.overlap, (box) => look(picture, around(box, frame), settings)), settings.overlap) : seen;
      return sure.map((one) => ({ ...one, label: labels[one.index] ?? null }));
    },
  };
}

interface Settings {
  readonly threshold: number;
  readonly overlap: number;
  readonly signal: AbortSignal | undefined;
}

function familyOf(model: Model): { family: Family; decode: Decoder } {
  if (model.inputs.length === 1 && model.outputs.length > 0) {
    const frame = frameOf(model.inputs[0]);
    for (const family of families) {
      const decode = family.decoderFor(frame, model.outputs);
      if (decode) return { family, decode };
    }
  }
  throw new KingletError('ERR_INPUT', 'this network is not a detector that kinglet knows', { hint: `It knows ${families.map(({ about }) => about).join('; ')}.` });
}

function isSane({ x, y, width, height }: Region): boolean {
  return width > 0 && height > 0 && Number.isFinite(x + y + width + height);
}

/** From shares of the frame, which shows `region`, to the picture's pixels. */
function placed({ index, score, box, keypoints }: Candidate, region: Region): Candidate {
  const at = ({ x, y }: Point): Point => ({ x: region.x + x * region.width, y: region.y + y * region.height });
  return { index, score, box: { ...at(box), width: box.width * region.width, height: box.height * region.height }, ...(keypoints && { keypoints: keypoints.map(at) }) };
}

/** A square of CLOSE_UP times the box's longer side around it, in the proportions of the frame. */
function around({ x, y, width, height }: Region, frame: { width: number; height: number }): Region {
  const side = CLOSE_UP * Math.max(width, height), square = regionOf({ width: side, height: side }, frame, 'pad');
  return { ...square, x: square.x + x + (width - side) / 2, y: square.y + y + (height - side) / 2 };
}

/** Each one as it looks from near; those that are not there any more are gone. */
async function confirmed(seen: readonly Candidate[], overlap: number, lookAt: (box: Region) => Promise<Candidate[]>): Promise<Candidate[]> {
  const sure: Candidate[] = [];
  for (const { index, box } of seen) {
    const same = (await lookAt(box)).find((near) => near.index === index && intersectionOverUnion(near.box, box) > overlap);
    if (same) sure.push(same);
  }
  return sure.sort((a, b) => b.score - a.score);
}
