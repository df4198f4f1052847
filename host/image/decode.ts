// Photos in files. In: hostile bytes of any format, told apart by content and never by name. Out: a Picture, or ERR_IMAGE.
// Must not know networks.

import { decodeBmp } from './bmp.ts';
import { decodeJpeg } from './jpeg.ts';
import { imageError } from './picture.ts';
import type { Picture } from './picture.ts';
import { decodePng } from './png.ts';
import { decodePpm } from './ppm.ts';

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

export async function decodeImage(bytes: Uint8Array): Promise<Picture> {
  if (bytes.length === 0) throw imageError('the picture file is empty');
  const format = formats.find(({ magic }) => magic.every((byte, i) => bytes[i] === byte));
  if (!format) throw imageError('this is not a PNG, JPEG, BMP or PPM picture');
  return format.decode(bytes);
}
