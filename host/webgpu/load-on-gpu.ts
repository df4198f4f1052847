// From a model's bytes, or a network built in code, to a Model that may run on a GPU. In: an importer, a source, options, and what tests
// replace. Out: a Model. Must not import an importer; the kernels are loaded only when there is a device for them.

import { placePlan } from '../backends/wasm.ts';
import { compileGraph, importWritten, optimiseGraph, type CompileOptions, type ImportModel, type Optimised } from '../compile-graph.ts';
import { KingletError } from '../error.ts';
import type { Graph } from '../graph/graph.ts';
import { sniff } from '../import/sniff.ts';
import { givenBytes, readSource, roomFor, startBackend, startEngine, throwIfAborted, type LoadOptions, type Source } from '../load.ts';
import { Model, type Backend, type TensorData } from '../model.ts';
import { systemClock, type Clock } from './clock.ts';
import { GpuBackend } from './gpu-backend.ts';
import type { DispatchTime, GpuNetwork, GpuPicture, PictureRule } from './gpu-network.ts';
import { GpuSession } from './gpu-session.ts';
import { gpuHere, openDevice, requireGpu } from './open-device.ts';

export interface GpuOptions {
  /**
   * 'auto' (default): the GPU where it proves to be right and faster, else wasm. 'webgpu': the GPU, or an error that says why not.
   * 'wasm': as in `kinglet`.
   */
  readonly backend?: 'auto' | 'webgpu' | 'wasm' | undefined;
  /** Default: navigator.gpu. In Node: that of the package `webgpu`. */
  readonly gpu?: GPU | undefined;
  /** Lets the GPU keep weights in float16, where it has shader-f16; sums stay float32 (default false). */
  readonly allowF16?: boolean | undefined;
}
export interface GpuModelOptions extends LoadOptions, CompileOptions, GpuOptions {}

export interface GpuTools {
  readonly clock: Clock;
  build(graph: Graph, device: GPUDevice): Promise<GpuNetwork>;
}
const realTools: GpuTools = {
  clock: systemClock,
  build: async (graph, device) => (await import('./gpu-network.ts')).buildGpuNetwork(graph, device),
};

/** Networks that are computed in less than about a millisecond on one core: sending them away costs more. docs/webgpu.md has the source. */
const LEAST_MACS = 60e6;

const onGpu = new WeakMap<Model, GpuBackend>();

export async function loadOnGpu(importModel: ImportModel, source: Source, options: GpuModelOptions, tools = realTools): Promise<Model> {
  throwIfAborted(options.signal);
  const startWasm = wasmStarter(options); // the executor arrives while the model does
  const bytes = givenBytes(source) ?? await readSource(source, options.signal);
  if (sniff(bytes) !== 'kgl') return startBoth(optimiseGraph(importWritten(importModel, bytes, options)), startWasm, options, tools);
  const why = 'a plan (.kgl) has no graph to compile for the GPU';
  if (options.backend === 'webgpu') throw new KingletError('ERR_USAGE', why, { hint: 'Load the .onnx or .tflite file that it was compiled from.' });
  return modelOf(await startWasm(bytes), null, options, tools, why);
}

/** The same for a graph that was optimised already. */
export function startOnGpu(optimised: Optimised, options: GpuModelOptions, tools = realTools): Promise<Model> {
  return startBoth(optimised, wasmStarter(options), options, tools);
}

async function startBoth(optimised: Optimised, startWasm: WasmStarter, options: GpuModelOptions, tools: GpuTools): Promise<Model> {
  return modelOf(await startWasm(compileGraph(optimised, options.tolerance)), optimised.graph, options, tools);
}

/** See runPicture() of kinglet/webgpu. */
export function runPictureOf(model: Model, picture: GpuPicture, rule: PictureRule): Promise<TensorData[] | null> {
  return onGpu.get(model)?.runPicture(picture, rule) ?? Promise.resolve(null);
}

/** See profileDispatches() of kinglet/webgpu. */
export function profileOf(model: Model): Promise<DispatchTime[] | null> {
  return onGpu.get(model)?.profileGpu() ?? Promise.resolve(null);
}

type WasmStarter = (plan: Uint8Array) => Promise<Backend>;

function wasmStarter(options: GpuModelOptions): WasmStarter {
  const room = roomFor(options);
  const engine = startEngine(options, room);
  return async (plan) => {
    throwIfAborted(options.signal);
    return startBackend(placePlan(plan, room), options, engine);
  };
}

async function modelOf(wasm: Backend, graph: Graph | null, options: GpuModelOptions, tools: GpuTools, refusal?: string): Promise<Model> {
  let owner: Backend = wasm;
  try {
    const backend = owner = await chooseBackend(wasm, graph, options, tools, refusal);
    throwIfAborted(options.signal);
    const model = new Model(backend);
    onGpu.set(model, backend);
    return model;
  } catch (error) {
    owner.release();
    throw error;
  }
}

/** The order of the questions that 'auto' asks: those that cost nothing come first. `graph` is null where `refusal` says why. */
export async function chooseBackend(wasm: Backend, graph: Graph | null, options: GpuModelOptions, tools: GpuTools, refusal?: string): Promise<GpuBackend> {
  const { backend: wanted = 'auto', gpu = gpuHere(), allowF16 = false } = options;
  const auto = wanted !== 'webgpu';
  const openSession = async (): Promise<GpuSession> => {
    const why = wanted === 'wasm' ? 'it was asked for' : refusal;
    if (why !== undefined || graph === null) throw new KingletError('ERR_DEVICE', why ?? 'there is no graph');
    const present = requireGpu(gpu);
    const unfit = auto ? networkRefusal(graph, wasm.stats.macs) : null;
    if (unfit !== null) throw new KingletError('ERR_DEVICE', unfit);
    const device = await openDevice(present, { anyAdapter: !auto, allowF16 }, tools.clock);
    return GpuSession.open(device, (own) => tools.build(graph, own), tools.clock);
  };
  return GpuBackend.start(wasm, { auto, clock: tools.clock, onNotice: options.onNotice, openSession });
}

/** Why a network stays on wasm whatever the GPU; null when it need not. */
function networkRefusal(graph: Graph, macs: number): string | null {
  if (graph.nodes.some(({ outputs }) => outputs.some(({ dtype }) => dtype === 'int8'))) return 'the network is quantised: integers are exact and fast on wasm';
  if (macs < LEAST_MACS) return `the network is small: ${(macs / 1e6).toFixed(1)} of at least ${LEAST_MACS / 1e6} million multiply-accumulates`;
  return null;
}
