// Small pictures for tests, built byte by byte here so that decoders are held to the formats and not to an encoder.

import { deflateSync } from 'node:zlib';
import { crc32 } from './crc32.ts';

/** RGB of a test picture: every sample differs from its neighbours in place and channel. */
export function pattern(width: number, height: number): Uint8Array {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) data[i] = (i * 37 + ((i * i) % 11) * 5) & 255;
  return data;
}

export function bmp(width: number, height: number, bits: 24 | 32, rgb: Uint8Array, topDown = false): Uint8Array {
  const step = bits / 8, rowBytes = Math.ceil((width * step) / 4) * 4;
  const bytes = new Uint8Array(54 + rowBytes * height).fill(0xaa, 54);
  head(bytes, { width, height: topDown ? -height : height, bits, pixelsAt: 54, colours: 0 });
  for (let y = 0; y < height; y++) {
    const row = 54 + (topDown ? y : height - 1 - y) * rowBytes;
    for (let i = 0; i < width * 3; i++) bytes[row + Math.floor(i / 3) * step + 2 - (i % 3)] = rgb[y * width * 3 + i];
  }
  return bytes;
}

/** 8 bits per pixel; palette entry i is (255 - i, i, 7). */
export function paletteBmp(width: number, height: number, indices: Uint8Array): Uint8Array {
  const rowBytes = Math.ceil(width / 4) * 4, pixelsAt = 54 + 1024;
  const bytes = new Uint8Array(pixelsAt + rowBytes * height);
  head(bytes, { width, height, bits: 8, pixelsAt, colours: 256 });
  for (let i = 0; i < 256; i++) bytes.set([7, i, 255 - i, 0], 54 + 4 * i);
  for (let y = 0; y < height; y++) bytes.set(indices.subarray(y * width, (y + 1) * width), pixelsAt + (height - 1 - y) * rowBytes);
  return bytes;
}

function head(bytes: Uint8Array, h: { width: number; height: number; bits: number; pixelsAt: number; colours: number }): void {
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  view.setUint32(2, bytes.length, true);
  view.setUint32(10, h.pixelsAt, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, h.width, true);
  view.setInt32(22, h.height, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, h.bits, true);
  view.setUint32(46, h.colours, true);
}

/** An unfiltered PNG. `rows` are the packed samples of each row. */
export function png(width: number, height: number, depth: number, colour: number, rows: readonly Uint8Array[], extra: readonly (readonly [string, Uint8Array])[] = []): Uint8Array {
  const header = new Uint8Array(13);
  new DataView(header.buffer).setUint32(0, width);
  new DataView(header.buffer).setUint32(4, height);
  header.set([depth, colour], 8);
  const raw = new Uint8Array(rows.flatMap((row) => [0, ...row]));
  const chunks = [['IHDR', header], ...extra, ['IDAT', new Uint8Array(deflateSync(raw))], ['IEND', new Uint8Array(0)]] as const;
  return new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, ...chunks.flatMap(([type, data]) => [...chunk(type, data)])]);
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  new DataView(bytes.buffer).setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(data, 8);
  new DataView(bytes.buffer).setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}
