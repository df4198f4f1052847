// The page's end of a worker: questions with a time limit, and an end for a worker that does not answer.
// In: calls of calls.ts. Out: promises of their answers. Must not know what the calls mean.

import type { CallName, Calls, Question, Reply, Trouble } from './calls.ts';

/** What the page shows when something fails: a sentence and what to do. */
export class Refusal extends Error {
  readonly trouble: Trouble;
  constructor(trouble: Trouble) {
    super(trouble.sentence);
    this.name = 'Refusal';
    this.trouble = trouble;
  }
}

interface Waiting {
  readonly resolve: (comes: unknown) => void;
  readonly reject: (reason: Refusal) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

export class WorkerLine {
  #worker: Worker | null = null;
  #count = 0;
  readonly #waiting = new Map<number, Waiting>();

  /** Asks; a worker that takes longer than `limitMs` is ended, with everything it was asked. Rejects with a Refusal. */
  ask<Name extends CallName>(call: Name, goes: Calls[Name]['goes'], limitMs: number, transfer: Transferable[] = []): Promise<Calls[Name]['comes']> {
    const worker = this.#start();
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.end({ code: 'ERR_LIMIT', sentence: `this took longer than ${limitMs / 1000} seconds and was stopped`, hint: 'Use a smaller network or picture.' });
      }, limitMs);
      this.#waiting.set(id, { resolve: resolve as (comes: unknown) => void, reject, timer });
      worker.postMessage({ id, call, goes } satisfies Question<Name>, transfer);
    });
  }

  /** Ends the worker now; what was asked and not answered is rejected with `why`. The next question starts a fresh one. */
  end(why: Trouble = { code: 'ERR_ABORTED', sentence: 'this was stopped', hint: '' }): void {
    this.#worker?.terminate();
    this.#worker = null;
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(new Refusal(why));
    }
    this.#waiting.clear();
  }

  #start(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(new URL('./network-worker.js', import.meta.url), { type: 'module' });
    worker.addEventListener('message', ({ data }: MessageEvent<Reply>) => { this.#settle(data); });
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      this.end({ code: 'ERR_INTERNAL', sentence: event.message || 'the worker could not start', hint: 'Reload the page; a browser of 2023 or later is needed.' });
    });
    this.#worker = worker;
    return worker;
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    if (!waiting) return;
    this.#waiting.delete(reply.id);
    clearTimeout(waiting.timer);
    if ('trouble' in reply) waiting.reject(new Refusal(reply.trouble));
    else waiting.resolve(reply.comes);
  }
}

export function troubleOf(error: unknown): Trouble {
  if (error instanceof Refusal) return error.trouble;
  return { code: 'ERR_INTERNAL', sentence: error instanceof Error ? error.message : 'something unknown went wrong', hint: '' };
}
