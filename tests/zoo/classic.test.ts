// The zoo from LeNet-5 to SqueezeNet computes the same everywhere, and means something; in batches and at odd sizes too.

import { describe, it } from 'node:test';
import { agree, batches } from './agreement.ts';

/** Small pictures, since the definitions are slow; as large as the network needs. */
const sizes: Readonly<Record<string, number>> = {
  lenet5: 28, alexnet: 67, zfnet: 64, zfnet512: 64, vgg11: 32, vgg13: 32, vgg16: 32, vgg19: 32, googlenet: 64, googlenet_auxiliary: 80,
  resnet18: 48, resnet34: 48, resnet50: 48, resnet50_paper: 32, resnet101: 32, resnet152: 32, resnext50_32x4d: 48, densenet121: 48,
  densenet169: 32, squeezenet1_1: 64,
};

describe('float32 and int8 on all kernels', () => {
  for (const [name, size] of Object.entries(sizes)) it(`${name} at ${size}x${size}`, () => agree(name, size));
});
describe('two pictures at once', () => {
  for (const name of ['lenet5', 'alexnet', 'googlenet', 'resnet18', 'resnext50_32x4d', 'densenet121', 'squeezenet1_1']) {
    it(`${name} at 67x90`, () => batches(name, [67, 90]));
  }
});
