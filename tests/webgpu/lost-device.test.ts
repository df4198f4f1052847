// Devices that are lost before, in and after a run, errors of all kinds, and what becomes of the run under way: a right answer, always.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Model } from '../../host/model.ts';
import { chooseBackend, type GpuModelOptions } from '../../host/webgpu/load-on-gpu.ts';
import { emptyGraph, FakeGpu, fakeWasm, settled, type FakeDevice, type FakeWasm } from './fake-gpu.ts';

const x = Float32Array.of(1, -2, 3, 4), y = Float32Array.of(2, -4, 6, 8);
interface Started { readonly fake: FakeGpu; readonly wasm: FakeWasm; readonly model: Model; readonly notices: string[] }
async function start(options: GpuModelOptions = {}): Promise<Started> {
  const fake = new FakeGpu(), wasm = fakeWasm(fake.clock), notices: string[] = [];
  const backend = await chooseBackend(wasm, emptyGraph, { gpu: fake.gpu, onNotice: (text) => notices.push(text), ...options }, fake.tools);
  assert.equal(backend.stats.backend, 'webgpu');
  return { fake, wasm, model: new Model(backend), notices };
}
async function runsRight(model: Model): Promise<void> {
  assert.deepEqual(await model.run(x), [y]);
}

for (const options of [{ backend: 'auto' }, { backend: 'webgpu' }] as const) {
  const { backend } = options;

  test(`${backend}: lost before a run, it is built again on a new adapter`, async () => {
    const { fake, model, notices } = await start(options);
    fake.last.lose();
    await settled();
    assert.deepEqual([fake.devices.length, fake.devices[0].destroyed, model.stats.backend], [2, 1, 'webgpu']);
    assert.match(model.stats.backendReason ?? '', /built again after: the GPU device was lost: the driver crashed$/);
    assert.deepEqual(notices, ['on wasm for now: the GPU device was lost: the driver crashed; it is being built again']);
    await runsRight(model);
    assert.equal(model.stats.gpu?.answers, 1);
  });

  test(`${backend}: lost in a run that would never answer, the run ends on wasm`, async () => {
    const { fake, wasm, model } = await start(options);
    fake.troubles.run = (device) => { device.lose(); return new Promise<void>(() => undefined); };
    const before = wasm.runs;
    await runsRight(model);
    assert.equal(wasm.runs, before + 1);
    fake.troubles.run = null;
    await settled();
    assert.equal(model.stats.backend, 'webgpu');
    await runsRight(model);
    assert.equal(fake.clock.waiting, 0);
  });

  test(`${backend}: lost while it is built again, wasm takes over for good`, async () => {
    const { fake, model } = await start(options);
    fake.troubles.build = (device) => { device.lose('again'); return new Promise<void>(() => undefined); };
    fake.last.lose('once');
    await settled();
    assert.equal(model.stats.backend, 'wasm');
    assert.match(model.stats.backendReason ?? '', /^the GPU device was lost: once; it could not be built again: the GPU device was lost: again$/);
    await runsRight(model);
    assert.equal(fake.devices.length, 2);
  });

  test(`${backend}: no adapter is left after the loss`, async () => {
    const { fake, model } = await start(options);
    fake.troubles.adapters = () => Promise.resolve(null);
    fake.last.lose();
    await settled();
    assert.match(model.stats.backendReason ?? '', /could not be built again: WebGPU has no adapter here$/);
    await runsRight(model);
  });

  test(`${backend}: the third loss within a minute is the last, and older ones are forgotten`, async () => {
    const { fake, model } = await start(options);
    for (let loss = 1; loss <= 4; loss++) {
      fake.last.lose();
      await settled();
      assert.equal(model.stats.backend, 'webgpu', `loss ${loss}`);
      await runsRight(model);
      fake.clock.pass(30_001);
    }
    for (const [left, count] of [['webgpu', 6], ['wasm', 6]] as const) {
      fake.last.lose();
      await settled();
      assert.deepEqual([model.stats.backend, fake.devices.length], [left, count]);
      await runsRight(model);
    }
    assert.match(model.stats.backendReason ?? '', /built again 2 times within a minute/);
    assert.ok(fake.devices.every(({ destroyed }) => destroyed === 1));
  });

  test(`${backend}: errors that are reported, thrown or late end on wasm like a loss`, async () => {
    const failures: readonly (readonly [RegExp, (device: FakeDevice, fake: FakeGpu) => Promise<void> | undefined])[] = [
      [/reported an error: out of memory/, (device) => { device.report('out of memory'); return new Promise<void>(() => undefined); }],
      [/reported an error: invalid bind group/, (device) => { device.report('invalid bind group'); return undefined; }],
      [/the GPU failed: mapAsync was aborted/, () => Promise.reject(new Error('mapAsync was aborted'))],
      [/an inference on the GPU took longer than 30 s/, (_, fake) => { queueMicrotask(() => { fake.clock.pass(30_000); }); return new Promise<void>(() => undefined); }],
    ];
    for (const [reason, fail] of failures) {
      const { fake, model } = await start(options);
      fake.troubles.run = (device) => fail(device, fake);
      await runsRight(model);
      fake.troubles.run = null;
      await settled();
      assert.match(model.stats.backendReason ?? '', reason);
      assert.equal(model.stats.backend, 'webgpu', 'built again');
      await runsRight(model);
    }
  });

  test(`${backend}: a GPU that fails every time is left alone, every answer is right`, async () => {
    const { fake, model } = await start(options);
    fake.troubles.run = () => Promise.reject(new Error('no'));
    for (let i = 0; i < 10; i++) {
      await runsRight(model);
      await settled();
    }
    assert.deepEqual([model.stats.backend, fake.devices.length], ['wasm', 3]);
  });
}

test('runs while it is built again are computed on wasm', async () => {
  const { fake, model } = await start();
  let go = (): void => undefined;
  fake.troubles.build = () => new Promise<void>((resolve) => { go = resolve; });
  fake.last.lose();
  await settled();
  assert.deepEqual([model.stats.backend, model.stats.gpu], ['wasm', undefined]);
  await runsRight(model);
  assert.deepEqual(model.runSync(x), [y]);
  go();
  await settled();
  assert.equal(model.stats.backend, 'webgpu');
});

test('the first runs of a new device are checked', async () => {
  const { fake, wasm, model } = await start();
  fake.last.lose();
  await settled();
  const before = wasm.runs;
  for (let i = 0; i < 5; i++) await runsRight(model);
  assert.equal(wasm.runs, before + 3);
  fake.last.lose();
  await settled();
  fake.troubles.factor = () => 1;
  await runsRight(model);
  assert.match(model.stats.backendReason ?? '', /something else than wasm/);
});

test('a device that comes after dispose() is given back', async () => {
  const { fake, wasm, model, notices } = await start();
  let go = (): void => undefined;
  fake.troubles.build = () => new Promise<void>((resolve) => { go = resolve; });
  fake.last.lose();
  await settled();
  model.dispose();
  go();
  await settled();
  assert.deepEqual([fake.devices.map(({ destroyed }) => destroyed), wasm.released, notices.length], [[1, 1], 1, 1]);
});
