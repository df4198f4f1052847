// Netpbm's binary formats: P5 (gray) and P6 (RGB) with up to 8 bits per sample.
// In: hostile bytes. Out: a gray or RGB picture, or ERR_IMAGE. Must not know other formats.

import { checkSize, imageError } from './picture.ts';
import type { Picture } from './picture.ts';

const SPACE = new Set([0x20, 0x09, 0x0a, 0x0b, 0x0c, 0x0d]);

export function decodePpm(bytes: Uint8Array): Picture {
  const channels = bytes[1] === 0x35 ? 1 : 3;
  const scan = { bytes, at: 2 };
  const width = nextNumber(scan), height = nextNumber(scan), highest = nextNumber(scan);
  checkSize(width, height);
  if (highest < 1 || highest > 255) throw imageError(`PPM files with a highest sample of ${highest} are not supported (1 to 255)`);
  const from = scan.at + 1; // exactly one white space after the last number
  const count = width * height * channels;
  if (from + count > bytes.length) throw imageError('the PPM file ends before its pixels do');
  const data = bytes.slice(from, from + count);
  if (highest !== 255) {
    for (let i = 0; i < count; i++) data[i] = Math.min(255, Math.round(((data[i] ?? 0) * 255) / highest));
  }
  return { width, height, data };
}

/** Skips white space and comments, then reads a decimal number of at most 9 digits. */
function nextNumber(scan: { readonly bytes: Uint8Array; at: number }): number {
  const { bytes } = scan;
  for (;;) {
    const byte = bytes[scan.at];
    if (byte === 0x23) while (scan.at < bytes.length && bytes[scan.at] !== 0x0a) scan.at++;
    else if (byte === undefined || !SPACE.has(byte)) break;
    else scan.at++;
  }
  const from = scan.at;
  while (scan.at - from < 10 && (bytes[scan.at] ?? 0) >= 0x30 && (bytes[scan.at] ?? 0) <= 0x39) scan.at++;
  if (scan.at === from || scan.at - from > 9 || !SPACE.has(bytes[scan.at] ?? 0)) throw imageError('the PPM header is damaged');
  return Number(String.fromCharCode(...bytes.subarray(from, scan.at)));
}
