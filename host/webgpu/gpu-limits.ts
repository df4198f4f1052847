// Whether a network's tensors fit a device's limits. In: an optimised graph, limits. Out: nothing, or ERR_LIMIT naming tensor and limit.
// Must not know kernels.

import { KingletError, quote } from '../error.ts';
import { isConstant, type Graph, type Value } from '../graph/graph.ts';
import { elementCount } from '../tensor.ts';
import { ceil4 } from './gpu-lowering.ts';

/** The limits that matter, which every device has; these are WebGPU's defaults. */
export interface BufferLimits {
  readonly maxStorageBufferBindingSize: number;
  readonly maxBufferSize: number;
}
export const defaultLimits: BufferLimits = { maxStorageBufferBindingSize: 2 ** 27, maxBufferSize: 2 ** 28 };

const MIB = 2 ** 20;

/** Throws ERR_LIMIT. */
export function checkLimits(graph: Graph, limits: BufferLimits): void {
  const limit = limits.maxStorageBufferBindingSize;
  for (const node of graph.nodes) {
    for (const value of [...node.inputs, ...node.outputs]) {
      if (!value || bytesOf(value) <= limit) continue;
      const what = isConstant(value) ? 'weights' : 'a tensor';
      throw new KingletError('ERR_LIMIT', `${what} of ${node.op.kind} ${quote(node.name)} would take ${(bytesOf(value) / MIB).toFixed(0)} MiB; `
        + `WebGPU's limit maxStorageBufferBindingSize is ${(limit / MIB).toFixed(0)} MiB here`, { details: { limit: 'maxStorageBufferBindingSize' } });
    }
  }
}

/** With the channels rounded up. */
function bytesOf({ shape }: Value): number {
  const channels = shape.at(-1) ?? 1;
  return channels === 0 ? 0 : (4 * elementCount(shape) * ceil4(channels)) / channels;
}
