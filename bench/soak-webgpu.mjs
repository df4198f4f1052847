// A soak on a GPU: many inferences of one network in one page, counting what the device is asked to create.
// In: a job { model, inputs, runs }. Out: counts by name before and after, seconds, whether the last answer is the first. Runs in pages.

import { makeInputs } from './inputs.mjs';
import { libraryOf, start } from './engines/kinglet-webgpu.mjs';

/** Per-run objects that every submit needs and that own no GPU memory. */
const PER_RUN = new Set(['createCommandEncoder']);

export async function soakWebgpu(job, urls) {
  const counts = {};
  for (const name of Object.getOwnPropertyNames(GPUDevice.prototype).filter((n) => n.startsWith('create') && !PER_RUN.has(n))) {
    const own = GPUDevice.prototype[name];
    GPUDevice.prototype[name] = function (...words) {
      counts[name] = (counts[name] ?? 0) + 1;
      return own.apply(this, words);
    };
  }
  const library = await import(libraryOf({ urls }));
  const runner = await start({ library, file: urls.open(job.model) });
  const arrays = makeInputs(job.inputs);
  const first = String((await runner.run(arrays))[0]);
  const before = { ...counts }, started = performance.now();
  for (let i = 0; i < job.runs; i++) await runner.run(arrays);
  const seconds = (performance.now() - started) / 1000;
  const same = String((await runner.run(arrays))[0]) === first;
  runner.stop();
  return { runs: job.runs, seconds, before, after: { ...counts }, same };
}
