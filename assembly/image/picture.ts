// A picture into a network's input: antialiased bilinear resize, normalised, quantised, in the input's layout. One source for pages
// (host/image), the WASI command and hosts that embed.
//
// The contract
//   1. bytes = workBytes(…); provide that much memory at `work`. A huge or negative answer, or NaN: refuse the picture.
//   2. begin(work, …): sizes, and the region of the source that fills the output. The region may reach outside, where all is black.
//   3. into(work, …): where the elements go, their dtype (0 float32, 1 uint8, 2 int8), channels (1 gray, 3), planar (NCHW) or not, and
//      whether blue comes first.
//   4. normalise(work, channel, …) for each channel of the output, in the output's order.
//   5. feed(work, src, rows) with source rows firstRow(work) … endRow(work) - 1 in order, all at once or in parts. After the last one,
//      and after feed(work, src, 0) if there are none, every element is written.
// Pixels: 1 gray8, 2 rgb565 (little-endian), 3 rgb8, 4 rgba8 (alpha is ignored); the number is the bytes of a pixel. Rows have no gaps.
// The caller guarantees: sizes from 1 on; a finite region of positive size; channel < channels; memory at `dst` for
// width * height * channels elements; 8 bytes after the last source pixel that may be read (not written). Nothing is allocated, no
// memory besides `work` and `dst` is written, and a job may be fed again after begin.
// The bytes are those of Pillow's Image.resize(size, BILINEAR, box=region), black where Pillow would refuse a region; the definition in
// plain loops is tests/image/plain-resize.ts. Must not know files, models or where memory comes from.

import { RGB565_BYTES, across, down, unpack565 } from "./rows.ts";
import { TABLE_BYTES, elementBytes, fillTable, luma, write } from "./samples.ts";
import { entryBytes, fillTaps, firstOf, mostTaps, tapsOf } from "./taps.ts";

/** What begin and into have laid down at `work`; the tables follow it. */
@unmanaged class Job {
  pixelBytes: i32; srcWidth: i32;
  width: i32; height: i32;
  columns: usize; columnBytes: usize;
  rows: usize; rowBytes: usize;
  /** The scaled source rows that output rows still need: row r in slot r % slots. */
  ring: usize; slots: i32; lineBytes: usize;
  /** The output row being made, four bytes per pixel. */
  line: usize;
  unpacked: usize;
  tables: usize;
  firstRow: i32; endRow: i32;
  nextRow: i32; nextLine: i32;
  dst: usize; dtype: i32; channels: i32; planar: i32; blueFirst: i32;
}
const JOB_BYTES: i32 = 128;

function lineBytesOf(width: f64): f64 { return 16 * ceil(width / 4); }

/** Bytes that a job needs at `work`; not a safe integer when the sizes are absurd. */
export function workBytes(srcWidth: i32, srcHeight: i32, regionWidth: f64, regionHeight: f64, width: i32, height: i32): f64 {
  const columns = <f64>width * entryBytes(srcWidth, width, regionWidth), rows = <f64>height * entryBytes(srcHeight, height, regionHeight);
  const ring = (mostTaps(srcHeight, height, regionHeight) + 1) * lineBytesOf(width);
  return JOB_BYTES + 3 * TABLE_BYTES + columns + rows + ring + 4 * <f64>srcWidth + 8;
}

export function begin(
  work: usize, pixelBytes: i32, srcWidth: i32, srcHeight: i32, x: f64, y: f64, regionWidth: f64, regionHeight: f64, width: i32, height: i32,
): void {
  const job = changetype<Job>(work);
  job.pixelBytes = pixelBytes;
  job.srcWidth = srcWidth;
  job.width = width;
  job.height = height;
  job.tables = work + JOB_BYTES;
  job.columns = job.tables + 3 * TABLE_BYTES;
  job.columnBytes = <usize>entryBytes(srcWidth, width, regionWidth);
  job.rows = job.columns + <usize>width * job.columnBytes;
  job.rowBytes = <usize>entryBytes(srcHeight, height, regionHeight);
  job.slots = <i32>mostTaps(srcHeight, height, regionHeight);
  job.lineBytes = <usize>lineBytesOf(width);
  job.ring = job.rows + <usize>height * job.rowBytes;
  job.line = job.ring + <usize>job.slots * job.lineBytes;
  job.unpacked = job.line + job.lineBytes;
  fillTaps(job.columns, job.columnBytes, srcWidth, width, x, regionWidth);
  fillTaps(job.rows, job.rowBytes, srcHeight, height, y, regionHeight);
  findRows(job, srcHeight);
  job.nextRow = job.firstRow;
  job.nextLine = 0;
}

/** The source rows that any output row mixes. */
function findRows(job: Job, srcHeight: i32): void {
  let first = srcHeight, end = 0;
  for (let i = 0, entry = job.rows; i < job.height; i++, entry += job.rowBytes) {
    if (tapsOf(entry) == 0) continue;
    first = min(first, firstOf(entry));
    end = max(end, firstOf(entry) + tapsOf(entry));
  }
  job.firstRow = min(first, end);
  job.endRow = end;
}

export function firstRow(work: usize): i32 { return changetype<Job>(work).firstRow; }
export function endRow(work: usize): i32 { return changetype<Job>(work).endRow; }

export function into(work: usize, dst: usize, dtype: i32, channels: i32, planar: i32, blueFirst: i32): void {
  const job = changetype<Job>(work);
  job.dst = dst;
  job.dtype = dtype;
  job.channels = channels;
  job.planar = planar;
  job.blueFirst = blueFirst;
}

/** float32 ignores scale and zero. To keep the bytes as they are, in int8 too: dtype 1, mean 0, deviation 1, scale 1, zero 0. */
export function normalise(work: usize, channel: i32, mean: f64, deviation: f64, scale: f64, zero: f64): void {
  const job = changetype<Job>(work);
  fillTable(job.tables + <usize>(channel * TABLE_BYTES), job.dtype, mean, deviation, scale, zero);
}

export function feed(work: usize, src: usize, rows: i32): void {
  const job = changetype<Job>(work), srcBytes = <usize>job.srcWidth * <usize>job.pixelBytes;
  finishLines(job);
  for (; rows > 0 && job.nextRow < job.endRow; rows--, src += srcBytes) {
    const slot = job.ring + <usize>(job.nextRow % job.slots) * job.lineBytes;
    if (job.pixelBytes == RGB565_BYTES) {
      unpack565(src, job.srcWidth, job.unpacked);
      across(job.unpacked, 4, job.columns, job.columnBytes, job.width, slot);
    } else {
      across(src, job.pixelBytes, job.columns, job.columnBytes, job.width, slot);
    }
    job.nextRow++;
    finishLines(job);
  }
}

/** Makes every output row whose source rows are there. */
function finishLines(job: Job): void {
  while (job.nextLine < job.height) {
    const entry = job.rows + <usize>job.nextLine * job.rowBytes;
    if (firstOf(entry) + tapsOf(entry) > job.nextRow) return;
    down(job.ring, job.slots, job.lineBytes, entry, job.line);
    writeLine(job);
    job.nextLine++;
  }
}

function writeLine(job: Job): void {
  const channels = <usize>job.channels, bytes = elementBytes(job.dtype), width = <usize>job.width;
  if (channels == 1) luma(job.line, job.width);
  const pixel = job.planar ? <usize>bytes : <usize>bytes * channels;
  const channel = job.planar ? <usize>bytes * width * <usize>job.height : <usize>bytes;
  const to = job.dst + <usize>job.nextLine * width * pixel;
  for (let c: usize = 0; c < channels; c++) {
    const sample = job.blueFirst != 0 && channels == 3 ? <usize>2 - c : c;
    write(job.line + sample, job.width, job.tables + c * TABLE_BYTES, to + c * channel, bytes, pixel);
  }
}
