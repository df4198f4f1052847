// 8-bit samples → a network's numbers. In: rows of four bytes per pixel, mean and deviation per channel, scale and zero point.
// Out: elements of a tensor. A sample has only 256 values, so each channel gets a table and the arithmetic is f64 and exact:
//   real = (sample - mean) / deviation;  float32: f32(real);  integers: min(high, max(low, rint(real / scale) + zero))
// Must not know sizes of pictures.

export const FLOAT32: i32 = 0;
export const UINT8: i32 = 1;
export const INT8: i32 = 2;

const ENTRIES: i32 = 256;
/** One table of 4-byte entries; the channels' tables follow each other. */
export const TABLE_BYTES: i32 = 1024;

export function elementBytes(dtype: i32): i32 { return dtype == FLOAT32 ? 4 : 1; }

export function fillTable(table: usize, dtype: i32, mean: f64, deviation: f64, scale: f64, zero: f64): void {
  const low: f64 = dtype == INT8 ? -128 : 0, high: f64 = dtype == INT8 ? 127 : 255;
  for (let sample = 0; sample < ENTRIES; sample++, table += 4) {
    const real = (<f64>sample - mean) / deviation;
    if (dtype == FLOAT32) store<f32>(table, <f32>real);
    else store<i32>(table, <i32>min(high, max(low, nearest(real / scale) + zero)));
  }
}

/** Replaces red by the luma of ITU-R BT.601, rounded. */
export function luma(row: usize, width: i32): void {
  for (let x = 0; x < width; x++, row += 4) {
    const gray = 0.299 * <f64>load<u8>(row) + 0.587 * <f64>load<u8>(row, 1) + 0.114 * <f64>load<u8>(row, 2);
    store<u8>(row, <u8>(<i32>(gray + 0.5)));
  }
}

/** Every fourth byte from `row` on, through a table, to elements that lie `stride` bytes apart. */
export function write(row: usize, width: i32, table: usize, to: usize, bytes: i32, stride: usize): void {
  const end = row + (<usize>width << 2);
  if (bytes == 4) {
    for (; row < end; row += 4, to += stride) store<i32>(to, load<i32>(table + (<usize>load<u8>(row) << 2)));
  } else {
    for (; row < end; row += 4, to += stride) store<u8>(to, load<u8>(table + (<usize>load<u8>(row) << 2)));
  }
}
