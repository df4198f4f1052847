// Photos in files. In: hostile bytes of any format, told apart by content and never by name. Out: a Picture, or ERR_IMAGE.
// PNG, JPEG, BMP and PPM are decoded here, to the same bytes in Node and in pages; for the rest a page asks its browser.
// Must not know networks.

import { decodeBmp } from './bmp.ts';
import { decodeJpeg } from './jpeg.ts';
import { imageError } from './picture.ts';
import type { Picture } from './picture.ts';
import { decodePng } from './png.ts';
import { decodePpm } from './ppm.ts';
import { pictureOf } from './source.ts';

interface Format {
  readonly magic: readonly number[];
  decode(bytes: Uint8Array): Picture | Promise<Picture>;
}
const formats: readonly Format[] = [
  { magic: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], decode: decodePng },
  { magic: [0xff, 0xd8, 0xff], decode: decodeJpeg },
  { magic: [0x42, 0x4d], decode: decodeBmp },
  { magic: [0x50, 0x35], decode: decodePpm },
  { magic: [0x50, 0x36], decode: decodePpm },
];

/** A photo upright, alpha dropped. WebP, AVIF and others only where the engine has createImageBitmap. Throws ERR_IMAGE. */
export async function decodeImage(file: Uint8Array | ArrayBuffer | Blob): Promise<Picture> {
  const bytes = ArrayBuffer.isView(file) ? new Uint8Array(file.buffer, file.byteOffset, file.byteLength) : new Uint8Array(await bufferOf(file));
  if (bytes.length === 0) throw imageError('the picture file is empty');
  const format = formats.find(({ magic }) => magic.every((byte, i) => bytes[i] === byte));
  if (format) return format.decode(bytes);
  if (typeof createImageBitmap !== 'function') throw imageError('this is not a PNG, JPEG, BMP or PPM picture');
  return decodeByBrowser(bytes);
}

async function bufferOf(file: ArrayBuffer | Blob): Promise<ArrayBuffer> {
  if (file instanceof ArrayBuffer) return file;
  if (typeof Blob !== 'function' || !(file instanceof Blob)) throw imageError('a picture file is a Uint8Array, an ArrayBuffer or a Blob');
  try {
    return await file.arrayBuffer();
  } catch (cause) {
    throw imageError('the picture file cannot be read', cause);
  }
}

async function decodeByBrowser(bytes: Uint8Array): Promise<Picture> {
  let bitmap;
  try {
    bitmap = await createImageBitmap(new Blob([bytes as Uint8Array<ArrayBuffer>]));
  } catch (cause) {
    throw imageError('neither kinglet nor this browser can decode the picture', cause);
  }
  try {
    return pictureOf(bitmap);
  } finally {
    bitmap.close();
  }
}
