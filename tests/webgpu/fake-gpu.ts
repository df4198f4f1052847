// A GPU, its adapters and devices, and a clock, all of which do what a test says. In: troubles. Out: what chooseBackend() takes, and logs.
// The network is y = 2x, on the pretended wasm and on the pretended GPU alike.

import { KingletError } from '../../host/error.ts';
import type { Graph } from '../../host/graph/graph.ts';
import type { Backend, IoInfo, TensorData } from '../../host/model.ts';
import type { Clock } from '../../host/webgpu/clock.ts';
import type { AdapterWords } from '../../host/webgpu/denied-drivers.ts';
import type { GpuNetwork, DispatchTime } from '../../host/webgpu/gpu-network.ts';
import type { GpuTools } from '../../host/webgpu/load-on-gpu.ts';

/** Time that passes only when somebody says so. */
export class FakeClock implements Clock {
  #now = 1000;
  #timers: { at: number; act: () => void }[] = [];
  now(): number { return this.#now; }
  after(ms: number, act: () => void): () => void {
    const timer = { at: this.#now + ms, act };
    this.#timers.push(timer);
    return () => { this.#timers = this.#timers.filter((other) => other !== timer); };
  }
  pass(ms: number): void {
    this.#now += ms;
    for (const timer of this.#timers.filter(({ at }) => at <= this.#now)) {
      this.#timers = this.#timers.filter((other) => other !== timer);
      timer.act();
    }
  }
  get waiting(): number { return this.#timers.length; }
}

/** Lets everything happen that waits for no timer. */
export const settled = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

const io: IoInfo = { name: 'x', dtype: 'float32', shape: [1, 4], layout: null, quantization: null };
export const emptyGraph: Graph = { inputs: [], outputs: [], nodes: [] };

export interface FakeWasm extends Backend { runs: number; released: number; ms: number; busy: boolean }
/** y = 2x in `ms` of the clock. */
export function fakeWasm(clock: FakeClock, macs = 300e6): FakeWasm {
  const x = new Float32Array(4), y = new Float32Array(4);
  return {
    inputs: [io], outputs: [{ ...io, name: 'y' }], inputData: [x], runs: 0, released: 0, ms: 10, busy: false,
    stats: { macs, params: 0, weightBytes: 0, arenaBytes: 0, liveBytes: 0, steps: 1, shuffles: 0, kernels: 'simd128', dot: 'i16', threads: 1, backend: 'wasm' },
    runOnce() {
      this.runs++;
      clock.pass(this.ms);
      x.forEach((value, i) => { y[i] = 2 * value; });
      return [y];
    },
    steps: () => [], traceOnce: () => undefined, profileOnce: () => undefined, peak: () => Promise.reject(new Error('none')),
    release() { this.released++; },
  };
}

/** What goes wrong, and how long things take; a test changes it between runs. */
export interface Troubles {
  info: AdapterWords;
  adapters: (() => Promise<GPUAdapter | null>) | null;
  device: (() => Promise<GPUDevice>) | null;
  build: ((device: FakeDevice) => Promise<void>) | null;
  /** Called within a run; may throw, lose the device, or never settle. */
  run: ((device: FakeDevice, count: number) => Promise<void> | undefined) | null;
  /** Factor of a wrong answer; 2 is right. */
  factor: (count: number) => number;
  gpuMs: number;
  features: readonly string[];
  /** Language features of its shaders. */
  wgsl: readonly string[];
}

export class FakeDevice extends EventTarget {
  readonly lost: Promise<GPUDeviceLostInfo>;
  destroyed = 0;
  readonly features: ReadonlySet<string>;
  #lose: (info: GPUDeviceLostInfo) => void = () => undefined;
  constructor(features: Iterable<string>) {
    super();
    this.features = new Set(features);
    this.lost = new Promise((resolve) => { this.#lose = resolve; });
  }
  lose(message = 'the driver crashed'): void { this.#lose({ reason: 'unknown', message }); }
  report(message: string): void { this.dispatchEvent(Object.assign(new Event('uncapturederror', { cancelable: true }), { error: { message } })); }
  destroy(): void {
    this.destroyed++;
    this.#lose({ reason: 'destroyed', message: 'destroyed' });
  }
}

export class FakeGpu {
  readonly troubles: Troubles = {
    info: { vendor: 'nvidia', architecture: 'ampere', device: '', description: '' }, adapters: null, device: null, build: null, run: null,
    factor: () => 2, gpuMs: 4, features: [], wgsl: [],
  };
  readonly clock = new FakeClock();
  readonly devices: FakeDevice[] = [];
  readonly asked: string[] = [];
  runs = 0;

  get gpu(): GPU {
    return { requestAdapter: () => this.#adapter(), wgslLanguageFeatures: new Set(this.troubles.wgsl) } as unknown as GPU;
  }
  get last(): FakeDevice {
    const device = this.devices.at(-1);
    if (!device) throw new Error('there is no device');
    return device;
  }
  readonly tools: GpuTools = { clock: this.clock, build: (_, device) => this.#build(device as unknown as FakeDevice) };

  #adapter(): Promise<GPUAdapter | null> {
    this.asked.push('adapter');
    if (this.troubles.adapters) return this.troubles.adapters();
    const requestDevice = (wishes: GPUDeviceDescriptor): Promise<GPUDevice> => {
      this.asked.push(`device ${[...wishes.requiredFeatures ?? []].join()}`);
      if (this.troubles.device) return this.troubles.device();
      this.devices.push(new FakeDevice(wishes.requiredFeatures ?? []));
      return Promise.resolve(this.last as unknown as GPUDevice);
    };
    return Promise.resolve({ info: this.troubles.info, features: new Set(this.troubles.features), requestDevice } as unknown as GPUAdapter);
  }

  async #build(device: FakeDevice): Promise<GpuNetwork> {
    this.asked.push('build');
    await this.troubles.build?.(device);
    const run = async (inputs: readonly TensorData[]): Promise<TensorData[]> => {
      const x = inputs[0].slice() as Float32Array, count = ++this.runs;
      await this.troubles.run?.(device, count);
      this.clock.pass(this.troubles.gpuMs);
      return [x.map((value) => this.troubles.factor(count) * value)];
    };
    const runPicture: GpuNetwork['runPicture'] = (_, { region }) => {
      if (region.width < 1) throw new KingletError('ERR_INPUT', 'another size');
      return run([Float32Array.of(1, 2, 3, 4)]);
    };
    const profile = (): Promise<DispatchTime[] | null> => Promise.resolve([{ kernel: 'double', op: 'binary', name: 'y', ms: 1 }]);
    return { facts: { dispatches: 1, pipelines: 1, bindGroups: 1, buffers: 3 }, run, runPicture, profile, dispose: () => { this.asked.push('dispose'); } };
  }
}
