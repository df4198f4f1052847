// What a decoded photo is. In: bytes of known size. Out: interleaved 8-bit samples, row by row from the top left.
// The browser's ImageData is a Picture as it is. Must not know files or models.

import { KingletError } from '../error.ts';

/** `data` holds 1 (gray), 3 (RGB) or 4 (RGBA) samples per pixel, as its length says. Alpha is ignored, as Pillow's convert('RGB') does. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** Largest picture that is decoded or resized. */
export const MAX_PIXELS = 100_000_000;

export function imageError(message: string, cause?: unknown): KingletError {
  return new KingletError('ERR_IMAGE', message, { cause });
}

/** Refuses impossible sizes before anything is allocated for them. */
export function checkSize(width: number, height: number): void {
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1) throw imageError(`the picture's size ${width}x${height} is impossible`);
  if (width * height > MAX_PIXELS) {
    throw new KingletError('ERR_IMAGE', `the picture has ${width}x${height} pixels`, { hint: `At most ${MAX_PIXELS / 1e6} million pixels are decoded. Make it smaller first.` });
  }
}

/** Samples per pixel; throws when the data does not fill the picture. */
export function channelsOf(picture: Picture): 1 | 3 | 4 {
  checkSize(picture.width, picture.height);
  const channels = picture.data.length / (picture.width * picture.height);
  if (channels !== 1 && channels !== 3 && channels !== 4) throw imageError(`${picture.data.length} samples do not fill a picture of ${picture.width}x${picture.height}`);
  return channels;
}
