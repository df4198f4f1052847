// Which convolutions become Winograd steps, and that the error which the compiler expects of them is one that they keep.

import { equal, ok, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { F32_CONV, F32_WINOGRAD } from '../../assembly/abi.ts';
import { placePlan } from '../../host/backends/wasm.ts';
import { runReference } from '../../host/backends/reference.ts';
import type { Graph } from '../../host/graph/graph.ts';
import { startPlan } from '../../host/load.ts';
import { conv2d, type Conv2dAttrs } from '../../host/ops/conv2d.ts';
import { winogradError, winogradPays } from '../../host/ops/winograd.ts';
import { encodePlan } from '../../host/plan/encode.ts';
import { lower } from '../../host/plan/lower.ts';
import type { Tensor } from '../../host/tensor.ts';
import { kernelSets } from '../engines.ts';
import { random } from '../random.ts';
import { graphOf } from './problem.ts';

const plain: Conv2dAttrs = { strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1], groups: 1, min: -Infinity, max: Infinity };

function layer(size: number, ic: number, oc: number, attrs: Partial<Conv2dAttrs> = {}, kernel = 3): Graph {
  const { groups } = { ...plain, ...attrs };
  return graphOf([{ dtype: 'float32', shape: [1, size, size, ic] }], (b, [x]) =>
    [b.add(conv2d, { ...plain, ...attrs }, [x ?? null, b.constant(filled(7, [kernel, kernel, ic / groups, oc], (next) => normal(next))), null])]);
}

function normal(next: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}
function filled(seed: number, shape: readonly number[], draw: (next: () => number) => number): Tensor {
  const next = random(seed);
  return { dtype: 'float32', shape, data: Float32Array.from({ length: shape.reduce((a, d) => a * d, 1) }, () => draw(next)) };
}
const opcodeOf = (graph: Graph, tolerance?: number): number | undefined => lower(graph, tolerance).steps[0]?.opcode;

test('3x3 layers of many outputs become Winograd steps, unless the tolerance is too small for their channels', () => {
  equal(opcodeOf(layer(14, 32, 32)), F32_WINOGRAD);
  equal(opcodeOf(layer(14, 32, 32), 0), F32_CONV);
  equal(opcodeOf(layer(14, 32, 32), winogradError(32)), F32_WINOGRAD);
  equal(opcodeOf(layer(14, 32, 32), winogradError(32) * 0.99), F32_CONV);
  for (const tolerance of [-1, NaN, 2]) throws(() => lower(layer(14, 32, 32), tolerance), { code: 'ERR_USAGE' });
});

test('other layers stay as they are', () => {
  const others: readonly [string, Graph][] = [
    ['stride 2', layer(29, 32, 32, { strides: [2, 2] })], ['dilation', layer(30, 32, 32, { dilations: [2, 2] })], ['groups', layer(28, 32, 32, { groups: 2 })],
    ['5x5', layer(28, 32, 32, {}, 5)], ['an activation of its own pass', layer(28, 32, 32, { activation: { kind: 'hardSwish', p0: 0, p1: 0 } })],
  ];
  for (const [name, graph] of others) equal(opcodeOf(graph), F32_CONV, name);
  equal(opcodeOf(layer(28, 32, 32, { activation: { kind: 'leakyRelu', p0: 0.125, p1: 0 } })), F32_WINOGRAD, 'leaky relu is fused');
});

test('weights four times as large have to pay: not for maps of four tiles with gaps, nor for three channels', () => {
  const square = (size: number, ic: number, oc: number): boolean => winogradPays({ ic, oc, oh: size, ow: size }, 1);
  for (const [size, ic, oc] of [[56, 64, 64], [28, 128, 128], [14, 256, 256], [14, 512, 512], [56, 8, 16]]) ok(square(size, ic, oc), `${size} ${ic} ${oc}`);
  for (const [size, ic, oc] of [[7, 512, 512], [5, 64, 64], [1, 512, 512], [224, 3, 64]]) ok(!square(size, ic, oc), `${size} ${ic} ${oc}`);
});

const distributions: Readonly<Record<string, (next: () => number) => number>> = {
  uniform: (next) => next() * 2 - 1, 'rectified normal': (next) => Math.max(0, normal(next)), positive: (next) => next(), 'log-normal': (next) => Math.exp(3 * normal(next)),
};

for (const kernels of kernelSets().filter((set) => set !== 'reference')) {
  test(`the error stays within what the compiler expects, ${kernels}`, async () => {
    for (const ic of [16, 64, 512]) {
      const graph = layer(12, ic, 16), lowered = lower(graph, 1);
      equal(lowered.steps[0]?.opcode, F32_WINOGRAD);
      const model = await startPlan(placePlan(encodePlan(lowered, { shuffles: 0, layout: 'NHWC' })), { kernels, warmup: false });
      for (const [name, draw] of Object.entries(distributions)) {
        const { data } = filled(ic, [12 * 12 * ic], draw);
        const [expected] = runReference(graph, [data]);
        const [actual] = model.runSync([data]);
        let largest = 0, error = 0;
        expected?.data.forEach((value, i) => {
          largest = Math.max(largest, Math.abs(Number(value)));
          error = Math.max(error, Math.abs(Number(value) - Number(actual[i])));
        });
        ok(error <= winogradError(ic) * largest, `${ic} channels, ${name}, seed ${ic}: ${(error / largest).toExponential(1)}`);
      }
      model.dispose();
    }
  });
}
