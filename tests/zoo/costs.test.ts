// What the zoo's networks from LeNet-5 to SqueezeNet cost: multiply-adds of convolutions and fully connected layers, and parameters
// (their weights and biases, and gamma and beta of normalisations), against published figures (models/README.md says whose).

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isConstant, type Graph } from '../../host/graph/graph.ts';
import { elementCount } from '../../host/tensor.ts';
import { networks, type NetworkOptions } from '../../models/index.ts';

/** Multiply-adds and parameters at 224x224 and 1000 classes, in millions, to as many digits as are written. */
const published: Readonly<Record<string, readonly [macs: string, parameters: string]>> = {
  resnet18: ['1814', '11.69'],
  resnet50: ['4089', '25.56'],
  resnet50_paper: ['3858', '25.56'],
  resnext50_32x4d: ['4230', '25.03'],
  densenet121: ['2834', '7.98'],
  vgg16: ['15470', '138.4'],
  squeezenet1_1: ['349', '1.24'],
};

/** Multiply-adds in 1e9 and the number of parameters, as torchvision's documentation has them; googlenet: Caffe's bvlc_googlenet. */
const counted: Readonly<Record<string, readonly [macs: string, parameters: number]>> = {
  vgg11: ['7.61', 132863336],
  vgg13: ['11.31', 133047848],
  vgg19: ['19.63', 143667240],
  googlenet: ['1.58', 6998552],
  resnet34: ['3.66', 21797672],
  resnet101: ['7.80', 44549160],
  resnet152: ['11.51', 60192808],
  densenet169: ['3.36', 14149480],
};

/** Weights of a size that costs nothing to make: they do not matter here. */
const zeros: NetworkOptions = { weights: (_, shape) => new Float32Array(elementCount(shape)) };

function costsOf(graph: Graph): { macs: number; parameters: number } {
  let [macs, parameters] = [0, 0];
  for (const { op, inputs, attrs, outputs, name } of graph.nodes) {
    if (op.kind === 'conv2d' || op.kind === 'matmul') macs += op.macs?.({ op, inputs, attrs, outputs, name }) ?? 0;
    // Of a normalisation, inputs 3 and 4 are statistics.
    const learned = op.kind === 'batchNorm' ? inputs.slice(0, 3) : inputs;
    for (const value of learned) if (isConstant(value)) parameters += value.data.length;
  }
  return { macs, parameters };
}
function build(name: string, options: NetworkOptions = {}): Graph {
  return networks.get(name)?.({ ...zeros, ...options }) ?? assert.fail(`${name} is not in the zoo`);
}
const digits = (value: number, like: string): string => value.toFixed(like.split('.')[1]?.length ?? 0);

describe('costs', () => {
  for (const [name, [macs, parameters]] of Object.entries(published)) {
    it(`${name}: ${macs} M multiply-adds, ${parameters} M parameters`, () => {
      const costs = costsOf(build(name));
      assert.deepEqual([digits(costs.macs / 1e6, macs), digits(costs.parameters / 1e6, parameters)], [macs, parameters]);
    });
  }
  for (const [name, [macs, parameters]] of Object.entries(counted)) {
    it(`${name}: ${macs} G multiply-adds, ${parameters} parameters`, () => {
      const costs = costsOf(build(name));
      assert.deepEqual([digits(costs.macs / 1e9, macs), costs.parameters], [macs, parameters]);
    });
  }
});

it('AlexNet has the lecture\'s layers', () => {
  const { nodes } = build('alexnet');
  const rows = nodes.filter(({ op }) => op.kind === 'conv2d' || op.kind === 'matmul').map((node) => {
    const [y] = node.outputs;
    return [node.name, ...y.shape.slice(1, 3), Math.round(elementCount(y.shape) * 4 / 1024), Math.round((node.inputs[1]?.data?.length ?? 0) / 1e3), Math.round((node.op.macs?.(node) ?? 0) / 1e6)];
  });
  assert.deepEqual(rows, [
    ['conv1', 56, 56, 784, 23, 73], ['conv2', 27, 27, 547, 307, 224], ['conv3', 13, 13, 254, 664, 112],
    ['conv4', 13, 13, 169, 885, 150], ['conv5', 13, 13, 169, 590, 100],
    ['fc6', 4096, 16, 37749, 38], ['fc7', 4096, 16, 16777, 17], ['fc8', 1000, 4, 4096, 4],
  ]);
});

it('LeNet-5 has the lecture\'s shapes', () => {
  const shapes = build('lenet5').nodes.filter(({ op }) => op.kind !== 'unary').map(({ outputs: [y] }) => y.shape.slice(1));
  assert.deepEqual(shapes, [[28, 28, 20], [14, 14, 20], [14, 14, 50], [7, 7, 50], [2450], [500], [10]]);
});

it('GoogLeNet\'s classifiers in the middle are further outputs', () => {
  const { outputs } = build('googlenet_auxiliary', { classes: 12 });
  assert.deepEqual(outputs.map(({ shape }) => shape), [[1, 12], [1, 12], [1, 12]]);
  assert.equal(new Set(outputs).size, 3);
});
