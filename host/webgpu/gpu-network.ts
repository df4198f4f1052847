// A network on a GPU: every pipeline, bind group and buffer is made once here; a run is one upload, one pass, one submit, one read-back.
// In: an optimised graph, a device. Out: a GpuNetwork. Must not know models, adapters or the wasm backend.

import { KingletError, quote } from '../error.ts';
import type { Graph } from '../graph/graph.ts';
import type { TensorData } from '../tensor.ts';
import { colourRegions } from './colour-regions.ts';
import { deviceErrors, watchLoss, type Loss } from './device-errors.ts';
import { checkLimits } from './gpu-limits.ts';
import { gpuBlockers } from './gpu-rules.ts';
import { GpuProgram } from './gpu-program.ts';
import { lowerGpu } from './lower-gpu.ts';
import { PictureInput, type DrawPicture, type GpuPicture, type PictureRule } from './picture-input.ts';
import { readOutputs, stageOutputs, type Staging } from './read-back.ts';
import { timeDispatches, type DispatchTime } from './time-dispatches.ts';

export { gpuBlockers, type GpuBlocker } from './gpu-rules.ts';
export type { GpuPicture, PictureRule } from './picture-input.ts';
export type { DispatchTime } from './time-dispatches.ts';

export interface GpuNetwork {
  /** Dispatches of one inference; how many things of each kind were ever created for this network. */
  readonly facts: GpuFacts;
  /**
   * One inference; concurrent calls are queued. Arrays in the model's dtype and shape, dense. Throws ERR_DEVICE when the device is lost or
   * reports an error, ERR_DISPOSED.
   */
  run(inputs: readonly TensorData[]): Promise<TensorData[]>;
  /**
   * One inference of a network with one input on what a page shows: the picture goes to the GPU without passing through arrays. Throws as
   * run() does, ERR_INPUT where the rule's sizes are not the input's, ERR_IMAGE.
   */
  runPicture(picture: GpuPicture, rule: PictureRule): Promise<TensorData[]>;
  /** One inference with a pass per dispatch: milliseconds of each; null where the device has no timestamp-query. Throws as run() does. */
  profile(inputs: readonly TensorData[]): Promise<DispatchTime[] | null>;
  dispose(): void;
}
export interface GpuFacts {
  readonly dispatches: number;
  readonly pipelines: number;
  readonly bindGroups: number;
  readonly buffers: number;
}

/**
 * Puts an optimised graph (float32) onto a device, within WebGPU's default limits or those that the device was asked for. A device that
 * was asked for shader-f16 keeps weights in half precision, sums are float32 on every device; one that was asked for subgroups, which takes
 * WGSL's subgroup_id, reduces by them. Throws ERR_UNSUPPORTED naming every operator that the GPU lacks, ERR_LIMIT naming the limit of
 * WebGPU that the network exceeds, ERR_DEVICE.
 */
export async function buildGpuNetwork(graph: Graph, device: GPUDevice): Promise<GpuNetwork> {
  const blockers = gpuBlockers(graph);
  if (blockers.length > 0) {
    const list = blockers.map(({ op, name, why }) => `${op} ${quote(name)}: ${why}`);
    throw new KingletError('ERR_UNSUPPORTED', `the GPU backend cannot run ${list.slice(0, 5).join('; ')}${list.length > 5 ? '; …' : ''}`, { details: { blockers } });
  }
  checkLimits(graph, device.limits);
  const lowered = lowerGpu(graph, { half: device.features.has('shader-f16'), subgroups: device.features.has('subgroups') });
  const loss = watchLoss(device);
  const errors = deviceErrors(device, loss);
  const made: { program?: GpuProgram; staging?: Staging } = {};
  try {
    return await errors.during(async () => {
      const program = made.program = await GpuProgram.build(lowered, colourRegions(lowered), device);
      const staging = made.staging = stageOutputs(lowered, program, device);
      return new Network(device, loss, program, staging);
    });
  } catch (error) {
    made.program?.destroy();
    made.staging?.buffer.destroy();
    throw error;
  }
}

class Network implements GpuNetwork {
  readonly #device: GPUDevice;
  readonly #loss: Loss;
  readonly #program: GpuProgram;
  readonly #staging: Staging;
  #queue: Promise<unknown> = Promise.resolve();
  #pictures: PictureInput | null = null;
  #disposed = false;

  constructor(device: GPUDevice, loss: Loss, program: GpuProgram, staging: Staging) {
    this.#device = device;
    this.#loss = loss;
    this.#program = program;
    this.#staging = staging;
  }

  get facts(): GpuFacts {
    const { counts, steps } = this.#program;
    return { dispatches: steps.length, ...counts };
  }

  run(inputs: readonly TensorData[]): Promise<TensorData[]> {
    return this.#enqueue(() => this.#watch(() => {
      this.#program.upload(inputs);
      return this.#submit();
    }));
  }

  runPicture(picture: GpuPicture, rule: PictureRule): Promise<TensorData[]> {
    const [input, ...others] = this.#program.inputs;
    const elements = rule.width * rule.height * rule.channels;
    if (!input || others.length > 0 || input.elements !== elements) {
      return Promise.reject(new KingletError('ERR_INPUT', `a picture of ${rule.width}x${rule.height} with ${rule.channels} channels is not what the network takes`));
    }
    return this.#enqueue(async () => {
      const draw = await this.#watch(() => (this.#pictures ??= new PictureInput(this.#device, input.range)).take(picture, rule));
      return this.#watch(() => this.#submit(draw));
    });
  }

  /** `first`: what comes before the network's own dispatches. */
  #submit(first?: DrawPicture): Promise<TensorData[]> {
    const encoder = this.#device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    first?.(pass);
    this.#program.encode(pass);
    pass.end();
    this.#staging.encode(encoder);
    this.#device.queue.submit([encoder.finish()]);
    return readOutputs(this.#staging);
  }

  profile(inputs: readonly TensorData[]): Promise<DispatchTime[] | null> {
    if (!this.#device.features.has('timestamp-query')) return Promise.resolve(null);
    return this.#enqueue(() => this.#watch(() => {
      this.#program.upload(inputs);
      return timeDispatches(this.#program, this.#device);
    }));
  }

  dispose(): void {
    this.#disposed = true;
    this.#program.destroy();
    this.#staging.buffer.destroy();
    this.#pictures?.destroy();
  }

  #watch<T>(work: () => Promise<T>): Promise<T> {
    return deviceErrors(this.#device, this.#loss).during(work);
  }

  #enqueue<T>(job: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(() => {
      if (this.#disposed) throw new KingletError('ERR_DISPOSED', 'the network was disposed');
      return job();
    });
    this.#queue = result.catch(() => undefined);
    return result;
  }
}
