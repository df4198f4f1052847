// How many dispatches and pipelines networks take: at most what is allowed, and as docs/webgpu-kernels.md says. Needs no GPU: a program
// makes a pipeline for each text (gpu-program.ts; networks.test.ts counts what a device is asked for).

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Graph } from '../../host/graph/graph.ts';
import { importModel } from '../../host/import/index.ts';
import { optimise } from '../../host/passes/index.ts';
import { moduleText } from '../../host/webgpu/dispatch.ts';
import { lowerGpu } from '../../host/webgpu/lower-gpu.ts';
import { networkGraph, networkNames } from '../../models/zoo.ts';
import { read } from '../repo/files.ts';
import { kernelCases } from './kernel-cases.ts';
import { sharedBytes, sharedFolder, skipWithoutShared } from '../shared.ts';

/** A network of the zoo, or a file of ../shared/models. */
async function optimised(name: string): Promise<Graph> {
  return optimise(networkNames.includes(name) ? await networkGraph(name) : importModel(sharedBytes(`models/${name}`))).graph;
}
function skipUnlessHere(name: string): false | string {
  return networkNames.includes(name) || existsSync(`${sharedFolder}models/${name}`) ? false : skipWithoutShared;
}

/** Every dispatch is an overhead. */
const limits: readonly (readonly [name: string, most: number])[] = [
  ['mobilenet_v1', 32], ['mobilenet_v2', 58], ['shufflenet_v2_x1_0', 64], ['mobilenet_v3_small', 66],
  ['mobilenet_v1_random.onnx', 32], ['mobilenet_v2_1.0_224_imagenet_f32.onnx', 58], ['torchvision_shufflenet_v2_x1_0.onnx', 64], ['torchvision_mobilenet_v3_small.onnx', 66],
];

describe('dispatches', () => {
  for (const [name, most] of limits) {
    it(`of ${name} are at most ${most}`, { skip: skipUnlessHere(name) }, async () => {
      const { length } = lowerGpu(await optimised(name)).steps;
      assert.ok(length > 20 && length <= most, `${length} dispatches`);
    });
  }

  // At most eight functions and four tensors share one; what others read, and what is of another shape, stays apart. The convolution in
  // front is another one, and the copy of its input where six channels lie without a pitch of eight.
  const chains = { 'a chain of 8 channels': 2, 'a chain of 6 channels': 3, 'a chain with powers': 2, 'a chain of eleven': 2, 'a chain that is read in between': 2, 'a chain that widens': 2 };
  for (const [name, count] of Object.entries(chains)) {
    it(`of ${name} are ${count}`, () => {
      const graph = kernelCases.find((known) => known.name === name)?.make() ?? assert.fail(`there is no case ${name}`);
      assert.equal(lowerGpu(graph).steps.length, count);
    });
  }

  const rows = [...read('docs/webgpu-kernels.md').matchAll(/^\| `(\S+)` \| (\d+) \| (\d+) \| (\d+) \|$/gm)];
  it('and docs/webgpu-kernels.md has a table of them', () => { assert.ok(rows.length >= limits.length / 2, `${rows.length} rows`); });
  for (const [, name, ...stated] of rows) {
    it(`of ${name} are what the table says, and so are nodes and pipelines`, { skip: skipUnlessHere(name) }, async () => {
      const graph = await optimised(name);
      const texts = lowerGpu(graph).steps.map(({ dispatch }) => moduleText(dispatch));
      assert.deepEqual(stated.map(Number), [graph.nodes.length, texts.length, new Set(texts).size]);
    });
  }
});
