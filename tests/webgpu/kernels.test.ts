// Every kernel of the GPU backend against the definitions, on graphs at the kernels' edges (kernel-cases.ts), in Chromium.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { runReference } from '../../host/backends/reference.ts';
import { lowerGpu } from '../../host/webgpu/lower-gpu.ts';
import { noise } from '../../models/random.ts';
import { skipWithoutChromium } from '../browser/chromium.ts';
import { tolerance } from '../tolerance.ts';
import { relativeError } from '../zoo/compare.ts';
import { openGpuPage, type GpuPage } from './gpu-site.ts';
import { kernelCases, type KernelCase } from './kernel-cases.ts';

const SEED = 11;

describe(`kernels on SwiftShader against the definitions, seed ${SEED}`, { skip: skipWithoutChromium, timeout: 240_000 }, () => {
  let gpu: GpuPage;
  const kernels = new Set<string>();
  before(async () => { gpu = await openGpuPage(); });
  after(() => gpu.close());

  it('has WebGPU with default limits', async () => {
    const { vendor, limit } = await gpu.page.evaluate(() => kingletGpu.adapter());
    assert.deepEqual([vendor, limit], ['google', 2 ** 27]);
  });
  /** Twice: some drivers are right the first time only. */
  const check = async ({ name, make }: KernelCase, feature?: 'subgroups'): Promise<readonly string[]> => {
    const graph = make();
    const expected = runReference(graph, graph.inputs.map(({ shape }, i) => noise(SEED + 1000 * i, shape).data));
    const answer = await gpu.page.evaluate(([kernelCase, seed, on]) => kingletGpu.run({ kernelCase }, [seed, seed], on), [name, SEED, feature] as const);
    assert.ok(answer.facts.dispatches > 0);
    assert.equal(answer.outputs.length, 2);
    for (const outputs of answer.outputs) {
      expected.forEach((want, i) => {
        assert.equal(outputs[i]?.constructor.name, want.data.constructor.name);
        const error = relativeError(outputs[i] ?? new Float32Array(), want.data);
        assert.ok(error <= (want.dtype === 'float32' ? tolerance.gpuKernel : 0), `output ${i} is off by ${error} of the largest value (${answer.kernels.join(', ')})`);
      });
    }
    return answer.kernels;
  };
  for (const kernelCase of kernelCases) {
    it(kernelCase.name, async () => {
      for (const kernel of await check(kernelCase)) kernels.add(kernel);
    });
  }
  // What a device without the feature has done above.
  for (const kernelCase of kernelCases) {
    const texts = lowerGpu(kernelCase.make(), { subgroups: true }).steps.filter(({ dispatch }) => dispatch.subgroups);
    if (texts.length > 0) it(`${kernelCase.name}, by subgroups`, async (t) => {
      if (!(await gpu.page.evaluate(() => kingletGpu.adapter())).subgroups) t.skip('this SwiftShader has no subgroups');
      else await check(kernelCase, 'subgroups');
    });
  }
  it('has run every family and variant', () => {
    const families = ['pointwise rows', 'pointwise split', 'pointwise tiled', 'depthwise', 'stem', 'convolution', 'grouped', 'pool max', 'pool average', 'global pool',
      'reduce', 'reduce mean long', 'squeeze-excite', 'unary', 'binary', 'chain', 'copy', 'pad', 'softmax', 'softmax short', 'argmax', 'argmax short', 'resize 1x1', 'resize 2x2', 'resize 4x4', 'local response', 'matrix products'];
    assert.deepEqual(families.filter((family) => ![...kernels].some((kernel) => kernel.startsWith(family))), []);
  });
});
