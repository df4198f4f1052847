// Every branch of `auto`, with GPUs that do what the test says and time that passes when the test says so: who is refused with which
// words, who is taken, who is sent back later.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KingletError } from '../../host/error.ts';
import type { Graph } from '../../host/graph/graph.ts';
import { Model, type Backend } from '../../host/model.ts';
import type { GpuBackend } from '../../host/webgpu/gpu-backend.ts';
import type { GpuPicture, PictureRule } from '../../host/webgpu/gpu-network.ts';
import { chooseBackend, type GpuModelOptions } from '../../host/webgpu/load-on-gpu.ts';
import { emptyGraph, FakeGpu, fakeWasm, settled, type FakeWasm } from './fake-gpu.ts';

interface Chosen { readonly fake: FakeGpu; readonly wasm: FakeWasm; readonly backend: GpuBackend; readonly model: Model; readonly notices: string[] }
async function choose(set: (fake: FakeGpu, wasm: FakeWasm) => GpuModelOptions | undefined, graph: Graph = emptyGraph, macs?: number): Promise<Chosen> {
  const fake = new FakeGpu(), wasm = fakeWasm(fake.clock, macs), notices: string[] = [];
  const options = set(fake, wasm);
  const backend = await chooseBackend(wasm, graph, { gpu: fake.gpu, onNotice: (text) => notices.push(text), ...options }, fake.tools);
  return { fake, wasm, backend, model: new Model(backend), notices };
}
const nothing = (): undefined => undefined;
const x = Float32Array.of(1, -2, 3, 4), y = Float32Array.of(2, -4, 6, 8);
const int8Graph = { ...emptyGraph, nodes: [{ outputs: [{ dtype: 'int8' }] }] } as unknown as Graph;

async function answersRight({ model }: { readonly model: Model }): Promise<void> {
  assert.deepEqual(await model.run(x), [y]);
}

test('a GPU that is right and faster is taken, with its times as the reason', async () => {
  const chosen = await choose(nothing);
  assert.equal(chosen.model.stats.backend, 'webgpu');
  assert.equal(chosen.model.stats.backendReason, 'the GPU is faster: 4.00 ms an inference, wasm 10.00 ms');
  assert.deepEqual(chosen.model.stats.gpu, { dispatches: 1, pipelines: 1, bindGroups: 1, buffers: 3, answers: 0 });
  const before = chosen.wasm.runs;
  await answersRight(chosen);
  assert.equal(chosen.wasm.runs, before, 'wasm had nothing to do');
  assert.equal(chosen.model.stats.gpu?.answers, 1);
  assert.equal(chosen.fake.clock.waiting, 0, 'no timer is left');
});

test('the check leaves zeros in the inputs', async () => {
  const { model } = await choose(nothing);
  assert.deepEqual(model.input(0), new Float32Array(4));
});

const refusals: readonly (readonly [string, RegExp, (fake: FakeGpu, wasm: FakeWasm) => GpuModelOptions | undefined, string])[] = [
  ['no WebGPU', /^there is no WebGPU here$/, () => ({ gpu: undefined }), ''],
  ['no adapter', /^WebGPU has no adapter here$/, (fake) => { fake.troubles.adapters = () => Promise.resolve(null); return undefined; }, 'adapter'],
  ['an adapter that is refused', /gave no adapter: blocked/, (fake) => { fake.troubles.adapters = () => Promise.reject(new Error('blocked')); return undefined; }, 'adapter'],
  ['a fallback adapter', /\(nvidia ampere\) is software/, (fake) => { fake.troubles.info = { ...fake.troubles.info, isFallbackAdapter: true }; return undefined; }, 'adapter'],
  ['a software adapter', /\(google swiftshader\) is software/, (fake) => { fake.troubles.info = { vendor: 'google', architecture: 'swiftshader', device: '', description: '' }; return undefined; }, 'adapter'],
  ['a denied driver', /\(qualcomm adreno-8xx\) is not trusted: .*LiteRT\/issues\/8065/, (fake) => { fake.troubles.info = { vendor: 'qualcomm', architecture: 'adreno-8xx', device: '', description: '' }; return undefined; }, 'adapter'],
  ['no device', /gave no device: too many/, (fake) => { fake.troubles.device = () => Promise.reject(new Error('too many')); return undefined; }, 'adapter,device '],
  ['operators that are lacking', /lacks erf, lstm/, (fake) => { fake.troubles.build = () => Promise.reject(new KingletError('ERR_UNSUPPORTED', 'the GPU lacks erf, lstm')); return undefined; }, 'adapter,device ,build'],
  ['a limit', /maxStorageBufferBindingSize/, (fake) => { fake.troubles.build = () => Promise.reject(new KingletError('ERR_LIMIT', 'beyond maxStorageBufferBindingSize')); return undefined; }, 'adapter,device ,build'],
  ['a device that is lost while it compiles', /was lost: the driver crashed/, (fake) => { fake.troubles.build = (device) => { device.lose(); return new Promise(() => undefined); }; return undefined; }, 'adapter,device ,build'],
  ['an error while it compiles', /reported an error: out of memory/, (fake) => { fake.troubles.build = (device) => { device.report('out of memory'); return new Promise(() => undefined); }; return undefined; }, 'adapter,device ,build'],
  ['wrong answers', /something else than wasm in round 1 of the check, by 5\.0e-1/, (fake) => { fake.troubles.factor = () => 3; return undefined; }, 'adapter,device ,build,dispose'],
  ['answers that are right once', /in round 2 of the check/, (fake) => { fake.troubles.factor = (count) => (count < 3 ? 2 : 2.01); return undefined; }, 'adapter,device ,build,dispose'],
  ['answers that are no numbers', /in round 1 of the check/, (fake) => { fake.troubles.factor = () => NaN; return undefined; }, 'adapter,device ,build,dispose'],
  ['a GPU that is as fast', /^the GPU is not faster: 9\.00 ms an inference, wasm 10\.00 ms$/, (fake) => { fake.troubles.gpuMs = 9; return undefined; }, 'adapter,device ,build,dispose'],
  ['a run that fails in the check', /the GPU failed: mapAsync/, (fake) => { fake.troubles.run = () => Promise.reject(new Error('mapAsync')); return undefined; }, 'adapter,device ,build,dispose'],
];
for (const [what, reason, set, asked] of refusals) {
  test(`auto stays on wasm: ${what}`, async () => {
    const chosen = await choose(set);
    assert.equal(chosen.model.stats.backend, 'wasm');
    assert.match(chosen.model.stats.backendReason ?? '', reason);
    assert.equal(chosen.model.stats.gpu, undefined);
    assert.equal(chosen.fake.asked.join(), asked);
    assert.deepEqual(chosen.fake.devices.map(({ destroyed }) => destroyed > 0), chosen.fake.devices.map(() => true), 'no device is left');
    await answersRight(chosen);
    assert.equal(chosen.fake.clock.waiting, 0, 'no timer is left');
  });
}

test('a quantised network and a small one do not even wake the GPU', async () => {
  for (const [graph, macs, reason] of [[int8Graph, 300e6, /quantised/], [emptyGraph, 59.9e6, /small: 59\.9 of at least 60 million/]] as const) {
    const { model, fake } = await choose(nothing, graph, macs);
    assert.match(model.stats.backendReason ?? '', reason);
    assert.deepEqual([model.stats.backend, fake.asked], ['wasm', []]);
  }
  assert.equal((await choose(nothing, emptyGraph, 60e6)).model.stats.backend, 'webgpu');
});

test('a driver that never answers is given up', async () => {
  for (const [limit, set] of [
    [20_000, (fake: FakeGpu) => { fake.troubles.adapters = () => new Promise<null>(() => undefined); }],
    [20_000, (fake: FakeGpu) => { fake.troubles.device = () => new Promise<GPUDevice>(() => undefined); }],
    [60_000, (fake: FakeGpu) => { fake.troubles.build = () => new Promise<void>(() => undefined); }],
    [30_000, (fake: FakeGpu) => { fake.troubles.run = () => new Promise<void>(() => undefined); }],
  ] as const) {
    let hanging: FakeGpu | null = null;
    const choosing = choose((fake) => { hanging = fake; set(fake); return undefined; });
    await settled();
    const { clock } = hanging as unknown as FakeGpu;
    assert.equal(clock.waiting, 1);
    clock.pass(limit);
    const { model } = await choosing;
    assert.match(model.stats.backendReason ?? '', new RegExp(`took longer than ${limit / 1000} s$`));
    assert.equal(model.stats.backend, 'wasm');
  }
});

test('webgpu is forced: any adapter, no check, no calibration; or an error that says why', async () => {
  const forced = { backend: 'webgpu' } as const;
  const { model, fake, wasm } = await choose((gpu) => {
    gpu.troubles.info = { vendor: 'google', architecture: 'swiftshader', device: '', description: '', isFallbackAdapter: true };
    gpu.troubles.gpuMs = 500;
    return forced;
  }, int8Graph, 1);
  assert.deepEqual([model.stats.backend, model.stats.backendReason, fake.runs, wasm.runs], ['webgpu', 'it was asked for', 0, 0]);
  for (const [what, , set] of refusals.slice(0, 3)) {
    await assert.rejects(choose((gpu, own) => ({ ...set(gpu, own), ...forced })), (error) => error instanceof KingletError && error.code === 'ERR_DEVICE', what);
  }
  await assert.rejects(choose((gpu) => { gpu.troubles.build = () => Promise.reject(new KingletError('ERR_LIMIT', 'too large')); return forced; }),
    (error) => error instanceof KingletError && error.code === 'ERR_LIMIT');
});

test('wasm was asked for', async () => {
  const { model, fake } = await choose(() => ({ backend: 'wasm' }));
  assert.deepEqual([model.stats.backend, model.stats.backendReason, fake.asked], ['wasm', 'it was asked for', []]);
});

test('features are asked for where they exist, float16 where it is allowed too, subgroups where shaders can number them', async () => {
  const features = ['shader-f16', 'timestamp-query', 'subgroups', 'dual-source-blending'];
  const asked = async (options: GpuModelOptions, wgsl: readonly string[]): Promise<string | undefined> => {
    const { fake } = await choose((gpu) => { Object.assign(gpu.troubles, { features, wgsl }); return options; });
    return fake.asked[1];
  };
  assert.equal(await asked({ allowF16: true }, []), 'device shader-f16,timestamp-query');
  assert.equal(await asked({}, ['subgroup_id']), 'device timestamp-query,subgroups');
  assert.equal(await asked({}, ['subgroup_uniformity']), 'device timestamp-query');
  for (const [present, backend] of [[features, 'webgpu'], [[], 'wasm']] as const) {
    const { model } = await choose((fake) => { fake.troubles.features = present; fake.troubles.factor = () => 2.01; return { allowF16: true }; });
    assert.equal(model.stats.backend, backend, 'only float16 excuses fewer digits');
  }
});

test('three slow runs in a row send it back, two do not', async () => {
  const chosen = await choose(nothing);
  const { fake, model, notices } = chosen;
  for (const ms of [9, 9, 4, 9, 8.1]) {
    fake.troubles.gpuMs = ms;
    await answersRight(chosen);
    assert.equal(model.stats.backend, 'webgpu');
  }
  fake.troubles.gpuMs = 30;
  await answersRight(chosen);
  assert.equal(model.stats.backend, 'wasm');
  assert.match(model.stats.backendReason ?? '', /^the GPU became slow: 3 runs in a row took over 2 times the 4\.00 ms/);
  assert.deepEqual([notices.length, fake.last.destroyed], [1, 1]);
  await answersRight(chosen);
  assert.equal(fake.devices.length, 1, 'no second try');
});

test('one run in a thousand is computed on wasm too, and a wrong one is not given out', async () => {
  const chosen = await choose(nothing);
  const { fake, model, wasm } = chosen;
  const calibration = wasm.runs;
  for (let i = 1; i < 1000; i++) await model.run(x);
  assert.equal(wasm.runs, calibration);
  await answersRight(chosen);
  assert.deepEqual([wasm.runs - calibration, model.stats.gpu?.answers], [1, 1000]);
  for (let i = 1; i < 1000; i++) await model.run(x);
  fake.troubles.factor = () => 2.1;
  await answersRight(chosen);
  assert.equal(model.stats.backend, 'wasm');
  assert.match(model.stats.backendReason ?? '', /something else than wasm in a run that was checked/);
});

test('an answer to inputs that moved in between is not given out', async () => {
  const chosen = await choose(nothing);
  const { fake, wasm } = chosen;
  fake.troubles.run = () => {
    Object.assign(wasm, { inputData: wasm.inputData.map((data) => data.slice()) });
    return undefined;
  };
  fake.troubles.factor = () => NaN;
  const runs = wasm.runs;
  wasm.runOnce = () => { wasm.runs++; return [Float32Array.from(wasm.inputData[0] as Float32Array, (value) => 2 * value)]; };
  await answersRight(chosen);
  assert.equal(wasm.runs, runs + 1);
});

test('one inference at a time: runSync() waits for nobody and says so', async () => {
  const chosen = await choose(nothing);
  const { model, fake } = chosen;
  let go = (): void => undefined;
  fake.troubles.run = () => new Promise<void>((resolve) => { go = resolve; });
  const first = model.run(x), second = model.run(x);
  await settled();
  assert.throws(() => model.runSync(x), (error) => error instanceof KingletError && error.code === 'ERR_BUSY');
  const profile = chosen.backend.profileGpu();
  fake.troubles.run = null;
  go();
  assert.deepEqual(await first, [y]);
  assert.equal((await profile)?.[0].kernel, 'double');
  await second.catch((error: unknown) => { assert.ok(error instanceof KingletError && error.code === 'ERR_BUSY'); });
  assert.deepEqual(model.runSync(x), [y], 'on wasm');
});

test('a picture goes to the GPU; null where there is none, and what is wrong with a picture is nobody else\'s fault', async () => {
  const picture = {} as GpuPicture;
  const rule = { region: { x: 0, y: 0, width: 1, height: 1 } } as unknown as PictureRule;
  const { backend, fake, model } = await choose(nothing);
  assert.deepEqual(await backend.runPicture(picture, rule), [Float32Array.of(2, 4, 6, 8)]);
  await assert.rejects(backend.runPicture(picture, { ...rule, region: { ...rule.region, width: 0 } }), (error) => error instanceof KingletError && error.code === 'ERR_INPUT');
  assert.deepEqual([model.stats.backend, model.stats.gpu?.answers], ['webgpu', 1]);
  fake.troubles.run = (device) => { device.lose(); return new Promise<void>(() => undefined); };
  assert.equal(await backend.runPicture(picture, rule), null);
  assert.equal(await (await choose(() => ({ backend: 'wasm' }))).backend.runPicture(picture, rule), null);
});

test('dispose() gives both back, once; in the middle of a run when that is over', async () => {
  const idle = await choose(nothing);
  idle.model.dispose();
  idle.model.dispose();
  idle.backend.release();
  assert.deepEqual([idle.wasm.released, idle.fake.last.destroyed], [1, 1]);
  await settled();
  assert.deepEqual([idle.fake.devices.length, idle.notices], [1, []], 'a device that was given back is not lost');
  const { model, fake, wasm } = await choose(nothing);
  let go = (): void => undefined;
  fake.troubles.run = () => new Promise<void>((resolve) => { go = resolve; });
  const running = model.run(x);
  await settled();
  model.dispose();
  assert.equal(wasm.released, 0);
  go();
  await assert.rejects(running, (error) => error instanceof KingletError && error.code === 'ERR_DISPOSED');
  assert.deepEqual([wasm.released, fake.last.destroyed], [1, 1]);
  const onWasm: Backend = (await choose(() => ({ backend: 'wasm' }))).backend;
  onWasm.release();
  assert.equal(fake.clock.waiting, 0);
});
