// The public Model and what every backend shares: input checks, the queue of runs, abort and dispose.
// In: a backend that can run once. Out: the API of product docs. Must not know plans, graphs or wasm.

import { KingletError, quote } from './error.ts';
import type { IoInfo, StepRecord } from './plan/decode.ts';
import { arrays, elementCount, type TensorData } from './dtype.ts';

export type { IoInfo } from './plan/decode.ts';
/** One step as `inspect` shows it. */
export type StepInfo = Pick<StepRecord, 'index' | 'kernel' | 'op' | 'name' | 'dtype' | 'shape' | 'macs' | 'params' | 'complete'>;

export interface ModelStats {
  /** Multiply-accumulates of one inference. */
  readonly macs: number;
  readonly params: number;
  readonly weightBytes: number;
  readonly arenaBytes: number;
  /** Largest sum of tensors alive at once: the least any arena can be. */
  readonly liveBytes: number;
  readonly steps: number;
  /** Channel shuffles recognised in the source graph. */
  readonly shuffles: number;
  readonly kernels: 'simd128' | 'relaxed' | 'reference';
  /** How int8 dot products are computed here. */
  readonly dot: 'i16' | 'u8s8' | 's8s8' | 'reference';
  /** Threads that run() uses: 1 after a worker died. */
  readonly threads: number;
  /** What run() computes on now. */
  readonly backend: 'wasm' | 'webgpu' | 'reference';
  /** Why, where kinglet/webgpu decided; it may change when a GPU fails. */
  readonly backendReason?: string;
  /** Of one inference and of the whole network on the GPU, while it is there. */
  readonly gpu?: GpuStats | undefined;
}
export interface GpuStats {
  readonly dispatches: number;
  readonly pipelines: number;
  readonly bindGroups: number;
  readonly buffers: number;
  /** Inferences that the GPU has answered. */
  readonly answers: number;
}
export interface Peak {
  /** 1e9 operations a second (2 per multiply-accumulate), measured now with operands in registers only. */
  readonly gflops: number;
  readonly kind: 'float32' | 'int8';
}
/** Inputs by name, by position, or the only one. */
export type Inputs = Readonly<Record<string, TensorData>> | readonly TensorData[] | TensorData;

export type { TensorData } from './dtype.ts';

/** What a backend provides; `Model` adds the rest. */
export interface Backend {
  readonly inputs: readonly IoInfo[];
  readonly outputs: readonly IoInfo[];
  readonly stats: ModelStats;
  /** Live arrays, one per input; those of wasm are new ones after its memory grew. */
  readonly inputData: readonly TensorData[];
  /** Whether a run on other threads is under way. */
  readonly busy?: boolean;
  /** Runs once on inputData, on the calling thread; returns arrays that stay valid until the next run. */
  runOnce(): readonly TensorData[];
  /** The same on all threads of a model that has some. Throws ERR_WORKER. */
  runAsync?: (() => Promise<readonly TensorData[]>) | undefined;
  steps(): readonly StepInfo[];
  /** Runs step by step; `visit` gets a dense copy of every tensor that is complete. */
  traceOnce(visit: (step: StepInfo, data: TensorData) => void): void;
  /** Runs once, step by step, and adds each step's milliseconds to `ms`. */
  profileOnce(ms: Float64Array): void;
  peak(): Promise<Peak>;
  release(): void;
}

/** A loaded network. Obtained from loadModel() or loadPlan(). */
export class Model {
  readonly inputs: readonly IoInfo[];
  readonly outputs: readonly IoInfo[];
  readonly stats: ModelStats;
  #backend: Backend | null;
  /** Views that input() gave out. */
  readonly #given = new Map<number, TensorData>();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(backend: Backend) {
    const strip = ({ name, dtype, shape, layout, quantization }: IoInfo): IoInfo => ({ name, dtype, shape, layout, quantization });
    this.inputs = backend.inputs.map(strip);
    this.outputs = backend.outputs.map(strip);
    this.stats = backend.stats;
    this.#backend = backend;
  }

  /**
   * One inference; concurrent calls are queued. Resolves to copies, one typed array per output in the model's own dtype. A model with
   * threads computes on its workers, and the calling thread stays free. What input(i) returned may be given too and is not copied.
   * Throws ERR_INPUT (name, dtype or length do not fit), ERR_ABORTED, ERR_DISPOSED, ERR_WORKER (a worker died; later runs use one thread).
   */
  run(inputs: Inputs, options: { signal?: AbortSignal } = {}): Promise<TensorData[]> {
    const job = this.#queue.then(async () => {
      if (options.signal?.aborted) throw new KingletError('ERR_ABORTED', 'the run was aborted before it started', { cause: options.signal.reason });
      const backend = this.#idle();
      this.#setInputs(backend, inputs);
      const outputs = backend.runAsync ? await backend.runAsync() : backend.runOnce();
      this.#use();
      return outputs.map((data) => data.slice() as TensorData);
    });
    this.#queue = job.catch(() => undefined);
    return job;
  }

  /**
   * One inference now, on the calling thread alone. Returns views that stay valid until the next run, and until a model is loaded.
   * Without `inputs`, on what input(i) holds. Throws ERR_INPUT, ERR_DISPOSED, ERR_BUSY while a run() on threads is under way.
   */
  runSync(inputs?: Inputs): readonly TensorData[] {
    const backend = this.#idle();
    if (inputs !== undefined) this.#setInputs(backend, inputs);
    else this.#checkGiven();
    return backend.runOnce();
  }

  /**
   * The live array of input i: write into it, then runSync(). Valid until dispose(), and until a model is loaded: loading may move the
   * memory, and runSync() then throws ERR_INPUT until input(i) is called again. Throws ERR_INPUT for a wrong index.
   */
  input(index: number): TensorData {
    const data = this.#use().inputData[index];
    if (!data) throw new KingletError('ERR_INPUT', `there is no input ${index}; the model has ${this.inputs.length}`);
    this.#given.set(index, data);
    return data;
  }

  /** The plan's steps in order. */
  steps(): readonly StepInfo[] {
    return this.#use().steps();
  }

  /** One inference step by step; `visit` gets every tensor as a dense copy as soon as it is complete. */
  trace(inputs: Inputs, visit: (step: StepInfo, data: TensorData) => void): void {
    const backend = this.#idle();
    this.#setInputs(backend, inputs);
    backend.traceOnce(visit);
  }

  /** Median milliseconds of every step over `runs` inferences on what the inputs hold. Timers round: use enough runs. */
  profile(runs: number): Float64Array {
    const backend = this.#idle();
    const count = backend.steps().length;
    const all = Array.from({ length: runs }, () => {
      const ms = new Float64Array(count);
      backend.profileOnce(ms);
      return ms;
    });
    return Float64Array.from({ length: count }, (_, i) => all.map((ms) => ms[i]).sort((a, b) => a - b)[runs >> 1] ?? 0);
  }

  /** Measures the peak that this model's kernels could reach on this machine, with operands in registers only. */
  async peak(): Promise<Peak> {
    return this.#use().peak();
  }

  /** Frees the model's memory. Later calls throw ERR_DISPOSED; a second dispose does nothing. */
  dispose(): void {
    this.#backend?.release();
    this.#backend = null;
  }
  [Symbol.dispose](): void {
    this.dispose();
  }

  #use(): Backend {
    if (!this.#backend) throw new KingletError('ERR_DISPOSED', 'the model was disposed');
    return this.#backend;
  }

  /** The backend, which nothing else runs on. */
  #idle(): Backend {
    const backend = this.#use();
    if (backend.busy) throw new KingletError('ERR_BUSY', 'the model is running on its threads');
    return backend;
  }

  /** What was written into a view that a later load detached is lost. */
  #checkGiven(): void {
    for (const [index, data] of this.#given) {
      if (data.length !== elementCount(this.inputs[index].shape)) {
        throw new KingletError('ERR_INPUT', `the array of input ${index} was detached when a model was loaded`, { hint: 'Call input(i) again after loading a model.' });
      }
    }
  }

  #setInputs(backend: Backend, inputs: Inputs): void {
    const list = positional(inputs, this.inputs);
    if (list.length !== this.inputs.length) {
      throw new KingletError('ERR_INPUT', `${list.length} inputs were given, the model has ${this.inputs.length}: ${names(this.inputs)}`);
    }
    this.inputs.forEach((info, i) => { checkInput(info, list[i]); });
    list.forEach((data, i) => {
      const own = backend.inputData[i] as Float32Array;
      if (data !== own) own.set(data as Float32Array);
    });
  }
}

function names(inputs: readonly IoInfo[]): string {
  return inputs.map((i) => quote(i.name)).join(', ');
}

function positional(inputs: Inputs, infos: readonly IoInfo[]): readonly TensorData[] {
  if (ArrayBuffer.isView(inputs)) return [inputs];
  if (Array.isArray(inputs)) return inputs as readonly TensorData[];
  if (typeof inputs !== 'object' || (inputs as unknown) === null) throw new KingletError('ERR_INPUT', 'inputs must be typed arrays');
  const given = new Map(Object.entries(inputs as Record<string, TensorData>));
  const known = new Set(infos.map((info) => info.name));
  for (const name of given.keys()) {
    if (!known.has(name)) throw new KingletError('ERR_INPUT', `the model has no input ${quote(name)}; its inputs are ${names(infos)}`);
  }
  return infos.map((info) => {
    const data = given.get(info.name);
    if (!data) throw new KingletError('ERR_INPUT', `input ${quote(info.name)} is missing`);
    return data;
  });
}

function checkInput(info: IoInfo, data: unknown): void {
  const elements = elementCount(info.shape);
  const wanted = arrays[info.dtype]; // by name too: arrays of another window; a Buffer is a Uint8Array
  const want = `${info.dtype} [${info.shape.join(', ')}] as ${wanted.name} of ${elements} elements`;
  const got = ArrayBuffer.isView(data) ? `${data.constructor.name} of ${(data as unknown as { length?: number }).length ?? 0} elements` : typeof data;
  const clamped = info.dtype === 'uint8' && data instanceof Uint8ClampedArray;
  const fits = ArrayBuffer.isView(data) && (data instanceof wanted || data.constructor.name === wanted.name || clamped)
    && (data as TensorData).length === elements;
  if (!fits && ArrayBuffer.isView(data) && elements > 0 && data.buffer.byteLength === 0) {
    throw new KingletError('ERR_INPUT', `the array for input ${quote(info.name)} is detached`, { hint: 'Arrays of input(i) and runSync() are valid until the next load; call input(i) again.' });
  }
  if (!fits) throw new KingletError('ERR_INPUT', `input ${quote(info.name)} wants ${want}, not ${got}`);
}
