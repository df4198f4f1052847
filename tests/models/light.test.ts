// The ONNX project's light networks (AlexNet, GoogLeNet, ResNet-50, ShuffleNet, SqueezeNet, VGG-19 at 224x224): as published against
// the expected outputs, and with seeded noise for weights against the ops' definitions. The definitions take a minute per 6 GMAC, so
// every network is compared tensor by tensor (step-check.ts), and the two smallest also as a whole: the graph as imported, before any
// pass, on the reference against the compiled plan.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runReference } from '../../host/backends/reference.ts';
import { compile, loadPlan } from '../../host/index.ts';
import { optimise } from '../../host/passes/index.ts';
import { encodePlan } from '../../host/plan/encode.ts';
import { lower } from '../../host/plan/lower.ts';
import { numbers } from '../../host/tensor.ts';
import { difference } from '../conformance/compare.ts';
import { kernelSets } from '../engines.ts';
import { skipWithoutShared } from '../shared.ts';
import { tolerance } from '../tolerance.ts';
import { lightBytes, lightNetworks, lightOutput, ramp, refilledNetwork, type LightNetwork } from './light-networks.ts';
import { checkSteps } from './step-check.ts';

const SEED = 20261122;
const COMPARED_AS_A_WHOLE: readonly LightNetwork[] = ['shufflenet', 'squeezenet'];
/** Constants of more than 128 elements in each file. */
const REFILLED: Readonly<Record<LightNetwork, number>> = { bvlc_alexnet: 15, inception_v1: 77, resnet50: 207, shufflenet: 231, squeezenet: 35, vgg19: 34 };
const wasmSets = kernelSets().filter((kernels) => kernels !== 'reference');
/** The refilled networks run on the best kernels that this engine has. */
const best = wasmSets.at(-1) ?? 'simd128';

for (const name of lightNetworks) {
  describe(`light ${name}`, { skip: skipWithoutShared }, () => {
    it(`gives the published output with ${wasmSets.join(' and ')}`, async () => {
      const plan = compile(lightBytes(name));
      for (const kernels of wasmSets) {
        using model = await loadPlan(plan, { kernels, warmup: false });
        const [y] = model.runSync([ramp(model.input(0).length)]);
        assert.equal(difference(y, model.outputs[0], lightOutput(name)), null, kernels);
      }
    });

    it(`computes what the ops mean with noise for weights (seed ${SEED}, ${best})`, async () => {
      const { graph, refilled } = refilledNetwork(name, SEED);
      assert.equal(refilled, REFILLED[name]);
      optimise(graph);
      using model = await loadPlan(encodePlan(lower(graph), { shuffles: 0, layout: 'NCHW' }), { kernels: best, warmup: false });
      const x = ramp(model.input(0).length);
      const checked = checkSteps(graph, model, x);
      assert.ok(checked.filter(({ op }) => op === 'conv2d').length >= 5);
      assert.deepEqual(checked.filter(({ error }) => !(error <= tolerance.kernel)), []);
      // Nothing collapses or explodes on the way to the scores, and they depend on the input.
      assert.deepEqual(checked.filter(({ op, deviation }) => op !== 'softmax' && !(deviation > 1e-2 && deviation < 1e2)), []);
      const [first] = await model.run([x]);
      const [second] = await model.run([x.toReversed()]);
      assert.ok(numbers({ dtype: 'float32', shape: [], data: second }).some((v, i) => Math.abs(v - Number(first[i])) > 1e-4));
      if (COMPARED_AS_A_WHOLE.includes(name)) compareAsAWhole(name, x, first as Float32Array);
    });
  });
}

function compareAsAWhole(name: LightNetwork, x: Float32Array, got: Float32Array): void {
  const [want] = runReference(refilledNetwork(name, SEED).graph, [x]);
  const largest = got.reduce((a, v) => Math.max(a, Math.abs(v)), 0);
  numbers(want).forEach((v, i) => { assert.ok(Math.abs(v - got[i]) <= tolerance.network * largest, `score ${i} is ${got[i]} instead of ${v}`); });
}
