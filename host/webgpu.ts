// kinglet/webgpu: kinglet for pages and programs that may use a GPU. The same models, the same Model; wasm stays beside the GPU.
// In: model bytes or where to find them. Out: a Model. Importing this file touches no global.

import type { TensorData } from './dtype.ts';
import { importModel } from './import/index.ts';
import type { Source } from './load.ts';
import type { Model } from './model.ts';
import type { DispatchTime, GpuPicture, PictureRule } from './webgpu/gpu-network.ts';
import { loadOnGpu, profileOf, runPictureOf, type GpuModelOptions } from './webgpu/load-on-gpu.ts';

export * from './run.ts';
export { compile, type CompileOptions } from './compile.ts';
export type { GpuModelOptions, GpuOptions } from './webgpu/load-on-gpu.ts';
export type { DispatchTime, GpuPicture, PictureRule } from './webgpu/gpu-network.ts';

/**
 * Loads a model of any supported format. `stats.backend` says what run() computes on now, `stats.backendReason` why; both may change when a GPU
 * fails, and runs that were under way end on wasm. runSync(), trace() and profile() compute on wasm always. docs/webgpu.md has the rules of 'auto'.
 * Throws as loadModel() of `kinglet` does; with 'webgpu' also ERR_DEVICE (no WebGPU, no adapter, no device), ERR_UNSUPPORTED (operators
 * that the GPU lacks, all of them), ERR_LIMIT (a limit of WebGPU), ERR_USAGE (a plan).
 */
export function loadModel(source: Source, options: GpuModelOptions = {}): Promise<Model> {
  return loadOnGpu(importModel, source, options);
}

/**
 * Milliseconds of every dispatch of one inference on what the inputs hold; null where the model is on wasm or the adapter has no
 * timestamp-query. The sum is more than an inference takes: each dispatch is waited for.
 */
export function profileDispatches(model: Model): Promise<DispatchTime[] | null> {
  return profileOf(model);
}

/**
 * One inference of a network with one input on what a page shows, which goes to the GPU without passing through arrays. Null where the model
 * is not on the GPU, or the GPU failed just now: then make a tensor with kinglet/image and call run(). Throws ERR_INPUT where the rule's
 * sizes are not the input's, ERR_IMAGE.
 */
export function runPicture(model: Model, picture: GpuPicture, rule: PictureRule): Promise<TensorData[] | null> {
  return runPictureOf(model, picture, rule);
}
