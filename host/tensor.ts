// Dense row-major tensors: dtype, shape, data, quantisation. Shared by every stage. Must not know graphs or plans.

import { KingletError } from './error.ts';

/** int64, uint8 and bool (a byte of 0 or 1) exist at the border of a graph only. */
export type DType = 'float32' | 'int8' | 'uint8' | 'int32' | 'int64' | 'bool';
export type Shape = readonly number[];
export type TensorData = Float32Array | Int8Array | Uint8Array | Int32Array | BigInt64Array;

/** real = (q - zeroPoint) * scale. Length 1: per tensor. Otherwise one entry per index of dimension `axis`. */
export interface Quantization {
  readonly scale: Float32Array;
  readonly zeroPoint: Int32Array;
  readonly axis: number;
}
export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly quantization?: Quantization | undefined;
}
export interface Tensor extends TensorType {
  readonly data: TensorData;
}

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
  switch (dtype) {
    case 'float32': return new Float32Array(count);
    case 'int8': return new Int8Array(count);
    case 'uint8': case 'bool': return new Uint8Array(count);
    case 'int32': return new Int32Array(count);
    case 'int64': return new BigInt64Array(count);
  }
}

/** A typed view over bytes (copied when misaligned). Throws ERR_MODEL_INVALID when the length does not fit the shape. */
export function tensorFromBytes(bytes: Uint8Array, dtype: DType, shape: Shape): Tensor {
  const count = elementCount(shape);
  if (bytes.byteLength !== count * elementBytes[dtype]) {
    throw new KingletError('ERR_MODEL_INVALID', `${bytes.byteLength} bytes do not fill a ${dtype} tensor of shape [${shape.join(', ')}]`);
  }
  const { buffer, byteOffset } = bytes.byteOffset % elementBytes[dtype] === 0 ? bytes : bytes.slice();
  return { dtype, shape, data: viewOf(buffer, dtype, byteOffset, count) };
}

/** `count` elements from a byte offset on. */
export function viewOf(buffer: ArrayBufferLike, dtype: DType, at: number, count: number): TensorData {
  switch (dtype) {
    case 'float32': return new Float32Array(buffer, at, count);
    case 'int8': return new Int8Array(buffer, at, count);
    case 'uint8': case 'bool': return new Uint8Array(buffer, at, count);
    case 'int32': return new Int32Array(buffer, at, count);
    case 'int64': return new BigInt64Array(buffer, at, count);
  }
}

/** Dense row-major strides in elements. */
export function denseStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = (strides[i + 1] ?? 1) * (shape[i + 1] ?? 1);
  return strides;
}

/** float32, int8 and int32 data as numbers; the other dtypes do not occur inside a graph's arithmetic. */
export function numbers(tensor: Tensor): Float32Array | Int8Array | Int32Array | Uint8Array {
  if (tensor.data instanceof BigInt64Array) throw new KingletError('ERR_INTERNAL', 'int64 data in arithmetic');
  return tensor.data;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i]);
}
export function sameQuantization(a: Quantization | undefined, b: Quantization | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.scale.length === b.scale.length && (a.scale.length === 1 || a.axis === b.axis)
    && a.scale.every((s, i) => s === b.scale[i]) && a.zeroPoint.every((z, i) => z === b.zeroPoint[i]);
}
/** Per-tensor parameters of a quantised value. Throws ERR_UNSUPPORTED for per-channel activations. */
export function perTensor(type: TensorType, what: string): { scale: number; zeroPoint: number } {
  const q = type.quantization;
  if (q === undefined) throw new KingletError('ERR_MODEL_INVALID', `${what} has no quantisation parameters`);
  if (q.scale.length !== 1) throw new KingletError('ERR_UNSUPPORTED', `${what} is quantised per channel; only weights can be`);
  return { scale: q.scale[0] ?? 1, zeroPoint: q.zeroPoint[0] ?? 0 };
}
