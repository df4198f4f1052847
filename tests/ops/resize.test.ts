// Cubic and cropping Resize as read from ONNX, by definition and by steps, against interpolation written out per pixel.

import { deepEqual, ok, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { KingletError } from '../../host/error.ts';
import { Builder } from '../../host/graph/builder.ts';
import type { Graph } from '../../host/graph/graph.ts';
import { onnxReaders } from '../../host/ops/index.ts';
import { numbers, type Tensor } from '../../host/tensor.ts';
import { tolerance } from '../tolerance.ts';
import { bothWays, floatTensor, randomTensor } from './problem.ts';
import { onnxNode, type OnnxAttributes } from './source-nodes.ts';

function graphOf(attrs: OnnxAttributes, x: Tensor, others: readonly (Tensor | null)[], opset = 13): Graph {
  const b = new Builder();
  const node = onnxNode({ op: 'Resize', opset, attrs, inputs: [b.input('x', x), ...others.map((t) => t && b.constant(t))] });
  for (const value of onnxReaders.get('Resize')?.(node, b) ?? []) b.output(value, 'y');
  deepEqual(node.unread(), [], 'every attribute is read');
  return b.graph;
}

type Line = (position: number) => (at: (i: number) => number, length: number) => number;

/** One output pixel per pair of positions, interpolated down the columns of interpolated rows. */
async function agrees(graph: Graph, x: Tensor, rows: readonly number[], columns: readonly number[], line: Line): Promise<void> {
  const [n, c, h, w] = x.shape;
  deepEqual(graph.outputs[0].shape, [n, c, rows.length, columns.length]);
  const data = numbers(x);
  const expected = Array.from({ length: n * c }, (_, plane) => rows.map((row) => columns.map((column) => (
    line(row)((i) => line(column)((j) => data[(plane * h + i) * w + j], w), h))))).flat(2);
  for (const [y] of await bothWays(graph, [x])) {
    const worst = Math.max(...expected.map((v, i) => Math.abs(v - Number(y[i]))));
    ok(y.length === expected.length && worst <= tolerance.kernel * 8, `off by ${worst}`);
  }
}

/** Keys' cubic convolution with slope a; beyond the border the border's pixel goes on, or its weight goes to the others. */
const cubic = (a: number, exclude = false): Line => (position) => (at, length) => {
  const near = (d: number): number => (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
  const far = (d: number): number => a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a;
  const left = Math.floor(position), r = position - left;
  const taps = [[left - 1, far(1 + r)], [left, near(r)], [left + 1, near(1 - r)], [left + 2, far(2 - r)]]
    .filter(([i]) => !exclude || (i >= 0 && i < length));
  const total = exclude ? taps.reduce((sum, [, weight]) => sum + weight, 0) : 1;
  return taps.reduce((sum, [i, weight]) => sum + (weight / total) * at(Math.min(length - 1, Math.max(0, i))), 0);
};
const linear = (outside: number): Line => (position) => (at, length) => {
  if (position < 0 || position > length - 1) return outside;
  const left = Math.floor(position);
  return at(left) + (position - left) * (at(Math.min(left + 1, length - 1)) - at(left));
};
const upTo = (count: number, f: (i: number) => number): number[] => Array.from({ length: count }, (_, i) => f(i));
const sizes = (...dims: number[]): Tensor => ({ dtype: 'int32', shape: [dims.length], data: Int32Array.from(dims) });
const floats = (...values: number[]): Tensor => floatTensor([values.length], values);

for (const [channels, a, exclude] of [[1, -0.75, 0], [5, -0.5, 1], [9, -0.5, 0]]) {
  test(`cubic Resize of ${channels} channels, slope ${a}${exclude ? ', without what lies outside' : ''}`, async () => {
    const x = randomTensor(channels, { dtype: 'float32', shape: [2, channels, 5, 6] });
    const graph = graphOf({ mode: 'cubic', cubic_coeff_a: a, exclude_outside: exclude }, x, [null, null, sizes(2, channels, 8, 4)]);
    await agrees(graph, x, upTo(8, (i) => ((i + 0.5) * 5) / 8 - 0.5), upTo(4, (i) => ((i + 0.5) * 6) / 4 - 0.5), cubic(a, exclude === 1));
  });
}

test('cubic Resize between the corners', async () => {
  const x = randomTensor(3, { dtype: 'float32', shape: [1, 2, 4, 4] });
  const graph = graphOf({ mode: 'cubic', coordinate_transformation_mode: 'align_corners' }, x, [null, floats(1, 1, 2, 1.75)]);
  await agrees(graph, x, upTo(8, (i) => (i * 3) / 7), upTo(7, (i) => (i * 3) / 6), cubic(-0.75));
});

const crop = { mode: 'linear', coordinate_transformation_mode: 'tf_crop_and_resize' };
const region = (top: number, left: number, bottom: number, right: number): Tensor => floats(0, 0, top, left, 1, 1, bottom, right);

test('Resize of a part', async () => {
  const x = randomTensor(4, { dtype: 'float32', shape: [1, 3, 5, 9] });
  const graph = graphOf(crop, x, [region(0.25, 0.5, 0.75, 1), null, sizes(1, 3, 3, 5)]);
  await agrees(graph, x, upTo(3, (i) => 1 + i), upTo(5, (i) => 4 + i), linear(NaN));
  const scaled = graphOf(crop, x, [region(0.25, 0.5, 0.75, 1), floats(1, 1, 2, 1)]);
  await agrees(scaled, x, upTo(5, (i) => 1 + i / 2), upTo(4, (i) => 4 + (i * 4) / 3), linear(NaN));
});

test('Resize of a part beyond the picture, upside down, and of a single row', async () => {
  const x = randomTensor(5, { dtype: 'float32', shape: [1, 2, 5, 5] });
  const beyond = graphOf({ ...crop, extrapolation_value: 7 }, x, [region(-0.5, 0.5, 1.5, 1.25), null, sizes(1, 2, 9, 4)]);
  // Rows -2, -1, …, 6; columns 2, 3, 4, 5.
  await agrees(beyond, x, upTo(9, (i) => i - 2), upTo(4, (i) => 2 + i), linear(7));
  const turned = graphOf({ ...crop, extrapolation_value: -1 }, x, [region(1.25, 1, 0, 0), null, sizes(1, 2, 6, 1)]);
  await agrees(turned, x, upTo(6, (i) => 5 - i), [2], linear(-1));
});

test('impossible crops and cubic interpolation of bytes are refused', () => {
  const x = randomTensor(1, { dtype: 'float32', shape: [1, 2, 5, 5] });
  const bytes = randomTensor(1, { dtype: 'int8', shape: [1, 2, 5, 5] });
  const refused: [string, OnnxAttributes, Tensor, (Tensor | null)[]][] = [
    ['ERR_MODEL_INVALID', crop, x, [null, floats(1, 1, 2, 2)]],
    ['ERR_MODEL_INVALID', crop, x, [floats(0, 0, 1, 1), floats(1, 1, 2, 2)]],
    ['ERR_MODEL_INVALID', crop, x, [region(0, 0, NaN, 1), floats(1, 1, 2, 2)]],
    ['ERR_MODEL_INVALID', crop, x, [region(0.5, 0, 0, 1), floats(1, 1, 2, 2)]],
    ['ERR_UNSUPPORTED', crop, x, [region(2, 2, 3, 3), null, sizes(1, 2, 4, 4)]],
    ['ERR_UNSUPPORTED', crop, x, [floats(0.5, 0, 0, 0, 1, 1, 1, 1), null, sizes(1, 2, 4, 4)]],
    ['ERR_LIMIT', crop, x, [region(0, 0, 1, 1), null, sizes(1, 2, 2 ** 30, 2 ** 30)]],
    ['ERR_UNSUPPORTED', { mode: 'cubic' }, bytes, [null, floats(1, 1, 2, 2)]],
  ];
  for (const [code, attrs, input, others] of refused) {
    throws(() => graphOf(attrs, input, others), (error) => error instanceof KingletError && error.code === code, `${code} ${JSON.stringify(attrs)}`);
  }
});
