// Zoo networks written as ONNX for the benchmark's rivals compute, read back, what the graphs themselves compute, but for the order of
// the first layer's sums: pictures come as planes.

import { deepEqual, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { placePlan } from '../../host/backends/wasm.ts';
import { compile } from '../../host/compile.ts';
import type { Graph } from '../../host/graph/graph.ts';
import { startPlan } from '../../host/load.ts';
import { optimise } from '../../host/passes/index.ts';
import { encodePlan } from '../../host/plan/encode.ts';
import { lower } from '../../host/plan/lower.ts';
import { networks } from '../../models/index.ts';
import { random } from '../random.ts';
import { tolerance } from '../tolerance.ts';

const SEED = 5;
const { exportOnnx } = await import(new URL('../../../bench/export-onnx.mjs', import.meta.url).href) as { exportOnnx: (graph: Graph) => Uint8Array };

async function run(plan: Uint8Array, input: Float32Array): Promise<{ shape: readonly number[]; output: Float32Array }> {
  const model = await startPlan(placePlan(plan), { kernels: 'simd128', warmup: false });
  const [output] = model.runSync([input]);
  const { shape } = model.inputs[0];
  const result = { shape, output: (output as Float32Array).slice() };
  model.dispose();
  return result;
}

function toNchw(x: Float32Array, [, h, w, c]: readonly number[]): Float32Array {
  return x.map((_, i) => x[(i % (h * w)) * c + Math.floor(i / (h * w))]);
}

/** Small sizes: they reach every layer all the same. */
const sizes: Readonly<Record<string, number>> = {
  lenet5: 28, zfnet: 96, googlenet: 64, resnet18: 64, densenet121: 64, squeezenet1_1: 64, 'mobilenet_v2_0.35': 64, mobilenet_v3_small: 64, shufflenet_v1_g3: 64,
  shufflenet_v2_x0_5: 64, efficientnet_b0: 64, nasnet_a_mobile: 64,
};

for (const [name, size] of Object.entries(sizes)) {
  test(`${name}, seed ${SEED}`, async () => {
    const build = networks.get(name);
    ok(build, 'the zoo knows it');
    const graph = build({ size, seed: SEED });
    const { shape } = graph.inputs[0];
    const next = random(SEED);
    const input = Float32Array.from({ length: shape.reduce((a, d) => a * d, 1) }, () => next() * 2 - 1);
    const file = exportOnnx(graph);
    const own = await run(encodePlan(lower(optimise(graph).graph), { shuffles: 0, layout: 'NHWC' }), input);
    const back = await run(compile(file), toNchw(input, shape));
    deepEqual(back.shape, [shape[0], shape[3], shape[1], shape[2]]);
    const largest = own.output.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    const error = own.output.reduce((most, x, i) => Math.max(most, Math.abs(x - back.output[i])), 0);
    ok(largest > 0 && error <= tolerance.network * largest, `error ${error} of ${largest}`);
  });
}
