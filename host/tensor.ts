// Dense row-major tensors: dtype, shape, data, quantisation; with dtype.ts, what every stage speaks of. Must not know graphs or plans.

import { elementBytes, elementCount, viewOf, type DType, type Shape, type TensorData } from './dtype.ts';
import { KingletError } from './error.ts';

export * from './dtype.ts';

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

/** A typed view over bytes (copied when misaligned). Throws ERR_MODEL_INVALID when the length does not fit the shape. */
export function tensorFromBytes(bytes: Uint8Array, dtype: DType, shape: Shape): Tensor {
  const count = elementCount(shape);
  if (bytes.byteLength !== count * elementBytes[dtype]) {
    throw new KingletError('ERR_MODEL_INVALID', `${bytes.byteLength} bytes do not fill a ${dtype} tensor of shape [${shape.join(', ')}]`);
  }
  const { buffer, byteOffset } = bytes.byteOffset % elementBytes[dtype] === 0 ? bytes : bytes.slice();
  return { dtype, shape, data: viewOf(buffer, dtype, byteOffset, count) };
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
