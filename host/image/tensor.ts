// A picture as a network's input. In: a Picture and what the model says about its input. Out: a typed array of the input's dtype.
// Must not know files, or more of a model than its input's description.

import { KingletError, quote } from '../error.ts';
import { elementCount } from '../tensor.ts';
import { defaultPreset, presets } from './presets.ts';
import type { Preset } from './presets.ts';
import type { Picture } from './picture.ts';
import { regionOf } from './region.ts';
import type { Fit, Region } from './region.ts';
import { resample } from './resampler.ts';
import type { PixelArray } from './resampler.ts';

/** The part of a model's input description that matters here; Model.inputs[i] fits. */
export interface ImageInput {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly layout: 'NHWC' | 'NCHW' | null;
  readonly quantization: { readonly scale: number; readonly zeroPoint: number } | null;
}
export interface ToTensorOptions {
  readonly preset?: Preset | undefined;
  readonly fit?: Fit | undefined;
  /** Show this part of the picture instead of what `fit` chooses. */
  readonly region?: Region | undefined;
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

/** What toTensor does when nothing is asked for. */
export function presetFor(input: ImageInput): Preset {
  return defaultPreset(input.dtype, input.quantization?.scale);
}

export function toTensor(picture: Picture, input: ImageInput, options: ToTensorOptions = {}): PixelArray {
  const frame = frameOf(input), rule = presets[options.preset ?? presetFor(input)];
  const out = emptyTensor(input, frame.width * frame.height * frame.channels);
  const region = options.region ?? regionOf(picture, frame, options.fit ?? 'stretch');
  const { scale, zeroPoint } = input.quantization ?? { scale: 1, zeroPoint: 0 };
  if (rule) resample(picture, region, { ...frame, blueFirst: false, ...rule, scale, zeroPoint }, out);
  else resample(picture, region, { ...frame, blueFirst: false, ...presets.raw, scale: 1, zeroPoint: 0 }, out instanceof Int8Array ? new Uint8Array(out.buffer) : out);
  return out;
}

function emptyTensor({ name, dtype }: ImageInput, elements: number): PixelArray {
  switch (dtype) {
    case 'float32': return new Float32Array(elements);
    case 'uint8': return new Uint8Array(elements);
    case 'int8': return new Int8Array(elements);
    default: throw new KingletError('ERR_INPUT', `input ${quote(name)} of dtype ${dtype} does not take pictures`);
  }
}
