// Many models in one memory: regions are reused and joined again, views that growth detached are refused, the cap holds.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { placePlan } from '../../host/backends/wasm.ts';
import { loadPlan, type KingletError } from '../../host/run.ts';
import { middlePlan, tinyInput, tinyPlan } from './small-plans.ts';

const quick = { warmup: false } as const;
const code = (wanted: string) => (error: KingletError): boolean => error.code === wanted;

for (const threads of [1, 2]) {
  it(`256 models alive share one memory and keep their answers, ${threads} threads`, async () => {
    const models = await Promise.all(Array.from({ length: 256 }, () => loadPlan(tinyPlan, { ...quick, threads })));
    const [expected] = await models[0].run(tinyInput);
    assert.equal(new Set(models.map((model) => model.input(0).buffer)).size, 1);
    for (const model of models) assert.deepEqual((await model.run(tinyInput))[0], expected);
    models.filter((_, i) => i % 2 === 0).forEach((model) => { model.dispose(); });
    for (const model of models.filter((_, i) => i % 2 === 1)) assert.deepEqual((await model.run(tinyInput))[0], expected);
    models.forEach((model) => { model.dispose(); });
  });

  it(`500 cycles of load, run and dispose reuse the region, ${threads} threads`, async () => {
    const keeper = await loadPlan(tinyPlan, { ...quick, threads }); // the memory stays as long as one model lives
    const addresses = new Set<number>();
    const sizes = new Set<number>();
    const [expected] = await keeper.run(tinyInput);
    for (let i = 0; i < 500; i++) {
      const model = await loadPlan(i % 10 === 0 ? middlePlan : tinyPlan, { ...quick, threads });
      if (i % 10 !== 0) {
        assert.deepEqual((await model.run(tinyInput))[0], expected);
        addresses.add(model.input(0).byteOffset);
      }
      sizes.add(model.input(0).buffer.byteLength);
      model.dispose();
    }
    assert.equal(addresses.size, 1, 'one place was used again and again');
    assert.equal(sizes.size, 1, 'the memory grew once, for the first model');
    keeper.dispose();
  });
}

it('regions that lie beside each other become one again, in any order of disposal', () => {
  const first = placePlan(tinyPlan), second = placePlan(tinyPlan), third = placePlan(tinyPlan), fence = placePlan(tinyPlan);
  first.region.free();
  third.region.free();
  second.region.free();
  const bytes = third.region.at + (third.region.at - second.region.at) - first.region.at;
  const joined = first.region.group.take(bytes, Infinity);
  assert.equal(joined.at, first.region.at);
  joined.free();
  fence.region.free();
});

it('an array of input() that growth detached gives a typed error, not an old answer', async () => {
  const model = await loadPlan(tinyPlan, quick);
  const old = model.input(0);
  old.set(tinyInput as never);
  const expected = model.runSync()[0].slice();
  const large = await loadPlan(middlePlan, quick);
  assert.equal(old.length, 0, 'the memory grew');
  assert.throws(() => model.runSync(), code('ERR_INPUT'));
  assert.throws(() => model.runSync(old), code('ERR_INPUT'));
  await assert.rejects(model.run(old), code('ERR_INPUT'));
  model.input(0).set(tinyInput as never);
  assert.deepEqual(model.runSync()[0], expected);
  large.dispose();
  model.dispose();
});

it('a plan keeps its place while another makes the memory grow', async () => {
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async start(to) {
      to.enqueue(tinyPlan.slice(0, 300));
      const large = await loadPlan(middlePlan, quick);
      to.enqueue(tinyPlan.slice(300));
      to.close();
      large.dispose();
    },
  });
  const model = await loadPlan(new Response(body), quick), whole = await loadPlan(tinyPlan, quick);
  assert.deepEqual(await model.run(tinyInput), await whole.run(tinyInput));
  model.dispose();
  whole.dispose();
});

it('the cap is kept, and what is disposed makes room', async () => {
  await assert.rejects(loadPlan(middlePlan, { ...quick, maxMemory: 65536 }), code('ERR_MEMORY'));
  await assert.rejects(loadPlan(middlePlan, { ...quick, threads: 2, maxMemory: 65536 }), code('ERR_MEMORY'));
  const maxMemory = 2 * middlePlan.length;
  const model = await loadPlan(middlePlan, { ...quick, maxMemory });
  await assert.rejects(loadPlan(middlePlan, { ...quick, maxMemory }), code('ERR_MEMORY'));
  model.dispose();
  (await loadPlan(middlePlan, { ...quick, maxMemory })).dispose();
  await assert.rejects(loadPlan(tinyPlan, { ...quick, maxMemory: -1 }), code('ERR_USAGE'));
});

it('a plan that is refused leaves no region behind', async () => {
  const keeper = await loadPlan(tinyPlan, quick);
  const place = async (): Promise<number> => { const model = await loadPlan(tinyPlan, quick); const at = model.input(0).byteOffset; model.dispose(); return at; };
  const before = await place();
  const broken = tinyPlan.slice();
  broken[broken.length - 1] ^= 1;
  await assert.rejects(loadPlan(broken, quick), code('ERR_PLAN_INVALID'));
  await assert.rejects(loadPlan(tinyPlan, { ...quick, wasm: Uint8Array.of(1, 2, 3) }), (error: KingletError) => error.name === 'KingletError');
  assert.equal(await place(), before);
  keeper.dispose();
});
