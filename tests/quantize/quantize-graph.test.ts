// The int8 form of each op that networks are made of: near the float32 one, without a float32 tensor, equal on every kernel set.

import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { runReference } from '../../host/backends/reference.ts';
import { placePlan } from '../../host/backends/wasm.ts';
import { Builder } from '../../host/graph/builder.ts';
import type { Graph, Value } from '../../host/graph/graph.ts';
import { printGraph } from '../../host/graph/print.ts';
import { verifyGraph } from '../../host/graph/verify.ts';
import { startPlan } from '../../host/load.ts';
import { noClamp } from '../../host/ops/activation.ts';
import { batchNorm } from '../../host/ops/batch-norm.ts';
import { binary } from '../../host/ops/binary.ts';
import { channelShuffle } from '../../host/ops/channel-shuffle.ts';
import { concat } from '../../host/ops/concat.ts';
import { conv2d, type Conv2dAttrs } from '../../host/ops/conv2d.ts';
import { matmul } from '../../host/ops/matmul.ts';
import { pad } from '../../host/ops/pad.ts';
import { pool2d } from '../../host/ops/pool2d.ts';
import { dequantizeValue, quantizeValue } from '../../host/ops/quantized.ts';
import { reduce } from '../../host/ops/reduce.ts';
import { reshape } from '../../host/ops/reshape.ts';
import { slice } from '../../host/ops/slice.ts';
import { softmax } from '../../host/ops/softmax.ts';
import { unary, type UnaryKind } from '../../host/ops/unary.ts';
import { encodePlan } from '../../host/plan/encode.ts';
import { lower } from '../../host/plan/lower.ts';
import { quantizeGraph } from '../../host/quantize/quantize-graph.ts';
import { perTensor, type Shape, type TensorData } from '../../host/tensor.ts';
import { noise } from '../../models/random.ts';
import { kernelSets } from '../engines.ts';
import { tolerance } from '../tolerance.ts';

const SEED = 5;
const pooling = { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], dilations: [1, 1], ceilMode: false, countIncludePad: false, ...noClamp } as const;
const relu = { min: 0, max: Infinity };

function convolved(b: Builder, x: Value, window: Partial<Conv2dAttrs> & { kernel?: number; channels?: number } = {}): Value {
  const { kernel = 3, channels = 12, ...attrs } = window;
  const groups = attrs.groups ?? 1;
  const p = (kernel - 1) / 2;
  const w = b.constant(noise(1, [kernel, kernel, (x.shape.at(-1) ?? 0) / groups, channels]));
  return b.add(conv2d, { strides: [1, 1], pads: [p, p, p, p], dilations: [1, 1], groups: 1, ...noClamp, ...attrs }, [x, w, b.constant(noise(2, [channels]))]);
}
function activated(b: Builder, x: Value, kind: UnaryKind, p0 = 0, p1 = 0): Value {
  return b.add(unary, { kind, p0, p1 }, [x]);
}
function times(b: Builder, x: Value, y: Value): Value {
  return b.add(binary, { kind: 'mul', ...noClamp }, [x, y]);
}

const cases: Record<string, (b: Builder, x: Value) => Value> = {
  'a convolution with ReLU6': (b, x) => convolved(b, x, { min: 0, max: 6 }),
  'a strided, grouped convolution': (b, x) => convolved(b, x, { strides: [2, 2], groups: 3 }),
  'a depthwise convolution': (b, x) => convolved(b, x, { groups: 12, ...relu }),
  'a fully connected layer': (b, x) => b.add(matmul, { ...relu }, [b.add(reshape, { shape: [2, 432] }, [x]), b.constant(noise(1, [432, 10])), b.constant(noise(2, [10]))]),
  'a residual sum': (b, x) => b.add(binary, { kind: 'add', ...relu }, [convolved(b, x), x]),
  'parts, joined and shuffled': (b, x) => b.add(channelShuffle, { axis: 3, groups: 2 }, [b.add(concat, { axis: 3 }, [x, activated(b, x, 'tanh')])]),
  'half of the channels': (b, x) => convolved(b, b.add(slice, { starts: [0, 0, 0, 6], sizes: [2, 6, 6, 6], steps: [1, 1, 1, 1] }, [x])),
  'a maximum pool': (b, x) => b.add(pool2d, { kind: 'max', ...pooling }, [convolved(b, x)]),
  'a maximum pool before its ReLU': (b, x) => activated(b, b.add(pool2d, { kind: 'max', ...pooling }, [x]), 'clamp', 0.25, 0.75),
  'an average pool': (b, x) => b.add(pool2d, { kind: 'average', ...pooling }, [x]),
  'a global mean and a softmax': (b, x) => b.add(softmax, { axis: 3, log: false, beta: 1 }, [b.add(reduce, { kind: 'mean', axes: [1, 2], keepDims: true }, [x])]),
  'squeeze and excitation': (b, x) => times(b, x, activated(b, convolved(b, b.add(reduce, { kind: 'mean', axes: [1, 2], keepDims: true }, [x]), { kernel: 1 }), 'hardSigmoid', 1 / 6, 0.5)),
  'hard swish behind a convolution': (b, x) => activated(b, convolved(b, x), 'hardSwish'),
  'swish spelled out': (b, x) => times(b, x, activated(b, x, 'sigmoid')),
  'a border': (b, x) => convolved(b, b.add(pad, { pads: [0, 1, 0, 0, 0, 0, 2, 0], mode: 'constant', value: 0 }, [x])),
  'a normalisation before its convolution': (b, x) => {
    const variance = b.constant({ dtype: 'float32', shape: [12], data: Float32Array.from({ length: 12 }, (_, i) => 0.1 + i) });
    const parameters = [3, 4, 5].map((seed) => b.constant(noise(seed, [12])));
    return convolved(b, activated(b, b.add(batchNorm, { epsilon: 1e-3 }, [x, ...parameters, variance]), 'clamp', 0, Infinity));
  },
  'a factor per channel': (b, x) => times(b, x, b.constant(noise(3, [12]))),
  'a constant number': (b, x) => b.add(binary, { kind: 'add', ...noClamp }, [activated(b, x, 'tanh'), b.constant({ dtype: 'float32', shape: [], data: Float32Array.of(0.3) })]),
};

function graphOf(build: (b: Builder, x: Value) => Value, shape: Shape = [2, 6, 6, 12]): Graph {
  const b = new Builder();
  const x = b.input('x', { dtype: 'float32', shape });
  b.output(build(b, x), 'y');
  return b.graph;
}
const planOf = (graph: Graph): Uint8Array => encodePlan(lower(graph), { shuffles: 0, layout: 'NHWC' });

describe(`int8 forms (seed ${SEED})`, () => {
  for (const [name, build] of Object.entries(cases)) {
    it(name, async () => {
      const samples = [1, 2, 3].map((i) => [noise(SEED + i, [2, 6, 6, 12]).data]);
      const { graph } = await quantizeGraph(graphOf(build), samples);
      verifyGraph(graph);
      assert.doesNotMatch(printGraph(graph), /float32/);
      const [x, y] = [perTensor(graph.inputs[0], 'x'), perTensor(graph.outputs[0], 'y')];
      const input = Int8Array.from(samples[0][0], (v) => quantizeValue(v, x.scale, x.zeroPoint));
      const bytes = runReference(graph, [input])[0].data as Int8Array;
      compareReal(Array.from(bytes, (q) => dequantizeValue(q, y.scale, y.zeroPoint)), runReference(graphOf(build), samples[0])[0].data as Float32Array);
      for (const kernels of kernelSets()) if (kernels !== 'reference') assert.deepEqual(await computed(graph, kernels, input), bytes);
    });
  }
});

async function computed(graph: Graph, kernels: 'simd128' | 'relaxed', input: TensorData): Promise<TensorData> {
  const model = await startPlan(placePlan(planOf(graph)), { kernels, warmup: false });
  const [y] = await model.run(input);
  model.dispose();
  return y;
}

function compareReal(actual: readonly number[], expected: Float32Array): void {
  const largest = expected.reduce((a, v) => Math.max(a, Math.abs(v)), 0);
  const error = actual.reduce((a, v, i) => Math.max(a, Math.abs(v - expected[i])), 0);
  assert.ok(error <= tolerance.quantizedOp * largest, `off by ${error} of ${largest}`);
  assert.ok(new Set(actual).size > 8, 'the results are not all alike');
}

test('what only moves or joins has the parameters of its inputs', async () => {
  const { graph } = await quantizeGraph(graphOf(cases['parts, joined and shuffled']), [[noise(SEED, [2, 6, 6, 12]).data]]);
  const scales = new Set([...graph.inputs, ...graph.nodes.flatMap((node) => node.outputs)].map((value) => perTensor(value, value.name).scale));
  assert.equal(scales.size, 1);
});

test('weights are symmetric, one scale per output channel, -127…127', async () => {
  const { graph } = await quantizeGraph(graphOf(cases['a convolution with ReLU6']), [[noise(SEED, [2, 6, 6, 12]).data]]);
  const w = graph.nodes[0].inputs[1];
  assert.equal(w?.quantization?.scale.length, 12);
  assert.deepEqual(w.quantization.zeroPoint, new Int32Array(12));
  const source = noise(1, [3, 3, 12, 12]).data;
  for (let c = 0; c < 12; c++) {
    const column = source.filter((_, i) => i % 12 === c);
    const bytes: Int8Array = (w.data as Int8Array).filter((_, i) => i % 12 === c);
    assert.equal(Math.max(...bytes.map(Math.abs)), 127);
    column.forEach((v, i) => { assert.ok(Math.abs(v - bytes[i] * (w.quantization?.scale[c] ?? 0)) <= 0.5001 * (w.quantization?.scale[c] ?? 0)); });
  }
});

test('a channel without weights keeps its bias', async () => {
  const build = (b: Builder, x: Value): Value => {
    const bias = b.constant({ dtype: 'float32', shape: [2], data: Float32Array.of(1, -0.25) });
    return b.add(conv2d, { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], groups: 1, ...noClamp }, [x, b.constant({ dtype: 'float32', shape: [1, 1, 12, 2], data: new Float32Array(24) }), bias]);
  };
  const { graph } = await quantizeGraph(graphOf(build), [[noise(SEED, [2, 6, 6, 12]).data]]);
  const y = perTensor(graph.outputs[0], 'y');
  const bytes = runReference(graph, [new Int8Array(864).fill(-100)])[0].data as Int8Array;
  const real = Array.from(bytes.subarray(0, 2), (q) => dequantizeValue(q, y.scale, y.zeroPoint));
  assert.ok(Math.abs(real[0] - 1) <= y.scale && Math.abs(real[1] + 0.25) <= y.scale, real.join(' '));
});

test('an op without an int8 form computes in float32 between a dequantize and a quantize', async () => {
  const { graph } = await quantizeGraph(graphOf((b, x) => convolved(b, b.add(matmul, { ...noClamp }, [x, b.add(reshape, { shape: [2, 6, 12, 6] }, [x])]), { channels: 4 })), [[noise(SEED, [2, 6, 6, 12]).data]]);
  assert.deepEqual(graph.nodes.map((node) => node.op.kind), ['dequantize', 'reshape', 'dequantize', 'matmul', 'quantize', 'conv2d']);
  assert.equal(graph.outputs[0].dtype, 'int8');
});

test('samples are needed, must fit and must stay finite', async () => {
  const build = cases['an average pool'];
  await assert.rejects(quantizeGraph(graphOf(build), []), { code: 'ERR_USAGE' });
  await assert.rejects(quantizeGraph(graphOf(build), [[new Float32Array(3)]]), { code: 'ERR_INPUT' });
  await assert.rejects(quantizeGraph(graphOf(build), [[new Float32Array(864).fill(NaN)]]), { code: 'ERR_USAGE' });
});
