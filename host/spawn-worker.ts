// Starts a worker beside this file, in Node or in a browser. In: who is told of messages and of its end. Out: how to reach it.
// Bundlers see the literal `new Worker(new URL(…))`. Must not know what the worker does.

import { inNode } from './open-url.ts';

export interface Spawned {
  post(message: unknown): void;
  /** Whether the process waits for it (Node). */
  keepAlive(on: boolean): void;
  /** Ends it; resolves when it is known to have ended, or after a few seconds where the platform does not tell. */
  stop(): Promise<void>;
}
export interface Listener {
  message(data: unknown): void;
  /** Called once, when it ended or failed by itself. */
  death(reason: string): void;
}

/** `lock`: a name that the worker holds as a web lock while it lives. */
export function spawnWorker(lock: string, listener: Listener): Spawned {
  return inNode() ? spawnInNode(listener) : spawnInPage(lock, listener);
}

function once(death: (reason: string) => void): (reason: string) => void {
  let told = false;
  return (reason) => {
    if (!told) death(reason);
    told = true;
  };
}

function spawnInNode(listener: Listener): Spawned {
  const { Worker: NodeWorker } = process.getBuiltinModule('node:worker_threads');
  const worker = new NodeWorker(new URL('./kinglet-worker.js', import.meta.url));
  const death = once((reason) => { listener.death(reason); });
  worker.on('message', (data: unknown) => { listener.message(data); });
  worker.on('error', (error) => { death(error.message); });
  worker.on('exit', () => { death('it ended'); });
  return {
    post: (message) => { worker.postMessage(message); },
    keepAlive: (on) => { if (on) worker.ref(); else worker.unref(); },
    stop: async () => {
      worker.ref(); // who waits for its end must not be left waiting
      await worker.terminate();
    },
  };
}

/** Longer than Chromium lets a worker go on that was told to end. */
const END_MS = 2500;

function spawnInPage(lock: string, listener: Listener): Spawned {
  const worker = new Worker(new URL('./kinglet-worker.js', import.meta.url), { type: 'module' });
  const watch = new AbortController();
  const ended = new Promise<void>((resolve) => {
    const death = once((reason) => { listener.death(reason); });
    worker.onerror = (event) => { event.preventDefault(); death(event.message || 'kinglet-worker.js did not load; it needs the header Cross-Origin-Embedder-Policy too'); };
    worker.onmessageerror = () => { death('a message could not be read'); };
    // Nobody is told that a worker was terminated, but its lock becomes free.
    const follow = (): void => {
      if (!('locks' in navigator)) return;
      navigator.locks.request(lock, { signal: watch.signal }, () => { death('it ended'); resolve(); }).catch(() => undefined);
    };
    worker.onmessage = ({ data }) => {
      if (data === 'ready') follow();
      listener.message(data);
    };
  });
  return {
    post: (message) => { worker.postMessage(message); },
    keepAlive: () => undefined,
    stop: async () => {
      worker.terminate();
      await Promise.race([ended, new Promise((resolve) => { setTimeout(resolve, END_MS); })]);
      watch.abort();
    },
  };
}
