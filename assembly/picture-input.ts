// A picture as a plan's input: what host/image/tensor.ts decides, for programs without JavaScript.
// In: pixels, an input's record, a preset, how to fit. Out: the input's tensor, or minus a code with the sentence in fault.ts.
// Must not know files.

import { DTYPE_F32, DTYPE_I8, DTYPE_U8, IO_DIMS, IO_DTYPE, IO_HAS_SCALE, IO_LAYOUT, IO_RANK, IO_SCALE, IO_ZERO_POINT } from "./abi.ts";
import { allocate, release } from "./blocks.ts";
import { DATA, fault, say, sayNumber } from "./fault.ts";
import { FLOAT32, INT8, UINT8 } from "./image/samples.ts";
import { begin, feed, firstRow, into, normalise, workBytes } from "./image/picture.ts";
import { ioData, noMemory } from "./opened-plan.ts";

// Presets, as host/image/presets.ts names and defines them. BY_INPUT: the one that suits the input.
export const PRESET_BY_INPUT = 0;
export const PRESET_SIGNED = 1;
export const PRESET_UNIT = 2;
export const PRESET_RAW = 3;
export const PRESET_BYTES = 5;
export const PRESET_COUNT = 11;

// Fits, as host/image/region.ts defines them. BY_PRESET: the preset's, otherwise stretch.
export const FIT_BY_PRESET = 0;
export const FIT_STRETCH = 1;
export const FIT_CROP = 2;
export const FIT_PAD = 3;
export const FIT_MIDDLE = 4;
export const FIT_COUNT = 5;
const MIDDLE: f64 = 0.875;

/**
 * A row for each preset from 1 on: signed, unit, raw, torchvision, bytes, tflite-uint8, mobilenet, teachable-machine, rfb-320, nanodet.
 * Mean and deviation of three channels in units of 1/200, or with IN_REALS of 255/1000; then the fit and flags.
 */
const rules: usize = memory.data<u16>([
  25500, 25500, 25500, 25500, 25500, 25500, 1,
  0, 0, 0, 51000, 51000, 51000, 1,
  0, 0, 0, 200, 200, 200, 1,
  485, 456, 406, 229, 224, 225, 36,
  0, 0, 0, 200, 200, 200, 17,
  0, 0, 0, 200, 200, 200, 17,
  25500, 25500, 25500, 25500, 25500, 25500, 1,
  25500, 25500, 25500, 25500, 25500, 25500, 2,
  25400, 25400, 25400, 25600, 25600, 25600, 3,
  20706, 23256, 24735, 11475, 11424, 11679, 11,
], 16);
const RULE_BYTES: usize = 14;
const RULE_FLAGS: usize = 12;
const FIT_BITS = 7;
const BLUE_FIRST = 8;
const AS_BYTES = 16;
const IN_REALS = 32;
function ruleOf(preset: i32): usize { return rules + <usize>(preset - 1) * RULE_BYTES; }

/** Largest picture, as in host/image/picture.ts. */
const MAX_PIXELS: i64 = 100_000_000;

// The frame that frameOf() read last.
let width: i32 = 0;
let height: i32 = 0;
let channels: i32 = 0;
let planar: i32 = 0;
export function frameWidth(): i32 { return width; }
export function frameHeight(): i32 { return height; }
export function frameChannels(): i32 { return channels; }
export function frameIsPlanar(): bool { return planar != 0; }

/** Reads width, height, channels and layout from the input's shape. */
export function frameOf(record: usize): i32 {
  const rank = load<i32>(record, IO_RANK), dtype = load<i32>(record, IO_DTYPE);
  const dims = record + IO_DIMS + (rank == 4 ? 4 : 0), layout = rank == 4 ? load<i32>(record, IO_LAYOUT) : 0;
  const fits = rank == 3 || (rank == 4 && load<i32>(record, IO_DIMS) == 1);
  const a = load<i32>(dims), b = load<i32>(dims, 4), c = load<i32>(dims, 8);
  planar = layout == 2 || (layout == 0 && !(c == 3 || (c == 1 && a != 3))) ? 1 : 0;
  channels = planar ? a : c;
  height = planar ? b : a;
  width = planar ? c : b;
  if (!fits || (channels != 1 && channels != 3) || width < 1 || height < 1) return fault(DATA, "the input does not take one picture");
  if (dtype != DTYPE_F32 && dtype != DTYPE_U8 && dtype != DTYPE_I8) return fault(DATA, "the input's type does not take pictures");
  return 0;
}

/** PRESET_BY_INPUT resolved: float32 signed, uint8 the bytes, int8 by the range of real values that its scale spans. */
export function presetFor(record: usize, wanted: i32): i32 {
  if (wanted != PRESET_BY_INPUT) return wanted;
  const dtype = load<i32>(record, IO_DTYPE);
  if (dtype == DTYPE_U8) return PRESET_BYTES;
  if (dtype != DTYPE_I8 || load<u32>(record, IO_HAS_SCALE) == 0) return PRESET_SIGNED;
  const range = <f64>load<f32>(record, IO_SCALE) * 255;
  return range > 0.9 && range < 1.1 ? PRESET_UNIT : range > 200 ? PRESET_RAW : PRESET_SIGNED;
}

/** FIT_BY_PRESET resolved, for a preset that is. */
export function fitFor(preset: i32, wanted: i32): i32 { return wanted != FIT_BY_PRESET ? wanted : load<u16>(ruleOf(preset), RULE_FLAGS) & FIT_BITS; }

export function checkPictureSize(pictureWidth: i64, pictureHeight: i64): i32 {
  if (pictureWidth >= 1 && pictureHeight >= 1 && pictureWidth <= MAX_PIXELS && pictureWidth * pictureHeight <= MAX_PIXELS) return 0;
  fault(DATA, "the picture's size ");
  sayNumber(pictureWidth);
  say("x");
  sayNumber(pictureHeight);
  say(" is not possible here");
  return -DATA;
}

/**
 * Scales the picture at `src` into the input. `pixelBytes`: 1 gray8, 2 rgb565, 3 rgb8, 4 rgba8. Rows are `rowBytes` apart; 8 bytes
 * behind the last one may be read. The input took frameOf().
 */
export function fillInput(
  plan: usize, record: usize, src: usize, pixelBytes: i32, srcWidth: i32, srcHeight: i32, rowBytes: usize, preset: i32, fit: i32,
): i32 {
  preset = presetFor(record, preset);
  fit = fitFor(preset, fit);
  const byWidth = <f64>srcWidth / <f64>width, byHeight = <f64>srcHeight / <f64>height;
  const scale = fit == FIT_PAD ? max(byWidth, byHeight) : min(byWidth, byHeight) * (fit == FIT_MIDDLE ? MIDDLE : 1);
  const regionWidth = fit == FIT_STRETCH ? <f64>srcWidth : <f64>width * scale, regionHeight = fit == FIT_STRETCH ? <f64>srcHeight : <f64>height * scale;
  const needed = workBytes(srcWidth, srcHeight, regionWidth, regionHeight, width, height);
  const work = needed >= 0 && needed < 4294967296 ? allocate(<u64>needed) : 0;
  if (work == 0) return noMemory(<u64>max(0, min(needed, 1e15)));
  begin(work, pixelBytes, srcWidth, srcHeight, (<f64>srcWidth - regionWidth) / 2, (<f64>srcHeight - regionHeight) / 2, regionWidth, regionHeight, width, height);
  setRule(work, plan, record, ruleOf(preset));
  feedRows(work, src + <usize>firstRow(work) * rowBytes, srcHeight - firstRow(work), <usize>srcWidth * <usize>pixelBytes, rowBytes);
  release(work);
  return 0;
}

function feedRows(work: usize, src: usize, rows: i32, packedBytes: usize, rowBytes: usize): void {
  if (rowBytes == packedBytes) {
    feed(work, src, rows);
    return;
  }
  for (let y = 0; y < rows; y++, src += rowBytes) feed(work, src, 1);
  feed(work, src, 0);
}

function setRule(work: usize, plan: usize, record: usize, rule: usize): void {
  const flags = load<u16>(rule, RULE_FLAGS), bytes = (flags & AS_BYTES) != 0, dtype = load<i32>(record, IO_DTYPE);
  const hasScale = load<u32>(record, IO_HAS_SCALE) != 0 && !bytes, kind = dtype == DTYPE_F32 ? FLOAT32 : dtype == DTYPE_U8 || bytes ? UINT8 : INT8;
  into(work, ioData(plan, record), kind, channels, planar, flags & BLUE_FIRST);
  const scale = hasScale ? <f64>load<f32>(record, IO_SCALE) : 1, zero = hasScale ? <f64>load<i32>(record, IO_ZERO_POINT) : 0;
  for (let c = 0; c < channels; c++, rule += 2) normalise(work, c, ruleNumber(rule, flags), ruleNumber(rule + 6, flags), scale, zero);
}
function ruleNumber(at: usize, flags: i32): f64 {
  const x = <f64>load<u16>(at);
  return flags & IN_REALS ? x / 1000 * 255 : x / 200;
}
