// How 8-bit samples become a network's numbers. In: a preset's name. Out: real = (sample - mean) / std per channel, their order, and
// the fit that the networks were trained with. Must not know shapes or layouts.

import { KingletError, quote } from '../error.ts';
import type { Fit } from './region.ts';

type Channels = readonly [number, number, number];

/** Samples are 0…255; `mean` and `std` are in the order of the network's channels. A gray network takes the first of each. */
export interface Normalisation {
  readonly mean: Channels;
  readonly std: Channels;
  /** The network's channels are blue, green, red. */
  readonly blueFirst?: boolean;
  /** How the picture fills the input where nothing else is asked for; otherwise stretch. */
  readonly fit?: Fit;
  /** The samples become the elements as they are, whatever the input's scale says: mean and std are not applied. */
  readonly bytes?: boolean;
}

const same = (mean: number, std: number): Normalisation => ({ mean: [mean, mean, mean], std: [std, std, std] });
const signed = same(127.5, 127.5), bytes = { ...same(0, 1), bytes: true };

export const presets = {
  /** [-1, 1]: TensorFlow's MobileNets, MediaPipe. */
  signed,
  /** [0, 1] */
  unit: same(0, 255),
  /** [0, 255] */
  raw: same(0, 1),
  /** No arithmetic. An int8 input gets the same 8 bits, so 255 becomes -1. */
  bytes,
  /** The same as bytes: TFLite's uint8 networks. */
  'tflite-uint8': bytes,
  /** The same as signed. */
  mobilenet: signed,
  /** [-1, 1] of the middle square: what Teachable Machine exports. */
  'teachable-machine': { ...signed, fit: 'crop' },
  /** [0, 1], then ImageNet's mean and deviation, of the middle: torchvision's Resize(256), CenterCrop(224). */
  torchvision: { mean: [0.485 * 255, 0.456 * 255, 0.406 * 255], std: [0.229 * 255, 0.224 * 255, 0.225 * 255], fit: 'middle' },
  /** About [-1, 1]: the Ultra-Light face detectors. */
  'rfb-320': { ...same(127, 128), fit: 'pad' },
  /** Blue first, ImageNet's mean and deviation in samples: NanoDet. */
  nanodet: { mean: [103.53, 116.28, 123.675], std: [57.375, 57.12, 58.395], blueFirst: true, fit: 'pad' },
} as const satisfies Record<string, Normalisation>;

export type Preset = keyof typeof presets;
export const presetNames = Object.keys(presets) as Preset[];

/** The same for people; x is a sample from 0 to 255. */
export const presetText: Readonly<Record<Preset, string>> = {
  signed: '(x - 127.5) / 127.5',
  unit: 'x / 255',
  raw: 'x',
  bytes: 'the bytes as they are',
  'tflite-uint8': 'the bytes as they are',
  mobilenet: '(x - 127.5) / 127.5',
  'teachable-machine': '(x - 127.5) / 127.5',
  torchvision: '(x / 255 - mean) / std with mean 0.485 0.456 0.406 and std 0.229 0.224 0.225',
  'rfb-320': '(x - 127) / 128',
  nanodet: '(x - mean) / std, blue first, with mean 103.53 116.28 123.675 and std 57.375 57.12 58.395',
};

/** A preset by name, or somebody's own. Throws ERR_USAGE. */
export function normalisationOf(preset: Preset | Normalisation): Normalisation {
  if (typeof preset === 'string') {
    if (Object.hasOwn(presets, preset)) return presets[preset];
    throw new KingletError('ERR_USAGE', `there is no preset ${quote(preset)}`, { hint: `The presets are ${presetNames.join(', ')}.` });
  }
  const { mean, std } = preset;
  if ([mean, std].every((list) => Array.isArray(list) && list.length === 3 && list.every(Number.isFinite)) && !std.includes(0)) return preset;
  throw new KingletError('ERR_USAGE', 'a normalisation has three numbers in mean and three in std, none of them 0 in std', { hint: `Or name a preset: ${presetNames.join(', ')}.` });
}

/**
 * The preset for an input without metadata. float32: signed. uint8: the bytes. int8: by the scale, since scale × 255 is the width of
 * the range of real values that the input can express: about 2 → signed, about 1 → unit, about 255 → raw; otherwise signed.
 */
export function defaultPreset(dtype: string, scale: number | undefined): Preset {
  if (dtype === 'uint8') return 'bytes';
  if (dtype !== 'int8' || scale === undefined) return 'signed';
  const range = scale * 255;
  if (range > 0.9 && range < 1.1) return 'unit';
  return range > 200 ? 'raw' : 'signed';
}
