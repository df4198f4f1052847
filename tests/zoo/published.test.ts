// MobileNets, ShuffleNets and the searched networks: as large as published, alive with seeded weights, and the same in wasm as by
// the reference. Small pictures, higher than wide; the second picture of a batch is another one.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runReference } from '../../host/backends/reference.ts';
import { isConstant, is, type Graph, type Node } from '../../host/graph/graph.ts';
import { loadModel } from '../../host/index.ts';
import { batchNorm } from '../../host/ops/batch-norm.ts';
import { conv2d } from '../../host/ops/conv2d.ts';
import { matmul } from '../../host/ops/matmul.ts';
import { elementCount, type TensorData } from '../../host/tensor.ts';
import { networks, type NetworkOptions } from '../../models/index.ts';
import { noise } from '../../models/random.ts';
import { planOf } from '../../models/tiny.ts';
import { kernelSets } from '../engines.ts';
import { tolerance } from '../tolerance.ts';
import { relativeError } from './compare.ts';

/** Multiply-adds of convolutions and fully connected layers, and parameters, in millions at the digits to which they are known. */
const sizes: readonly [name: string, macs: string, parameters: string][] = [
  ['mobilenet_v1', '568.7', '4.23'],
  ['mobilenet_v2', '300.8', '3.50'],
  ['mobilenet_v3_small', '56.5', '2.54'],
  ['mobilenet_v3_large', '216.6', '5.48'],
  ['shufflenet_v1_g3', '137.5', '1.87'],
  ['shufflenet_v2_x0_5', '40.5', '1.37'],
  ['shufflenet_v2_x1_0', '144.9', '2.28'],
  ['shufflenet_v2_x1_5', '295.8', '3.50'],
  ['shufflenet_v2_x2_0', '583.3', '7.39'],
  ['mnasnet1_0', '314', '4.38'],
  ['efficientnet_b0', '386', '5.29'],
  ['nasnet_a_mobile', '564', '5.3'],
];
/** Multiply-adds in millions as the papers' tables have them; they round and count differently, by up to 2 %. */
const papers: readonly [name: string, macs: number][] = [
  ['mobilenet_v1_0.75', 325], ['mobilenet_v1_0.5', 149], ['mobilenet_v1_0.25', 41],
  ['mobilenet_v1_1.0_192', 418], ['mobilenet_v1_1.0_160', 290], ['mobilenet_v1_1.0_128', 186],
  ['mobilenet_v2', 300], ['mobilenet_v2_1.4', 585],
  ['mobilenet_v3_large', 219], ['mobilenet_v3_small', 56],
  ['shufflenet_v1_g1', 143], ['shufflenet_v1_g2', 140], ['shufflenet_v1_g3', 137], ['shufflenet_v1_g4', 133], ['shufflenet_v1_g8', 137],
  ['shufflenet_v2_x0_5', 41], ['shufflenet_v2_x1_0', 146], ['shufflenet_v2_x1_5', 299], ['shufflenet_v2_x2_0', 591],
  ['mnasnet1_0', 317], ['efficientnet_b0', 390], ['nasnet_a_mobile', 564],
];
/** Every width and form; MobileNetV1's names with another size are the same networks on other pictures. */
const forms = [
  'mobilenet_v1', 'mobilenet_v1_0.75', 'mobilenet_v1_0.5', 'mobilenet_v1_0.25', 'mobilenet_v1_0.25_128',
  'mobilenet_v2', 'mobilenet_v2_1.4', 'mobilenet_v2_0.75', 'mobilenet_v2_0.5', 'mobilenet_v2_0.35', 'mobilenet_v3_large', 'mobilenet_v3_small',
  'shufflenet_v1_g1', 'shufflenet_v1_g2', 'shufflenet_v1_g3', 'shufflenet_v1_g4', 'shufflenet_v1_g8',
  'shufflenet_v2_x0_5', 'shufflenet_v2_x1_0', 'shufflenet_v2_x1_5', 'shufflenet_v2_x2_0',
  'mnasnet1_0', 'efficientnet_b0', 'efficientnet_lite0', 'nasnet_a_mobile',
];

function build(name: string, options?: NetworkOptions): Graph {
  return networks.get(name)?.(options) ?? assert.fail(`${name} is not in the zoo`);
}

function macsOf(graph: Graph): number {
  const weighted = graph.nodes.filter(({ op: { kind } }) => kind === conv2d.kind || kind === matmul.kind);
  return weighted.reduce((sum, node) => sum + (node.op.macs?.(node) ?? 0), 0);
}

/** Weights and biases, and of a normalisation factor and offset, not its statistics. */
function parametersOf(graph: Graph): number {
  const own = (node: Node): Node['inputs'] => (is(node, batchNorm) ? node.inputs.slice(1, 3) : node.inputs);
  return graph.nodes.flatMap(own).filter(isConstant).reduce((sum, value) => sum + elementCount(value.shape), 0);
}

function deviation(data: TensorData): number {
  const numbers = Float64Array.from(data, Number);
  const mean = numbers.reduce((a, b) => a + b, 0) / numbers.length;
  return Math.sqrt(numbers.reduce((sum, v) => sum + (v - mean) ** 2, 0) / numbers.length);
}

describe('published sizes', () => {
  for (const [name, macs, parameters] of sizes) it(`${name}: ${macs} M multiply-adds, ${parameters} M parameters`, () => {
    const digits = (text: string): number => text.split('.')[1]?.length ?? 0;
    const graph = build(name);
    assert.equal((macsOf(graph) / 1e6).toFixed(digits(macs)), macs);
    assert.equal((parametersOf(graph) / 1e6).toFixed(digits(parameters)), parameters);
  });
  for (const [name, macs] of papers) it(`${name}: the paper's ${macs} M multiply-adds`, () => {
    const share = macsOf(build(name)) / (macs * 1e6);
    assert.ok(Math.abs(share - 1) <= 0.02, `${share} of the paper's`);
  });
});

it('nasnet_a_mobile has as many trained parameters as in Keras', () => {
  assert.equal(parametersOf(build('nasnet_a_mobile')), 5289978);
});

describe('seeded networks', () => {
  for (const name of forms) it(`${name} is alive, and the same in wasm (seed 1, picture 5)`, async () => {
    const size = [64, 48] as const;
    const pictures = noise(5, [2, ...size, 3]).data;
    const [want] = runReference(build(name, { size, batch: 2 }), [pictures], (node, [{ data }]) => {
      const spread = deviation(data);
      assert.ok(spread >= 0.1 && spread <= 10, `${node.name} (${node.op.kind}) has a standard deviation of ${spread}`);
    });
    const [first, second] = [want.data.slice(0, 1000), want.data.slice(1000)];
    assert.ok(relativeError(second, first) >= 0.02, 'two pictures give two answers');
    for (const kernels of kernelSets().filter((set) => set !== 'reference')) {
      const [both] = await (await loadModel(planOf(build(name, { size, batch: 2 })), { kernels })).run([pictures]);
      assert.ok(relativeError(both, want.data) <= tolerance.network, `${kernels}: off by ${relativeError(both, want.data)}`);
      const [alone] = await (await loadModel(planOf(build(name, { size })), { kernels })).run([pictures.slice(pictures.length / 2)]);
      assert.ok(relativeError(alone, second) <= tolerance.network, `${kernels}, the second picture alone: off by ${relativeError(alone, second)}`);
    }
  });
});

describe('options', () => {
  for (const name of forms) it(`${name}: both paddings, odd sizes and any number of classes have a plan`, () => {
    for (const padding of ['same', 'symmetric'] as const) {
      const graph = build(name, { size: [65, 95], classes: 7, padding, softmax: true });
      assert.deepEqual(graph.outputs.map(({ shape }) => shape), [[1, 7]]);
      assert.ok(planOf(graph).length > 0);
    }
  });
});
