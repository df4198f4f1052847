// The zoo's networks are the networks of the files: with a file's weights, layer by layer in its order, they give its goldens.
// The files' batch normalisations are folded into biases; they leave the zoo's normalisations nothing but to add these.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { loadModel } from '../../host/index.ts';
import { isConstant, type Constant } from '../../host/graph/graph.ts';
import { importModel } from '../../host/import/index.ts';
import { readNpy } from '../../host/npy.ts';
import { numbers, type Tensor, type TensorData } from '../../host/tensor.ts';
import { networks, type NetworkOptions, type WeightRole, type WeightSource } from '../../models/index.ts';
import { planOf } from '../../models/tiny.ts';
import { kernelSets } from '../engines.ts';
import { goldens, sharedBytes, skipWithoutShared } from '../shared.ts';
import { tolerance } from '../tolerance.ts';
import { relativeError } from './compare.ts';

const google: NetworkOptions = { padding: 'same', classes: 1001, softmax: true };
const torch: NetworkOptions = { padding: 'symmetric' };
/** By golden. */
const cases: Readonly<Record<string, { network: string; options: NetworkOptions }>> = {
  mobilenet_v1_random: { network: 'mobilenet_v1', options: torch },
  'mobilenet_v2_1.0_224_imagenet_f32.onnx': { network: 'mobilenet_v2', options: google },
  'mobilenet_v2_1.0_224_imagenet_f32.tflite': { network: 'mobilenet_v2', options: google },
  torchvision_mobilenet_v3_small: { network: 'mobilenet_v3_small', options: torch },
  torchvision_shufflenet_v2_x1_0: { network: 'shufflenet_v2_x1_0', options: torch },
  torchvision_squeezenet1_1: { network: 'squeezenet1_1', options: torch },
};

/** A weighted layer of a file. */
interface Layer {
  readonly weights: Constant;
  readonly bias: Constant;
}

function layersOf(bytes: Uint8Array): Layer[] {
  return importModel(bytes).nodes.filter((node) => node.op.kind === 'conv2d' || node.op.kind === 'matmul').map(({ inputs: [, weights, bias] }) => {
    assert.ok(isConstant(weights) && isConstant(bias), 'a layer has constant weights and a bias');
    return { weights, bias };
  });
}

/** The weights of `layers` in turn: each call for weights is for the next layer, all else is for the same one. */
function sourceOf(layers: Layer[]): WeightSource {
  let layer: Layer | undefined;
  const roles: Readonly<Record<WeightRole, (channels: number) => Float32Array>> = {
    weights: () => floats(layer?.weights),
    bias: () => floats(layer?.bias),
    beta: () => floats(layer?.bias),
    gamma: (channels) => new Float32Array(channels).fill(1),
    mean: (channels) => new Float32Array(channels),
    variance: (channels) => new Float32Array(channels).fill(1 - 1e-5),
  };
  return (name, shape, role) => {
    if (role === 'weights') {
      layer = layers.shift();
      const dims = layer?.weights.shape.join();
      // A fully connected layer may be a 1x1 convolution in the file.
      assert.ok(dims === shape.join() || dims === `1,1,${shape.join()}`, `${name}: [${shape.join()}] here, [${dims}] in the file`);
    }
    return roles[role](shape[shape.length - 1]);
  };
}

function floats(constant: Constant | undefined): Float32Array {
  assert.ok(constant);
  return Float32Array.from(numbers(constant));
}

/** [1, channels, height, width] as [1, height, width, channels]. */
function channelsLast({ data, shape: [, channels, height, width] }: Tensor): Float32Array {
  const pixels = height * width;
  return Float32Array.from({ length: channels * pixels }, (_, i) => Number(data[(i % channels) * pixels + Math.floor(i / channels)]));
}

function golden(name: string, sample: string, role: 'input' | 'output'): Tensor {
  return readNpy(sharedBytes(`goldens/${name}/${sample}.${role}_0.npy`));
}

for (const { name, modelFile, cases: samples } of goldens()) {
  if (!Object.hasOwn(cases, name)) continue;
  const { network, options } = cases[name];
  it(`${network} is the network of ${modelFile}`, async () => {
    const layers = layersOf(sharedBytes(modelFile));
    const plan = planOf(networks.get(network)?.({ ...options, weights: sourceOf(layers) }) ?? assert.fail(`${network} is not in the zoo`));
    assert.equal(layers.length, 0, 'every layer of the file is used');
    for (const kernels of kernelSets().filter((set) => set !== 'reference')) {
      const model = await loadModel(plan, { kernels });
      for (const sample of samples) {
        const input = golden(name, sample, 'input');
        const inputs: TensorData[] = [input.shape[1] === 3 ? channelsLast(input) : input.data];
        const error = relativeError((await model.run(inputs))[0], golden(name, sample, 'output').data);
        assert.ok(error <= tolerance.network, `${sample} with ${kernels}: off by ${error} of the largest value`);
      }
    }
  });
}

it('finds every file', { skip: skipWithoutShared }, () => {
  assert.deepEqual(Object.keys(cases).filter((name) => !goldens().some((known) => known.name === name)), []);
});
