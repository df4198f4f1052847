// One device with one network on it, for as long as both live. In: a device, what builds the network. Out: runs that always settle.
// A session ends once: by dispose(), or by its first failure, whichever way that shows. Must not know what happens afterwards.

import type { TensorData } from '../dtype.ts';
import { KingletError } from '../error.ts';
import { inTime, type Clock } from './clock.ts';
import type { GpuNetwork, GpuPicture, PictureRule } from './gpu-network.ts';

/** Compiling every pipeline of a large network on a slow driver. */
const BUILD_MS = 60_000;
/** Browsers end a GPU process that hangs after about ten seconds; a software adapter needs a few for a large network. */
const RUN_MS = 30_000;

export type BuildNetwork = (device: GPUDevice) => Promise<GpuNetwork>;

export class GpuSession {
  readonly network: GpuNetwork;
  readonly #device: GPUDevice;
  readonly #clock: Clock;
  #failure: KingletError | null;
  #disposed = false;
  /** Rejects what is under way. A list of listeners on `device.lost` would grow by one each run. */
  #abort: ((failure: KingletError) => void) | null = null;
  #onFailure: ((failure: KingletError) => void) | null = null;

  /** Throws what building throws, and ERR_DEVICE for a device that is lost meanwhile or answers too late; then the device is gone. */
  static async open(device: GPUDevice, build: BuildNetwork, clock: Clock): Promise<GpuSession> {
    let failure: KingletError | null = null, tell = (error: KingletError): void => { failure ??= error; };
    void device.lost.then(({ message }) => { tell(lossOf(message)); });
    device.addEventListener('uncapturederror', (event) => {
      event.preventDefault(); // it is not lost in the console: it becomes the reason
      tell(new KingletError('ERR_DEVICE', `the GPU reported an error: ${event.error.message.slice(0, 200)}`));
    });
    try {
      const early = new Promise<never>((_, reject) => { tell = (error) => { failure ??= error; reject(error); }; });
      const network = await inTime(clock, BUILD_MS, 'compiling for the GPU', Promise.race([build(device), early]));
      const session = new GpuSession(device, network, clock, failure);
      tell = (error) => { session.#fail(error); };
      return session;
    } catch (error) {
      device.destroy();
      throw error;
    }
  }

  private constructor(device: GPUDevice, network: GpuNetwork, clock: Clock, failure: KingletError | null) {
    this.network = network;
    this.#device = device;
    this.#clock = clock;
    this.#failure = failure;
  }

  /** Whether weights may be in half precision: devices have shader-f16 only where the caller allowed it (open-device.ts). */
  get half(): boolean {
    return this.#device.features.has('shader-f16');
  }

  /** Calls `tell` at most once, when the session fails while nothing or something runs; not after dispose(). */
  onFailure(tell: (failure: KingletError) => void): void {
    if (this.#failure) tell(this.#failure);
    else this.#onFailure = tell;
  }

  /** One inference. Rejects with ERR_DEVICE, in any case within RUN_MS. One at a time. */
  run(inputs: readonly TensorData[]): Promise<TensorData[]> {
    return this.#guarded(() => this.network.run(inputs));
  }

  /** See GpuNetwork.runPicture(); what is wrong with the picture is no failure of the session. */
  runPicture(picture: GpuPicture, rule: PictureRule): Promise<TensorData[]> {
    return this.#guarded(() => this.network.runPicture(picture, rule));
  }

  /** See GpuNetwork.profile(). */
  profile(inputs: readonly TensorData[]): ReturnType<GpuNetwork['profile']> {
    return this.#guarded(() => this.network.profile(inputs));
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#onFailure = null;
    this.network.dispose();
    this.#device.destroy();
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    if (this.#failure) throw this.#failure;
    const aborted = new Promise<never>((_, reject) => { this.#abort = reject; });
    try {
      return await inTime(this.#clock, RUN_MS, 'an inference on the GPU', Promise.race([work(), aborted]));
    } catch (error) {
      if (error instanceof KingletError && error.code !== 'ERR_DEVICE') throw error;
      const failure = this.#failure ?? asFailure(error);
      this.#fail(failure);
      throw failure;
    } finally {
      this.#abort = null;
    }
  }

  #fail(failure: KingletError): void {
    if (this.#failure || this.#disposed) return;
    this.#failure = failure;
    this.#abort?.(failure);
    this.#onFailure?.(failure);
    this.#onFailure = null;
  }
}

function lossOf(message: string): KingletError {
  return new KingletError('ERR_DEVICE', `the GPU device was lost${message ? `: ${message.slice(0, 200)}` : ''}`);
}

function asFailure(error: unknown): KingletError {
  if (error instanceof KingletError) return error;
  return new KingletError('ERR_DEVICE', `the GPU failed: ${error instanceof Error ? error.message.slice(0, 200) : 'no reason'}`, { cause: error });
}
