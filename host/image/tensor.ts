// A picture as a network's input. In: a Picture and what the model says about its input. Out: a typed array of the input's dtype.
// Must not know files, or more of a model than its input's description.

import { KingletError, quote } from '../error.ts';
import { elementCount } from '../tensor.ts';
import { defaultPreset, normalisationOf, presets } from './presets.ts';
import type { Normalisation, Preset } from './presets.ts';
import { regionOf } from './region.ts';
import type { Fit, Region } from './region.ts';
import { resample } from './resampler.ts';
import type { PixelArray } from './resampler.ts';
import { pictureOf } from './source.ts';
import type { PictureSource } from './source.ts';

/** The part of a model's input description that matters here; Model.inputs[i] fits. */
export interface ImageInput {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly layout: 'NHWC' | 'NCHW' | null;
  readonly quantization: { readonly scale: number; readonly zeroPoint: number } | null;
}
export interface ToTensorOptions {
  /** How samples become numbers: a preset's name, or your own. Default: by the input, see presetFor. */
  readonly preset?: Preset | Normalisation | undefined;
  /** Default: the preset's, otherwise stretch. */
  readonly fit?: Fit | undefined;
  /** Show this part of the picture instead of what `fit` chooses. */
  readonly region?: Region | undefined;
  /** Fill this array, for example model.input(0), instead of a new one. Its dtype and length must be the input's. */
  readonly into?: ArrayBufferView | undefined;
}
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly layout: 'NHWC' | 'NCHW';
}

/** Reads width, height, channels and layout from the input's shape; throws ERR_INPUT when it does not take one picture. */
export function frameOf(input: ImageInput): Frame {
  const [batch, ...rest] = input.shape.length === 3 ? [1, ...input.shape] : input.shape;
  const takesPictures = batch === 1 && rest.length === 3 && elementCount(input.shape) > 0;
  const layout = input.layout ?? (rest[2] === 3 || (rest[2] === 1 && rest[0] !== 3) ? 'NHWC' : 'NCHW');
  const channels = layout === 'NHWC' ? rest[2] : rest[0];
  if (!takesPictures || (channels !== 1 && channels !== 3)) {
    throw new KingletError('ERR_INPUT', `input ${quote(input.name)} of shape [${input.shape.join(', ')}] does not take one picture`);
  }
  const [height, width] = layout === 'NHWC' ? rest : rest.slice(1);
  return { width, height, channels, layout };
}

/** The preset that toTensor takes when none is asked for. */
export function presetFor(input: ImageInput): Preset {
  return defaultPreset(input.dtype, input.quantization?.scale);
}

/** The part of the picture that toTensor shows; throws what it throws. */
export function regionFor(picture: { width: number; height: number }, input: ImageInput, options: ToTensorOptions = {}): Region {
  return options.region ?? regionOf(picture, frameOf(input), options.fit ?? normalisationOf(options.preset ?? presetFor(input)).fit ?? 'stretch');
}

/**
 * The picture, scaled to the input's size, as the input's elements. Sources that must be read first (files) go through decodeImage.
 * Throws ERR_INPUT (the input takes no picture), ERR_IMAGE (the source is not ready or no picture), ERR_USAGE (options), ERR_ENGINE.
 */
export function toTensor(source: PictureSource, input: ImageInput, options: ToTensorOptions = {}): PixelArray {
  const frame = frameOf(input), rule = normalisationOf(options.preset ?? presetFor(input));
  const out = arrayFor(input, frame.width * frame.height * frame.channels, options.into);
  const picture = pictureOf(source), region = regionFor(picture, input, options);
  const { scale, zeroPoint } = (rule.bytes ? null : input.quantization) ?? { scale: 1, zeroPoint: 0 };
  const { mean, std } = rule.bytes ? presets.raw : rule;
  const elements = rule.bytes && out instanceof Int8Array ? new Uint8Array(out.buffer, out.byteOffset, out.length) : out;
  resample(picture, region, { ...frame, blueFirst: rule.blueFirst ?? false, mean, std, scale, zeroPoint }, elements);
  return out;
}

const arrays = { float32: Float32Array, uint8: Uint8Array, int8: Int8Array } as const;

function arrayFor({ name, dtype }: ImageInput, elements: number, given: ArrayBufferView | undefined): PixelArray {
  if (dtype !== 'float32' && dtype !== 'uint8' && dtype !== 'int8') throw new KingletError('ERR_INPUT', `input ${quote(name)} of dtype ${dtype} does not take pictures`);
  if (given === undefined) return new arrays[dtype](elements);
  if (given instanceof arrays[dtype] && given.length === elements) return given;
  throw new KingletError('ERR_INPUT', `input ${quote(name)} wants a ${arrays[dtype].name} of ${elements} elements to write into`, {
    hint: 'Give model.input(0), taken anew after other models were loaded: an array whose memory has grown is empty.',
  });
}
