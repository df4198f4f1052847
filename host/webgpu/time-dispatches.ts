// What each dispatch costs on the GPU, by timestamps around passes of their own. In: a program on a device with timestamp-query.
// Out: milliseconds per dispatch. Passes of their own inflate the sum, and browsers round timestamps (Chrome to 0.1 ms).
// Must not know networks.

import type { GpuProgram } from './gpu-program.ts';
import { bufferUsage, MAP_READ_MODE } from './webgpu-constants.ts';

export interface DispatchTime {
  readonly kernel: string;
  readonly op: string;
  readonly name: string;
  readonly ms: number;
}

/** Largest GPUQuerySet. */
const MAX_QUERIES = 4096;

export async function timeDispatches(program: GpuProgram, device: GPUDevice): Promise<DispatchTime[]> {
  const times: DispatchTime[] = [];
  for (let first = 0; first < program.steps.length; first += MAX_QUERIES / 2) {
    times.push(...await timeSome(program.steps.slice(first, first + MAX_QUERIES / 2), device));
  }
  return times;
}

async function timeSome(steps: GpuProgram['steps'], device: GPUDevice): Promise<DispatchTime[]> {
  const count = 2 * steps.length;
  const querySet = device.createQuerySet({ type: 'timestamp', count });
  const resolved = device.createBuffer({ size: 8 * count, usage: bufferUsage.QUERY_RESOLVE | bufferUsage.COPY_SRC });
  const mapped = device.createBuffer({ size: 8 * count, usage: bufferUsage.MAP_READ | bufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  steps.forEach(({ pipeline, bindGroup, workgroups }, i) => {
    const pass = encoder.beginComputePass({ timestampWrites: { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 } });
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(...workgroups);
    pass.end();
  });
  encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
  encoder.copyBufferToBuffer(resolved, 0, mapped, 0, 8 * count);
  device.queue.submit([encoder.finish()]);
  await mapped.mapAsync(MAP_READ_MODE);
  const ticks = new BigUint64Array(mapped.getMappedRange());
  const times = steps.map(({ kernel, op, name }, i) => ({ kernel, op, name, ms: Number(ticks[2 * i + 1] - ticks[2 * i]) / 1e6 }));
  mapped.unmap();
  for (const thing of [querySet, resolved, mapped]) thing.destroy();
  return times;
}
