// The backend that has a GPU and wasm: runs go to the GPU while that is right and fast, and everything else to wasm. In: a wasm backend
// with the network, how to open a session of the same network. Out: a Backend whose runs never fail because of a GPU.
// Must not know adapters, graphs or kernels.

import { KingletError } from '../error.ts';
import type { Backend, IoInfo, ModelStats, Peak, StepInfo, TensorData } from '../model.ts';
import { agrees, disagreement } from './agreement.ts';
import type { Clock } from './clock.ts';
import type { DispatchTime, GpuPicture, PictureRule } from './gpu-network.ts';
import type { GpuSession } from './gpu-session.ts';
import { onWasm, prove, timesText, wrong, type Times } from './prove.ts';

/** Runs in a row that take SLOW times the median of the calibration end the GPU's turn: it throttles, or others use it. */
const SLOW = 2;
const SLOW_RUNS = 3;
/** One run in so many is computed on wasm too, and so are the first ones of a new device. */
const CHECK_EVERY = 1000;
const PROBATION = 3;
const REBUILDS = 2;
const REBUILDS_MS = 60_000;

export interface GpuChoice {
  /** True: the GPU has to prove itself, now and later. False: the caller insists on it. */
  readonly auto: boolean;
  readonly clock: Clock;
  readonly onNotice?: ((text: string) => void) | undefined;
  /** A session on a new adapter. Throws KingletError. */
  openSession(): Promise<GpuSession>;
}

export class GpuBackend implements Backend {
  readonly stats: ModelStats;
  readonly #wasm: Backend;
  readonly #choice: GpuChoice;
  #session: GpuSession | null = null;
  #reason = '';
  #times: Times | null = null;
  #running: Promise<unknown> | null = null;
  #released = false;
  /** Inferences that the GPU answered, and how many of the next ones wasm checks. */
  #answers = 0;
  #checks = 0;
  #slowRuns = 0;
  #rebuiltAt: number[] = [];

  private constructor(wasm: Backend, choice: GpuChoice) {
    this.#wasm = wasm;
    this.#choice = choice;
    this.stats = statsOf(wasm, () => ({ session: this.#session, reason: this.#reason, answers: this.#answers }));
  }

  /** Decides. Auto: whatever is the matter with the GPU, the backend is there and says why it is on wasm. Otherwise throws KingletError. */
  static async start(wasm: Backend, choice: GpuChoice): Promise<GpuBackend> {
    const backend = new GpuBackend(wasm, choice);
    let session: GpuSession | null = null;
    try {
      session = await choice.openSession();
      if (choice.auto) backend.#times = await prove(wasm, session, choice.clock);
      backend.#adopt(session, backend.#whyTaken());
    } catch (error) {
      session?.dispose();
      if (!choice.auto) throw error;
      backend.#reason = sentenceOf(error);
    }
    return backend;
  }

  get inputs(): readonly IoInfo[] { return this.#wasm.inputs; }
  get outputs(): readonly IoInfo[] { return this.#wasm.outputs; }
  get inputData(): readonly TensorData[] { return this.#wasm.inputData; }
  get busy(): boolean { return this.#running !== null || this.#wasm.busy === true; }
  runOnce(): readonly TensorData[] { return this.#wasm.runOnce(); }
  steps(): readonly StepInfo[] { return this.#wasm.steps(); }
  traceOnce(visit: (step: StepInfo, data: TensorData) => void): void { this.#wasm.traceOnce(visit); }
  profileOnce(ms: Float64Array): void { this.#wasm.profileOnce(ms); }
  peak(): Promise<Peak> { return this.#wasm.peak(); }

  /** Absent where wasm on the calling thread computes anyway: then nothing waits. */
  get runAsync(): (() => Promise<readonly TensorData[]>) | undefined {
    if (this.#session ?? this.#running) return () => this.#alone(() => this.#run());
    return this.#wasm.runAsync;
  }

  /** Milliseconds of every dispatch of one inference on what the inputs hold; null without a GPU or its clock. */
  profileGpu(): Promise<DispatchTime[] | null> {
    return this.#alone(async () => {
      const session = this.#session;
      if (!session) return null;
      try {
        return await session.profile(this.inputData);
      } catch (error) {
        this.#retire(session, error);
        throw error;
      }
    });
  }

  /** One inference on a picture; null without a GPU, or when it fails. Throws ERR_INPUT, ERR_IMAGE. */
  runPicture(picture: GpuPicture, rule: PictureRule): Promise<TensorData[] | null> {
    return this.#alone(async () => {
      const session = this.#session;
      if (!session) return null;
      try {
        const answer = await session.runPicture(picture, rule);
        this.#answers++;
        return answer;
      } catch (error) {
        if (error instanceof KingletError && error.code !== 'ERR_DEVICE') throw error;
        this.#retire(session, error);
        return null;
      }
    });
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    if (this.#running) return; // then whatever runs does it at its end
    this.#free();
  }

  #free(): void {
    this.#session?.dispose();
    this.#session = null;
    this.#wasm.release();
  }

  /** One after the other: a network has one set of buffers. */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    while (this.#running) await this.#running;
    if (this.#released) throw new KingletError('ERR_DISPOSED', 'the model was disposed');
    const mine = work();
    const over = mine.then(() => undefined, () => undefined);
    this.#running = over;
    try {
      return await mine;
    } finally {
      this.#running = null;
      if (this.#released) this.#free();
    }
  }

  async #run(): Promise<readonly TensorData[]> {
    const session = this.#session;
    if (!session) return copies(await onWasm(this.#wasm));
    const { clock } = this.#choice, started = clock.now(), inputs = this.inputData;
    let answer: TensorData[];
    try {
      answer = await session.run(inputs);
    } catch (error) {
      this.#retire(session, error);
      return copies(await onWasm(this.#wasm));
    }
    // Another model made the memory grow meanwhile: whether the GPU still saw these arrays or empty ones, nobody knows.
    if (inputs !== this.inputData) return copies(await onWasm(this.#wasm));
    const took = clock.now() - started;
    this.#answers++;
    if (!this.#choice.auto || this.#released) return answer;
    if (this.#checks > 0 || this.#answers % CHECK_EVERY === 0) {
      const wanted = await onWasm(this.#wasm);
      const apart = disagreement(wanted, answer);
      if (!agrees(apart, session.half)) {
        this.#demote(wrong(apart, 'in a run that was checked').message);
        return copies(wanted);
      }
      this.#checks = Math.max(0, this.#checks - 1);
    }
    this.#watch(took);
    return answer;
  }

  #watch(took: number): void {
    if (!this.#times || took <= SLOW * this.#times.gpuMs) {
      this.#slowRuns = 0;
      return;
    }
    if (++this.#slowRuns < SLOW_RUNS) return;
    this.#demote(`the GPU became slow: ${SLOW_RUNS} runs in a row took over ${SLOW} times the ${this.#times.gpuMs.toFixed(2)} ms of its calibration`);
  }

  #whyTaken(): string {
    return this.#times ? `the GPU is faster: ${timesText(this.#times)}` : 'it was asked for';
  }

  #adopt(session: GpuSession, reason: string): void {
    this.#session = session;
    this.#reason = reason;
    this.#slowRuns = 0;
    session.onFailure((failure) => { this.#retire(session, failure); });
  }

  /** Wasm for good. */
  #demote(reason: string): void {
    this.#session?.dispose();
    this.#session = null;
    this.#reason = reason;
    this.#choice.onNotice?.(`on wasm from now on: ${reason}`);
  }

  /** A session that failed is over; a new one is tried beside the runs on wasm, but not again and again. */
  #retire(session: GpuSession, error: unknown): void {
    if (this.#session !== session) return; // known already
    const reason = sentenceOf(error), now = this.#choice.clock.now();
    this.#rebuiltAt = this.#rebuiltAt.filter((at) => now - at < REBUILDS_MS);
    if (this.#rebuiltAt.length >= REBUILDS) {
      this.#demote(`${reason} (it was built again ${REBUILDS} times within a minute)`);
      return;
    }
    session.dispose();
    this.#session = null;
    this.#rebuiltAt.push(now);
    this.#reason = `${reason}; it is being built again`;
    this.#choice.onNotice?.(`on wasm for now: ${this.#reason}`);
    if (!this.#released) void this.#rebuild(reason);
  }

  async #rebuild(reason: string): Promise<void> {
    try {
      const session = await this.#choice.openSession();
      if (this.#released) {
        session.dispose();
        return;
      }
      this.#checks = PROBATION;
      this.#adopt(session, `${this.#whyTaken()}; built again after: ${reason}`);
    } catch (error) {
      if (!this.#released) this.#demote(`${reason}; it could not be built again: ${sentenceOf(error)}`);
    }
  }
}

function statsOf(wasm: Backend, now: () => { session: GpuSession | null; reason: string; answers: number }): ModelStats {
  return {
    ...wasm.stats,
    get threads() { return wasm.stats.threads; },
    get backend() { return now().session ? 'webgpu' : 'wasm'; },
    get backendReason() { return now().reason; },
    get gpu() {
      const { session, answers } = now();
      return session ? { ...session.network.facts, answers } : undefined;
    },
  };
}

/** Views of the wasm memory would be valid until the next runSync(), which may come before the caller of run() wakes up. */
function copies(views: readonly TensorData[]): readonly TensorData[] {
  return views.map((data) => data.slice() as TensorData);
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : 'the GPU failed';
}
