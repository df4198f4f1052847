// What a network's output says in real numbers. In: an output and its description. Out: numbers, dequantised. Must not know their meaning.

import type { IoInfo } from '../model.ts';
import type { TensorData } from '../tensor.ts';

/** real = (q - zeroPoint) * scale; other outputs as they are. */
export function realNumbers(data: TensorData, { quantization }: IoInfo): Float32Array | Float64Array {
  if (data instanceof Float32Array) return data;
  const { scale, zeroPoint } = quantization ?? { scale: 1, zeroPoint: 0 };
  return Float64Array.from(data as ArrayLike<number | bigint>, (value) => (Number(value) - zeroPoint) * scale);
}
