// Normalisations as read by the op files, by definition and by steps, against the formulas of their specifications.

import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { KingletError } from '../../host/error.ts';
import { Builder } from '../../host/graph/builder.ts';
import type { Graph } from '../../host/graph/graph.ts';
import { onnxReaders, tfliteReaders } from '../../host/ops/index.ts';
import { lrn } from '../../host/ops/lrn.ts';
import { numbers, type Tensor } from '../../host/tensor.ts';
import { tolerance } from '../tolerance.ts';
import { bothWays, graphOf, randomTensor, scale } from './problem.ts';
import { onnxNode, tfliteNode, type OnnxSpec, type TfliteSpec } from './source-nodes.ts';

/** The first input is fed, the others are constants. */
function onnxGraph(op: string, spec: Omit<OnnxSpec, 'inputs'>, inputs: readonly (Tensor | null)[]): Graph {
  const b = new Builder();
  const values = inputs.map((t, i) => (t === null ? null : i === 0 ? b.input('x', t) : b.constant(t)));
  const node = onnxNode({ op, ...spec, inputs: values });
  for (const value of onnxReaders.get(op)?.(node, b) ?? []) b.output(value, 'y');
  deepEqual(node.unread(), [], 'every attribute is read');
  return b.graph;
}
function tfliteGraph(op: string, spec: Omit<TfliteSpec, 'inputs'>, x: Tensor): Graph {
  const b = new Builder();
  for (const value of tfliteReaders.get(op)?.(tfliteNode({ ...spec, inputs: [b.input('x', x)] }), b) ?? []) b.output(value, 'y');
  return b.graph;
}

async function agrees(graph: Graph, x: Tensor, expected: readonly (readonly number[])[]): Promise<void> {
  for (const outputs of await bothWays(graph, [x])) {
    equal(outputs.length, expected.length);
    outputs.forEach((y, o) => {
      const largest = Math.max(...expected[o].map(Math.abs));
      const worst = Math.max(...Array.from(y as ArrayLike<number>, (v, i) => Math.abs(v - expected[o][i])));
      ok(y.length === expected[o].length && worst <= tolerance.kernel * largest, `output ${o} is off by ${worst}`);
    });
  }
}

/** Local response normalisation of [N, C, inner]: the formula of Krizhevsky et al. with the window as ONNX states it. */
function lrnOf(x: Tensor, channels: number, inner: number, p: { before: number; after: number; scale: number; bias: number; beta: number }): number[] {
  const data = numbers(x);
  return Array.from(data, (v, i) => {
    const [c, start] = [Math.floor(i / inner) % channels, i - (Math.floor(i / inner) % channels) * inner];
    let sum = 0;
    for (let k = Math.max(0, c - p.before); k <= Math.min(channels - 1, c + p.after); k++) sum += data[start + k * inner] ** 2;
    return v / (p.bias + p.scale * sum) ** p.beta;
  });
}

for (const [size, before, after] of [[5, 2, 2], [1, 0, 0], [4, 1, 2], [21, 10, 10]]) {
  test(`LRN over ${size} channels`, async () => {
    const x = randomTensor(size, { dtype: 'float32', shape: [2, 7, 3, 2] });
    const graph = onnxGraph('LRN', { attrs: { size, alpha: 0.5, beta: 0.75, bias: 2 } }, [x]);
    await agrees(graph, x, [lrnOf(x, 7, 6, { before, after, scale: 0.5 / size, bias: 2, beta: 0.75 })]);
  });
}

test('LRN has the paper\'s exponent by default, and works on rank 3', async () => {
  const x = randomTensor(9, { dtype: 'float32', shape: [2, 6, 5] });
  await agrees(onnxGraph('LRN', { attrs: { size: 3, alpha: 100 } }, [x]), x, [lrnOf(x, 6, 5, { before: 1, after: 1, scale: 100 / 3, bias: 1, beta: 0.75 })]);
});

test('LOCAL_RESPONSE_NORMALIZATION multiplies the sum by alpha', async () => {
  const x = randomTensor(10, { dtype: 'float32', shape: [1, 2, 3, 9] });
  const graph = tfliteGraph('LOCAL_RESPONSE_NORMALIZATION', { options: { 0: 2, 1: 1.5, 2: 0.25, 3: 0.5 } }, x);
  await agrees(graph, x, [lrnOf(x, 9, 1, { before: 2, after: 2, scale: 0.25, bias: 1.5, beta: 0.5 })]);
});

test('LRN of bytes: equal by definition and by steps', async () => {
  const x = randomTensor(11, { dtype: 'int8', shape: [2, 3, 5, 33], quantization: scale(0.4, 7) });
  const attrs = { before: 2, after: 2, scale: Math.fround(1e-1 / 5), bias: 1, beta: 0.75 };
  const graph = graphOf([x], (b, [value]) => [b.add(lrn, attrs, [value], { quantization: scale(0.03, -9) })]);
  const [[expected], [actual]] = await bothWays(graph, [x]);
  deepEqual(actual, expected);
  ok(new Set(Array.from(expected, Number)).size > 50, 'the outputs differ');
});

/** Mean 0 and variance 1 of every set of elements with the same key, then a factor and an offset per element. */
function normalized(x: Tensor, key: (i: number) => number, epsilon: number, factor: (i: number) => number = () => 1, offset: (i: number) => number = () => 0): number[] {
  const data = numbers(x);
  const sets = new Map<number, number[]>();
  data.forEach((v, i) => sets.set(key(i), [...(sets.get(key(i)) ?? []), v]));
  const momentsOf = new Map([...sets].map(([k, set]) => {
    const mean = set.reduce((a, v) => a + v, 0) / set.length;
    return [k, { mean, variance: set.reduce((a, v) => a + (v - mean) ** 2, 0) / set.length }];
  }));
  return Array.from(data, (v, i) => {
    const { mean, variance } = momentsOf.get(key(i)) ?? { mean: NaN, variance: NaN };
    return ((v - mean) / Math.sqrt(variance + epsilon)) * factor(i) + offset(i);
  });
}

const picture = randomTensor(20, { dtype: 'float32', shape: [2, 6, 4, 5] });
const channel = (i: number): number => Math.floor(i / 20) % 6;
const parameter = (seed: number, shape: readonly number[]): Tensor => randomTensor(seed, { dtype: 'float32', shape });

test('InstanceNormalization, on any rank', async () => {
  const [factor, offset] = [parameter(21, [6]), parameter(22, [6])];
  const expected = normalized(picture, (i) => Math.floor(i / 20), 0.125, (i) => Number(factor.data[channel(i)]), (i) => Number(offset.data[channel(i)]));
  await agrees(onnxGraph('InstanceNormalization', { attrs: { epsilon: 0.125 } }, [picture, factor, offset]), picture, [expected]);
  const flat = { ...picture, shape: [2, 6, 20] };
  await agrees(onnxGraph('InstanceNormalization', { attrs: { epsilon: 0.125 } }, [flat, factor, offset]), flat, [expected]);
});

test('GroupNormalization with parameters per group, and since opset 21 per channel', async () => {
  const group = (i: number): number => Math.floor(i / 40) % 3;
  const [factor, offset] = [parameter(23, [6]), parameter(24, [6])];
  const [few, fewer] = [parameter(25, [3]), parameter(26, [3])];
  await agrees(onnxGraph('GroupNormalization', { opset: 18, attrs: { num_groups: 3 } }, [picture, few, fewer]), picture,
    [normalized(picture, (i) => Math.floor(i / 40), 1e-5, (i) => Number(few.data[group(i)]), (i) => Number(fewer.data[group(i)]))]);
  await agrees(onnxGraph('GroupNormalization', { opset: 21, attrs: { num_groups: 3, stash_type: 1 } }, [picture, factor, offset]), picture,
    [normalized(picture, (i) => Math.floor(i / 40), 1e-5, (i) => Number(factor.data[channel(i)]), (i) => Number(offset.data[channel(i)]))]);
});

test('LayerNormalization from an axis on, with its mean and inverse deviation', async () => {
  const [factor, offset] = [parameter(27, [4, 5]), parameter(28, [5])];
  const set = (i: number): number => Math.floor(i / 20);
  const expected = normalized(picture, set, 0.01, (i) => Number(factor.data[i % 20]), (i) => Number(offset.data[i % 5]));
  const plain = normalized(picture, set, 0.01);
  const rows = Array.from({ length: 12 }, (_, r) => [...numbers(picture)].slice(20 * r, 20 * r + 20));
  const means = rows.map((row) => row.reduce((a, v) => a + v, 0) / 20);
  const inverse = rows.map((row, r) => plain[20 * r] / (row[0] - means[r]));
  const spec = { opset: 17, attrs: { axis: 2, epsilon: 0.01, stash_type: 1 } };
  await agrees(onnxGraph('LayerNormalization', { ...spec, outputCount: 3 }, [picture, factor, offset]), picture, [expected, means, inverse]);
  await agrees(onnxGraph('LayerNormalization', { opset: 17, attrs: { axis: -2, epsilon: 0.01 } }, [picture, factor]), picture,
    [normalized(picture, set, 0.01, (i) => Number(factor.data[i % 20]))]);
});

test('MeanVarianceNormalization over batch and picture; equal elements give 0', async () => {
  await agrees(onnxGraph('MeanVarianceNormalization', {}, [picture]), picture, [normalized(picture, channel, 0)]);
  const flat: Tensor = { dtype: 'float32', shape: [1, 1, 2, 2], data: new Float32Array(4).fill(3) };
  for (const [y] of await bothWays(onnxGraph('MeanVarianceNormalization', { attrs: { axes: [2, 3] } }, [flat]), [flat])) deepEqual([...y], [0, 0, 0, 0]);
});

test('impossible normalisations are refused', () => {
  const x = randomTensor(1, { dtype: 'float32', shape: [1, 4, 2, 2] });
  const bytes = randomTensor(1, { dtype: 'int8', shape: [1, 4], quantization: scale(1, 0) });
  const refused: [string, string, () => unknown][] = [
    ['LRN of no channels', 'ERR_MODEL_INVALID', () => onnxGraph('LRN', { attrs: { size: 0 } }, [x])],
    ['LRN without a size', 'ERR_MODEL_INVALID', () => onnxGraph('LRN', {}, [x])],
    ['LRN of rank 1', 'ERR_MODEL_INVALID', () => onnxGraph('LRN', { attrs: { size: 3 } }, [randomTensor(1, { dtype: 'float32', shape: [4] })])],
    ['LRN of an endless window', 'ERR_MODEL_INVALID', () => onnxGraph('LRN', { attrs: { size: 2 ** 30 } }, [x])],
    ['a negative radius', 'ERR_MODEL_INVALID', () => tfliteGraph('LOCAL_RESPONSE_NORMALIZATION', { options: { 0: -1, 3: 0.75 } }, x)],
    ['LRN of bytes with an inexact power', 'ERR_UNSUPPORTED', () => tfliteGraph('LOCAL_RESPONSE_NORMALIZATION', { options: { 0: 1, 3: 0.3 } }, bytes)],
  ];
  const [four, three] = [parameter(1, [4]), parameter(1, [3])];
  refused.push(
    ['parameters for other channels', 'ERR_MODEL_INVALID', () => onnxGraph('InstanceNormalization', {}, [x, three, three])],
    ['instances of rank 1', 'ERR_MODEL_INVALID', () => onnxGraph('InstanceNormalization', {}, [four, four, four])],
    ['instances of bytes', 'ERR_UNSUPPORTED', () => onnxGraph('InstanceNormalization', {}, [bytes, four, four])],
    ['groups that do not divide', 'ERR_MODEL_INVALID', () => onnxGraph('GroupNormalization', { attrs: { num_groups: 3 } }, [x, three, three])],
    ['no groups', 'ERR_MODEL_INVALID', () => onnxGraph('GroupNormalization', { attrs: { num_groups: 0 } }, [x, three, three])],
    ['a layer axis outside', 'ERR_MODEL_INVALID', () => onnxGraph('LayerNormalization', { attrs: { axis: 4 } }, [x, four])],
    ['layer parameters of a higher rank', 'ERR_MODEL_INVALID', () => onnxGraph('LayerNormalization', {}, [x, parameter(1, [1, 1, 1, 1, 2])])],
    ['an axis twice', 'ERR_MODEL_INVALID', () => onnxGraph('MeanVarianceNormalization', { attrs: { axes: [1, -3] } }, [x])],
  );
  for (const [what, code, make] of refused) throws(make, (error) => error instanceof KingletError && error.code === code, what);
});
