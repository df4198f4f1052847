// What elements are made of: dtypes, their sizes and typed arrays. Shared by every stage, and all that the plan loader needs of tensors.
// Must not know graphs or plans.

import { KingletError } from './error.ts';

/** int64, uint8 and bool (a byte of 0 or 1) exist at the border of a graph only. */
export type DType = 'float32' | 'int8' | 'uint8' | 'int32' | 'int64' | 'bool';
export type Shape = readonly number[];
export type TensorData = Float32Array | Int8Array | Uint8Array | Int32Array | BigInt64Array;

/** The typed array of each dtype. */
export const arrays = {
  float32: Float32Array, int8: Int8Array, uint8: Uint8Array, int32: Int32Array, int64: BigInt64Array, bool: Uint8Array,
} as const satisfies Record<DType, unknown>;
export const elementBytes: Readonly<Record<DType, number>> = { float32: 4, int8: 1, uint8: 1, int32: 4, int64: 8, bool: 1 };

/** Largest number of elements of one tensor. */
export const MAX_ELEMENTS = 2 ** 27;

/** Number of elements; refuses negative, fractional or huge dims before anything is allocated. */
export function elementCount(shape: Shape): number {
  if (shape.length > 8) throw new KingletError('ERR_UNSUPPORTED', `tensors of rank ${shape.length} are not supported (at most 8)`);
  let count = 1;
  for (const dim of shape) {
    if (!Number.isSafeInteger(dim) || dim < 0) throw new KingletError('ERR_MODEL_INVALID', `shape [${shape.join(', ')}] has an impossible dimension`);
    count *= dim;
    if (count > MAX_ELEMENTS) throw new KingletError('ERR_LIMIT', `shape [${shape.join(', ')}] has more than ${MAX_ELEMENTS} elements`);
  }
  return count;
}

export function allocate(dtype: DType, count: number): TensorData {
  return new arrays[dtype](count);
}

/** `count` elements from a byte offset on. */
export function viewOf(buffer: ArrayBufferLike, dtype: DType, at: number, count: number): TensorData {
  return new arrays[dtype](buffer as ArrayBuffer, at, count); // a shared one is as good
}
