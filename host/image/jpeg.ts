// JPEG photos, baseline and progressive, through jpeg-js (loaded on first use), turned as their EXIF orientation says.
// In: hostile bytes. Out: an RGB picture, or ERR_IMAGE. Must not know other formats.

import { MAX_PIXELS, checkSize, imageError } from './picture.ts';
import type { Picture } from './picture.ts';

const MAX_DECODER_MEGABYTES = 2048;

export async function decodeJpeg(bytes: Uint8Array): Promise<Picture> {
  const { default: jpeg } = await import('jpeg-js');
  let decoded;
  try {
    decoded = jpeg.decode(bytes, {
      useTArray: true, formatAsRGBA: false, tolerantDecoding: true, maxResolutionInMP: MAX_PIXELS / 1e6, maxMemoryUsageInMB: MAX_DECODER_MEGABYTES,
    });
  } catch (cause) {
    throw imageError('the JPEG file is damaged, or of a kind that is not supported', cause);
  }
  const { width, height, data } = decoded;
  checkSize(width, height);
  return turned({ width, height, data }, orientationOf(bytes));
}

/** EXIF orientation (1…8) of the first APP1 segment; 1 when there is none or it is damaged. */
export function orientationOf(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1];
    const end = at + 2 + view.getUint16(at + 2);
    if (marker === 0xda || end > bytes.length || end < at + 4) return 1;
    if (marker === 0xe1 && end - at >= 18 && view.getUint32(at + 4) === 0x45786966) return tiffOrientation(view, at + 10, end);
    at = end;
  }
  return 1;
}

/** Looks for tag 0x0112 in the first directory of the TIFF block [from, end). */
function tiffOrientation(view: DataView, from: number, end: number): number {
  const little = view.getUint16(from) === 0x4949;
  const directory = from + view.getUint32(from + 4, little);
  if (directory + 2 > end) return 1;
  const entries = view.getUint16(directory, little);
  for (let i = 0, at = directory + 2; i < entries && at + 12 <= end; i++, at += 12) {
    if (view.getUint16(at, little) !== 0x0112) continue;
    const value = view.getUint16(at + 8, little);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

/** The RGB picture upright. Orientation o: bit 2 of o-1 swaps the axes; the rows and columns of the source run as listed. */
export function turned(picture: Picture, orientation: number): Picture {
  if (orientation === 1) return picture;
  const { width: w, height: h, data } = picture;
  const swaps = orientation >= 5;
  const flipX = [2, 3, 7, 8].includes(orientation), flipY = [3, 4, 6, 7].includes(orientation);
  const width = swaps ? h : w, height = swaps ? w : h;
  const out = new Uint8Array(data.length);
  for (let y = 0, o = 0; y < height; y++) {
    for (let x = 0; x < width; x++, o += 3) {
      const sx = swaps ? y : x, sy = swaps ? x : y;
      const from = ((flipY ? h - 1 - sy : sy) * w + (flipX ? w - 1 - sx : sx)) * 3;
      for (let c = 0; c < 3; c++) out[o + c] = data[from + c];
    }
  }
  return { width, height, data: out };
}
