// Teams of workers in Node: answers, notices, concurrent runs, dispose while running, workers that die, processes that end.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { it } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { loadPlan, type KingletError } from '../../host/run.ts';
import { networkPlan } from '../../models/zoo.ts';
import { noise } from '../../models/random.ts';
import { kernelSets } from '../engines.ts';
import { middleInput, middlePlan, tinyInput, tinyPlan } from './small-plans.ts';

const code = (wanted: string) => (error: KingletError): boolean => error.code === wanted;

/** Every worker that was started. */
const spawned: Worker[] = [];
const threadModule = process.getBuiltinModule('node:worker_threads');
threadModule.Worker = class extends threadModule.Worker {
  constructor(...args: ConstructorParameters<typeof Worker>) {
    super(...args);
    spawned.push(this);
  }
};

/** Until earlier tests' teams, which wait half a second for a next model, have ended: the last worker that was started is then of the next team. */
function earlierTeamsEnded(): Promise<void> { return new Promise((resolve) => { setTimeout(resolve, 700); }); }

/** A deadline against a hang: the 200 ms that are promised are printed, and measured on a quiet machine. */
const REPORT_MS = 5000;

it('threads give the bytes of one thread, and stats say how many there are', async () => {
  const one = await loadPlan(middlePlan, { warmup: false }), expected = await one.run(middleInput);
  for (const threads of [2, 3, 5]) {
    const model = await loadPlan(middlePlan, { threads });
    assert.equal(model.stats.threads, threads);
    assert.deepEqual(await model.run(middleInput), expected);
    assert.deepEqual(model.runSync(middleInput)[0], expected[0], 'the calling thread alone');
    model.dispose();
  }
  assert.equal(one.stats.threads, 1);
  one.dispose();
});

it('runs of one model and of several wait for each other', async () => {
  const models = [await loadPlan(middlePlan, { threads: 2 }), await loadPlan(tinyPlan, { threads: 2 })];
  const expected = [await models[0].run(middleInput), await models[1].run(tinyInput)];
  const all = await Promise.all(Array.from({ length: 30 }, (_, i) => models[i % 2].run(i % 2 === 0 ? middleInput : tinyInput)));
  all.forEach((outputs, i) => { assert.deepEqual(outputs, expected[i % 2]); });
  models.forEach((model) => { model.dispose(); });
});

if (kernelSets().includes('relaxed')) it('both builds have threads in one memory at once', async () => {
  const models = [await loadPlan(middlePlan, { threads: 2, kernels: 'relaxed' }), await loadPlan(middlePlan, { threads: 2, kernels: 'simd128' })];
  assert.equal(models[0].input(0).buffer, models[1].input(0).buffer);
  const alone: unknown[] = [];
  for (const model of models) alone.push(await model.run(middleInput));
  for (let i = 0; i < 50; i++) assert.deepEqual(await Promise.all(models.map((model) => model.run(middleInput))), alone);
  models.forEach((model) => { model.dispose(); });
});

it('a model that comes soon after the last one went takes over its workers, one of another cap does not', async () => {
  const load = (maxMemory?: number): ReturnType<typeof loadPlan> => loadPlan(tinyPlan, { threads: 2, warmup: false, maxMemory });
  const last = await load(), started = spawned.length, expected = await last.run(tinyInput);
  last.dispose();
  const next = await load();
  assert.equal(spawned.length, started);
  assert.deepEqual(await next.run(tinyInput), expected);
  next.dispose();
  const capped = await load(2 ** 24);
  assert.equal(spawned.length, started + 2);
  assert.deepEqual(await capped.run(tinyInput), expected);
  capped.dispose();
});

it('nothing else runs on a model whose threads run; dispose ends it', async () => {
  const model = await loadPlan(middlePlan, { threads: 2 }), other = await loadPlan(middlePlan, { threads: 2 });
  const expected = await other.run(middleInput);
  const run = model.run(middleInput);
  const late = model.run(middleInput);
  await Promise.resolve();
  await Promise.resolve();
  assert.throws(() => model.runSync(middleInput), code('ERR_BUSY'));
  model.dispose();
  await assert.rejects(run, code('ERR_DISPOSED'));
  await assert.rejects(late, code('ERR_DISPOSED'));
  assert.deepEqual(await other.run(middleInput), expected);
  other.dispose();
});

it('a worker that dies between runs: the next run has one thread, a model loaded later has threads again', async () => {
  await earlierTeamsEnded();
  const model = await loadPlan(middlePlan, { threads: 2 });
  const expected = await model.run(middleInput);
  await spawned.at(-1)?.terminate();
  assert.deepEqual(await model.run(middleInput), expected);
  assert.equal(model.stats.threads, 1);
  const fresh = await loadPlan(middlePlan, { threads: 2 });
  assert.equal(fresh.stats.threads, 2);
  assert.deepEqual(await fresh.run(middleInput), expected);
  model.dispose();
  fresh.dispose();
});

it('a worker that dies during a run is reported', async (t) => {
  const plan = await networkPlan('mobilenet_v1', { batch: 16 });
  await earlierTeamsEnded();
  const model = await loadPlan(plan, { threads: 2, warmup: false });
  const image = noise(9, [16, 224, 224, 3]).data as Float32Array;
  let reported = 0;
  const run = model.run(image);
  const refused = assert.rejects(run.finally(() => { reported = performance.now(); }), code('ERR_WORKER'));
  await new Promise((resolve) => { setTimeout(resolve, 20); });
  assert.equal(reported, 0, 'the run was still under way');
  const killed = performance.now();
  void spawned.at(-1)?.terminate();
  await refused;
  t.diagnostic(`reported after ${(reported - killed).toFixed(0)} ms`);
  assert.ok(reported - killed < REPORT_MS, `reported after ${reported - killed} ms`);
  const one = await loadPlan(plan, { warmup: false });
  assert.deepEqual(await model.run(image), await one.run(image));
  model.dispose();
  one.dispose();
});

it('workers that do not come up: one thread and one notice', async () => {
  const notices: string[] = [];
  const { Worker: Real } = threadModule;
  threadModule.Worker = class extends Real {
    constructor() { super('process.exit(1)', { eval: true }); }
  };
  const model = await loadPlan(tinyPlan, { threads: 4, onNotice: (text) => notices.push(text) });
  threadModule.Worker = Real;
  assert.equal(model.stats.threads, 1);
  assert.equal(notices.length, 1);
  assert.match(notices[0], /^one thread: worker \d died/);
  assert.equal((await model.run(tinyInput)).length, model.outputs.length);
  model.dispose();
});

it('auto keeps one thread for a tiny network and says so once; nonsense is refused', async () => {
  const notices: string[] = [];
  const model = await loadPlan(tinyPlan, { threads: 'auto', onNotice: (text) => notices.push(text) });
  assert.equal(model.stats.threads, 1);
  assert.equal(notices.length, 1);
  model.dispose();
  for (const threads of [0, -1, 1.5, NaN, 'many' as never]) await assert.rejects(loadPlan(tinyPlan, { threads }), code('ERR_USAGE'));
});

it('a wasm file of one\'s own has one thread', async () => {
  const notices: string[] = [];
  const wasm = new URL('../../host/kinglet.simd.wasm', import.meta.url);
  const model = await loadPlan(tinyPlan, { threads: 2, wasm, onNotice: (text) => notices.push(text) });
  assert.deepEqual([model.stats.threads, notices.length], [1, 1]);
  model.dispose();
});

for (const [end, statement] of [['disposed', 'model.dispose();'], ['left alone', '']]) {
  it(`a process whose model was ${end} ends by itself`, () => {
    const script = `
      const { loadPlan } = await import(${JSON.stringify(new URL('../../host/run.js', import.meta.url).href)});
      const { tinyPlan, tinyInput } = await import(${JSON.stringify(new URL('./small-plans.js', import.meta.url).href)});
      const model = await loadPlan(tinyPlan, { threads: 2 });
      const [output] = await model.run(tinyInput);
      console.log(output.length);
      ${statement}`;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 60_000, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^\d+\n$/);
  });
}
