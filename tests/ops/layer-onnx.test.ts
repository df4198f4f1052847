// ONNX layers as read by the op files, by definition and by steps, against the ONNX project's reference evaluator.

import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { KingletError, type ErrorCode } from '../../host/error.ts';
import { Builder } from '../../host/graph/builder.ts';
import { isConstant, type Graph, type Value } from '../../host/graph/graph.ts';
import { onnxReaders } from '../../host/ops/index.ts';
import { numbers, type Quantization, type Tensor } from '../../host/tensor.ts';
import { layerGoldens } from './layer-goldens.ts';
import { reductionGoldens } from './reduction-goldens.ts';
import type { TensorLiteral } from './onnx-goldens.ts';
import { bothWays, floatTensor, intTensor } from './problem.ts';
import { onnxNode, type OnnxSpec } from './source-nodes.ts';

interface Read {
  readonly graph: Graph;
  readonly fed: Tensor[];
}

/** The graph of one operator; inputs outside of `constants` are graph inputs. */
function readNode(op: string, spec: Omit<OnnxSpec, 'inputs'>, inputs: readonly (Tensor | null)[], constants: readonly number[]): Read {
  const b = new Builder();
  const fed: Tensor[] = [];
  const values = inputs.map((tensor, i) => {
    if (tensor === null) return null;
    if (constants.includes(i)) return b.constant(tensor);
    fed.push(tensor);
    return b.input(`x${i}`, tensor);
  });
  const node = onnxNode({ op, ...spec, inputs: values });
  const reader = onnxReaders.get(op);
  if (!reader) throw new Error(`no reader for ${op}`);
  for (const value of reader(node, b)) b.output(value, 'y');
  deepEqual(node.unread(), [], 'every attribute is read');
  return { graph: b.graph, fed };
}

function literal({ dtype, shape, data }: TensorLiteral): Tensor {
  return dtype === 'float32' ? floatTensor(shape, data) : intTensor(shape, data);
}

/** Sums of a few products of eighths are exact in float32; divisions and exponentials are not. */
function agrees(data: ArrayLike<number | bigint>, expected: readonly number[], limit: number): void {
  const actual = Array.from(data, Number);
  const worst = Math.max(0, ...actual.map((v, k) => Math.abs(v - expected[k]) / Math.max(1, Math.abs(expected[k]))));
  ok(actual.length === expected.length && worst <= limit, `[${actual.join(', ')}] is not [${expected.join(', ')}]`);
}

for (const golden of [...layerGoldens, ...reductionGoldens]) {
  test(golden.name, async () => {
    const { graph, fed } = readNode(golden.op, { opset: golden.opset, attrs: golden.attrs }, golden.inputs.map((t) => t && literal(t)), golden.constants);
    const [byDefinition, bySteps] = await bothWays(graph, fed);
    golden.outputs.forEach((expected, i) => {
      deepEqual([graph.outputs[i].dtype, graph.outputs[i].shape], [expected.dtype, expected.shape]);
      // Coordinates of a resize are float32 here and float64 there.
      agrees(byDefinition[i], expected.data, golden.op === 'Resize' ? 2e-6 : 4e-7);
      agrees(bySteps[i], expected.data, 2e-6);
    });
  });
}

const q = (scale: number, zeroPoint: number): Quantization => ({ scale: Float32Array.of(scale), zeroPoint: Int32Array.of(zeroPoint), axis: 0 });
const f = (...v: number[]): Tensor => floatTensor([v.length], v);
const scalar = (v: number): Tensor => floatTensor([], [v]);
const int8 = (shape: readonly number[], data: readonly number[], quantization?: Quantization): Tensor => ({ dtype: 'int8', shape, data: Int8Array.from(data), quantization });

test('QuantizeLinear rounds ties to even and saturates', async () => {
  const { graph, fed } = readNode('QuantizeLinear', { opset: 13 }, [f(0.5, 1.5, -0.5, -1.5, 3, 300, -300), scalar(1), int8([], [2])], [1, 2]);
  deepEqual(graph.outputs[0].quantization, q(1, 2));
  for (const [y] of await bothWays(graph, fed)) deepEqual([...y], [2, 4, 2, 0, 5, 127, -128]);
});

test('QuantizeLinear per channel divides by the channel\'s scale', async () => {
  const x = floatTensor([2, 3], [1, 2, 3, -1, -2, -3]);
  const { graph, fed } = readNode('QuantizeLinear', { opset: 13, attrs: { axis: -1 } }, [x, f(1, 0.5, 0.25), int8([3], [0, 1, -1])], [1, 2]);
  for (const [y] of await bothWays(graph, fed)) deepEqual([...y], [1, 5, 11, -1, -3, -13]);
});

test('DequantizeLinear keeps quantised constants, per tensor and per channel', async () => {
  const stored = int8([2, 2], [1, 2, 3, 4]);
  const { graph, fed } = readNode('DequantizeLinear', { opset: 13, attrs: { axis: 0 } }, [stored, f(2, 0.5), int8([2], [1, -1])], [0, 1, 2]);
  equal(graph.nodes.length, 1);
  ok(isConstant(graph.nodes[0].inputs[0]));
  for (const [y] of await bothWays(graph, fed)) deepEqual([...y], [0, 2, 2, 2.5]);
  const bias: Tensor = { dtype: 'int32', shape: [2], data: Int32Array.of(100, -7) };
  const plain = readNode('DequantizeLinear', { opset: 10 }, [bias, scalar(0.5)], [0, 1]);
  for (const [y] of await bothWays(plain.graph, [])) deepEqual([...y], [50, -3.5]);
});

test('a dequantised weight stays int8 when Gemm transposes it', () => {
  const b = new Builder();
  const weights = b.constant({ ...int8([3, 2], [1, 2, 3, 4, 5, 6]), quantization: { scale: f(1, 2, 3).data as Float32Array, zeroPoint: new Int32Array(3), axis: 0 } });
  const dequantized = onnxReaders.get('DequantizeLinear')?.(onnxNode({ inputs: [weights, b.constant(f(1, 2, 3)), null], attrs: { axis: 0 } }), b) ?? [];
  const x = b.input('x', floatTensor([1, 2], [1, 2]));
  onnxReaders.get('Gemm')?.(onnxNode({ inputs: [x, dequantized[0]], attrs: { transB: 1 } }), b);
  const gemm = b.graph.nodes.at(-1);
  const producer = b.graph.nodes.find((node) => node.outputs.includes(gemm?.inputs[1] as never));
  const moved = producer?.inputs[0];
  deepEqual([producer?.op.kind, moved?.dtype, moved?.shape, moved?.quantization?.axis], ['dequantize', 'int8', [2, 3], 1]);
  ok(isConstant(moved));
  deepEqual([...numbers(moved)], [1, 3, 5, 2, 4, 6]);
});

test('QLinearMatMul: f32(acc) * f32(f32(sa * sb) / so), per tensor at run time and per column for constants', async () => {
  const a = int8([2, 3], [10, -20, 30, 40, 50, -60]);
  const w = int8([3, 2], [1, -2, 3, 4, -5, 6]);
  const expected = (scales: readonly number[]): number[] => [0, 1, 2, 3].map((o) => {
    const [row, column] = [o >> 1, o & 1];
    const acc = [0, 1, 2].reduce((sum, k) => sum + (Number(a.data[row * 3 + k]) - 3) * (Number(w.data[k * 2 + column]) + 1), 0);
    // Chosen so that no product is a tie.
    return Math.max(-128, Math.min(127, Math.round(acc * 0.1 * scales[column] / 0.31) + 7));
  });
  const parameters = (scales: Tensor): (Tensor | null)[] => [a, scalar(0.1), int8([], [3]), w, scales, scales.shape.length === 0 ? int8([], [-1]) : int8([2], [-1, -1]), scalar(0.31), int8([], [7])];
  const known = [1, 2, 4, 5, 6, 7];
  const perTensor = readNode('QLinearMatMul', { opset: 13 }, parameters(scalar(0.25)), known);
  for (const [y] of await bothWays(perTensor.graph, perTensor.fed)) deepEqual([...y], expected([0.25, 0.25]));
  const perColumn = readNode('QLinearMatMul', { opset: 13 }, parameters(f(0.25, 0.5)), [3, ...known]);
  for (const [y] of await bothWays(perColumn.graph, perColumn.fed)) deepEqual([...y], expected([0.25, 0.5]));
});

/** y[o, i] = bias[o] + sum x[g*C + c, i*stride - pad + k*dilation] * w[o, c, k] over one spatial axis: 1-D convolution, written out. */
function conv1d(
  x: Tensor, w: Tensor, p: { stride: number; dilation: number; pad: number; size: number; groups: number; bias?: readonly number[]; zero?: number; weightZero?: number },
): number[] {
  const [[, , length], [oc, ic, k]] = [x.shape, w.shape];
  return Array.from({ length: oc * p.size }, (_, at) => {
    const [o, i] = [Math.floor(at / p.size), at % p.size];
    const first = Math.floor(o / (oc / p.groups)) * ic;
    let sum = p.bias?.[o] ?? 0;
    for (let c = 0; c < ic; c++) for (let t = 0; t < k; t++) {
      const from = i * p.stride - p.pad + t * p.dilation;
      if (from < 0 || from >= length) continue;
      sum += (Number(x.data[(first + c) * length + from]) - (p.zero ?? 0)) * (Number(w.data[(o * ic + c) * k + t]) - (p.weightZero ?? 0));
    }
    return sum;
  });
}

test('Conv with one spatial axis: strides, dilations, pads, groups, bias', async () => {
  const x = floatTensor([1, 4, 9], Array.from({ length: 36 }, (_, i) => ((i * 7) % 13) / 8 - 0.5));
  const cases = [
    { w: [3, 4, 2], attrs: { strides: [2], pads: [1, 0] }, p: { stride: 2, dilation: 1, pad: 1, size: 5, groups: 1 } },
    { w: [6, 2, 3], attrs: { dilations: [2], group: 2 }, p: { stride: 1, dilation: 2, pad: 0, size: 5, groups: 2 } },
    { w: [4, 1, 3], attrs: { group: 4, auto_pad: 'SAME_UPPER' }, p: { stride: 1, dilation: 1, pad: 1, size: 9, groups: 4 } },
  ] as const;
  for (const { w: shape, attrs, p } of cases) {
    const w = floatTensor(shape, Array.from({ length: shape[0] * shape[1] * shape[2] }, (_, i) => ((i * 5) % 11) / 4 - 1));
    const bias = Array.from({ length: shape[0] }, (_, i) => i / 2 - 1);
    const { graph, fed } = readNode('Conv', { opset: 13, attrs }, [x, w, f(...bias)], [1, 2]);
    deepEqual(graph.outputs[0].shape, [1, shape[0], p.size]);
    for (const [y] of await bothWays(graph, fed)) agrees(y, conv1d(x, w, { ...p, bias }), 1e-6);
  }
});

test('ConvInteger gives the accumulators, with one spatial axis too', async () => {
  const x = int8([1, 2, 5], [3, -7, 120, -128, 5, 9, 0, -1, 64, 33]);
  const w = int8([2, 2, 3], [1, -2, 3, -128, 127, 6, 7, -8, 9, 10, -11, 12]);
  const { graph, fed } = readNode('ConvInteger', { opset: 13, attrs: { pads: [1, 1] } }, [x, w, int8([], [4]), int8([], [-2])], [1, 2, 3]);
  deepEqual(graph.outputs[0].dtype, 'int32');
  for (const [y] of await bothWays(graph, fed)) deepEqual([...y], conv1d(x, w, { stride: 1, dilation: 1, pad: 1, size: 5, groups: 1, zero: 4, weightZero: -2 }));
});

test('QLinearConv: per-tensor and per-channel scales on exact sums', async () => {
  const x = int8([1, 2, 3], [30, -70, 12, 8, 5, -90]);
  const w = int8([2, 2, 1], [11, -20, 33, 4]);
  const bias = intTensor([2], [50, -60]);
  const accumulators = conv1d(x, w, { stride: 1, dilation: 1, pad: 0, size: 3, groups: 1, zero: 3, weightZero: 0, bias: [50, -60] });
  for (const scales of [[0.25], [0.25, 0.5]]) {
    const zeros = int8(scales.length === 1 ? [] : [2], scales.map(() => 0));
    const inputs = [x, scalar(0.1), int8([], [3]), w, scales.length === 1 ? scalar(0.25) : f(...scales), zeros, scalar(0.71), int8([], [7]), bias];
    const { graph, fed } = readNode('QLinearConv', { opset: 13 }, inputs, [1, 2, 3, 4, 5, 6, 7, 8]);
    // Chosen so that no product is a tie.
    const expected = accumulators.map((sum, i) => Math.max(-128, Math.min(127, Math.round(sum * 0.1 * (scales[Math.floor(i / 3)] ?? scales[0]) / 0.71) + 7)));
    for (const [y] of await bothWays(graph, fed)) deepEqual([...y], expected);
  }
});

test('QLinearConv refuses scales that do not fit and negative ones', () => {
  const x = int8([1, 2, 3], [1, 2, 3, 4, 5, 6]), w = int8([2, 2, 1], [1, 2, 3, 4]);
  for (const scales of [f(0.1, 0.2, 0.3), scalar(-1), scalar(Infinity)]) {
    const zeros = scales.shape.length === 0 ? int8([], [0]) : int8([3], [0, 0, 0]);
    throws(() => readNode('QLinearConv', { opset: 13 }, [x, scalar(0.1), int8([], [3]), w, scales, zeros, scalar(0.7), int8([], [7])], [1, 2, 3, 4, 5, 6, 7]),
      (e) => e instanceof KingletError && e.code === 'ERR_MODEL_INVALID');
  }
});

test('integers that two operators read differently are restated, not refused', async () => {
  const b = new Builder();
  const x = b.input('x', { dtype: 'float32', shape: [1, 1, 4] });
  const read = (op: string, inputs: (Value | null)[]): Value => {
    const reader = onnxReaders.get(op);
    if (!reader) throw new Error(`no reader for ${op}`);
    return reader(onnxNode({ op, inputs }), b)[0];
  };
  const q = read('QuantizeLinear', [x, b.constant(scalar(0.5)), b.constant(int8([], [10]))]);
  b.output(read('ConvInteger', [q, b.constant(int8([1, 1, 1], [3])), b.constant(int8([], [10])), null]), 'y');
  for (const [y] of await bothWays(b.graph, [floatTensor([1, 1, 4], [-1, 0, 0.5, 2])])) deepEqual([...y], [-6, 0, 3, 12]);
});

test('MatMulInteger gives the accumulators', async () => {
  const { graph, fed } = readNode('MatMulInteger', { opset: 13 }, [int8([1, 2], [100, -100]), int8([2, 2], [50, 1, -50, 2]), int8([], [1]), int8([], [2])], [2, 3]);
  for (const [y] of await bothWays(graph, fed)) deepEqual([...y], [99 * 48 + -101 * -52, 99 * -1]);
});

test('what is not supported or contradicts itself is refused by name', () => {
  const x = floatTensor([1, 2, 3, 4], Array.from({ length: 24 }, (_, i) => i));
  const m = floatTensor([2, 2], [1, 2, 3, 4]);
  const refused: [string, ErrorCode, Omit<OnnxSpec, 'inputs'>, (Tensor | null)[]][] = [
    ['MaxPool', 'ERR_MODEL_INVALID', { attrs: { kernel_shape: [2] } }, [x]],
    ['MaxPool', 'ERR_MODEL_INVALID', { attrs: { kernel_shape: [0, 2] } }, [x]],
    ['MaxPool', 'ERR_MODEL_INVALID', { attrs: { kernel_shape: [9, 2] } }, [x]],
    ['MaxPool', 'ERR_MODEL_INVALID', { attrs: { kernel_shape: [2, 2], pads: [0, 0, 0] } }, [x]],
    ['MaxPool', 'ERR_MODEL_INVALID', { attrs: { kernel_shape: [2, 2], pads: [2, 0, 0, 0] } }, [x]],
    ['MaxPool', 'ERR_MODEL_INVALID', { attrs: { kernel_shape: [1000000, 1000000], pads: [1000000, 0, 0, 0] } }, [x]],
    ['MaxPool', 'ERR_MODEL_INVALID', { attrs: { kernel_shape: [2, 2], strides: [1, -1] } }, [x]],
    ['MaxPool', 'ERR_MODEL_INVALID', { attrs: { kernel_shape: [2, 2], auto_pad: 'SAME' } }, [x]],
    ['MaxPool', 'ERR_UNSUPPORTED', { attrs: { kernel_shape: [2, 2] }, outputCount: 2 }, [x]],
    ['Conv', 'ERR_UNSUPPORTED', { attrs: { pads: [1, 0, 1, 0] } }, [floatTensor([1, 1, 0, 2], []), floatTensor([1, 1, 1, 1], [1])]],
    ['ConvTranspose', 'ERR_MODEL_INVALID', { attrs: { group: 3 } }, [x, floatTensor([2, 1, 1, 1], [1, 2])]],
    ['ConvTranspose', 'ERR_MODEL_INVALID', { attrs: { group: 0 } }, [x, floatTensor([2, 1, 1, 1], [1, 2])]],
    ['ConvTranspose', 'ERR_MODEL_INVALID', { attrs: { output_padding: [1, 1] } }, [x, floatTensor([2, 1, 1, 1], [1, 2])]],
    ['ConvTranspose', 'ERR_MODEL_INVALID', { attrs: { pads: [3, 3, 3, 3] } }, [x, floatTensor([2, 1, 1, 1], [1, 2])]],
    ['ConvTranspose', 'ERR_MODEL_INVALID', {}, [x, floatTensor([2, 1], [1, 2])]],
    ['MatMul', 'ERR_MODEL_INVALID', {}, [m, floatTensor([3, 1], [1, 2, 3])]],
    ['MatMul', 'ERR_MODEL_INVALID', {}, [scalar(1), m]],
    ['MatMul', 'ERR_UNSUPPORTED', {}, [m, intTensor([2, 2], [1, 2, 3, 4])]],
    ['Gemm', 'ERR_MODEL_INVALID', {}, [x, m]],
    ['Gemm', 'ERR_MODEL_INVALID', {}, [m, m, f(1, 2, 3)]],
    ['BatchNormalization', 'ERR_MODEL_INVALID', {}, [x, f(1), f(1), f(1), f(1)]],
    ['BatchNormalization', 'ERR_MODEL_INVALID', {}, [x, f(1, 2), f(1, 2), f(1, 2)]],
    ['BatchNormalization', 'ERR_UNSUPPORTED', { attrs: { training_mode: 1 } }, [x, f(1, 2), f(1, 2), f(1, 2), f(1, 2)]],
    ['ReduceMean', 'ERR_MODEL_INVALID', { attrs: { axes: [4] } }, [x]],
    ['ReduceMean', 'ERR_MODEL_INVALID', {}, [floatTensor([0], [])]],
    ['Softmax', 'ERR_MODEL_INVALID', { attrs: { axis: 7 } }, [x]],
    ['ArgMax', 'ERR_MODEL_INVALID', { attrs: { axis: -5 } }, [x]],
    ['Resize', 'ERR_UNSUPPORTED', { opset: 10, attrs: { mode: 'cubic' } }, [x, f(1, 1, 2, 2)]],
    ['Resize', 'ERR_UNSUPPORTED', {}, [x, null, f(1, 2, 2, 2)]],
    ['Resize', 'ERR_MODEL_INVALID', {}, [x, null, f(2, 2)]],
    ['Resize', 'ERR_MODEL_INVALID', {}, [x, null, f(1, 1, 0, 2)]],
    ['Resize', 'ERR_MODEL_INVALID', {}, [x, null, f(1, 1, Infinity, 2)]],
    ['Resize', 'ERR_LIMIT', {}, [x, null, f(1, 1, 1e5, 1e5)]],
    ['Resize', 'ERR_MODEL_INVALID', {}, [x, null, null]],
    ['QuantizeLinear', 'ERR_MODEL_INVALID', {}, [x, scalar(0), int8([], [0])]],
    ['QuantizeLinear', 'ERR_MODEL_INVALID', {}, [x, scalar(NaN), int8([], [0])]],
    ['QuantizeLinear', 'ERR_MODEL_INVALID', {}, [x, f(1, 2, 3), int8([3], [0, 0, 0])]],
    ['QuantizeLinear', 'ERR_MODEL_INVALID', {}, [x, f(1, 2), int8([], [0])]],
    ['QuantizeLinear', 'ERR_UNSUPPORTED', { attrs: { output_dtype: 5 } }, [x, scalar(1)]],
    ['DequantizeLinear', 'ERR_UNSUPPORTED', {}, [x, scalar(1)]],
    ['Cast', 'ERR_UNSUPPORTED', { attrs: { to: 11 } }, [x]],
    ['Cast', 'ERR_MODEL_INVALID', {}, [x]],
  ];
  for (const [op, code, spec, inputs] of refused) {
    throws(() => readNode(op, spec, inputs, inputs.map((_, k) => k).slice(1)), (error) => error instanceof KingletError && error.code === code, `${op} ${JSON.stringify(spec)}`);
  }
});
