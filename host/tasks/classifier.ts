// What a photo shows, by name. In: a loaded network with one output of scores, and photos. Out: the most likely labels.
// Must not know files or formats of models.

import { KingletError } from '../error.ts';
import { decodeImage } from '../image/decode.ts';
import { normalisationOf } from '../image/presets.ts';
import type { Normalisation, Preset } from '../image/presets.ts';
import type { Fit } from '../image/region.ts';
import { pictureOf } from '../image/source.ts';
import type { PictureSource } from '../image/source.ts';
import { frameOf, presetFor, toTensor } from '../image/tensor.ts';
import type { Model } from '../model.ts';
import { realNumbers } from './real-numbers.ts';

export interface Classification {
  /** Place among the network's scores, and in the list of labels. */
  readonly index: number;
  readonly label: string | null;
  /** A probability from 0 to 1. */
  readonly score: number;
}
export interface ClassifyOptions {
  /** How many labels at most; default 5. */
  readonly top?: number | undefined;
  /** Least score; default 0. */
  readonly threshold?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}
export interface ClassifierOptions extends Omit<ClassifyOptions, 'signal'> {
  readonly labels?: readonly string[] | undefined;
  /** How samples become numbers; default by the input. */
  readonly preset?: Preset | Normalisation | undefined;
  /** How the photo fills the input; default the preset's, otherwise stretch. */
  readonly fit?: Fit | undefined;
  /** Whether the outputs are logits that a softmax makes probabilities of; default: unless all of them lie between 0 and 1. */
  readonly softmax?: boolean | undefined;
}
export interface Classifier {
  readonly model: Model;
  readonly preset: Preset | Normalisation;
  readonly fit: Fit;
  /** The most likely first; of equal scores the lower index. Throws what toTensor, decodeImage and Model.run throw. */
  classify(source: PictureSource | Blob, options?: ClassifyOptions): Promise<Classification[]>;
}

/** Throws ERR_INPUT when the model cannot classify a photo, ERR_USAGE for unknown presets and fits. */
export function classifier(model: Model, options: ClassifierOptions = {}): Classifier {
  const [input] = model.inputs, [output] = model.outputs;
  if (model.inputs.length !== 1 || model.outputs.length === 0) {
    throw new KingletError('ERR_INPUT', `a classifier has one input and an output of scores; this model has ${model.inputs.length} and ${model.outputs.length}`);
  }
  frameOf(input);
  const preset = options.preset ?? presetFor(input), fit = options.fit ?? normalisationOf(preset).fit ?? 'stretch';
  return {
    model, preset, fit,
    async classify(source, { top = options.top ?? 5, threshold = options.threshold ?? 0, signal } = {}) {
      const [data] = await model.run([toTensor(await readPicture(source), input, { preset, fit })], signal ? { signal } : {});
      const scores = probabilities(realNumbers(data, output), options.softmax);
      return best(scores, top, threshold).map((index) => ({ index, label: options.labels?.[index] ?? null, score: scores[index] }));
    },
  };
}

/** Files are decoded; everything else is read now. */
export async function readPicture(source: PictureSource | Blob): Promise<PictureSource> {
  return typeof Blob === 'function' && source instanceof Blob ? decodeImage(source) : pictureOf(source as PictureSource);
}

/** Room for the last bits of a dequantised 1. */
const SLACK = 1e-3;

/** The scores as they are when they can be probabilities, otherwise their softmax. `softmax` decides where this rule guesses wrong. */
export function probabilities(scores: ArrayLike<number>, softmax?: boolean): ArrayLike<number> {
  const list = Array.from(scores);
  if (!(softmax ?? !list.every((score) => score >= 0 && score <= 1 + SLACK))) return scores;
  const largest = list.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = list.map((score) => Math.exp(score - largest)), sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** Indices of at most `top` scores from the threshold on. Scores that are not numbers reach none. */
function best(scores: ArrayLike<number>, top: number, threshold: number): number[] {
  const reaching = Array.from(scores, (_, index) => index).filter((index) => scores[index] >= threshold);
  return reaching.sort((a, b) => scores[b] - scores[a] || a - b).slice(0, top);
}
