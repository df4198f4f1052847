// Engines side by side. Runs in pages and in Node.
// In: a job { model, plan, inputs, entrants, rounds, blockMs, threads }. Out: plain data for the report.
// Engines take turns in short blocks within one process, in alternating order, so that a noisy neighbour hits all of them alike.

import { difference, makeInputs } from './inputs.mjs';
import { median, reason, timed } from './timing.mjs';

const WARM_UP_RUNS = 10;
const WARM_UP_MS = 700;

const starters = {
  kinglet: () => import('./engines/kinglet.mjs'), ort: () => import('./engines/ort.mjs'), litert: () => import('./engines/litert.mjs'),
  tfjs: () => import('./engines/tfjs.mjs'), 'kinglet-webgpu': () => import('./engines/kinglet-webgpu.mjs'),
};

/** An engine's adapter and its library, loaded while the model is on its way. */
export async function startEngine(job, urls, engine) {
  const file = urls.open(job.model);
  file.catch(() => undefined);
  const { libraryOf, start } = await starters[engine.split(' ')[0]]();
  const library = await import(libraryOf({ urls, where: job.where }));
  return start({ library, urls, file, engine, inputs: job.inputs, threads: job.threads ?? 1, where: job.where });
}

const pause = () => new Promise((resolve) => { setTimeout(resolve, 5); });

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
    if (round % 4 === 0) for (const entrant of ours) entrant.peak = better(entrant.peak, await entrant.runner.peak());
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
