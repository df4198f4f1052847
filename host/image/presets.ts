// How 8-bit samples become a network's numbers. In: a preset's name. Out: real = (sample - mean) / std per channel.
// Must not know shapes or layouts.

export interface Normalisation {
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

const same = (mean: number, std: number): Normalisation => ({ mean: [mean, mean, mean], std: [std, std, std] });

/** Real values that a network sees. `bytes` has none: the samples go in as they are, whatever the input's scale says. */
export const presets = {
  /** [-1, 1]: TensorFlow's MobileNets, MediaPipe. */
  signed: same(127.5, 127.5),
  /** [0, 1] */
  unit: same(0, 255),
  /** [0, 255] */
  raw: same(0, 1),
  /** [0, 1], then ImageNet's mean and deviation: torchvision. */
  torchvision: { mean: [0.485 * 255, 0.456 * 255, 0.406 * 255], std: [0.229 * 255, 0.224 * 255, 0.225 * 255] },
  /** No arithmetic. An int8 input gets the same 8 bits, so 255 becomes -1. */
  bytes: undefined,
} as const satisfies Record<string, Normalisation | undefined>;

export type Preset = keyof typeof presets;
export const presetNames = Object.keys(presets) as Preset[];

/** The same for people; x is a sample from 0 to 255. */
export const presetText: Readonly<Record<Preset, string>> = {
  signed: '(x - 127.5) / 127.5',
  unit: 'x / 255',
  raw: 'x',
  torchvision: '(x / 255 - mean) / std with mean 0.485 0.456 0.406 and std 0.229 0.224 0.225',
  bytes: 'the bytes as they are',
};

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
