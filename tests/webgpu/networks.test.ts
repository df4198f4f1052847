// Whole networks on SwiftShader in Chromium: every float32 golden of ../shared, every network of the zoo on the smallest picture that it
// takes. One page for all, and for the zoo one device, so that pipelines are compiled once.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { loadModel } from '../../host/index.ts';
import type { TensorData } from '../../host/tensor.ts';
import { networkNames, networkPlan, type ZooOptions } from '../../models/zoo.ts';
import { noise } from '../../models/random.ts';
import { skipWithoutChromium } from '../browser/chromium.ts';
import { tensors } from '../models/golden-answers.ts';
import { goldens, sharedBytes, skipWithoutShared } from '../shared.ts';
import { tolerance } from '../tolerance.ts';
import { relativeError } from '../zoo/compare.ts';
import { openGpuPage, type GpuPage } from './gpu-site.ts';
import { smallestSize } from './smallest-size.ts';

const SEED = 21;

function agree(got: readonly TensorData[], want: readonly TensorData[]): void {
  assert.equal(got.length, want.length);
  want.forEach((data, i) => {
    const error = relativeError(got[i], data);
    assert.ok(error <= tolerance.gpuNetwork, `output ${i} is off by ${error} of the largest value`);
  });
}

/** By wasm, on the same noise as the page's. */
async function answersOf(name: string, options: ZooOptions, seeds: readonly number[]): Promise<TensorData[][]> {
  const model = await loadModel(await networkPlan(name, { ...options, tolerance: 0 }), { warmup: false });
  const outputs: TensorData[][] = [];
  for (const seed of seeds) outputs.push(await model.run(model.inputs.map(({ shape }, i) => noise(seed + 1000 * i, shape).data)));
  model.dispose();
  return outputs;
}

/** Families on pictures in which windows have neighbours: at their smallest, most of the zoo has planes of one pixel. */
const families = [
  'resnet18', 'densenet121', 'squeezenet1_1', 'mobilenet_v1_0.25', 'mobilenet_v2_0.35', 'mobilenet_v3_small', 'shufflenet_v1_g3', 'shufflenet_v2_x0_5',
  'mnasnet1_0', 'efficientnet_b0', 'nasnet_a_mobile',
];
const FAMILY_SIZE = 33;
const CLASSES = 30;

describe('networks on SwiftShader', { skip: skipWithoutChromium, timeout: 1_200_000 }, () => {
  let gpu: GpuPage;
  before(async () => { gpu = await openGpuPage(); });
  after(() => gpu.close());

  for (const golden of goldens().filter(({ quantized }) => !quantized)) {
    it(`gives the golden answers of ${golden.name}`, { skip: skipWithoutShared }, async () => {
      const address = `/models/${golden.name}`;
      gpu.site.files.set(address, sharedBytes(golden.modelFile));
      const name = golden.cases[0] ?? '';
      const inputs = tensors(golden, name, 'input').map((_, i) => `/shared/goldens/${golden.name}/${name}.input_${i}.npy`);
      const { stats, outputs } = await gpu.page.evaluate(([url, files]) => kingletGpu.forced(url, files), [address, inputs] as const);
      assert.deepEqual([stats.backend, stats.gpu?.answers], ['webgpu', 1]);
      assert.ok((stats.gpu?.dispatches ?? 0) > 0);
      agree(outputs, tensors(golden, name, 'output').map(({ data }) => data));
    });
  }

  const agreesWithWasm = async (name: string, size: number): Promise<void> => {
    const options = { size, classes: CLASSES };
    const [want] = await answersOf(name, options, [SEED]);
    const { facts, outputs } = await gpu.page.evaluate(([network, given, seed]) => kingletGpu.run({ name: network, options: given }, [seed]), [name, options, SEED] as const);
    assert.ok(facts.dispatches > 0);
    agree(outputs[0] ?? [], want);
  };
  // AlexNet, ZFNet and VGG fit too: their fully connected layers shrink with the picture.
  for (const name of networkNames) {
    it(`agrees with wasm on the smallest picture of ${name}, seed ${SEED}`, async (t) => {
      const size = await smallestSize(name);
      t.diagnostic(`${name}: ${size}x${size}`);
      await agreesWithWasm(name, size);
    });
  }
  for (const name of families) {
    it(`agrees with wasm on ${name} at ${FAMILY_SIZE} pixels, seed ${SEED}`, () => agreesWithWasm(name, FAMILY_SIZE));
  }

  for (const [name, options] of [['mobilenet_v1_0.25', { size: 128 }], ['shufflenet_v2_x0_5', { size: 64 }]] as const) {
    it(`stays right over 200 runs of ${name} at ${options.size} pixels with changing inputs, seeds from ${SEED}`, async () => {
      const seeds = Array.from({ length: 200 }, (_, i) => SEED + i);
      const want = await answersOf(name, options, seeds);
      const { outputs } = await gpu.page.evaluate(([network, given, list]) => kingletGpu.run({ name: network, options: given }, list), [name, options, seeds] as const);
      assert.equal(outputs.length, 200);
      want.forEach((answer, i) => { agree(outputs[i] ?? [], answer); });
    });
  }

  it(`keeps two networks apart that run turn about, seeds from ${SEED}`, async () => {
    const sources = [{ name: 'mobilenet_v1_0.25', options: { size: 64 } }, { name: 'shufflenet_v2_x0_5', options: { size: 64 } }];
    const seeds = Array.from({ length: 10 }, (_, i) => SEED + i);
    const want = await Promise.all(sources.map(({ name, options }) => answersOf(name, options, seeds)));
    const got = await gpu.page.evaluate(([networks, list]) => kingletGpu.interleaved(networks, list), [sources, seeds] as const);
    want.forEach((answers, i) => { answers.forEach((answer, run) => { agree(got[i]?.[run] ?? [], answer); }); });
  });

  it('creates nothing in 5,000 runs of a small network', async () => {
    const { build, runs, facts } = await gpu.page.evaluate(() => kingletGpu.created({ kernelCase: 'shuffle units of 6' }, 5000));
    assert.deepEqual(new Set(Object.values(runs)), new Set([0]), JSON.stringify(runs));
    assert.deepEqual(build, {
      createBuffer: facts.buffers, createBindGroup: facts.bindGroups, createComputePipelineAsync: facts.pipelines, createShaderModule: facts.pipelines,
      createBindGroupLayout: 2, createComputePipeline: 0, createQuerySet: 0, createTexture: 0,
    });
  });

  it('gives typed errors while a device goes away and after', async () => {
    assert.deepEqual(await gpu.page.evaluate(() => kingletGpu.destroyed({ kernelCase: 'shuffle units of 6' })), ['ERR_DEVICE', 'ERR_DEVICE']);
  });
});
