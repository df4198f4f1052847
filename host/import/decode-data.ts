// Constant bytes of a file → typed tensors in kinglet's own dtypes (uint8 → int8, int64 and bool → int32, halves and doubles → float32).
// In: little-endian bytes, the file's element type, a shape. Out: a Tensor. Must not know ONNX or TFLite.

import { KingletError } from '../error.ts';
import { elementCount, tensorFromBytes, type DType, type Shape, type Tensor } from '../tensor.ts';

/** Element types of model files that have a stand-in here. */
export type SourceType = 'float32' | 'float16' | 'float64' | 'uint8' | 'int8' | 'int32' | 'int64' | 'bool';

export const sourceBytes: Readonly<Record<SourceType, number>> = { float32: 4, float16: 2, float64: 8, uint8: 1, int8: 1, int32: 4, int64: 8, bool: 1 };

/** The dtype that stands for a file's type inside the graph. */
export const innerDtype: Readonly<Record<SourceType, DType>> = {
  float32: 'float32', float16: 'float32', float64: 'float32', uint8: 'int8', int8: 'int8', int32: 'int32', int64: 'int32', bool: 'int32',
};

/** The bytes must fill the shape exactly: a claimed shape never decides how much is read or allocated. */
export function decodeData(bytes: Uint8Array, source: SourceType, shape: Shape): Tensor {
  const count = elementCount(shape);
  if (bytes.byteLength !== count * sourceBytes[source]) {
    throw new KingletError('ERR_MODEL_INVALID', `${bytes.byteLength} bytes do not fill a ${source} tensor of shape [${shape.join(', ')}]`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (source) {
    case 'float32': case 'int8': case 'int32': return tensorFromBytes(bytes, source, shape);
    case 'uint8': return { dtype: 'int8', shape, data: flipSignBits(bytes) };
    case 'bool': return { dtype: 'int32', shape, data: fill(new Int32Array(count), (i) => (view.getUint8(i) === 0 ? 0 : 1)) };
    case 'float16': return { dtype: 'float32', shape, data: fill(new Float32Array(count), (i) => halfToFloat(view.getUint16(2 * i, true))) };
    case 'float64': return { dtype: 'float32', shape, data: fill(new Float32Array(count), (i) => view.getFloat64(8 * i, true)) };
    case 'int64': return { dtype: 'int32', shape, data: fill(new Int32Array(count), (i) => lowWord(view.getInt32(8 * i + 4, true), view.getInt32(8 * i, true))) };
  }
}

/** uint8 q and int8 q - 128 are the same bits but for the highest. */
export function flipSignBit(byte: number): number {
  return ((byte ^ 0x80) << 24) >> 24;
}

function flipSignBits(bytes: Uint8Array): Int8Array {
  const data = new Int8Array(bytes.length);
  for (let i = 0; i < data.length; i++) data[i] = bytes[i] ^ 0x80;
  return data;
}

export function halfToFloat(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

function fill<T extends Float32Array | Int32Array | Int8Array>(data: T, value: (index: number) => number): T {
  for (let i = 0; i < data.length; i++) data[i] = value(i);
  return data;
}

/** int64 → int32, saturated: "to the end" is often written as the largest int64. */
function lowWord(high: number, low: number): number {
  return high === low >> 31 ? low : clampToInt32(high < 0 ? -Infinity : Infinity);
}
export function clampToInt32(value: number): number {
  return Math.min(Math.max(value, -(2 ** 31)), 2 ** 31 - 1);
}
