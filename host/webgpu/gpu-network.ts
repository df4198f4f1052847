// placeholder until the lowering lands
import type { TensorData } from '../dtype.ts';
import { KingletError } from '../error.ts';
import type { Graph } from '../graph/graph.ts';

export type GpuProfile = { kernel: string; op: string; name: string; ms: number }[];
export interface GpuNetwork {
  readonly facts: { dispatches: number; pipelines: number; bindGroups: number; buffers: number };
  run(inputs: readonly TensorData[]): Promise<TensorData[]>;
  profile(inputs: readonly TensorData[]): Promise<{ kernel: string; op: string; name: string; ms: number }[] | null>;
  dispose(): void;
}
export function gpuBlockers(_graph: Graph): readonly { op: string; name: string; why: string }[] {
  return [];
}
export function buildGpuNetwork(_graph: Graph, _device: GPUDevice): Promise<GpuNetwork> {
  return Promise.reject(new KingletError('ERR_UNSUPPORTED', 'no kernels yet'));
}
