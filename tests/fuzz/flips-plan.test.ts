// Single-byte flips of a compiled plan, with the checksum left wrong and with it made right again, so that the executor's
// verifier is tested and not the checksum. Besides random places, every byte of every step's operands gets a flip.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { compile } from '../../host/index.ts';
import { decodePlan } from '../../host/plan/decode.ts';
import { HEADER_BYTES, HEADER_STEPS_AT, HEADER_STEPS_BYTES } from '../../assembly/abi.ts';
import { random, randomInt } from '../random.ts';
import { sharedBytes, skipWithoutShared } from '../shared.ts';
import { attack, type Damage } from './attack.ts';
import { randomFlips } from './damages.ts';
import { assertHarmless } from './report.ts';

const model = 'models/mlperf_tiny_kws_ref_model.tflite';

it('survives 1,000 flipped bytes (seed 6)', { skip: skipWithoutShared }, async (t) => {
  const plan = compile(sharedBytes(model));
  assert.ok(decodePlan(plan).stepCount > 5);
  const damages = randomFlips(6, 1000, plan.length);
  const outcomes = await attack(sharedBytes(model), damages, 'plan');
  assertHarmless(t, outcomes, damages);
  assert.ok(outcomes.every((o) => o.result !== 'ran'), 'the checksum finds every flip');
});

it('survives 1,000 flipped bytes behind a right checksum (seed 7)', { skip: skipWithoutShared }, async (t) => {
  const damages = randomFlips(7, 1000, compile(sharedBytes(model)).length, true);
  assertHarmless(t, await attack(sharedBytes(model), damages, 'plan'), damages);
});

it('survives a flip in every byte of header and steps behind a right checksum (seed 8)', { skip: skipWithoutShared }, async (t) => {
  const plan = compile(sharedBytes(model));
  const header = new DataView(plan.buffer);
  const next = random(8);
  const flip = (at: number): Damage => ({ flip: { at, mask: 1 + randomInt(next, 255) }, repair: true });
  const steps = header.getUint32(HEADER_STEPS_AT, true);
  const damages = [
    ...Array.from({ length: HEADER_BYTES }, (_, at) => flip(at)),
    ...Array.from({ length: header.getUint32(HEADER_STEPS_BYTES, true) }, (_, i) => flip(steps + i)),
  ];
  assertHarmless(t, await attack(sharedBytes(model), damages, 'plan'), damages);
});

it('survives 500 flipped bytes behind a right checksum in plans that arrive in pieces (seed 9)', { skip: skipWithoutShared }, async (t) => {
  const damages = randomFlips(9, 500, compile(sharedBytes(model)).length, true);
  assertHarmless(t, await attack(sharedBytes(model), damages, 'pieces'), damages);
});
