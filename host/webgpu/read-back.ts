// Outputs from the GPU to arrays: their regions are copied into one mappable buffer behind the last dispatch, and read through their views'
// strides, so that a transposed or padded output costs no dispatch. In: a program. Out: dense arrays. Must not know kernels.

import type { View } from '../plan/lowering.ts';
import { pick } from '../ops/strided.ts';
import { elementCount, type TensorData } from '../tensor.ts';
import { BUFFER_ALIGN } from './colour-regions.ts';
import type { BufferRange, GpuProgram } from './gpu-program.ts';
import type { GpuLowered } from './lower-gpu.ts';
import { bufferUsage, MAP_READ_MODE } from './webgpu-constants.ts';

interface StagedOutput {
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
  const staged = outputs.map(({ view }): StagedOutput => {
    const range = program.rangeOf(view.at.region);
    const at = bytes;
    bytes += Math.ceil(range.size / BUFFER_ALIGN) * BUFFER_ALIGN;
    return { view, range, at };
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
  const arrays = outputs.map(({ view, range, at }) => {
    if (elementCount(view.shape) === 0) return new Float32Array(0);
    const data = new Float32Array(mapped, at, range.size / 4);
    return pick({ dtype: 'float32', shape: [data.length], data }, view.shape, view.strides, view.at.offsetBytes / 4);
  });
  buffer.unmap();
  return arrays;
}
