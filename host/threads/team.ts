// A team: the workers of one build over one shared memory, which run jobs one after another.
// In: where a plan and its lists lie. Out: a promise per job. Must not know plans. The calling thread never waits.
//
// When a worker dies, the job is rejected at once, the others are told to stop and the team is over; `ended` resolves when nothing of it
// can touch the memory any more.

import {
  CONTROL_ABORT, CONTROL_ARRIVED, CONTROL_AT, CONTROL_BASE, CONTROL_BYTES, CONTROL_FINISHED, CONTROL_JOB, CONTROL_LISTS, CONTROL_PARKED,
  CONTROL_ROUND, CONTROL_SPINS,
} from '../../assembly/abi.ts';
import type { MemoryGroup } from '../backends/memory-group.ts';
import { KingletError } from '../error.ts';
import { spawnWorker, type Spawned } from '../spawn-worker.ts';
import type { WorkerMessage, WorkerStart } from '../kinglet-worker.ts';
import { coresHere } from './choose-threads.ts';

export interface Job {
  readonly base: number;
  /** Address of the table [address, bytes] of every thread's list. */
  readonly lists: number;
}

/** About 2 ms of looking before a thread sleeps at a barrier; where threads share cores they sleep at once. docs/threads.md: why so many. */
const SPINS = 2_000_000;
const START_MS = 10_000;

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: KingletError) => void;
}

export class Team {
  readonly threads: number;
  readonly #control: Int32Array;
  readonly #workers: Spawned[] = [];
  readonly #group: MemoryGroup;
  #turn: Promise<void> = Promise.resolve();
  #job: Waiting | null = null;
  #ready = 0;
  #failure: KingletError | null = null;
  #ended: Promise<void> = Promise.resolve();

  private constructor(group: MemoryGroup, control: number) {
    this.#group = group;
    this.threads = group.threads;
    this.#control = new Int32Array(group.memory.buffer, control, CONTROL_BYTES >> 2);
  }

  /** Starts the workers, whose control words begin at `control`. Throws ERR_WORKER when one of them does not come up. */
  static async start(group: MemoryGroup, module: WebAssembly.Module, control: number): Promise<Team> {
    const team = new Team(group, control);
    Atomics.store(team.#control, CONTROL_SPINS >> 2, team.threads > coresHere() ? 0 : SPINS);
    await team.#spawn(module);
    group.onClose(() => { team.#close(); });
    return team;
  }

  get alive(): boolean { return this.#failure === null; }
  /** Resolves when no worker of a team that is over can touch the memory. */
  get ended(): Promise<void> { return this.#ended; }

  /** Runs a job when those before it are done. Throws ERR_WORKER. */
  run(job: Job): Promise<void> {
    const done = this.#turn.then(() => this.#begin(job));
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #spawn(module: WebAssembly.Module): Promise<void> {
    const name = `kinglet ${Math.random().toString(36).slice(2)} ${performance.now().toString(36)}`;
    const started = new Promise<void>((resolve, reject) => { this.#job = { resolve, reject }; });
    started.catch(() => undefined);
    const late = setTimeout(() => { this.#fail('the workers did not start'); }, START_MS);
    for (let index = 0; index < this.threads && this.alive; index++) {
      const lock = `${name} ${index}`;
      const worker = spawnWorker(lock, {
        message: (data) => { this.#hear(data as WorkerMessage); }, death: (reason) => { this.#fail(`worker ${index} died: ${reason}`); },
      });
      this.#workers.push(worker);
      const start: WorkerStart = { module, memory: this.#group.memory, control: this.#control.byteOffset, index, threads: this.threads, lock };
      worker.post(start);
    }
    if (!this.alive) this.#stopAll();
    try {
      await started;
    } finally {
      clearTimeout(late);
    }
  }

  #begin(job: Job): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    const control = this.#control;
    return new Promise<void>((resolve, reject) => {
      this.#job = { resolve, reject };
      for (const worker of this.#workers) worker.keepAlive(true);
      Atomics.store(control, CONTROL_BASE >> 2, job.base);
      Atomics.store(control, CONTROL_LISTS >> 2, job.lists);
      Atomics.add(control, CONTROL_JOB >> 2, 1);
      Atomics.notify(control, CONTROL_JOB >> 2);
      this.#workers.forEach((worker, index) => {
        if (Atomics.exchange(control, (CONTROL_PARKED >> 2) + index, 0) === 1) worker.post('work');
      });
    });
  }

  #hear(message: WorkerMessage): void {
    if (this.#failure) return;
    if (message === 'ready') {
      if (++this.#ready === this.threads) this.#settle()?.resolve();
    } else if (typeof message === 'object') this.#fail(`a worker failed: ${message.failed}`);
    else if (typeof message === 'number') this.#settle()?.resolve();
  }

  /** Nobody waits any more; the process may end. */
  #settle(): Waiting | null {
    const job = this.#job;
    this.#job = null;
    for (const worker of this.#workers) worker.keepAlive(false);
    return job;
  }

  #fail(reason: string): void {
    if (this.#failure) return;
    this.#failure = new KingletError('ERR_WORKER', reason);
    this.#group.retire();
    this.#settle()?.reject(this.#failure);
    this.#stopAll();
  }

  #close(): void {
    this.#failure ??= new KingletError('ERR_DISPOSED', 'the model was disposed');
    this.#settle()?.reject(this.#failure);
    this.#stopAll();
  }

  /** Wakes who sleeps, so that all see that it is over, and ends them. */
  #stopAll(): void {
    const control = this.#control;
    Atomics.store(control, CONTROL_ABORT >> 2, 1);
    for (const word of [CONTROL_JOB, CONTROL_ROUND, CONTROL_ARRIVED, CONTROL_FINISHED]) Atomics.notify(control, word >> 2);
    this.#ended = Promise.all(this.#workers.map((worker) => worker.stop())).then(() => undefined);
  }
}

/** Teams of different builds run in one memory without knowing of each other. */
const teams = new WeakMap<MemoryGroup, Map<WebAssembly.Module, Promise<Team>>>();

/** The group's team for this build, started by the first model that needs it. Throws ERR_WORKER. */
export function teamOf(group: MemoryGroup, module: WebAssembly.Module): Promise<Team> {
  const known = teams.get(group) ?? new Map<WebAssembly.Module, Promise<Team>>();
  teams.set(group, known);
  const team = known.get(module) ?? Team.start(group, module, CONTROL_AT + known.size * CONTROL_BYTES); // there are two builds
  known.set(module, team);
  return team;
}
