// Outputs from the GPU to arrays: their regions are copied into one mappable buffer behind the last dispatch, and read through their views'
// strides, so that a transposed or padded output costs no dispatch. In: a program. Out: dense arrays in the graph's dtypes; integers lie on the
// GPU as floats. Must not know kernels.

import type { View } from '../plan/lowering.ts';
import { pick } from '../ops/strided.ts';
import { allocate, elementCount, type DType, type TensorData } from '../tensor.ts';
import { BUFFER_ALIGN } from './colour-regions.ts';
import type { BufferRange, GpuProgram } from './gpu-program.ts';
import type { GpuLowered } from './lower-gpu.ts';
import { bufferUsage, MAP_READ_MODE } from './webgpu-constants.ts';

interface StagedOutput {
  readonly dtype: DType;
  readonly view: View;
  readonly range: BufferRange;
  /** In the staging buffer. */
  readonly at: number;
}
export interface Staging {
  readonly buffer: GPUBuffer;
  readonly outputs: readonly StagedOutput[];
  encode(encoder: GPUCommandEncoder): void;
}

export function stageOutputs({ outputs }: GpuLowered, program: GpuProgram, device: GPUDevice): Staging {
  let bytes = 0;
  const staged = outputs.map(({ value: { dtype }, view }): StagedOutput => {
    const range = program.rangeOf(view.at.region);
    const at = bytes;
    bytes += Math.ceil(range.size / BUFFER_ALIGN) * BUFFER_ALIGN;
    return { dtype, view, range, at };
  });
  const buffer = device.createBuffer({ size: Math.max(BUFFER_ALIGN, bytes), usage: bufferUsage.MAP_READ | bufferUsage.COPY_DST, label: 'outputs' });
  return {
    buffer, outputs: staged,
    encode(encoder) {
      for (const { range, at } of staged) encoder.copyBufferToBuffer(range.buffer, range.offset, buffer, at, range.size);
    },
  };
}

/** Waits for the GPU; the arrays are new. */
export async function readOutputs({ buffer, outputs }: Staging): Promise<TensorData[]> {
  await buffer.mapAsync(MAP_READ_MODE);
  const mapped = buffer.getMappedRange();
  const arrays = outputs.map(({ dtype, view, range, at }) => {
    if (elementCount(view.shape) === 0) return allocate(dtype, 0);
    const data = new Float32Array(mapped, at, range.size / 4);
    return stated(pick({ dtype: 'float32', shape: [data.length], data }, view.shape, view.strides, view.at.offsetBytes / 4), dtype);
  });
  buffer.unmap();
  return arrays;
}

function stated(floats: TensorData, dtype: DType): TensorData {
  if (dtype === 'float32') return floats;
  const data = allocate(dtype, floats.length);
  if (data instanceof BigInt64Array) floats.forEach((value: number | bigint, i: number) => { data[i] = BigInt(value); });
  else data.set(floats as Float32Array);
  return data;
}
