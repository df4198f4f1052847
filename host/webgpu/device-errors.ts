// What a device has to say about a piece of work, as typed errors. In: a device, work. Out: its result, or ERR_DEVICE with the reason.
// Must not know networks.

import { KingletError } from '../error.ts';

/** Filled when the device is lost. */
export interface Loss {
  reason: string | null;
}

/** Hears of the device's loss for as long as it lives. */
export function watchLoss(device: GPUDevice): Loss {
  const loss: Loss = { reason: null };
  device.lost.then(({ reason, message }) => { loss.reason = message || reason; }, () => { loss.reason = 'unknown'; });
  return loss;
}

export interface DeviceErrors {
  /** Runs work with validation and memory errors caught. Throws ERR_DEVICE. */
  during<T>(work: () => Promise<T>): Promise<T>;
}

export function deviceErrors(device: GPUDevice, loss: Loss): DeviceErrors {
  return {
    async during(work) {
      if (loss.reason !== null) throw lost(loss.reason);
      for (const filter of ['out-of-memory', 'validation', 'internal'] as const) device.pushErrorScope(filter);
      const [outcome, scopes] = await settle(work, device);
      if (loss.reason !== null) throw lost(loss.reason);
      const error = scopes.find((scope) => scope !== null);
      if (error) throw new KingletError('ERR_DEVICE', `the GPU refused the work: ${error.message}`, { details: { kind: error.constructor.name } });
      if ('value' in outcome) return outcome.value;
      if (outcome.error instanceof KingletError) throw outcome.error;
      throw new KingletError('ERR_DEVICE', `the GPU failed: ${String(outcome.error)}`, { cause: outcome.error });
    },
  };
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

/** The work and its error scopes, whatever becomes of either. Scopes close at the work's first wait: what it submits comes before. */
async function settle<T>(work: () => Promise<T>, device: GPUDevice): Promise<[Outcome<T>, (GPUError | null)[]]> {
  let pending: Promise<T>;
  try {
    pending = work();
  } catch (error) {
    pending = Promise.reject(error instanceof Error ? error : new Error(String(error)));
  }
  const outcome = pending.then((value): Outcome<T> => ({ value }), (error: unknown): Outcome<T> => ({ error }));
  const scopes = [0, 1, 2].map(() => device.popErrorScope().catch(() => null));
  return Promise.all([outcome, Promise.all(scopes)]);
}

function lost(reason: string): KingletError {
  return new KingletError('ERR_DEVICE', `the GPU device was lost: ${reason}`);
}
