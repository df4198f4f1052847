// Windows bitmaps: uncompressed 24 and 32 bit, and 8 bit with a palette, bottom-up or top-down.
// In: hostile bytes. Out: an RGB picture, or ERR_IMAGE. Must not know other formats.

import { checkSize, imageError } from './picture.ts';
import type { Picture } from './picture.ts';

export function decodeBmp(bytes: Uint8Array): Picture {
  if (bytes.length < 54) throw imageError('the BMP header is cut off');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pixelsAt = view.getUint32(10, true);
  const headerBytes = view.getUint32(14, true);
  if (headerBytes < 40 || headerBytes > 1024) throw imageError('this kind of BMP header is not supported');
  const width = view.getInt32(18, true);
  const storedHeight = view.getInt32(22, true);
  const height = Math.abs(storedHeight);
  checkSize(width, height);
  const bits = view.getUint16(28, true);
  if (bits !== 8 && bits !== 24 && bits !== 32) throw imageError(`BMP files with ${bits} bits per pixel are not supported (only 8, 24, 32)`);
  checkCompression(view, bits);
  const rowBytes = Math.ceil((width * bits) / 32) * 4;
  if (pixelsAt < 54 || pixelsAt + rowBytes * height > bytes.length) throw imageError('the BMP file ends before its pixels do');
  const palette = bits === 8 ? paletteOf(view, 14 + headerBytes, pixelsAt) : undefined;
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const row = pixelsAt + (storedHeight < 0 ? y : height - 1 - y) * rowBytes;
    readRow(bytes.subarray(row, row + rowBytes), data.subarray(y * width * 3, (y + 1) * width * 3), palette ?? bits / 8);
  }
  return { width, height, data };
}

/** Only plain pixels; 32-bit files may say BITFIELDS when the masks are the usual blue, green, red bytes. */
function checkCompression(view: DataView, bits: number): void {
  const compression = view.getUint32(30, true);
  if (compression === 0) return;
  const masks = bits === 32 && compression === 3 && view.byteLength >= 66 ? [54, 58, 62].map((at) => view.getUint32(at, true)) : [];
  if (masks[0] !== 0xff0000 || masks[1] !== 0xff00 || masks[2] !== 0xff) throw imageError('compressed BMP files are not supported');
}

/** 256 RGB triples; entries the file does not have are black. */
function paletteOf(view: DataView, at: number, end: number): Uint8Array {
  const stated = view.getUint32(46, true);
  const entries = Math.min(stated === 0 ? 256 : stated, 256, Math.floor((end - at) / 4));
  const palette = new Uint8Array(768);
  for (let i = 0; i < entries; i++) {
    for (let c = 0; c < 3; c++) palette[i * 3 + c] = view.getUint8(at + i * 4 + 2 - c);
  }
  return palette;
}

/** One stored row of palette indices, or of pixels of 3 or 4 bytes (blue, green, red, unused) → RGB. */
function readRow(row: Uint8Array, out: Uint8Array, format: Uint8Array | number): void {
  for (let x = 0, o = 0; o < out.length; x++) {
    for (let c = 0; c < 3; c++, o++) {
      out[o] = (typeof format === 'number' ? row[x * format + 2 - c] : format[row[x] * 3 + c]);
    }
  }
}
