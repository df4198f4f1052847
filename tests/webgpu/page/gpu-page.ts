// A page that runs networks on its GPU, for tests that call it from outside. One device, with WebGPU's default limits and no features that
// shaders could use, serves all of them, and another one with subgroups those that ask for it.
// In: networks by address, name or case. Out: globalThis.kingletGpu; answers as they are. Must not judge them: the test does.

import type { Graph } from '../../../host/graph/graph.ts';
import { readNpy } from '../../../host/npy.ts';
import { optimise } from '../../../host/passes/index.ts';
import type { TensorData } from '../../../host/tensor.ts';
import { loadModel, type ModelStats } from '../../../host/webgpu.ts';
import { buildGpuNetwork, type GpuFacts, type GpuNetwork, type GpuPicture, type PictureRule } from '../../../host/webgpu/gpu-network.ts';
import { networkGraph, type ZooOptions } from '../../../models/zoo.ts';
import { noise } from '../../../models/random.ts';
import type { PlainPicture } from '../../browser/page/images.ts';
import { kernelCases } from '../kernel-cases.ts';

/** A network of the zoo through the passes, or a graph that tests a kernel as it is. */
export type NetworkSource = { readonly name: string; readonly options: ZooOptions } | { readonly kernelCase: string };
export interface GpuAnswer {
  readonly facts: GpuFacts;
  /** Of cases, by profile(). */
  readonly kernels: readonly string[];
  /** Of each run. */
  readonly outputs: readonly (readonly TensorData[])[];
}
export interface PictureAnswer {
  readonly outputs: readonly TensorData[];
  /** Whether shaders read it where it lay. */
  readonly imported: boolean;
  /** Things that the second run created on the device. */
  readonly created: number;
}
export interface KingletGpu {
  /** A model file through kinglet/webgpu with its backend forced, on a device of its own. `inputs`: addresses of .npy files. */
  forced(url: string, inputs: readonly string[]): Promise<{ readonly stats: Pick<ModelStats, 'backend' | 'gpu'>; readonly outputs: readonly TensorData[] }>;
  /** `seeds` of each run's noise. `feature`: of a device that has it. */
  run(source: NetworkSource, seeds: readonly number[], feature?: 'subgroups'): Promise<GpuAnswer>;
  /** Runs turn about; the outputs of each network. */
  interleaved(sources: readonly NetworkSource[], seeds: readonly number[]): Promise<readonly (readonly (readonly TensorData[])[])[]>;
  /** What the device's create functions were called for: by the build, and by `runs` runs after the first. */
  created(source: NetworkSource, runs: number): Promise<{ readonly build: Record<string, number>; readonly runs: Record<string, number>; readonly facts: GpuFacts }>;
  /** Codes of what runs throw: one under way while its device is destroyed, and one after it. */
  destroyed(source: NetworkSource): Promise<readonly string[]>;
  /** Every kind of source that a page can draw, with the same picture: outputs by kind, of two runs each. */
  pictures(source: NetworkSource, picture: PlainPicture, rule: PictureRule): Promise<Record<string, PictureAnswer>>;
  adapter(): Promise<{ readonly vendor: string; readonly limit: number; readonly subgroups: boolean }>;
}
declare global { var kingletGpu: KingletGpu }

async function openDevice(feature?: GPUFeatureName): Promise<GPUDevice> {
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) throw new Error('there is no WebGPU adapter');
  const wanted = (['timestamp-query'] as const).filter((name) => adapter.features.has(name));
  return adapter.requestDevice({ requiredFeatures: feature ? [...wanted, feature] : wanted });
}
const shared = new Map<string, Promise<GPUDevice>>();
function device(feature?: GPUFeatureName): Promise<GPUDevice> {
  const known = shared.get(feature ?? '');
  if (known) return known;
  const opened = openDevice(feature);
  shared.set(feature ?? '', opened);
  return opened;
}

async function graphOf(source: NetworkSource): Promise<Graph> {
  if ('kernelCase' in source) {
    const found = kernelCases.find(({ name }) => name === source.kernelCase);
    if (!found) throw new Error(`there is no case ${source.kernelCase}`);
    return found.make();
  }
  return optimise(await networkGraph(source.name, source.options)).graph;
}

function inputsOf(graph: Graph, seed: number): TensorData[] {
  return graph.inputs.map((input, i) => noise(seed + 1000 * i, input.shape).data);
}
async function npyAt(path: string): Promise<TensorData> {
  return readNpy(new Uint8Array(await (await fetch(path)).arrayBuffer())).data;
}

/** Counts calls of create functions while `work` runs. */
async function counting<T>(on: GPUDevice, work: () => Promise<T>): Promise<{ result: T; calls: Record<string, number> }> {
  const calls: Record<string, number> = {};
  const names = ['createBuffer', 'createBindGroup', 'createComputePipeline', 'createComputePipelineAsync', 'createShaderModule', 'createBindGroupLayout', 'createQuerySet', 'createTexture'] as const;
  for (const name of names) {
    calls[name] = 0;
    const original = on[name].bind(on) as (...args: unknown[]) => unknown;
    Object.defineProperty(on, name, { configurable: true, value: (...args: unknown[]) => { calls[name]++; return original(...args); } });
  }
  const result = await work();
  for (const name of names) Reflect.deleteProperty(on, name);
  return { result, calls };
}

globalThis.kingletGpu = {
  async forced(url, inputs) {
    const model = await loadModel(url, { backend: 'webgpu', warmup: false });
    const outputs = await model.run(await Promise.all(inputs.map(npyAt)));
    const { backend, gpu } = model.stats;
    model.dispose();
    return { stats: { backend, gpu }, outputs };
  },
  async run(source, seeds, feature) {
    const graph = await graphOf(source);
    const network = await buildGpuNetwork(graph, await device(feature));
    const outputs: TensorData[][] = [];
    for (const seed of seeds) outputs.push(await network.run(inputsOf(graph, seed)));
    const times = 'kernelCase' in source && seeds[0] !== undefined ? await network.profile(inputsOf(graph, seeds[0])) : [];
    network.dispose();
    return { facts: network.facts, kernels: times?.map(({ kernel }) => kernel) ?? [], outputs };
  },
  async interleaved(sources, seeds) {
    const graphs = await Promise.all(sources.map(graphOf));
    const networks: GpuNetwork[] = [];
    for (const graph of graphs) networks.push(await buildGpuNetwork(graph, await device()));
    const outputs: TensorData[][][] = graphs.map(() => []);
    for (const seed of seeds) {
      // Both are under way at once.
      const results = await Promise.all(networks.map((network, i) => network.run(inputsOf(graphs[i], seed))));
      results.forEach((result, i) => { outputs[i].push(result); });
    }
    for (const network of networks) network.dispose();
    return outputs;
  },
  async created(source, runs) {
    const [graph, on] = [await graphOf(source), await device()];
    const inputs = inputsOf(graph, 1);
    const built = await counting(on, () => buildGpuNetwork(graph, on));
    const network = built.result;
    await network.run(inputs);
    const { calls } = await counting(on, async () => { for (let i = 0; i < runs; i++) await network.run(inputs); });
    const { facts } = network;
    network.dispose();
    return { build: built.calls, runs: calls, facts };
  },
  async destroyed(source) {
    const [graph, own] = [await graphOf(source), await openDevice()];
    const inputs = inputsOf(graph, 1);
    const network = await buildGpuNetwork(graph, own);
    const texts: string[] = [];
    const attempt = async (): Promise<void> => {
      await network.run(inputs).catch((error: unknown) => { texts.push(Object.assign({ code: '' }, error).code); });
    };
    const running = attempt();
    own.destroy();
    await running;
    await attempt();
    return texts;
  },
  async pictures(source, { width, height, data }, rule) {
    const on = await device();
    const network = await buildGpuNetwork(await graphOf(source), on);
    const pixels = new ImageData(Uint8ClampedArray.from(data), width, height);
    const canvas = new OffscreenCanvas(width, height);
    canvas.getContext('2d')?.putImageData(pixels, 0, 0);
    const sources: Record<string, GpuPicture> = { ImageData: pixels, OffscreenCanvas: canvas, ImageBitmap: await createImageBitmap(pixels), VideoFrame: new VideoFrame(canvas, { timestamp: 0 }) };
    const answers: Record<string, PictureAnswer> = {};
    const importTexture = on.importExternalTexture.bind(on);
    for (const [kind, picture] of Object.entries(sources)) {
      let imported = false;
      on.importExternalTexture = (descriptor) => {
        const texture = importTexture(descriptor);
        imported = true;
        return texture;
      };
      const first = await network.runPicture(picture, rule);
      const { result, calls } = await counting(on, () => network.runPicture(picture, rule));
      answers[kind] = { outputs: [...first, ...result], imported, created: Object.values(calls).reduce((sum, n) => sum + n, 0) };
    }
    Reflect.deleteProperty(on, 'importExternalTexture');
    (sources.VideoFrame as VideoFrame).close();
    network.dispose();
    return answers;
  },
  async adapter() {
    const adapter = await navigator.gpu.requestAdapter();
    return { vendor: adapter?.info.vendor ?? 'none', limit: (await device()).limits.maxStorageBufferBindingSize, subgroups: (adapter?.features.has('subgroups') ?? false) && navigator.gpu.wgslLanguageFeatures.has('subgroup_id') };
  },
};
Object.assign(globalThis, { kingletPage: {} });
