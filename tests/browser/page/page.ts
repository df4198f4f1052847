// A page with kinglet, for tests that call it from outside.
// In: jobs from the test. Out: globalThis.kingletPage.

import * as image from '../../../host/image/index.ts';
import * as kinglet from '../../../host/index.ts';
import type { loadPlan } from '../../../host/inline.ts';
import { doGoldenJob, type GoldenAnswer, type GoldenJob } from './golden-job.ts';

/** Where a job is done: here, in a module worker, in a service worker, or here with kinglet/inline as it lies on the server. */
export type Place = 'page' | 'worker' | 'service worker' | 'inline';

export interface KingletPage {
  readonly kinglet: typeof kinglet;
  readonly image: typeof image;
  golden(job: GoldenJob, place?: Place): Promise<GoldenAnswer>;
}
declare global { var kingletPage: KingletPage }

/** Has the receiver do the job and waits for its answer. */
function ask(receiver: Worker | ServiceWorker, job: GoldenJob): Promise<GoldenAnswer> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve, reject) => {
    receiver.addEventListener('error', () => { reject(new Error('the worker failed')); });
    port1.onmessage = ({ data }: MessageEvent<{ answer?: GoldenAnswer; failure?: string }>) => {
      if (data.answer) resolve(data.answer);
      else reject(new Error(data.failure));
    };
    receiver.postMessage(job, [port2]);
  });
}

async function serviceWorker(): Promise<ServiceWorker> {
  await navigator.serviceWorker.register(new URL('./worker.js', import.meta.url), { type: 'module' });
  const { active } = await navigator.serviceWorker.ready;
  if (!active) throw new Error('there is no service worker');
  return active;
}

let worker: Worker | undefined;
async function golden(job: GoldenJob, place: Place = 'page'): Promise<GoldenAnswer> {
  switch (place) {
    case 'page': return doGoldenJob(kinglet.loadModel, job);
    case 'worker': return ask(worker ??= new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }), job);
    case 'service worker': return ask(await serviceWorker(), job);
    case 'inline': {
      const address = '/kinglet/inline.js';
      const inline = await import(address) as { loadPlan: typeof loadPlan };
      return doGoldenJob(inline.loadPlan, job);
    }
  }
}
globalThis.kingletPage = { kinglet, image, golden };
