// The zoo's mobile and searched networks compute the same everywhere, and mean something; in batches and at odd sizes too.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { networkNames } from '../../models/zoo.ts';
import { agree, batches } from './agreement.ts';

const SIZE = 64;
/** Widths and resolutions of MobileNetV1 beyond these two differ in numbers of channels and pixels alone. */
const multiplied = /^mobilenet_v1_(?!0\.25_128$)/;
const names = networkNames.filter((name) => /^(mobilenet|shufflenet|mnasnet|efficientnet|nasnet)/.test(name) && !multiplied.test(name));

describe('float32 and int8 on all kernels', () => {
  for (const name of names) it(`${name} at ${SIZE}x${SIZE}`, () => agree(name, SIZE));
  it('knows them all', () => { assert.equal(names.length, 22); });
});
describe('two pictures at once', () => {
  for (const name of ['mobilenet_v1', 'mobilenet_v2', 'mobilenet_v3_small', 'shufflenet_v1_g3', 'shufflenet_v2_x0_5', 'nasnet_a_mobile', 'efficientnet_b0']) {
    it(`${name} at 67x90`, () => batches(name, [67, 90]));
  }
});
