// The measurements themselves. Runs in pages and in Node.
// In: a job { model, plan, inputs, entrants, rounds, blockMs, threads }. Out: plain data for the report.
// Engines take turns in short blocks within one process, in alternating order, so that a noisy neighbour hits all of them alike.

import { difference, makeInputs } from './inputs.mjs';

const WARM_UP_RUNS = 10;
const WARM_UP_MS = 700;

const starters = {
  kinglet: () => import('./engines/kinglet.mjs'), ort: () => import('./engines/ort.mjs'), litert: () => import('./engines/litert.mjs'),
  tfjs: () => import('./engines/tfjs.mjs'),
};

async function startEngine(job, urls, engine, more = {}) {
  const file = urls.open(more.fromPlan ? job.plan : job.model); // on its way while the code arrives
  file.catch(() => undefined);
  const { start } = await starters[engine.split(' ')[0]]();
  return start({ urls, file, engine, inputs: job.inputs, threads: job.threads ?? 1, where: job.where, ...more });
}

const pause = () => new Promise((resolve) => { setTimeout(resolve, 5); });
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

/** One timed inference: from a filled typed array to readable ones. Nothing is awaited that is not a promise. */
async function timed(runner, arrays, samples) {
  const start = performance.now();
  const result = runner.run(arrays);
  if (typeof result.then === 'function') await result;
  samples.push(performance.now() - start);
}

export async function duel(job, urls) {
  const arrays = makeInputs(job.inputs);
  const entrants = [];
  for (const engine of job.entrants) {
    const entrant = { engine, samples: [], blocks: [], failed: null };
    entrants.push(entrant);
    try {
      entrant.runner = await startEngine(job, urls, engine);
      entrant.first = (await entrant.runner.run(arrays)).map((data) => data.slice());
    } catch (error) {
      entrant.failed = reason(error);
    }
  }
  const alive = entrants.filter((entrant) => entrant.failed === null);
  for (const entrant of alive) {
    const warm = [];
    const start = performance.now();
    while (warm.length < WARM_UP_RUNS || performance.now() - start < WARM_UP_MS) await timed(entrant.runner, arrays, warm);
    entrant.blockRuns = Math.min(2000, Math.max(2, Math.ceil(job.blockMs / median(warm.slice(warm.length >> 1)))));
  }
  const ours = alive.filter((entrant) => entrant.runner.peak);
  for (let round = 0; round < job.rounds; round++) {
    for (const entrant of round % 2 === 0 ? alive : [...alive].reverse()) {
      await pause();
      const block = [];
      for (let i = 0; i < entrant.blockRuns; i++) await timed(entrant.runner, arrays, block);
      entrant.samples.push(...block);
      entrant.blocks.push(median(block));
    }
    if (round % 4 === 0) for (const entrant of ours) entrant.peak = better(entrant.peak, entrant.runner.peak());
  }
  const first = alive[0];
  return {
    engine: job.where === 'node' ? `Node ${process.versions.node}, V8 ${process.versions.v8}` : navigator.userAgent.match(/Chrome\/\S+/)?.[0],
    entrants: entrants.map(({ engine, runner, samples, blocks, failed, peak, first: output }) => failed !== null ? { engine, failed } : {
      engine, ms: median(samples), blocks, runs: samples.length, p90: [...samples].sort((a, b) => a - b)[Math.floor(samples.length * 0.9)],
      macs: runner.macs, peak, detail: runner.detail, layers: job.where === 'node' && engine === 'kinglet relaxed' ? runner.layers() : undefined,
      differs: runner.otherWeights ? null : difference(first.first, output),
    }),
  };
}

const better = (a, b) => (a && a.gflops > b.gflops ? a : b);
const reason = (error) => String(error?.message ?? error).replace(/\s+/g, ' ').replaceAll('|', '/').slice(0, 200);

/** A lone engine: time from nothing to the first result (since the page or process began), then a few more runs for the peak memory. */
export async function solo(job, urls) {
  if (job.entrants[0] === 'nothing') return { firstMs: performance.now() };
  const arrays = makeInputs(job.inputs);
  try {
    const runner = await startEngine(job, urls, job.entrants[0], { fromPlan: job.fromPlan, warmup: false });
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
