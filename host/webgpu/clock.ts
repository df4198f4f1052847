// Time, for those who choose a backend by it: one way to read it and one to wait, so that tests can hold both.
// Must not know what is timed.

import { KingletError } from '../error.ts';

export interface Clock {
  /** Milliseconds since some moment. */
  now(): number;
  /** Calls `act` once, later. The returned function calls it off. */
  after(ms: number, act: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, act) {
    const timer = setTimeout(act, ms);
    return () => { clearTimeout(timer); };
  },
};

/** What `work` comes to, or ERR_DEVICE after `ms`: a driver may never answer. */
export function inTime<T>(clock: Clock, ms: number, what: string, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const callOff = clock.after(ms, () => { reject(new KingletError('ERR_DEVICE', `${what} took longer than ${ms / 1000} s`)); });
    work.then(resolve, reject).finally(callOff);
  });
}
