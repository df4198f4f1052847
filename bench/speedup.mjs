// What a second thread brings: kinglet with one and with two threads, a rival with two, and the register-only peak with one and with two.
// Runs in isolated pages and in Node. In: a job { model, inputs, engine, rivals, rounds, blockMs, int8 }. Out: plain data for the report.
// Everything takes turns in one window after another: a window in which the machine had no second core to give shows it in the peak.

import { startEngine } from './duel.mjs';
import { makeInputs } from './inputs.mjs';
import { median, reason, timed } from './timing.mjs';

const WARM_UP_MS = 700;
const PEAK_MS = 25;

export async function speedup(job, urls) {
  const arrays = makeInputs(job.inputs);
  const entrants = [{ engine: job.engine, threads: 1 }, { engine: job.engine, threads: 2 }, ...job.rivals.map((engine) => ({ engine, threads: 2 }))];
  for (const entrant of entrants) {
    try {
      await warm(entrant, job, urls, arrays);
    } catch (error) {
      entrant.failed = reason(error);
    }
  }
  const alive = entrants.filter(({ failed }) => failed === undefined);
  const peak = await startPeak(job, urls);
  const peakSpeedups = [];
  for (let round = 0; round < job.rounds; round++) {
    const one = await peak.run(1);
    for (const entrant of round % 2 === 0 ? alive : [...alive].reverse()) {
      const block = [];
      for (let i = 0; i < entrant.blockRuns; i++) await timed(entrant.runner, arrays, block);
      entrant.blocks.push(median(block));
    }
    peakSpeedups.push(2 * one / await peak.run(2));
  }
  peak.stop();
  return { entrants: entrants.map(({ engine, threads, blocks, failed, runner }) => (failed === undefined ? { engine, threads, blocks, ms: median(blocks), detail: runner.detail, peakSpeedups } : { engine, threads, failed })) };
}

async function warm(entrant, job, urls, arrays) {
  entrant.runner = await startEngine({ ...job, threads: entrant.threads }, urls, entrant.engine);
  entrant.blocks = [];
  const times = [];
  for (const start = performance.now(); times.length < 10 || performance.now() - start < WARM_UP_MS;) await timed(entrant.runner, arrays, times);
  entrant.blockRuns = Math.max(2, Math.ceil(job.blockMs / median(times.slice(times.length >> 1))));
}

/** Two workers; run(n) takes n of them through the same loop and returns milliseconds. */
async function startPeak({ where, int8 }, urls) {
  const file = new URL('./kinglet.relaxed.wasm', new URL(urls.kinglet, globalThis.location?.href ?? urls.kinglet)).href;
  const module = await WebAssembly.compile(await (await urls.open(file)).arrayBuffer());
  const workers = [0, 1].map(() => startWorker(where));
  await Promise.all(workers.map((worker) => worker.ask({ module })));
  let iterations = 1 << 14;
  const run = async (threads) => {
    const start = performance.now();
    await Promise.all(workers.slice(0, threads).map((worker) => worker.ask({ int8, iterations })));
    return performance.now() - start;
  };
  for (let i = 0; i < 200 && await run(1) < PEAK_MS; i++) if (i % 4 === 3) iterations *= 2;
  await run(2);
  return { run, stop: () => { workers.forEach((worker) => { worker.stop(); }); } };
}

function startWorker(where) {
  const url = new URL('./peak-worker.mjs', import.meta.url);
  const worker = where === 'node' ? new (process.getBuiltinModule('node:worker_threads').Worker)(url) : new Worker(url, { type: 'module' });
  let answer = null;
  if (where === 'node') worker.on('message', () => { answer(); });
  else worker.onmessage = () => { answer(); };
  return { ask: (message) => new Promise((resolve) => { answer = resolve; worker.postMessage(message); }), stop: () => { worker.terminate(); } };
}
