// PPM, PGM and BMP files as rows of pixels: host/image/ppm.ts and bmp.ts in AssemblyScript.
// In: hostile bytes of a whole file. Out: where the pixels are, their kind and size; or minus a code with the sentence in fault.ts.
// Must not know networks.

import { allocate } from "../blocks.ts";
import { DATA, fault } from "../fault.ts";
import { noMemory } from "../opened-plan.ts";
import { checkPictureSize } from "../picture-input.ts";

/** The decoded picture: inside the file where it needs no change, otherwise a block of its own. */
export let pictureAt: usize = 0;
export let pictureWidth: i32 = 0;
export let pictureHeight: i32 = 0;
/** 1 gray, 3 RGB. */
export let picturePixelBytes: i32 = 0;

function isSpace(byte: u8): bool { return byte == 0x20 || (byte >= 0x09 && byte <= 0x0d); }

let cursor: usize = 0;
/** Skips white space and comments, then reads a number of at most 9 digits; -1 where there is none. */
function nextNumber(end: usize): i64 {
  while (cursor < end && (isSpace(load<u8>(cursor)) || load<u8>(cursor) == 0x23)) {
    if (load<u8>(cursor) == 0x23) while (cursor < end && load<u8>(cursor) != 0x0a) cursor++;
    else cursor++;
  }
  let n: i64 = 0;
  const from = cursor;
  for (; cursor < end && cursor - from < 10 && load<u8>(cursor) >= 0x30 && load<u8>(cursor) <= 0x39; cursor++) n = n * 10 + load<u8>(cursor) - 0x30;
  return cursor == from || cursor - from > 9 || cursor == end || !isSpace(load<u8>(cursor)) ? -1 : n;
}

/** P5 or P6 with up to 8 bits per sample. */
export function decodePpm(file: usize, bytes: usize): i32 {
  const end = file + bytes;
  picturePixelBytes = load<u8>(file, 1) == 0x35 ? 1 : 3;
  cursor = file + 2;
  const width = nextNumber(end), height = nextNumber(end), highest = <i32>nextNumber(end);
  if (width < 0 || height < 0 || highest < 0) return fault(DATA, "the PPM header is damaged");
  const code = checkPictureSize(width, height);
  if (code < 0) return code;
  if (highest < 1 || highest > 255) return fault(DATA, "PPM files have up to 8 bits per sample here");
  const count = <usize>width * <usize>height * <usize>picturePixelBytes;
  pictureAt = cursor + 1;
  pictureWidth = <i32>width;
  pictureHeight = <i32>height;
  if (count > end - pictureAt) return fault(DATA, "the PPM file ends before its pixels do");
  if (highest != 255) for (let at = pictureAt; at < pictureAt + count; at++) store<u8>(at, <u8>min(255, (<i32>load<u8>(at) * 510 + highest) / (2 * highest)));
  return 0;
}

/** Uncompressed 24 and 32 bit, and 8 bit with a palette, bottom-up or top-down. */
export function decodeBmp(file: usize, bytes: usize): i32 {
  if (bytes < 54) return fault(DATA, "the BMP header is cut off");
  const pixelsAt = <u64>load<u32>(file, 10), headBytes = load<u32>(file, 14), bits = <i32>load<u16>(file, 28);
  if (headBytes < 40 || headBytes > 1024) return fault(DATA, "this kind of BMP header is not supported");
  const width = load<i32>(file, 18), stored = <i64>load<i32>(file, 22), height = stored < 0 ? -stored : stored;
  const code = checkPictureSize(width, height);
  if (code < 0) return code;
  if (bits != 8 && bits != 24 && bits != 32) return fault(DATA, "BMP files have 8, 24 or 32 bits per pixel here");
  if (!isPlain(file, bytes, bits)) return fault(DATA, "compressed BMP files are not supported");
  const rowBytes = ((<u64>width * bits + 31) >> 5) << 2;
  if (pixelsAt < 54 || pixelsAt + rowBytes * <u64>height > bytes) return fault(DATA, "the BMP file ends before its pixels do");
  const count = 3 * <u64>width * <u64>height;
  pictureAt = allocate(count);
  if (pictureAt == 0) return noMemory(count);
  pictureWidth = width;
  pictureHeight = <i32>height;
  picturePixelBytes = 3;
  const colours = <u32>min<u64>(load<u32>(file, 46) == 0 ? 256 : load<u32>(file, 46), (pixelsAt - min<u64>(pixelsAt, 14 + headBytes)) / 4);
  for (let y: i64 = 0, to = pictureAt; y < height; y++) {
    const row = file + <usize>pixelsAt + <usize>(stored < 0 ? y : height - 1 - y) * <usize>rowBytes;
    to = copyRow(row, width, bits >> 3, file + 14 + headBytes, min(256, colours), to);
  }
  return 0;
}

/** Plain pixels, or 32 bits whose masks are the usual blue, green, red bytes. */
function isPlain(file: usize, bytes: usize, bits: i32): bool {
  const compression = load<u32>(file, 30);
  if (compression == 0) return true;
  if (bits != 32 || compression != 3 || bytes < 66) return false;
  return load<u32>(file, 54) == 0xff0000 && load<u32>(file, 58) == 0xff00 && load<u32>(file, 62) == 0xff;
}

/** Blue, green, red, or indices of a palette of such → RGB. Colours that the file lacks are black. Returns where the next row goes. */
function copyRow(row: usize, width: i32, pixelBytes: i32, palette: usize, colours: u32, to: usize): usize {
  for (let x = 0; x < width; x++, row += pixelBytes, to += 3) {
    const index = <u32>load<u8>(row), isBlack = pixelBytes == 1 && index >= colours, at = pixelBytes == 1 && !isBlack ? palette + (<usize>index << 2) : row;
    store<u8>(to, isBlack ? 0 : load<u8>(at, 2));
    store<u8>(to + 1, isBlack ? 0 : load<u8>(at, 1));
    store<u8>(to + 2, isBlack ? 0 : load<u8>(at));
  }
  return to;
}
