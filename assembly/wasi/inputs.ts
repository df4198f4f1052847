// Files, frames and stdin as a plan's inputs. In: bytes and the input's record. Out: the tensor in its place. Kinds are told apart by
// their first bytes: .npy, PPM and PGM, BMP; with --pixel and --size raw pixels; bytes of the tensor's own length are the tensor.
// Whatever is wrong ends the program. Must not know commands.

import { DTYPE_BOOL, DTYPE_F32, DTYPE_I32, DTYPE_I64, DTYPE_I8, DTYPE_U8, IO_DIMS, IO_DTYPE, IO_RANK } from "../abi.ts";
import { release } from "../blocks.ts";
import { bundledFit, bundledPreset } from "../bundle-slot.ts";
import { DATA, fault, say, sayNumber } from "../fault.ts";
import { isLiteral, unpack, unpackedBytes, wordIndex } from "../literal.ts";
import { ioBytes, ioData } from "../opened-plan.ts";
import { checkPictureSize, fillInput, frameOf } from "../picture-input.ts";
import { OPTION_FIT, OPTION_PIXEL, OPTION_PRESET, OPTION_SIZE, lengthOf, optionValue, stopUsage, whole } from "./arguments.ts";
import { allocateOrStop, readWhole, stopAbout, wholeBytes } from "./files.ts";
import { decodeBmp, decodePpm, pictureAt, pictureHeight, picturePixelBytes, pictureWidth } from "./pictures.ts";
import { orStop } from "./print.ts";

// --pixel and --size: 0 where they are not given.
let pixelBytes: i32 = 0;
let pixelWidth: i32 = 0;
let pixelHeight: i32 = 0;
export let preset: i32 = 0;
export let fit: i32 = 0;

export function readPictureOptions(): void {
  preset = choice(OPTION_PRESET, PRESETS, bundledPreset());
  fit = choice(OPTION_FIT, FITS, bundledFit());
  pixelBytes = choice(OPTION_PIXEL, PIXELS, 0);
  const size = optionValue(OPTION_SIZE);
  if ((size != 0) != (pixelBytes != 0)) stopUsage("--pixel and --size belong together", 0);
  if (size == 0) return;
  const bytes = lengthOf(size);
  for (let i: usize = 1; i < bytes; i++) {
    if (load<u8>(size + i) != 0x78) continue;
    pixelWidth = whole(size, i);
    pixelHeight = whole(size + i + 1, bytes - i - 1);
  }
  if (pixelWidth < 1 || pixelHeight < 1) stopUsage("--size reads WIDTHxHEIGHT, not ", size);
  orStop(checkPictureSize(pixelWidth, pixelHeight));
}

// Choices by number from 1 on, as in picture-input.ts.
export const PRESETS = "signed unit raw torchvision bytes tflite-uint8 mobilenet teachable-machine rfb-320 nanodet";
export const FITS = "stretch crop pad middle";
const PIXELS = "gray8 rgb565 rgb8 rgba8";
function choice(option: i32, words: string, otherwise: i32): i32 {
  const word = optionValue(option);
  if (word == 0) return otherwise;
  const index = wordIndex(word, lengthOf(word), words);
  if (index < 0) stopUsage("not one of the choices: ", word);
  return index + 1;
}

/** Bytes of one frame of a stream: raw pixels, or the tensor itself. */
export function frameBytes(record: usize): usize {
  return pixelBytes != 0 ? <usize>pixelBytes * <usize>pixelWidth * <usize>pixelHeight : <usize>ioBytes(record);
}

/** One frame of frameBytes() at `src`, with 8 readable bytes behind it. */
export function fillFromFrame(plan: usize, record: usize, src: usize): void {
  if (pixelBytes == 0) memory.copy(ioData(plan, record), src, ioBytes(record));
  else fillFromPixels(plan, record, src, pixelBytes, pixelWidth, pixelHeight);
}

function fillFromPixels(plan: usize, record: usize, src: usize, bytes: i32, width: i32, height: i32): void {
  orStop(frameOf(record));
  orStop(fillInput(plan, record, src, bytes, width, height, <usize>width * <usize>bytes, preset, fit));
}

/** The file of that name, "-" for stdin. */
export function fillFromFile(plan: usize, record: usize, path: usize): void {
  const pathBytes = lengthOf(path), file = readWhole(path, pathBytes), bytes = wholeBytes;
  if (pixelBytes != 0) {
    if (bytes != frameBytes(record)) stopSize(bytes, frameBytes(record), "--size needs ");
    fillFromFrame(plan, record, file);
  } else if (bytes >= 10 && load<u32>(file) == 0x4d554e93 && load<u16>(file, 4) == 0x5950) {
    fillFromNpy(plan, record, file, bytes);
  } else if (bytes == ioBytes(record)) {
    memory.copy(ioData(plan, record), file, bytes);
  } else if (bytes > 2 && load<u8>(file) == 0x50 && (load<u8>(file, 1) == 0x35 || load<u8>(file, 1) == 0x36)) {
    orStop(decodePpm(file, bytes));
    fillFromPicture(plan, record);
  } else if (bytes > 2 && load<u16>(file) == 0x4d42) {
    orStop(decodeBmp(file, bytes));
    fillFromPicture(plan, record);
  } else if (bytes == 0) {
    stopAbout(path, pathBytes, "the input is empty");
  } else {
    stopSize(bytes, ioBytes(record), "neither .npy, PPM, PGM, BMP nor the tensor's bytes, of which it needs ");
  }
  release(file);
}

function fillFromPicture(plan: usize, record: usize): void {
  const picture = pictureAt;
  fillFromPixels(plan, record, picture, picturePixelBytes, pictureWidth, pictureHeight);
  release(picture); // does nothing where the pixels lie in the file
}

function stopSize(bytes: i64, needed: i64, what: string): void {
  fault(DATA, "the input has ");
  sayNumber(bytes);
  say(" bytes: ");
  say(what);
  sayNumber(needed);
  orStop(-DATA);
}

/** NumPy's format, versions 1 to 3: a Python dict of three keys, then the data. host/npy.ts reads the same. */
function fillFromNpy(plan: usize, record: usize, file: usize, bytes: usize): void {
  const major = load<u8>(file, 6), from: usize = major == 1 ? 10 : 12;
  if (major < 1 || major > 3 || bytes < from) stopNpy("the .npy version is not supported (1.0 to 3.0)");
  const headBytes = major == 1 ? <usize>load<u16>(file, 8) : load<usize>(file, 8);
  if (headBytes > 65536 || from + headBytes > bytes) stopNpy("the .npy header is longer than the file");
  const head = file + from, headTo = head + headBytes;
  const dtype = dtypeOfNpy(valueOf(head, headTo, "'descr':"), headTo), order = valueOf(head, headTo, "'fortran_order':");
  if (!startsWith(order, headTo, "False")) stopNpy("the .npy file is not in C order");
  if (dtype != load<i32>(record, IO_DTYPE) || !isShape(valueOf(head, headTo, "'shape':"), headTo, record)) stopNpy("the .npy file has another type or shape than the input");
  if (bytes - from - headBytes != ioBytes(record)) stopNpy("the .npy file's data does not fill its shape");
  memory.copy(ioData(plan, record), headTo, ioBytes(record));
}
function stopNpy(what: string): void { orStop(fault(DATA, what)); }

/** What follows a key of the dict, spaces skipped. */
function valueOf(from: usize, to: usize, key: string): usize {
  for (; from < to; from++) {
    if (!startsWith(from, to, key)) continue;
    from += unpackedBytes();
    while (from < to && load<u8>(from) == 0x20) from++;
    return from;
  }
  stopNpy("the .npy header lacks descr, fortran_order or shape");
  return to;
}
function startsWith(from: usize, to: usize, literal: string): bool {
  unpack(literal);
  return from + unpackedBytes() <= to && isLiteral(from, unpackedBytes(), literal);
}
function dtypeOfNpy(at: usize, to: usize): i32 {
  if (startsWith(at, to, "'<f4'")) return DTYPE_F32;
  if (startsWith(at, to, "'|i1'")) return DTYPE_I8;
  if (startsWith(at, to, "'|u1'")) return DTYPE_U8;
  if (startsWith(at, to, "'<i4'")) return DTYPE_I32;
  if (startsWith(at, to, "'<i8'")) return DTYPE_I64;
  return startsWith(at, to, "'|b1'") ? DTYPE_BOOL : -1;
}
/** "(1, 96, 96, 1)" names the record's dimensions. */
function isShape(at: usize, to: usize, record: usize): bool {
  const rank = load<i32>(record, IO_RANK);
  if (!startsWith(at, to, "(")) return false;
  at++;
  for (let i = 0; i < rank; i++) {
    let dim: i64 = 0;
    const from = at;
    for (; at < to && at - from < 10 && load<u8>(at) >= 0x30 && load<u8>(at) <= 0x39; at++) dim = dim * 10 + load<u8>(at) - 0x30;
    if (at == from || dim != load<i32>(record + <usize>(i << 2), IO_DIMS)) return false;
    if (at < to && load<u8>(at) == 0x2c) at++;
    while (at < to && load<u8>(at) == 0x20) at++;
  }
  return startsWith(at, to, ")");
}
