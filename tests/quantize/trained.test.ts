// Trained networks made int8, with ranges from two photos, on a third one: first choices and outputs stay those of other engines.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { placePlan } from '../../host/backends/wasm.ts';
import { importModel } from '../../host/import/index.ts';
import { startPlan } from '../../host/load.ts';
import { readNpy } from '../../host/npy.ts';
import { dequantizeValue, quantizeValue } from '../../host/ops/quantized.ts';
import { encodePlan } from '../../host/plan/encode.ts';
import { lower } from '../../host/plan/lower.ts';
import { quantizeGraph } from '../../host/quantize/quantize-graph.ts';
import { perTensor } from '../../host/tensor.ts';
import { sharedBytes, skipWithoutShared } from '../shared.ts';
import { tolerance } from '../tolerance.ts';

const photos = ['bird', 'cat', 'grace_hopper'];
/** NanoDet's output is [80 classes and 32 box bins, 2125 places]. */
const PLACES = 2125;
const CLASSES = 80;

interface Case {
  readonly file: string;
  readonly golden: string;
  /** What the network sees, by its output. */
  readonly choice: (output: ArrayLike<number>) => number;
}
const cases: readonly Case[] = [
  { file: 'mobilenet_v2_1.0_224_imagenet_f32.tflite', golden: 'mobilenet_v2_1.0_224_imagenet_f32.tflite', choice: (y) => largest(y, y.length) },
  { file: 'nanodet_plus_m_320.onnx', golden: 'nanodet_plus_m_320', choice: (y) => Math.floor(largest(y, CLASSES * PLACES) / PLACES) },
];

function largest(values: ArrayLike<number>, end: number): number {
  let best = 0;
  for (let i = 1; i < end; i++) if (values[i] > values[best]) best = i;
  return best;
}
function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i] * b[i];
    aa += a[i] ** 2;
    bb += b[i] ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

for (const { file, golden, choice } of cases) describe(`${file} in int8`, { skip: skipWithoutShared }, () => {
  const read = (photo: string, role: string): Float32Array => readNpy(sharedBytes(`goldens/${golden}/${photo}.${role}_0.npy`)).data as Float32Array;
  for (const photo of photos) it(`sees in ${photo} what it saw`, async () => {
    const samples = photos.filter((other) => other !== photo).map((other) => [read(other, 'input')]);
    const { graph } = await quantizeGraph(importModel(sharedBytes(`models/${file}`), {}), samples);
    const [x, y] = [perTensor(graph.inputs[0], 'the input'), perTensor(graph.outputs[0], 'the output')];
    const model = await startPlan(placePlan(encodePlan(lower(graph), { shuffles: 0, layout: 'NHWC' })), { warmup: false });
    const [bytes] = model.runSync(Int8Array.from(read(photo, 'input'), (v) => quantizeValue(v, x.scale, x.zeroPoint))) as Int8Array[];
    const got = Float64Array.from(bytes, (q) => dequantizeValue(q, y.scale, y.zeroPoint));
    const want = read(photo, 'output');
    assert.equal(choice(got), choice(want));
    assert.ok(cosine(got, want) >= tolerance.quantizedCosine, `cosine ${cosine(got, want)}`);
  });
});
