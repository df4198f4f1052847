// One network of the zoo at a small size, on everything that can compute it. In: its name and size. Out: assertions.
// float32: kernels against the definitions on the graph as built, within the tolerance of networks; int8: equal bytes, and near
// float32. A network that collapses to constants would prove nothing: every layer must spread, and two pictures must differ.

import assert from 'node:assert/strict';
import { runReference } from '../../host/backends/reference.ts';
import { compileGraph, optimiseGraph, type Optimised } from '../../host/compile.ts';
import { loadModel } from '../../host/index.ts';
import { dequantizeValue, quantizeValue } from '../../host/ops/quantized.ts';
import { perTensor, type TensorData } from '../../host/tensor.ts';
import { networks, type NetworkOptions } from '../../models/index.ts';
import { noise } from '../../models/random.ts';
import { networkGraph } from '../../models/zoo.ts';
import { kernelSets } from '../engines.ts';
import { tolerance } from '../tolerance.ts';
import { relativeError } from './compare.ts';

/** Seeds of the two pictures. */
const [SEED, OTHER_SEED] = [7, 8];
/** Standard deviation of every layer's output. */
const [SMALLEST_SPREAD, LARGEST_SPREAD] = [0.1, 10];
/** Root mean square of what two pictures' results differ by, as a share of their spread. */
const LEAST_DIFFERENCE = 0.02;
/** Between int8 and float32 results. */
const LEAST_COSINE = 0.95;

export async function agree(name: string, size: number): Promise<void> {
  const options: NetworkOptions = { size, classes: 20 };
  const source = networks.get(name)?.(options) ?? assert.fail(`${name} is not in the zoo`);
  const picture = noise(SEED, source.inputs[0].shape).data;
  const spreads: [string, number][] = [];
  const wanted = runReference(source, [picture], (node, [y]) => { spreads.push([node.name, spread(y.data as Float32Array)]); }).map(({ data }) => data as Float32Array);
  assert.deepEqual(spreads.filter(([, s]) => !(s >= SMALLEST_SPREAD && s <= LARGEST_SPREAD)), [], 'layers with too small or large a spread');
  await sameReal(optimiseGraph(source), picture, wanted);
  await sameBytes(await networkGraph(name, { ...options, int8: true }), picture, wanted);
}

/** All kernels give `wanted`, and something else for another picture. */
async function sameReal(network: Optimised, picture: Float32Array, wanted: readonly Float32Array[]): Promise<void> {
  for (const kernels of fastKernels()) {
    const model = await loadModel(compileGraph(network), { kernels, warmup: false });
    (await model.run(picture)).forEach((y, i) => {
      const error = relativeError(y, wanted[i]);
      assert.ok(error <= tolerance.network, `output ${i} with ${kernels} is off by ${error} of the largest value`);
    });
    const other = await model.run(noise(OTHER_SEED, network.graph.inputs[0].shape).data);
    other.forEach((y, i) => {
      const difference = spread(wanted[i].map((v, at) => v - Number(y[at])), 0) / spread(wanted[i]);
      assert.ok(difference >= LEAST_DIFFERENCE, `output ${i} of two pictures differs by ${difference} of its spread`);
    });
    model.dispose();
  }
}

/** All kernels give the bytes of the definitions, and these say what the float32 network says. */
async function sameBytes(network: Optimised, picture: Float32Array, real: readonly Float32Array[]): Promise<void> {
  const { graph } = network;
  const input = perTensor(graph.inputs[0], 'the picture');
  const bytes = Int8Array.from(picture, (v) => quantizeValue(v, input.scale, input.zeroPoint));
  const wanted = runReference(graph, [bytes]).map(({ data }) => data);
  graph.outputs.forEach((value, i) => {
    const { scale, zeroPoint } = perTensor(value, 'the scores');
    const similarity = cosine(Array.from(wanted[i] as Int8Array, (q) => dequantizeValue(q, scale, zeroPoint)), real[i]);
    assert.ok(similarity >= LEAST_COSINE, `output ${i}: the cosine of int8 and float32 is ${similarity}`);
  });
  for (const kernels of fastKernels()) {
    const model = await loadModel(compileGraph(network), { kernels, warmup: false });
    assert.deepEqual(await model.run(bytes), wanted, `int8 with ${kernels}`);
    model.dispose();
  }
}

function fastKernels(): readonly ('simd128' | 'relaxed')[] {
  return kernelSets().filter((kernels) => kernels !== 'reference');
}

/** Root mean square distance from `centre`, by default from the mean. */
function spread(values: ArrayLike<number>, centre?: number): number {
  const list = Array.from(values);
  const middle = centre ?? list.reduce((sum, v) => sum + v, 0) / list.length;
  return Math.sqrt(list.reduce((sum, v) => sum + (v - middle) ** 2, 0) / list.length);
}

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < b.length; i++) {
    ab += a[i] * b[i];
    aa += a[i] ** 2;
    bb += b[i] ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

/** The picture's batch of two, half by half. */
export async function batches(name: string, size: readonly [number, number]): Promise<void> {
  const options: NetworkOptions = { size, classes: 10 };
  const [one, two] = [await networkGraph(name, options), await networkGraph(name, { ...options, batch: 2 })];
  const pictures = [SEED, OTHER_SEED].map((seed) => noise(seed, one.graph.inputs[0].shape).data);
  const both = new Float32Array(2 * pictures[0].length);
  pictures.forEach((picture, i) => { both.set(picture, i * picture.length); });
  const [alone, together] = [await loadModel(compileGraph(one)), await loadModel(compileGraph(two))];
  const results: TensorData[] = await together.run(both);
  for (const [i, picture] of pictures.entries()) {
    for (const [o, y] of (await alone.run(picture)).entries()) {
      const part = results[o].slice(i * y.length, (i + 1) * y.length) as TensorData;
      const error = relativeError(part, y);
      assert.ok(error <= tolerance.network, `picture ${i}, output ${o}: off by ${error} of the largest value`);
    }
  }
  alone.dispose();
  together.dispose();
}
