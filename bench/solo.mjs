// A lone engine from nothing. Runs in pages, bundled with the engine, and in Node.
// In: a job { model, plan, inputs, entrants, rounds, threads }, the engine's library and adapter. Out: plain data for the report.

import { median, reason, timed } from './timing.mjs';

const arrayOf = { float32: Float32Array, uint8: Uint8Array, int8: Int8Array, int32: Int32Array, int64: BigInt64Array };

/** Time to the first result since the page or process began, then a few more runs for the peak memory. */
export async function solo(job, urls, library, start) {
  const [engine] = job.entrants;
  try {
    const file = urls.open(job.fromPlan ? job.plan : job.model);
    const runner = await start({ library, urls, file, engine, inputs: job.inputs, threads: 1, where: job.where, fromPlan: job.fromPlan, warmup: false });
    // What the numbers are does not matter here, and making them up would be measured too.
    const arrays = job.inputs.map(({ dtype, shape }) => new arrayOf[dtype](shape.reduce((a, b) => a * b, 1)));
    const [output] = await runner.run(arrays);
    const value = Number(output[0]);
    const firstMs = performance.now();
    const samples = [];
    for (let i = 0; i < job.rounds; i++) await timed(runner, arrays, samples);
    return { firstMs, value, ms: median(samples.slice(samples.length >> 1)), runs: samples.length };
  } catch (error) {
    return { failed: reason(error) };
  }
}
