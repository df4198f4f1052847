// PNG pictures of any colour type and depth, through fast-png (loaded on first use).
// In: hostile bytes. Out: a gray or RGB picture, or ERR_IMAGE. Sizes are checked before the decoder allocates, and only the chunks
// that hold pixels reach it: the others (texts, colour profiles) can be compressed bombs. Must not know other formats.

import { checkSize, imageError } from './picture.ts';
import type { Picture } from './picture.ts';

const SIGNATURE_BYTES = 8;
const PIXEL_CHUNKS = new Set(['IHDR', 'PLTE', 'IDAT', 'IEND']);
/** Samples per pixel by colour type. */
const samplesOf: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

export async function decodePng(bytes: Uint8Array): Promise<Picture> {
  const pixels = pixelChunks(bytes);
  const { decode } = await import('fast-png');
  let png;
  try {
    png = decode(pixels, { checkCrc: true });
  } catch (cause) {
    throw imageError('the PNG file is damaged', cause);
  }
  const { width, height, depth, channels, data, palette } = png;
  const rowSamples = depth < 8 ? Math.ceil((width * channels * depth) / 8) : width * channels;
  if (data.length < rowSamples * height) throw imageError('the PNG file ends before its pixels do');
  const sample = (y: number, i: number): number => {
    if (depth === 8) return data[y * rowSamples + i];
    if (depth === 16) return data[y * rowSamples + i] >> 8;
    const bit = i * depth;
    return (data[y * rowSamples + (bit >> 3)] >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
  };
  const out = new Uint8Array(width * height * 3);
  const full = depth < 8 ? 255 / ((1 << depth) - 1) : 1;
  for (let y = 0, o = 0; y < height; y++) {
    for (let x = 0; x < width; x++, o += 3) {
      const first = sample(y, x * channels);
      const colour = palette ? palette[first] : undefined;
      for (let c = 0; c < 3; c++) {
        if (palette) out[o + c] = colour?.[c] ?? 0;
        else out[o + c] = channels < 3 ? first * full : sample(y, x * channels + c);
      }
    }
  }
  return { width, height, data: out };
}

/** The file reduced to the chunks that hold pixels, every length checked. */
function pixelChunks(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kept: Uint8Array[] = [bytes.subarray(0, SIGNATURE_BYTES)];
  let dataBytes = 0, rawBytes = 0;
  for (let at = SIGNATURE_BYTES; ;) {
    if (at + 12 > bytes.length) throw imageError('the PNG file is cut off');
    const length = view.getUint32(at);
    const next = at + 12 + length;
    if (next > bytes.length) throw imageError('the PNG file is cut off');
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if ((type === 'IHDR') !== (at === SIGNATURE_BYTES)) throw imageError('the PNG file does not begin with its header');
    if (type === 'IHDR') rawBytes = checkHeader(view, at + 8, length);
    if (type === 'IDAT') dataBytes += length;
    if (PIXEL_CHUNKS.has(type)) kept.push(bytes.subarray(at, next));
    if (type === 'IEND') break;
    at = next;
  }
  // No compressor makes pixels larger than this: the rest could only be a bomb.
  if (dataBytes > rawBytes * 1.01 + 65536) throw imageError('the PNG file holds more data than pixels');
  return joined(kept);
}

/** Checks IHDR; returns the bytes of the unfiltered picture. */
function checkHeader(view: DataView, at: number, length: number): number {
  if (length !== 13) throw imageError('the PNG header is damaged');
  const width = view.getUint32(at), height = view.getUint32(at + 4);
  checkSize(width, height);
  const depth = view.getUint8(at + 8), samples = samplesOf[view.getUint8(at + 9)], interlaced = view.getUint8(at + 12);
  if (samples === undefined || ![1, 2, 4, 8, 16].includes(depth)) throw imageError('the PNG header is damaged');
  if (interlaced !== 0 && depth < 8) throw imageError('interlaced PNG files with fewer than 8 bits per sample are not supported');
  return (Math.ceil((width * samples * depth) / 8) + 1) * height;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
