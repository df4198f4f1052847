// Convolution, transposed convolution and pooling with three spatial axes, by definition and by steps, against loops over volumes;
// with one axis too, which is a volume of one row.

import { deepEqual, ok, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { KingletError } from '../../host/error.ts';
import { Builder } from '../../host/graph/builder.ts';
import type { Graph } from '../../host/graph/graph.ts';
import { onnxReaders, tfliteReaders } from '../../host/ops/index.ts';
import { transpose } from '../../host/ops/transpose.ts';
import { numbers, type Shape, type Tensor } from '../../host/tensor.ts';
import { tolerance } from '../tolerance.ts';
import { bothWays, randomTensor } from './problem.ts';
import { onnxNode, tfliteNode, type OnnxAttributes } from './source-nodes.ts';

type Triple = readonly [number, number, number];
interface Attributes {
  readonly strides?: Triple;
  readonly dilations?: Triple;
  /** Front, top, left, back, bottom, right. */
  readonly pads?: readonly number[];
  readonly group?: number;
}
const ones: Triple = [1, 1, 1];

function graphOf(op: string, attrs: OnnxAttributes, inputs: readonly Tensor[]): Graph {
  const b = new Builder();
  const node = onnxNode({ op, attrs, inputs: inputs.map((t, i) => (i === 0 ? b.input('x', t) : b.constant(t))) });
  for (const value of onnxReaders.get(op)?.(node, b) ?? []) b.output(value, 'y');
  deepEqual(node.unread(), [], 'every attribute is read');
  return b.graph;
}

async function agrees(graph: Graph, x: Tensor, shape: Shape, expected: Float64Array): Promise<void> {
  deepEqual(graph.outputs[0].shape, shape);
  const largest = expected.reduce((a, v) => Math.max(a, Math.abs(v)), 0);
  for (const [y] of await bothWays(graph, [x])) {
    const worst = Math.max(...Array.from(y as ArrayLike<number>, (v, i) => Math.abs(v - expected[i])));
    ok(y.length === expected.length && worst <= tolerance.kernel * largest, `off by ${worst}`);
  }
}

/** All positions of a box, outermost axis first. */
function* box([d, h, w]: Triple): Generator<Triple> {
  for (let z = 0; z < d; z++) for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) yield [z, y, x];
}
const offset = ([d, h, w]: Triple, [z, y, x]: Triple): number => (z < 0 || z >= d || y < 0 || y >= h || x < 0 || x >= w ? NaN : (z * h + y) * w + x);
const triple = (f: (axis: 0 | 1 | 2) => number): Triple => [f(0), f(1), f(2)];
const volume = (size: Triple): number => size[0] * size[1] * size[2];
const spatial = (shape: Shape): Triple => [shape[2], shape[3], shape[4]];

/** Calls visit(output position, input position, tap) for every tap of every window, inside the input or not. */
function eachTap(out: Triple, kernel: Triple, { strides = ones, dilations = ones, pads = [0, 0, 0, 0, 0, 0] }: Attributes, visit: (o: Triple, i: Triple, k: Triple) => void): void {
  for (const o of box(out)) for (const k of box(kernel)) visit(o, triple((axis) => o[axis] * strides[axis] - pads[axis] + k[axis] * dilations[axis]), k);
}
function sizeOf(input: Triple, kernel: Triple, { strides = ones, dilations = ones, pads = [0, 0, 0, 0, 0, 0] }: Attributes): Triple {
  return triple((axis) => Math.floor((input[axis] + pads[axis] + pads[axis + 3] - (kernel[axis] - 1) * dilations[axis] - 1) / strides[axis]) + 1);
}

/** [N, C, D, H, W] by [M, C/g, KD, KH, KW]. */
function convolved(x: Tensor, w: Tensor, bias: Tensor, attrs: Attributes): { shape: number[]; y: Float64Array } {
  const [n, m, ic, group] = [x.shape[0], w.shape[0], w.shape[1], attrs.group ?? 1];
  const [input, kernel] = [spatial(x.shape), spatial(w.shape)];
  const out = sizeOf(input, kernel, attrs);
  const y = new Float64Array(n * m * volume(out)).map((_, i) => numbers(bias)[Math.floor(i / volume(out)) % m]);
  eachTap(out, kernel, attrs, (o, i, k) => {
    const at = offset(input, i);
    if (Number.isNaN(at)) return;
    for (let b = 0; b < n; b++) for (let c = 0; c < m; c++) for (let j = 0; j < ic; j++) {
      const channel = Math.floor(c / (m / group)) * ic + j;
      y[(b * m + c) * volume(out) + offset(out, o)] += numbers(x)[(b * ic * group + channel) * volume(input) + at] * numbers(w)[(c * ic + j) * volume(kernel) + offset(kernel, k)];
    }
  });
  return { shape: [n, m, ...out], y };
}

/** [N, C, D, H, W] by [C, M/g, KD, KH, KW]: every element adds its window to the output. */
function transposed(x: Tensor, w: Tensor, out: Triple, attrs: Attributes): Float64Array {
  const [n, c, m, group] = [x.shape[0], x.shape[1], w.shape[1], attrs.group ?? 1];
  const [input, kernel] = [spatial(x.shape), spatial(w.shape)];
  const y = new Float64Array(n * m * group * volume(out));
  eachTap(input, kernel, attrs, (i, o, k) => {
    const at = offset(out, o);
    if (Number.isNaN(at)) return;
    for (let b = 0; b < n; b++) for (let j = 0; j < c; j++) for (let e = 0; e < m; e++) {
      const channel = Math.floor(j / (c / group)) * m + e;
      y[(b * m * group + channel) * volume(out) + at] += numbers(x)[(b * c + j) * volume(input) + offset(input, i)] * numbers(w)[(j * m + e) * volume(kernel) + offset(kernel, k)];
    }
  });
  return y;
}

const float = (seed: number, ...shape: number[]): Tensor => randomTensor(seed, { dtype: 'float32', shape });
const listed = (attrs: Attributes): OnnxAttributes => ({ ...attrs });

const convolutions: readonly (readonly [string, Attributes, Triple])[] = [
  ['plain', {}, [2, 3, 2]],
  ['flat', {}, [1, 3, 3]],
  ['deep', { pads: [2, 0, 0, 1, 0, 0] }, [4, 1, 1]],
  ['strided and padded', { strides: [2, 1, 2], pads: [1, 0, 2, 0, 1, 1] }, [3, 2, 3]],
  ['dilated', { dilations: [2, 1, 3], pads: [2, 1, 0, 2, 1, 0] }, [3, 2, 2]],
  ['grouped', { group: 3, strides: [1, 2, 1], pads: [1, 1, 1, 1, 1, 1] }, [2, 2, 2]],
];
for (const [name, attrs, kernel] of convolutions) {
  test(`Conv of volumes, ${name}`, async () => {
    const [x, w, bias] = [float(1, 2, 6, 5, 4, 7), float(2, 9, 6 / (attrs.group ?? 1), ...kernel), float(3, 9)];
    const { shape, y } = convolved(x, w, bias, attrs);
    await agrees(graphOf('Conv', listed(attrs), [x, w, bias]), x, shape, y);
  });
}

test('Conv of volumes by groups of one channel, and with SAME pads', async () => {
  const x = float(4, 1, 4, 6, 5, 4);
  const [single, bias] = [float(5, 4, 1, 3, 3, 3), float(6, 4)];
  const depthwise: Attributes = { group: 4, pads: [1, 1, 1, 1, 1, 1] };
  const { shape, y } = convolved(x, single, bias, depthwise);
  await agrees(graphOf('Conv', listed(depthwise), [x, single, bias]), x, shape, y);
  const w = float(7, 4, 4, 2, 3, 2);
  const strides: Triple = [1, 2, 3];
  // ceil(size / stride) outputs; the odd pad lies behind.
  const same = convolved(x, w, bias, { strides, pads: [0, 1, 0, 1, 1, 1] });
  deepEqual(same.shape, [1, 4, 6, 3, 2]);
  await agrees(graphOf('Conv', { strides, auto_pad: 'SAME_UPPER' }, [x, w, bias]), x, same.shape, same.y);
});

test('CONV_3D with SAME pads and ReLU', async () => {
  const [x, w, bias] = [float(8, 1, 4, 5, 6, 2), float(9, 3, 2, 3, 2, 5), float(10, 5)];
  const b = new Builder();
  // Fields: padding, stride_d, stride_w, stride_h, activation, dilation_d, dilation_w, dilation_h.
  const node = tfliteNode({ inputs: [b.input('x', x), b.constant(w), b.constant(bias)], options: { 0: 0, 1: 1, 2: 3, 3: 2, 4: 1, 5: 2 } });
  for (const value of tfliteReaders.get('CONV_3D')?.(node, b) ?? []) b.output(value, 'y');
  // The same numbers with the channels in front: ceil(size / stride) outputs, the odd pad behind.
  const front = (t: Tensor, perm: readonly number[]): Tensor => {
    const shape = perm.map((p) => t.shape[p]);
    return { dtype: 'float32', shape, data: transpose.reference([t], { perm }, [{ dtype: 'float32', shape }])[0].data };
  };
  const { shape, y } = convolved(front(x, [0, 4, 1, 2, 3]), front(w, [4, 3, 0, 1, 2]), bias, { strides: [1, 2, 3], dilations: [2, 1, 1], pads: [2, 0, 0, 2, 1, 0] });
  deepEqual(shape, [1, 5, 4, 3, 2]);
  const positive = Float64Array.from({ length: y.length }, (_, i) => Math.max(0, y[(i % 5) * 24 + Math.floor(i / 5)]));
  await agrees(b.graph, x, [1, 4, 3, 2, 5], positive);
});

const transposes: readonly (readonly [string, Attributes & { output_padding?: Triple }, Triple])[] = [
  ['plain', {}, [2, 3, 2]],
  ['strided', { strides: [3, 2, 1] }, [2, 3, 2]],
  ['cropped', { strides: [2, 2, 2], pads: [1, 0, 1, 2, 1, 0] }, [3, 3, 3]],
  ['dilated and with output padding', { strides: [2, 1, 2], dilations: [2, 2, 1], output_padding: [1, 1, 0] }, [2, 2, 3]],
  ['grouped', { group: 2, strides: [1, 2, 1], pads: [1, 1, 0, 0, 0, 1] }, [3, 2, 2]],
  ['cropped beyond the window', { strides: [2, 1, 1], pads: [3, 0, 0, 2, 0, 0] }, [2, 2, 1]],
];
for (const [name, attrs, kernel] of transposes) {
  test(`ConvTranspose of volumes, ${name}`, async () => {
    const [x, w] = [float(11, 2, 4, 4, 3, 5), float(12, 4, 3, ...kernel)];
    const { strides = ones, dilations = ones, pads = [0, 0, 0, 0, 0, 0], output_padding = [0, 0, 0] } = attrs;
    const out = triple((axis) => (spatial(x.shape)[axis] - 1) * strides[axis] + (kernel[axis] - 1) * dilations[axis] + 1 + output_padding[axis] - pads[axis] - pads[axis + 3]);
    await agrees(graphOf('ConvTranspose', listed(attrs), [x, w]), x, [2, 3 * (attrs.group ?? 1), ...out], transposed(x, w, out, attrs));
  });
}

test('ConvTranspose of volumes to a stated shape', async () => {
  const [x, w] = [float(13, 1, 2, 3, 3, 3), float(14, 2, 2, 3, 3, 3)];
  // The full size is 7 along each axis; the larger half of the rest is cut off in front.
  const graph = graphOf('ConvTranspose', { strides: [2, 2, 2], output_shape: [6, 5, 7] }, [x, w]);
  await agrees(graph, x, [1, 2, 6, 5, 7], transposed(x, w, [6, 5, 7], { strides: [2, 2, 2], pads: [1, 1, 0, 0, 1, 0] }));
});

interface Pooling extends Attributes { readonly ceil?: boolean; readonly countPads?: boolean }
const pools: readonly (readonly [string, Pooling, Triple])[] = [
  ['plain', {}, [2, 3, 2]],
  ['strided and padded', { strides: [2, 1, 2], pads: [1, 0, 1, 0, 1, 1] }, [3, 2, 3]],
  ['hanging over', { strides: [2, 2, 2], ceil: true }, [2, 3, 2]],
  ['counting pads', { strides: [1, 2, 1], pads: [1, 1, 1, 1, 1, 1], countPads: true }, [2, 3, 3]],
];
for (const kind of ['MaxPool', 'AveragePool'] as const) for (const [name, attrs, kernel] of pools) {
  if (kind === 'MaxPool' && attrs.countPads) continue;
  test(`${kind} of volumes, ${name}`, async () => {
    const x = float(21, 2, 3, 5, 6, 7);
    const { strides = ones, pads = [0, 0, 0, 0, 0, 0], ceil = false, countPads = false } = attrs;
    const input = spatial(x.shape);
    const round = ceil ? Math.ceil : Math.floor;
    const out = triple((axis) => round((input[axis] + pads[axis] + pads[axis + 3] - kernel[axis]) / strides[axis]) + 1);
    const sums = new Float64Array(6 * volume(out)), counts = new Float64Array(6 * volume(out)), largest = new Float64Array(6 * volume(out)).fill(-Infinity);
    eachTap(out, kernel, attrs, (o, i) => {
      const at = offset(input, i);
      for (let c = 0; c < 6; c++) {
        const to = c * volume(out) + offset(out, o);
        if (countPads || !Number.isNaN(at)) counts[to]++;
        if (Number.isNaN(at)) continue;
        sums[to] += numbers(x)[c * volume(input) + at];
        largest[to] = Math.max(largest[to], numbers(x)[c * volume(input) + at]);
      }
    });
    const spec = { kernel_shape: kernel, strides, pads, ceil_mode: ceil ? 1 : 0, ...(kind === 'AveragePool' ? { count_include_pad: countPads ? 1 : 0 } : {}) };
    await agrees(graphOf(kind, spec, [x]), x, [2, 3, ...out], kind === 'MaxPool' ? largest : sums.map((sum, i) => sum / counts[i]));
  });
}

test('MaxPool of volumes, dilated', async () => {
  const x = float(22, 1, 2, 6, 5, 5);
  const attrs: Attributes = { dilations: [2, 1, 2] };
  const out = sizeOf(spatial(x.shape), [3, 2, 2], attrs);
  const largest = new Float64Array(2 * volume(out)).fill(-Infinity);
  eachTap(out, [3, 2, 2], attrs, (o, i) => {
    for (let c = 0; c < 2; c++) largest[c * volume(out) + offset(out, o)] = Math.max(largest[c * volume(out) + offset(out, o)], numbers(x)[c * 150 + offset(spatial(x.shape), i)]);
  });
  await agrees(graphOf('MaxPool', { kernel_shape: [3, 2, 2], dilations: [2, 1, 2] }, [x]), x, [1, 2, ...out], largest);
});

/** [N, C, L] as a volume of one row. */
function row(line: Tensor): Tensor {
  const [n, c, length] = line.shape;
  return { ...line, shape: [n, c, 1, 1, length] };
}

test('ConvTranspose with one spatial axis', async () => {
  const [x, w] = [float(31, 2, 4, 6), float(32, 4, 3, 3)];
  const attrs = { strides: [3], dilations: [2], pads: [1, 2], output_padding: [1], group: 2 };
  const y = transposed(row(x), row(w), [1, 1, 18], { strides: [1, 1, 3], dilations: [1, 1, 2], pads: [0, 0, 1, 0, 0, 2], group: 2 });
  await agrees(graphOf('ConvTranspose', attrs, [x, w]), x, [2, 6, 18], y);
});

// Windows of 3 at stride 2 over nine elements or ten, of which the last window sees two; pads as stated, or as SAME_LOWER takes them.
const lines: readonly { name: string; attrs: OnnxAttributes; length: number; before: number; after: number; count: number }[] = [
  { name: 'hanging over', attrs: { ceil_mode: 1 }, length: 10, before: 0, after: 0, count: 5 },
  { name: 'padded', attrs: { pads: [1, 0] }, length: 9, before: 1, after: 0, count: 4 },
  { name: 'SAME_LOWER', attrs: { auto_pad: 'SAME_LOWER' }, length: 9, before: 1, after: 1, count: 5 },
];
for (const { name, attrs, length, before, after, count } of lines) for (const countPads of [false, true]) {
  test(`MaxPool and AveragePool with one spatial axis, ${name}${countPads ? ', counting pads' : ''}`, async () => {
    const x = float(33, 1, 5, length);
    const taps = (o: number, from: number, to: number): number[] => [0, 1, 2].map((k) => 2 * o - before + k).filter((i) => i >= from && i < to);
    const each = (f: (v: readonly number[], o: number) => number): Float64Array => Float64Array.from({ length: 5 * count }, (_, i) => (
      f(taps(i % count, 0, length).map((at) => numbers(x)[length * Math.floor(i / count) + at]), i % count)));
    const window = { ...attrs, kernel_shape: [3], strides: [2] };
    await agrees(graphOf('MaxPool', window, [x]), x, [1, 5, count], each((v) => Math.max(...v)));
    const means = each((v, o) => v.reduce((a, b) => a + b, 0) / (countPads ? taps(o, -before, length + after).length : v.length));
    await agrees(graphOf('AveragePool', { ...window, count_include_pad: countPads ? 1 : 0 }, [x]), x, [1, 5, count], means);
  });
}

test('impossible volumes are refused', () => {
  const x = float(1, 1, 2, 3, 3, 3);
  const w = float(2, 2, 2, 2, 2, 2);
  const refused: [string, string, OnnxAttributes, Tensor[]][] = [
    ['Conv', 'ERR_UNSUPPORTED', {}, [x, float(2, 2, 2, 2, 2)]],
    ['Conv', 'ERR_UNSUPPORTED', {}, [float(1, 1, 2, 3, 3, 3, 3), float(1, 2, 2, 2, 2, 2, 2)]],
    ['Conv', 'ERR_MODEL_INVALID', { kernel_shape: [2, 2] }, [x, w]],
    ['Conv', 'ERR_MODEL_INVALID', { kernel_shape: [2, 2, 3] }, [x, w]],
    ['Conv', 'ERR_MODEL_INVALID', { pads: [0, 0, 0, 0] }, [x, w]],
    ['Conv', 'ERR_MODEL_INVALID', { strides: [0, 1, 1] }, [x, w]],
    ['Conv', 'ERR_MODEL_INVALID', { dilations: [3, 1, 1] }, [x, w]],
    ['Conv', 'ERR_MODEL_INVALID', { group: 3 }, [x, w]],
    ['Conv', 'ERR_MODEL_INVALID', { group: 0 }, [x, w]],
    ['Conv', 'ERR_MODEL_INVALID', {}, [x, w, float(3, 5)]],
    ['Conv', 'ERR_UNSUPPORTED', { pads: [70, 0, 0, 0, 0, 0] }, [x, float(2, 1, 2, 65, 1, 1)]],
    ['ConvTranspose', 'ERR_MODEL_INVALID', { output_padding: [1, 0, 0] }, [x, w]],
    ['ConvTranspose', 'ERR_MODEL_INVALID', { pads: [4, 0, 0, 4, 0, 0] }, [x, w]],
    ['ConvTranspose', 'ERR_MODEL_INVALID', { group: 5 }, [x, w]],
    ['ConvTranspose', 'ERR_MODEL_INVALID', { output_shape: [4, 4] }, [x, w]],
    ['MaxPool', 'ERR_MODEL_INVALID', { kernel_shape: [2, 2] }, [x]],
    ['MaxPool', 'ERR_MODEL_INVALID', { kernel_shape: [4, 2, 2] }, [x]],
    ['MaxPool', 'ERR_MODEL_INVALID', { kernel_shape: [2, 2, 2], pads: [2, 0, 0, 0, 0, 0] }, [x]],
  ];
  for (const [op, code, attrs, inputs] of refused) {
    throws(() => graphOf(op, attrs, inputs), (error) => error instanceof KingletError && error.code === code, `${op} ${JSON.stringify(attrs)}`);
  }
});
