// What a second thread brings: kinglet with one and with two threads, a rival with two, and the register-only peak with one and with two.
// Runs in isolated pages and in Node. In: a job { model, inputs, engine, rivals, rounds, leastPeak, int8 }. Out: plain data for the report.
// The machine may have a second core to give in one moment and none, or half of one, in the next, most of all after a moment in which only one
// was busy. So a window is short, a few runs of everybody, and the peak of two is measured before, between and after those that run on two:
// `peakSpeedups` has the least of these gains. Windows with less than `leastPeak` are repeated. An interruption of either core holds up both
// threads, so a window counts the lower quartile of its runs, of everybody alike.

import { startEngine } from './duel.mjs';
import { makeInputs } from './inputs.mjs';
import { lowerQuartile, median, reason, timed } from './timing.mjs';

const WARM_UP_MS = 700;
const PEAK_MS = 8;
const RUNS = 4;
/** Windows to a round that is asked for, and how often at most they are repeated. */
const WINDOWS = 8;
const REPEATS = 3;

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
  const peak = await startPeak(job, urls);
  const peakSpeedups = [], wanted = WINDOWS * job.rounds;
  const [alone, ...together] = entrants;
  for (let kept = 0; kept < wanted && peakSpeedups.length < REPEATS * wanted;) {
    const one = await peak.run(1);
    await block(alone, arrays);
    const two = [await peak.run(2)];
    for (const entrant of peakSpeedups.length % 2 === 0 ? together : [...together].reverse()) {
      await block(entrant, arrays);
      two.push(await peak.run(2));
    }
    const gain = 2 * one / Math.max(...two);
    peakSpeedups.push(gain);
    if (gain >= job.leastPeak) kept++;
  }
  peak.stop();
  return { entrants: entrants.map(({ engine, threads, blocks, failed, runner }) => (failed === undefined ? { engine, threads, blocks, ms: median(blocks), detail: runner.detail, peakSpeedups } : { engine, threads, failed })) };
}

async function warm(entrant, job, urls, arrays) {
  entrant.runner = await startEngine({ ...job, threads: entrant.threads }, urls, entrant.engine);
  entrant.blocks = [];
  const times = [];
  for (const start = performance.now(); times.length < 10 || performance.now() - start < WARM_UP_MS;) await timed(entrant.runner, arrays, times);
}

async function block({ failed, runner, blocks }, arrays) {
  if (failed !== undefined) return;
  const times = [];
  for (let i = 0; i < RUNS; i++) await timed(runner, arrays, times);
  blocks.push(lowerQuartile(times));
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
