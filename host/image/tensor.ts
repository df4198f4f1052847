// A picture as a network's input. In: a Picture and what the model says about its input. Out: a typed array of the input's dtype.
// Must not know files, or more of a model than its input's description.

import { KingletError, quote } from '../error.ts';
import { elementCount } from '../tensor.ts';
import { defaultPreset, presets } from './presets.ts';
import type { Preset } from './presets.ts';
import type { Picture } from './picture.ts';
import { regionOf, resize } from './resize.ts';
import type { Fit, Region } from './resize.ts';

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

export function toTensor(picture: Picture, input: ImageInput, options: ToTensorOptions = {}): Float32Array | Uint8Array | Int8Array {
  const frame = frameOf(input);
  const region = options.region ?? regionOf(picture, frame, options.fit ?? 'stretch');
  const rgb = resize(picture, frame.width, frame.height, region);
  const samples = arranged(frame.channels === 1 ? luma(rgb) : rgb, frame);
  return converted(samples, frame, input, options.preset ?? presetFor(input));
}

/** ITU-R BT.601 luma. */
function luma(rgb: Uint8Array): Uint8Array {
  const gray = new Uint8Array(rgb.length / 3);
  for (let i = 0; i < gray.length; i++) gray[i] = Math.round(0.299 * rgb[3 * i] + 0.587 * rgb[3 * i + 1] + 0.114 * rgb[3 * i + 2]);
  return gray;
}

/** Interleaved samples in the input's layout. */
function arranged(samples: Uint8Array, { width, height, channels, layout }: Frame): Uint8Array {
  if (layout === 'NHWC' || channels === 1) return samples;
  const plane = width * height, out = new Uint8Array(samples.length);
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < plane; i++) out[c * plane + i] = samples[i * channels + c];
  }
  return out;
}

/** 8-bit samples → the input's dtype, by way of the preset's real values: q = rint(real / scale) + zeroPoint, saturated. */
function converted(samples: Uint8Array, frame: Frame, input: ImageInput, preset: Preset): Float32Array | Uint8Array | Int8Array {
  const { dtype, quantization: q } = input;
  if (dtype !== 'float32' && dtype !== 'uint8' && dtype !== 'int8') {
    throw new KingletError('ERR_INPUT', `input ${quote(input.name)} of dtype ${dtype} does not take pictures`);
  }
  const rule = presets[preset];
  if (rule === undefined) return dtype === 'float32' ? new Float32Array(samples) : dtype === 'int8' ? new Int8Array(samples) : samples;
  const out = dtype === 'float32' ? new Float32Array(samples.length) : dtype === 'int8' ? new Int8Array(samples.length) : new Uint8Array(samples.length);
  const [low, high] = dtype === 'int8' ? [-128, 127] : [0, 255];
  const { scale, zeroPoint } = q ?? { scale: 1, zeroPoint: 0 };
  const plane = frame.width * frame.height;
  for (let i = 0; i < samples.length; i++) {
    const channel = frame.channels === 1 ? 0 : frame.layout === 'NHWC' ? i % 3 : Math.floor(i / plane);
    const real = (samples[i] - rule.mean[channel]) / rule.std[channel];
    out[i] = dtype === 'float32' ? real : Math.min(high, Math.max(low, rint(real / scale) + zeroPoint));
  }
  return out;
}

/** To the nearest whole number, halves to even. */
function rint(x: number): number {
  const floor = Math.floor(x), rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}
