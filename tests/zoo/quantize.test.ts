// Every network of the zoo in int8: equal bytes on reference, simd128 and relaxed; near its float32 form, also in what tells two
// pictures apart; float32 steps only where the list below says so. Small pictures, because the reference is slow.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runReference } from '../../host/backends/reference.ts';
import { placePlan } from '../../host/backends/wasm.ts';
import type { Graph } from '../../host/graph/graph.ts';
import { startPlan } from '../../host/load.ts';
import type { StepInfo } from '../../host/model.ts';
import { dequantizeValue, quantizeValue } from '../../host/ops/quantized.ts';
import { optimise } from '../../host/passes/index.ts';
import { encodePlan } from '../../host/plan/encode.ts';
import { lower } from '../../host/plan/lower.ts';
import { quantizeGraph } from '../../host/quantize/quantize-graph.ts';
import { perTensor, type Shape, type TensorData } from '../../host/tensor.ts';
import { networks } from '../../models/index.ts';
import { random } from '../../models/random.ts';
import { kernelSets, type KernelSet } from '../engines.ts';
import { tolerance } from '../tolerance.ts';

const SEED = 11;
const SIZE = 48;
/** Networks that do not fit a picture of 48x48 or whose gates see too little of one, and those for which 32x32 is work enough. */
const sizes: Readonly<Record<string, number>> = {
  lenet5: 28, alexnet: 64, zfnet: 64, zfnet512: 64, googlenet_auxiliary: 96, mobilenet_v3_large: 64, mobilenet_v3_small: 64, vgg13: 32, vgg16: 32, vgg19: 32, resnet101: 32, resnet152: 32,
};
/** Local response normalisation has no integer arithmetic: its step computes in float32, from bytes to bytes. */
const floatOps: Readonly<Record<string, readonly string[]>> = { zfnet: ['lrn'], zfnet512: ['lrn'], googlenet: ['lrn'], googlenet_auxiliary: ['lrn'] };
/** Other resolutions of a network are the same network at another size. */
const names = [...networks.keys()].filter((name) => !/_(192|160|128)$/.test(name));

function build(name: string): Graph {
  const graph = networks.get(name)?.({ batch: 2, classes: 50, size: sizes[name] ?? SIZE });
  assert.ok(graph);
  return graph;
}

/** Pictures of squares whose sides are a quarter of theirs: unlike fine noise, two of them differ when all pixels are averaged. */
function pictures(seed: number, [batch, height, width, channels]: Shape): Float32Array {
  const next = random(seed);
  const squares = Array.from({ length: batch * 16 * channels }, () => next() * 2 - 1);
  const data = new Float32Array(batch * height * width * channels);
  for (let i = 0; i < data.length; i++) {
    const [c, x, y] = [i % channels, Math.floor(i / channels) % width, Math.floor(i / channels / width) % height];
    const square = Math.floor(i / channels / width / height) * 16 + Math.floor(y * 4 / height) * 4 + Math.floor(x * 4 / width);
    data[i] = squares[square * channels + c];
  }
  return data;
}

async function computed(graph: Graph, kernels: Exclude<KernelSet, 'reference'>, input: TensorData): Promise<{ outputs: TensorData[]; steps: readonly StepInfo[] }> {
  const model = await startPlan(placePlan(encodePlan(lower(graph), { shuffles: 0, layout: 'NHWC' })), { kernels, warmup: false });
  const outputs = await model.run(input);
  const steps = model.steps();
  model.dispose();
  return { outputs, steps };
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]): number => x.reduce((sum, v, i) => sum + v * y[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
/** The first picture's results less the second's. */
function contrast(both: readonly number[]): number[] {
  const half = both.length / 2;
  return both.slice(0, half).map((v, i) => v - both[half + i]);
}

describe(`int8 networks (seed ${SEED})`, () => {
  for (const name of names) it(name, async () => {
    const float = optimise(build(name)).graph;
    const image = pictures(SEED, float.inputs[0].shape);
    const real = await computed(float, 'simd128', image);
    const { graph } = await quantizeGraph(build(name), [1, 2].map((i) => [pictures(SEED + i, float.inputs[0].shape)]));
    assert.ok([...graph.inputs, ...graph.outputs].every(({ dtype }) => dtype === 'int8'));
    const { scale, zeroPoint } = perTensor(graph.inputs[0], 'the input');
    const input = Int8Array.from(image, (v) => quantizeValue(v, scale, zeroPoint));
    const expected = runReference(graph, [input]).map(({ data }) => data);
    for (const kernels of kernelSets()) {
      if (kernels === 'reference') continue;
      const { outputs, steps } = await computed(graph, kernels, input);
      assert.deepEqual(outputs, expected, `${kernels} and reference`);
      const inFloat = steps.filter((step) => step.kernel.startsWith('f32_') || step.dtype === 'float32').map(({ op }) => op);
      assert.deepEqual([...new Set(inFloat)], floatOps[name] ?? []);
    }
    expected.forEach((data, i) => {
      const to = perTensor(graph.outputs[i], 'the output');
      const got = Array.from(data as Int8Array, (q) => dequantizeValue(q, to.scale, to.zeroPoint));
      const want = Array.from(real.outputs[i] as Float32Array);
      const [whole, apart] = [cosine(got, want), cosine(contrast(got), contrast(want))];
      assert.ok(whole >= tolerance.quantizedCosine, `output ${i}: cosine ${whole}`);
      assert.ok(apart >= tolerance.quantizedContrast, `output ${i}: cosine ${apart} of what tells two pictures apart`);
    });
  });
});
