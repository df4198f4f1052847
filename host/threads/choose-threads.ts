// How many threads a model may get here. In: what was asked for. Out: a count, and why it is not more.
// Must not start anything; reads the environment only when it is called.

import { MAX_THREADS } from '../../assembly/abi.ts';
import { KingletError } from '../error.ts';
import { inNode } from '../open-url.ts';

export type ThreadChoice = 'auto' | number;

/** More threads than this gain nothing: the slowest core decides, and every barrier waits for it. */
const AUTO_THREADS = 4;
/** Below this many multiply-accumulates `auto` keeps one thread: docs/threads.md has the measurement. */
export const AUTO_MACS = 10e6;

export interface ThreadsHere {
  readonly threads: number;
  /** What to tell whoever asked for more. */
  readonly notice?: string;
}

/** At most MAX_THREADS; 1 where nobody asked for more. Throws ERR_USAGE. */
export function chooseThreads(choice: ThreadChoice | undefined): ThreadsHere {
  if (choice === undefined || choice === 1) return { threads: 1 };
  if (choice !== 'auto' && !(Number.isSafeInteger(choice) && choice > 1)) throw new KingletError('ERR_USAGE', 'threads is "auto" or a whole number from 1 on');
  const missing = whatIsMissing();
  if (missing !== null) return { threads: 1, notice: `one thread: ${missing}` };
  const cores = coresHere();
  if (choice === 'auto') return cores > 1 ? { threads: Math.min(cores, AUTO_THREADS) } : { threads: 1, notice: 'one thread: this machine has one core' };
  return { threads: Math.min(choice, MAX_THREADS) };
}

function whatIsMissing(): string | null {
  if (inNode()) return null;
  if (typeof SharedArrayBuffer === 'undefined' || !globalThis.crossOriginIsolated) {
    return 'the page is not cross-origin isolated; serve it with COOP: same-origin and COEP: require-corp';
  }
  return typeof Worker === 'undefined' ? 'workers cannot be started from here' : null;
}

/** Cores that this process may use. */
export function coresHere(): number {
  if (inNode()) return process.getBuiltinModule('node:os').availableParallelism();
  return navigator.hardwareConcurrency || 1;
}
