// From navigator.gpu to a device of default limits. In: a GPU object. Out: a device, or ERR_DEVICE with a sentence that says what is missing.
// Must not know networks.

import { KingletError } from '../error.ts';
import { inTime, type Clock } from './clock.ts';
import { adapterRefusal } from './denied-drivers.ts';

/** Waking a sleeping GPU takes long, but not this long. */
const OPEN_MS = 20_000;

export interface DeviceWishes {
  /** Also software and drivers that are not trusted. */
  readonly anyAdapter: boolean;
  readonly allowF16: boolean;
}

/** The browser's, where there is one. */
export function gpuHere(): GPU | undefined {
  return (globalThis as { navigator?: Partial<NavigatorGPU> }).navigator?.gpu;
}

export function requireGpu(gpu: GPU | undefined): GPU {
  if (gpu) return gpu;
  throw new KingletError('ERR_DEVICE', 'there is no WebGPU here', { hint: 'Browsers have navigator.gpu on https and localhost; in Node pass that of the package webgpu.' });
}

/** A device of a new adapter: adapters serve once. */
export async function openDevice(gpu: GPU, { anyAdapter, allowF16 }: DeviceWishes, clock: Clock): Promise<GPUDevice> {
  const adapter = await inTime(clock, OPEN_MS, 'asking for an adapter', refused('adapter', () => gpu.requestAdapter()));
  if (!adapter) throw new KingletError('ERR_DEVICE', 'WebGPU has no adapter here');
  const refusal = anyAdapter ? null : adapterRefusal(adapter.info);
  if (refusal !== null) throw new KingletError('ERR_DEVICE', refusal);
  const { wgslLanguageFeatures }: Partial<GPU> = gpu; // younger than WebGPU
  const wanted: Readonly<Partial<Record<GPUFeatureName, boolean>>> = {
    'shader-f16': allowF16, 'timestamp-query': true, subgroups: wgslLanguageFeatures?.has('subgroup_id') ?? false,
  };
  const requiredFeatures = [...adapter.features].filter((name) => wanted[name as GPUFeatureName]) as GPUFeatureName[];
  return inTime(clock, OPEN_MS, 'asking for a device', refused('device', () => adapter.requestDevice({ requiredFeatures })));
}

async function refused<T>(what: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    throw new KingletError('ERR_DEVICE', `WebGPU gave no ${what}: ${cause instanceof Error ? cause.message.slice(0, 200) : 'no reason'}`, { cause });
  }
}
