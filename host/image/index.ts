// Pictures in, network inputs out: the entry point 'kinglet/image'. Works in pages, in workers and in Node.

export { decodeImage } from './decode.ts';
export type { Picture } from './picture.ts';
export { presetNames, presets } from './presets.ts';
export type { Normalisation, Preset } from './presets.ts';
export { fits } from './region.ts';
export type { Fit, Region } from './region.ts';
export type { PixelArray } from './resampler.ts';
export { pictureOf } from './source.ts';
export type { Drawable, PictureSource } from './source.ts';
export { presetFor, toTensor } from './tensor.ts';
export type { ImageInput, ToTensorOptions } from './tensor.ts';
