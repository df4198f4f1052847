// The zoo from LeNet-5 to SqueezeNet: alive with seeded weights, and the same in wasm as by the reference, which runs the graph as
// it is built, normalisations and all. Pictures as small as the networks allow; in batches, wider than high, on kernels alone.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runReference } from '../../host/backends/reference.ts';
import type { Graph } from '../../host/graph/graph.ts';
import { loadModel } from '../../host/index.ts';
import type { TensorData } from '../../host/tensor.ts';
import { networks, type NetworkOptions } from '../../models/index.ts';
import { noise } from '../../models/random.ts';
import { planOf } from '../../models/tiny.ts';
import { kernelSets } from '../engines.ts';
import { tolerance } from '../tolerance.ts';
import { relativeError } from './compare.ts';

/** Seeds of two pictures. */
const SEEDS = [7, 8] as const;
/** Standard deviation of every layer's output: a network that collapses to constants proves nothing. */
const [SMALLEST_SPREAD, LARGEST_SPREAD] = [0.1, 10];
/** Root mean square of what the results of two pictures differ by, as a share of their spread. */
const LEAST_DIFFERENCE = 0.02;

const sizes: Readonly<Record<string, number>> = {
  lenet5: 28, alexnet: 67, zfnet: 64, zfnet512: 64, vgg11: 32, vgg13: 32, vgg16: 32, vgg19: 32, googlenet: 64, googlenet_auxiliary: 80,
  resnet18: 48, resnet34: 48, resnet50: 48, resnet50_paper: 32, resnet101: 32, resnet152: 32, resnext50_32x4d: 48, densenet121: 48,
  densenet169: 32, squeezenet1_1: 64,
};
const fastKernels = kernelSets().filter((kernels) => kernels !== 'reference');

function build(name: string, options: NetworkOptions): Graph {
  return networks.get(name)?.(options) ?? assert.fail(`${name} is not in the zoo`);
}

/** Root mean square distance from the mean. */
function spread(values: ArrayLike<number>): number {
  const list = Float64Array.from(values);
  const mean = list.reduce((sum, v) => sum + v, 0) / list.length;
  return Math.sqrt(list.reduce((sum, v) => sum + (v - mean) ** 2, 0) / list.length);
}

function close(got: TensorData, want: TensorData, what: string): void {
  const error = relativeError(got, want);
  assert.ok(error <= tolerance.network, `${what} is off by ${error} of the largest value`);
}

describe(`reference and kernels (seeds ${SEEDS.join(', ')})`, () => {
  for (const [name, size] of Object.entries(sizes)) it(`${name} at ${size}x${size}`, async () => {
    const graph = build(name, { size, classes: 20 });
    const [picture, other] = SEEDS.map((seed) => noise(seed, graph.inputs[0].shape).data);
    const outside: [string, number][] = [];
    const wanted = runReference(graph, [picture], (node, [y]) => {
      const deviation = spread(y.data as Float32Array);
      if (!(deviation >= SMALLEST_SPREAD && deviation <= LARGEST_SPREAD)) outside.push([node.name, deviation]);
    }).map(({ data }) => data as Float32Array);
    assert.deepEqual(outside, []);
    const plan = planOf(graph);
    for (const kernels of fastKernels) {
      const model = await loadModel(plan, { kernels, warmup: false });
      (await model.run(picture)).forEach((y, i) => { close(y, wanted[i], `output ${i} with ${kernels}`); });
      (await model.run(other)).forEach((y, i) => {
        const difference = spread(wanted[i].map((v, at) => v - Number(y[at]))) / spread(wanted[i]);
        assert.ok(difference >= LEAST_DIFFERENCE, `output ${i} of two pictures differs by ${difference} of its spread`);
      });
      model.dispose();
    }
  });
});

describe('two pictures at once', () => {
  for (const name of ['lenet5', 'alexnet', 'googlenet', 'resnet18', 'resnext50_32x4d', 'densenet121', 'squeezenet1_1']) it(`${name} at 67x90`, async () => {
    const options = { size: [67, 90], classes: 10 } as const;
    const [one, two] = [build(name, options), build(name, { ...options, batch: 2 })];
    const pictures = SEEDS.map((seed) => noise(seed, one.inputs[0].shape).data);
    const [alone, together] = [await loadModel(planOf(one)), await loadModel(planOf(two))];
    const [both] = await together.run(Float32Array.from(pictures.flatMap((picture) => Array.from(picture))));
    for (const [i, picture] of pictures.entries()) {
      const [y] = await alone.run(picture);
      close(both.slice(i * y.length, (i + 1) * y.length), y, `picture ${i}`);
    }
    alone.dispose();
    together.dispose();
  });
});
