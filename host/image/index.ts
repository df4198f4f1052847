// Pictures in, network inputs out: the entry point 'kinglet/image'. Works in browsers (an ImageData is a Picture) and in Node.

export { decodeImage } from './decode.ts';
export type { Picture } from './picture.ts';
export { presetNames, presets } from './presets.ts';
export type { Preset } from './presets.ts';
export { fits } from './region.ts';
export type { Fit, Region } from './region.ts';
export { presetFor, toTensor } from './tensor.ts';
export type { ImageInput, ToTensorOptions } from './tensor.ts';
