// What a second thread brings: kinglet with one and with two threads, a rival with two, and the register-only peak with one and with two.
// Runs in isolated pages and in Node. In: a job { model, inputs, engine, rivals, rounds, blockMs, int8 }. Out: plain data for the report.
// A window is several short turns of everybody, in alternating order: when the machine had no second core to give, its peak shows it.
// An interruption of either core holds up both threads, so each window counts its lower quartile, of everybody alike.

import { startEngine } from './duel.mjs';
import { makeInputs } from './inputs.mjs';
import { lowerQuartile, median, reason, timed } from './timing.mjs';

const WARM_UP_MS = 700;
const PEAK_MS = 8;
const TURNS = 8;

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
    const blocks = new Map(alive.map((entrant) => [entrant, []])), one = [], two = [];
    for (let turn = 0; turn < TURNS; turn++) {
      one.push(await peak.run(1));
      for (const entrant of turn % 2 === 0 ? alive : [...alive].reverse()) {
        for (let i = 0; i < entrant.turnRuns; i++) await timed(entrant.runner, arrays, blocks.get(entrant));
      }
      two.push(await peak.run(2));
    }
    for (const [entrant, block] of blocks) entrant.blocks.push(lowerQuartile(block));
    peakSpeedups.push(2 * lowerQuartile(one) / lowerQuartile(two));
  }
  peak.stop();
  return { entrants: entrants.map(({ engine, threads, blocks, failed, runner }) => (failed === undefined ? { engine, threads, blocks, ms: median(blocks), detail: runner.detail, peakSpeedups } : { engine, threads, failed })) };
}

async function warm(entrant, job, urls, arrays) {
  entrant.runner = await startEngine({ ...job, threads: entrant.threads }, urls, entrant.engine);
  entrant.blocks = [];
  const times = [];
  for (const start = performance.now(); times.length < 10 || performance.now() - start < WARM_UP_MS;) await timed(entrant.runner, arrays, times);
  entrant.turnRuns = Math.max(2, Math.ceil(job.blockMs / TURNS / median(times.slice(times.length >> 1))));
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
  const asked = { resolve: null, reject: null };
  const answer = () => { asked.resolve(); };
  const fail = (error) => { asked.reject(new Error(`the peak's worker failed: ${error.message ?? 'its script did not load'}`)); };
  if (where === 'node') worker.on('message', answer).on('error', fail);
  else Object.assign(worker, { onmessage: answer, onerror: fail });
  return { ask: (message) => new Promise((resolve, reject) => { Object.assign(asked, { resolve, reject }); worker.postMessage(message); }), stop: () => { worker.terminate(); } };
}
