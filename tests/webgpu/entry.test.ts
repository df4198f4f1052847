// kinglet/webgpu in Node, on real files and real wasm: what it does with plans, without a GPU, and with one that is pretended down to
// the network, which a second wasm model computes.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { compileGraph, optimiseGraph } from '../../host/compile.ts';
import { loadPlan } from '../../host/index.ts';
import { disagreement } from '../../host/webgpu/agreement.ts';
import { adapterName, adapterRefusal } from '../../host/webgpu/denied-drivers.ts';
import { startOnGpu, type GpuTools } from '../../host/webgpu/load-on-gpu.ts';
import { KingletError, loadModel, profileDispatches } from '../../host/webgpu.ts';
import { noise } from '../../models/random.ts';
import { planOf, tinyGraph } from '../../models/tiny.ts';
import { blazeface } from '../cli/command.ts';
import { FakeGpu } from './fake-gpu.ts';

const code = (expected: string) => (error: unknown): boolean => error instanceof KingletError && error.code === expected;

test('a plan runs on wasm and says why, and is an error where the GPU is asked for', async () => {
  const plan = planOf(tinyGraph()), { gpu } = new FakeGpu();
  const model = await loadModel(plan, { gpu });
  assert.deepEqual([model.stats.backend, model.stats.backendReason], ['wasm', 'a plan (.kgl) has no graph to compile for the GPU']);
  assert.equal((await loadModel(plan, { gpu, backend: 'wasm' })).stats.backendReason, 'it was asked for');
  await assert.rejects(loadModel(plan, { gpu, backend: 'webgpu' }), code('ERR_USAGE'));
});

test('Node has no WebGPU: auto runs on wasm, webgpu is an error', async (t) => {
  if ((globalThis as { navigator?: { gpu?: unknown } }).navigator?.gpu) t.skip('this Node has WebGPU');
  const model = await loadModel(readFileSync(blazeface));
  assert.deepEqual([model.stats.backend, model.stats.backendReason], ['wasm', 'there is no WebGPU here']);
  assert.equal(await profileDispatches(model), null);
  await assert.rejects(loadModel(readFileSync(blazeface), { backend: 'webgpu' }), code('ERR_DEVICE'));
  await assert.rejects(loadModel(readFileSync(blazeface), { signal: AbortSignal.abort() }), code('ERR_ABORTED'));
});

/** The GPU's network is a wasm model of the same graph. */
function toolsOf(fake: FakeGpu): GpuTools {
  return {
    clock: fake.clock,
    build: async (graph) => {
      const inner = await loadPlan(compileGraph({ graph, facts: { shuffles: 0, layout: 'NHWC' } }), { warmup: false });
      return { facts: { dispatches: 3, pipelines: 3, bindGroups: 3, buffers: 3 }, run: (inputs) => inner.run(inputs), runPicture: () => Promise.reject(new Error('none')), profile: () => Promise.resolve(null), dispose: () => { inner.dispose(); } };
    },
  };
}

test('a whole model behind a pretended GPU: inputs, copies, dispose, and a memory that grows', async () => {
  const fake = new FakeGpu(), x = noise(7, [1, 6, 5, 3]).data as Float32Array;
  const model = await startOnGpu(optimiseGraph({ graph: tinyGraph(), layout: 'NHWC' }), { backend: 'webgpu', gpu: fake.gpu }, toolsOf(fake));
  const wasm = await loadPlan(planOf(tinyGraph()));
  const [want] = await wasm.run(x);
  assert.deepEqual(await model.run(x), [want]);
  assert.deepEqual(await model.run({ image: x }), [want]);
  assert.deepEqual((await Promise.all([model.run(x), model.run(x)])).flat(), [want, want], 'concurrent runs are queued');
  assert.deepEqual([model.stats.backend, model.stats.gpu?.answers, model.stats.macs], ['webgpu', 4, wasm.stats.macs]);
  const others = await Promise.all(Array.from({ length: 40 }, () => loadPlan(planOf(tinyGraph()), { warmup: false })));
  assert.deepEqual(await model.run(x), [want]);
  fake.last.lose();
  fake.troubles.adapters = () => Promise.resolve(null);
  assert.deepEqual(await model.run(x), [want]);
  assert.equal(model.stats.backend, 'wasm');
  await assert.rejects(model.run(x.slice(1)), code('ERR_INPUT'));
  model.dispose();
  await assert.rejects(model.run(x), code('ERR_DISPOSED'));
  for (const other of others) other.dispose();
});

test('agreement is a share of the largest output', () => {
  const apart = (a: number[], b: number[]): number => disagreement([Float32Array.from(a)], [Float32Array.from(b)]);
  assert.equal(apart([0, 4, -8], [0, 4, -8]), 0);
  assert.equal(apart([0, 4, -8], [2, 4, -8]), 0.25);
  assert.equal(apart([0, 0], [0, 1]), Infinity);
  assert.equal(apart([1, 2], [1]), Infinity);
  assert.equal(apart([1, 2], [1, NaN]), Infinity);
  assert.equal(apart([NaN, Infinity], [NaN, Infinity]), 0);
  assert.equal(disagreement([Float32Array.of(1)], []), Infinity);
  assert.equal(disagreement([Int32Array.of(3), BigInt64Array.of(4n)], [Int32Array.of(3), BigInt64Array.of(4n)]), 0);
  assert.equal(disagreement([Int32Array.of(3, 5, 7, 9)], [Int32Array.of(3, 4, 7, 9)]), 0.25);
  assert.equal(disagreement([Int32Array.of()], [Int32Array.of()]), 0);
});

test('adapters are known by what they say, and most say little', () => {
  const info = { vendor: '', architecture: '', device: '', description: '' };
  assert.equal(adapterRefusal(info), null);
  assert.equal(adapterRefusal({ ...info, vendor: 'qualcomm', architecture: 'adreno-7xx' }), null);
  assert.equal(adapterRefusal({ ...info, vendor: 'apple', architecture: 'metal-3' }), null);
  for (const [description, refused] of [['llvmpipe (LLVM 19)', true], ['Microsoft Basic Render Driver', true], ['GeForce WARPED', false]] as const) {
    assert.equal(adapterRefusal({ ...info, description }) !== null, refused, description);
  }
  assert.deepEqual([adapterName(info), adapterName({ ...info, vendor: 'intel', architecture: 'xe' }), adapterName({ ...info, device: 'GPU' })], ['unnamed', 'intel xe', 'GPU']);
});
