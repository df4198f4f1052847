// 1,000 random single-byte flips of mlperf_tiny_kws_ref_model.tflite: a result of the declared shape or a KingletError, never anything else.

import { it } from 'node:test';
import { sharedBytes, skipWithoutShared } from '../shared.ts';
import { attack } from './attack.ts';
import { randomFlips } from './damages.ts';
import { assertHarmless } from './report.ts';

it('survives 1,000 flipped bytes (seed 2)', { skip: skipWithoutShared }, async (t) => {
  const bytes = sharedBytes('models/mlperf_tiny_kws_ref_model.tflite');
  const damages = randomFlips(2, 1000, bytes.length);
  assertHarmless(t, await attack(bytes, damages), damages);
});
