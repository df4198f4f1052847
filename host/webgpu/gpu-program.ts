// Lowered dispatches as WebGPU objects: weights and params in buffers, one pipeline per text, one bind group per dispatch, made once.
// In: dispatches, places, a device. Out: what encodes them into a pass. Must not know graphs or kernels.

import { KingletError } from '../error.ts';
import type { Region } from '../plan/lowering.ts';
import type { TensorData } from '../tensor.ts';
import { BUFFER_ALIGN, type Colouring } from './colour-regions.ts';
import { moduleText, paramWords, type Dispatch } from './dispatch.ts';
import type { GpuLowered, GpuStep } from './lower-gpu.ts';
import { bufferUsage } from './webgpu-constants.ts';

/** Default limit minUniformBufferOffsetAlignment: every dispatch has a slot of its own. */
const SLOT_BYTES = 256;

export interface BufferRange {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}
export interface ProgramStep extends Pick<GpuStep, 'op' | 'name'> {
  readonly kernel: string;
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly workgroups: Dispatch['workgroups'];
}

export class GpuProgram {
  readonly steps: readonly ProgramStep[];
  readonly counts: { readonly pipelines: number; readonly bindGroups: number; readonly buffers: number };
  readonly #ranges: ReadonlyMap<Region, BufferRange>;
  /** Where inputs go, and how many floats they are. */
  readonly inputs: readonly { readonly range: BufferRange; readonly elements: number }[];
  readonly #device: GPUDevice;
  readonly #buffers: readonly GPUBuffer[];

  /**
   * Everything but waiting for pipelines happens before the first await, where the caller's error scopes see it. Throws ERR_LIMIT, and
   * whatever the device throws.
   */
  static async build(lowered: GpuLowered, colouring: Colouring, device: GPUDevice): Promise<GpuProgram> {
    const pipelines = new Map<string, Promise<GPUComputePipeline>>();
    const layouts = new LayoutCache(device);
    const buffers: GPUBuffer[] = [];
    try {
      const dispatches = lowered.steps.map(({ dispatch }) => dispatch);
      const pending = dispatches.map((dispatch) => {
        const text = moduleText(dispatch);
        const known = pipelines.get(text);
        if (known) return known;
        const pipeline = createPipeline(device, dispatch, text, layouts);
        pipelines.set(text, pipeline);
        return pipeline;
      });
      const waiting = Promise.all(pending);
      waiting.catch(() => undefined); // whatever is thrown below comes first
      const ranges = new Map([...placeActivations(colouring, device, buffers), ...placeWeights(lowered, device, buffers)]);
      const params = uploadParams(dispatches, device, buffers);
      const bindGroups = dispatches.map((dispatch, i) => device.createBindGroup({
        layout: layouts.of(dispatch), entries: entriesOf(dispatch, ranges, { buffer: params, offset: i * SLOT_BYTES, size: SLOT_BYTES }),
      }));
      const made = await waiting;
      const steps = lowered.steps.map(({ dispatch: { kernel, workgroups }, op, name }, i): ProgramStep => (
        { kernel, op, name, workgroups, pipeline: made[i], bindGroup: bindGroups[i] }));
      return new GpuProgram(device, steps, ranges, buffers, { pipelines: pipelines.size, inputs: lowered.inputs.map(({ view }) => view.at.region) });
    } catch (error) {
      for (const buffer of buffers) buffer.destroy();
      throw error;
    }
  }

  private constructor(
    device: GPUDevice, steps: readonly ProgramStep[], ranges: ReadonlyMap<Region, BufferRange>, buffers: readonly GPUBuffer[],
    { pipelines, inputs }: { readonly pipelines: number; readonly inputs: readonly Region[] },
  ) {
    this.#device = device;
    this.#ranges = ranges;
    this.#buffers = buffers;
    this.steps = steps;
    this.counts = { pipelines, bindGroups: steps.length, buffers: buffers.length + 1 }; // and the one for reading back
    this.inputs = inputs.map((region) => ({ range: this.rangeOf(region), elements: region.bytes / 4 }));
  }

  rangeOf(region: Region): BufferRange {
    const range = this.#ranges.get(region);
    if (!range) throw new KingletError('ERR_INTERNAL', 'a region has no place on the GPU');
    return range;
  }

  upload(inputs: readonly TensorData[]): void {
    for (let i = 0; i < this.inputs.length; i++) {
      const { buffer, offset } = this.inputs[i].range;
      this.#device.queue.writeBuffer(buffer, offset, inputs[i]);
    }
  }

  encode(pass: GPUComputePassEncoder): void {
    let current: GPUComputePipeline | null = null;
    for (const { pipeline, bindGroup, workgroups } of this.steps) {
      if (pipeline !== current) pass.setPipeline(pipeline);
      current = pipeline;
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
    }
  }

  destroy(): void {
    for (const buffer of this.#buffers) buffer.destroy();
  }
}

/** One layout per number of buffers that are read. */
class LayoutCache {
  readonly #device: GPUDevice;
  readonly #layouts = new Map<number, GPUBindGroupLayout>();
  constructor(device: GPUDevice) {
    this.#device = device;
  }
  of({ reads: { length: count } }: Dispatch): GPUBindGroupLayout {
    const known = this.#layouts.get(count);
    if (known) return known;
    const types: GPUBufferBindingType[] = ['uniform', ...new Array<GPUBufferBindingType>(count).fill('read-only-storage'), 'storage'];
    const layout = this.#device.createBindGroupLayout({
      entries: types.map((type, binding) => ({ binding, visibility: COMPUTE_STAGE, buffer: { type } })),
    });
    this.#layouts.set(count, layout);
    return layout;
  }
}
/** GPUShaderStage.COMPUTE, which exists only where WebGPU does. */
const COMPUTE_STAGE = 4;

async function createPipeline(device: GPUDevice, dispatch: Dispatch, text: string, layouts: LayoutCache): Promise<GPUComputePipeline> {
  const layout = device.createPipelineLayout({ bindGroupLayouts: [layouts.of(dispatch)] });
  const module = device.createShaderModule({ code: text, label: dispatch.kernel });
  return device.createComputePipelineAsync({ layout, compute: { module, entryPoint: 'main' }, label: dispatch.kernel });
}

function entriesOf({ reads, write }: Dispatch, ranges: ReadonlyMap<Region, BufferRange>, slot: BufferRange): GPUBindGroupEntry[] {
  const operands = [...reads, write].map(({ view }) => ranges.get(view.at.region) ?? slot);
  return [slot, ...operands].map((resource, binding) => ({ binding, resource }));
}

function checkBufferSize(bytes: number, { limits }: GPUDevice): void {
  if (bytes <= limits.maxBufferSize) return;
  throw new KingletError('ERR_LIMIT', `the network needs a buffer of ${bytes} bytes; WebGPU's limit maxBufferSize is ${limits.maxBufferSize} here`, { details: { limit: 'maxBufferSize' } });
}

function placeActivations({ places, bufferBytes }: Colouring, device: GPUDevice, buffers: GPUBuffer[]): [Region, BufferRange][] {
  const own = bufferBytes.map((size) => {
    checkBufferSize(size, device);
    return device.createBuffer({ size, usage: bufferUsage.STORAGE | bufferUsage.COPY_DST | bufferUsage.COPY_SRC, label: 'activations' });
  });
  buffers.push(...own);
  return [...places].map(([region, { buffer, offsetBytes }]) => [region, { buffer: own[buffer], offset: offsetBytes, size: paddedBytes(region) }]);
}

/** A whole number of vectors: shaders may see four floats where a tensor has one. */
function paddedBytes(region: Region): number {
  return Math.max(16, Math.ceil(region.bytes / 16) * 16);
}

/** Weights fill buffers of at most the largest binding. */
function placeWeights({ weights }: GpuLowered, device: GPUDevice, buffers: GPUBuffer[]): [Region, BufferRange][] {
  const limit = Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize);
  const chunks: { bytes: number; readonly parts: { readonly region: Region; readonly data: ArrayBufferView; readonly at: number }[] }[] = [];
  for (const [region, data] of weights) {
    const bytes = Math.ceil(paddedBytes(region) / BUFFER_ALIGN) * BUFFER_ALIGN;
    if (bytes > limit) {
      throw new KingletError('ERR_LIMIT', `weights of ${bytes} bytes exceed WebGPU's limit maxStorageBufferBindingSize of ${limit}`, { details: { limit: 'maxStorageBufferBindingSize' } });
    }
    let chunk = chunks.at(-1);
    if (!chunk || chunk.bytes + bytes > limit) chunks.push(chunk = { bytes: 0, parts: [] });
    chunk.parts.push({ region, data, at: chunk.bytes });
    chunk.bytes += bytes;
  }
  return chunks.flatMap(({ bytes, parts }) => {
    const buffer = device.createBuffer({ size: bytes, usage: bufferUsage.STORAGE | bufferUsage.COPY_SRC, mappedAtCreation: true, label: 'weights' });
    buffers.push(buffer);
    const target = new Uint8Array(buffer.getMappedRange());
    for (const { data, at } of parts) target.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    buffer.unmap();
    return parts.map(({ region, at }): [Region, BufferRange] => [region, { buffer, offset: at, size: paddedBytes(region) }]);
  });
}

function uploadParams(dispatches: readonly Dispatch[], device: GPUDevice, buffers: GPUBuffer[]): GPUBuffer {
  const size = Math.max(1, dispatches.length) * SLOT_BYTES;
  checkBufferSize(size, device);
  const buffer = device.createBuffer({ size, usage: bufferUsage.UNIFORM, mappedAtCreation: true, label: 'params' });
  buffers.push(buffer);
  const target = new Uint8Array(buffer.getMappedRange());
  dispatches.forEach((dispatch, i) => {
    const words = new Uint8Array(paramWords(dispatch));
    if (words.length > SLOT_BYTES) throw new KingletError('ERR_INTERNAL', `${dispatch.kernel} has ${words.length} bytes of params`);
    target.set(words, i * SLOT_BYTES);
  });
  buffer.unmap();
  return buffer;
}
