// The table of layers: the lecture's figures, files without their exporters' artefacts, totals that are known from elsewhere.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importGraph } from '../../host/compile.ts';
import { Builder } from '../../host/graph/builder.ts';
import { isConstant, type Graph, type Value } from '../../host/graph/graph.ts';
import { overviewOf, type Layer, type Overview } from '../../host/inspect/layers.ts';
import { studyGraph } from '../../host/inspect/study.ts';
import { columnsOf, nameTail, outputText, sizesText } from '../../host/inspect/table.ts';
import { noClamp } from '../../host/ops/activation.ts';
import { binary } from '../../host/ops/binary.ts';
import { conv2d } from '../../host/ops/conv2d.ts';
import { unary } from '../../host/ops/unary.ts';
import { decodePlan } from '../../host/plan/decode.ts';
import { networks } from '../../models/index.ts';
import { noise } from '../../models/random.ts';
import { sharedBytes, skipWithoutShared } from '../shared.ts';

const zoo = (name: string): Graph => {
  const build = networks.get(name);
  assert.ok(build, name);
  return build();
};
const cellsOf = ({ layers }: Overview, titles: readonly string[]): string[][] => {
  const columns = columnsOf(layers).filter(({ title }) => titles.includes(title));
  return layers.map((_, i) => columns.map(({ cells }) => cells[i]));
};
const fileOverview = (path: string): Overview => overviewOf(importGraph(sharedBytes(path)).graph);
const opsOf = (overview: Overview): string[] => [...new Set(overview.layers.map(({ op }) => op))].sort();
const near = (value: number, million: number): void => { assert.ok(Math.abs(value / 1e6 - million) <= 0.006 * million, `${value} instead of ${million} M`); };

test('AlexNet is the lecture\'s table, but for conv4: 150 M (the lecture\'s 145 is a slip)', () => {
  const overview = overviewOf(zoo('alexnet'));
  assert.deepEqual(cellsOf(overview, ['layer', 'input', 'filters', 'kernel', 'stride', 'pad', 'output', 'memory KB', 'weights k', 'MACs M']), [
    ['conv1', '227x227x3', '64', '11x11', '4', '2', '56x56x64', '784', '23', '73'],
    ['pool1', '56x56x64', '', '3x3', '2', '0', '27x27x64', '182', '0', '0'],
    ['conv2', '27x27x64', '192', '5x5', '1', '2', '27x27x192', '547', '307', '224'],
    ['pool2', '27x27x192', '', '3x3', '2', '0', '13x13x192', '127', '0', '0'],
    ['conv3', '13x13x192', '384', '3x3', '1', '1', '13x13x384', '254', '664', '112'],
    ['conv4', '13x13x384', '256', '3x3', '1', '1', '13x13x256', '169', '885', '150'],
    ['conv5', '13x13x256', '256', '3x3', '1', '1', '13x13x256', '169', '590', '100'],
    ['pool5', '13x13x256', '', '3x3', '2', '0', '6x6x256', '36', '0', '0'],
    ['fc6', '9216', '4096', '', '', '', '4096', '16', '37,749', '38'],
    ['fc7', '4096', '4096', '', '', '', '4096', '16', '16,777', '17'],
    ['fc8', '4096', '1000', '', '', '', '1000', '4', '4,096', '4'],
  ]);
  assert.equal(overview.totals.parameters - overview.totals.weights, 64 + 192 + 384 + 256 + 256 + 4096 + 4096 + 1000);
});

test('normalisation and activations belong to the layer before them', () => {
  const { layers } = overviewOf(zoo('mobilenet_v2'));
  assert.deepEqual([layers[0].op, layers[0].then], ['conv', ['bn', 'relu6']]);
  assert.equal(layers[0].parameters - layers[0].weights, 2 * 32, 'scale and shift of the normalisation');
  assert.deepEqual(opsOf({ layers } as Overview), ['add', 'conv', 'depthwise conv', 'fc', 'global average pool']);
});

test('looking at a graph leaves it as it was', () => {
  const graph = zoo('squeezenet1_1');
  const kinds = graph.nodes.map((node) => node.op.kind);
  overviewOf(graph);
  assert.deepEqual(graph.nodes.map((node) => node.op.kind), kinds);
  assert.ok(graph.nodes.every((node) => node.inputs.slice(1).every((value) => isConstant(value) || graph.nodes.some((other) => other.outputs.includes(value as Value)))));
});

test('NCHW files show neither transposes nor the nodes a shuffle was spelled with', { skip: skipWithoutShared }, () => {
  const shuffle = fileOverview('models/torchvision_shufflenet_v2_x1_0.onnx');
  assert.deepEqual(opsOf(shuffle), ['channel shuffle', 'concat', 'conv', 'depthwise conv', 'fc', 'global average pool', 'max pool', 'split']);
  assert.deepEqual([shuffle.layers[0].inputs, shuffle.layers[0].outputs], [[[1, 224, 224, 3]], [[1, 112, 112, 24]]]);
  assert.equal(shuffle.layers.filter(({ op }) => op === 'channel shuffle').length, 16);
  const split = shuffle.layers.find(({ op }) => op === 'split') as Layer;
  assert.equal(outputText(split), '28x28x58+58');
  assert.deepEqual(opsOf(fileOverview('onnx-light/light_shufflenet.onnx')),
    ['add', 'average pool', 'channel shuffle', 'concat', 'conv', 'depthwise conv', 'fc', 'grouped conv', 'max pool', 'softmax']);
});

test('activations that files spell out have their names', { skip: skipWithoutShared }, () => {
  const { layers } = fileOverview('models/torchvision_mobilenet_v3_small.onnx');
  const words = new Set(layers.flatMap(({ then }) => then));
  assert.deepEqual([...words].sort(), ['hard sigmoid', 'hard swish', 'relu']);
  assert.equal(layers.filter(({ op }) => op === 'mul').length, 9, 'squeeze-and-excitation');
});

test('quantised files, spelled as integers or as float between scales, take a byte per element', { skip: skipWithoutShared }, () => {
  for (const path of ['models/qdq_mobilenet_v1_0.25_128.onnx', 'models/mobilenet_v1_0.25_128_quant.tflite']) {
    const { layers, totals } = fileOverview(path);
    assert.deepEqual([layers.length, totals.weights, totals.macs], [30, 463856, 13570304], path);
    assert.ok(layers.slice(0, -1).every(({ dtype }) => dtype === 'int8'), path);
    assert.equal(layers[0].memoryKB, (64 * 64 * 8) / 1024);
  }
  assert.ok(fileOverview('models/qdq_shuffle_int8.onnx').layers.every(({ dtype }) => dtype === 'int8'));
});

test('totals of files are the published ones', { skip: skipWithoutShared }, () => {
  const known = [
    ['models/mobilenet_v1_random.onnx', 568.7, 4.23], ['models/torchvision_squeezenet1_1.onnx', 349, 1.24], ['models/torchvision_mobilenet_v3_small.onnx', 56.5, 2.54],
    ['models/torchvision_shufflenet_v2_x1_0.onnx', 144.9, 2.28], ['models/mobilenet_v2_1.0_224_imagenet_f32.tflite', 300.8, 3.50], ['onnx-light/light_resnet50.onnx', 4089, 25.56],
  ] as const;
  for (const [path, macs, parameters] of known) {
    const { totals } = fileOverview(path);
    near(totals.macs, macs);
    near(totals.parameters, parameters);
  }
});

test('layers and the compiled plan agree on multiply-adds and shuffles', { skip: skipWithoutShared }, () => {
  for (const path of ['models/nanodet_plus_m_320.onnx', 'models/version-RFB-320.onnx', 'models/qdq_shuffle_int8.onnx', 'models/mlperf_tiny_kws_ref_model.tflite']) {
    const { overview, plan } = studyGraph(importGraph(sharedBytes(path)));
    const info = decodePlan(plan);
    assert.equal(overview.totals.macs, info.macs, path);
    assert.equal(overview.layers.filter(({ op }) => op === 'channel shuffle').length, info.shuffles, path);
  }
});

test('a swish of one layer is no layer; a gate between two is', () => {
  const b = new Builder();
  const x = b.input('x', { dtype: 'float32', shape: [1, 4, 5, 3] });
  const window = { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], groups: 1, ...noClamp } as const;
  const conv = (name: string, from: Value, seed: number): Value => b.add(conv2d, window, [from, b.constant(noise(seed, [1, 1, 3, 3])), null], { name });
  const sigmoid = (from: Value): Value => b.add(unary, { kind: 'sigmoid', p0: 0, p1: 0 }, [from]);
  const product = (p: Value, q: Value, name: string): Value => b.add(binary, { kind: 'mul', ...noClamp }, [p, q], { name });
  const a = conv('a', x, 1);
  const swished = product(a, sigmoid(a), 'swish');
  b.output(product(swished, sigmoid(conv('c', swished, 2)), 'gate'), 'y');
  const { layers, outputs } = overviewOf(b.graph);
  assert.deepEqual(layers.map(({ name, op, then, from }) => [name, op, then, from]),
    [['a', 'conv', ['swish'], [-1]], ['c', 'conv', ['sigmoid'], [0]], ['gate', 'mul', [], [0, 1]]]);
  assert.deepEqual(outputs, [{ name: 'y', from: 2 }]);
});

test('branches that begin alike say so once', () => {
  const repeated = overviewOf(zoo('nasnet_a_mobile')).layers.filter(({ then }) => new Set(then).size < then.length);
  assert.deepEqual(repeated.map(({ name }) => name), []);
});

test('cells: sizes, names, digits', () => {
  assert.equal(sizesText([[1, 7, 8, 3]]), '7x8x3');
  assert.equal(sizesText([[2, 7, 8, 3]]), '2x7x8x3');
  assert.equal(sizesText([[]]), '1');
  assert.equal(sizesText([[1, 1, 1, 16], [1, 7, 8, 16]]), '7x8x16', 'the largest');
  assert.equal(sizesText([[1, 7, 8, 16], [1, 7, 8, 4]], [1, 7, 8, 20]), '7x8x16+4');
  assert.equal(sizesText([[2, 3, 5, 5], [2, 3, 5, 5]], [2, 6, 5, 5]), '2x3+3x5x5');
  assert.equal(sizesText([[1, 600, 4], [1, 150, 4]], [1, 750, 4]), '600+150x4');
  assert.equal(sizesText(new Array<number[]>(5).fill([1, 2]), [5, 2]), '5 tensors');
  assert.equal(nameTail('/features/conv;fused;things'), 'features/conv');
  assert.equal(nameTail('model/very/long/path/of/blocks/block_17/expand/Conv2D'), '.../of/blocks/block_17/expand/Conv2D');
  assert.equal(nameTail('x'.repeat(50)).length, 36);
  const layer = { ...overviewOf(zoo('lenet5')).layers[0], then: ['a', 'b', 'c', 'd'] };
  const column = (weights: readonly number[], title: string): readonly string[] => (
    columnsOf(weights.map((w) => ({ ...layer, weights: w }))).find((c) => c.title === title)?.cells ?? []);
  assert.deepEqual(column([1234567, 99, 999, 0], 'weights k'), ['1,235', '0.1', '1', '0']);
  assert.deepEqual(column([1500, 4], 'weights k'), ['1.50', '0.004']);
  assert.equal(column([1], 'op')[0], 'conv, a, b, c, ...');
});
