// loadPlan() from a body that arrives in pieces: any cut gives the same model, any fault a typed error, and the sender is told to stop.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { KingletError, loadPlan, type ErrorCode } from '../../host/run.ts';
import { noise } from '../../models/random.ts';
import { planOf, tinyGraph } from '../../models/tiny.ts';

const plan = planOf(tinyGraph());
const image = noise(7, [1, 6, 5, 3]).data as Float32Array;

function code(expected: ErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof KingletError && error.code === expected;
}
/** A response of `bytes`, `size` bytes at a time, which fails at the end if `fault` is given. */
function response(bytes: Uint8Array, size: number, fault?: Error): { response: Response; cancelled: () => boolean } {
  let at = 0;
  let cancelled = false;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (at < bytes.length) controller.enqueue(bytes.slice(at, at += size));
      else if (fault) controller.error(fault);
      else controller.close();
    },
    cancel() { cancelled = true; },
  }, { highWaterMark: 0 });
  return { response: new Response(body), cancelled: () => cancelled };
}

const whole = (await loadPlan(plan, { warmup: false })).runSync(image)[0].slice(); // views end with the next load

for (const size of [1, 3, 64, 127, 128, 1000, 1 << 20]) {
  it(`pieces of ${size} bytes give the same answer`, async () => {
    const model = await loadPlan(response(plan, size).response, { warmup: false });
    assert.deepEqual(model.runSync(image)[0], whole);
  });
}

const flipped = plan.slice();
flipped[plan.length - 1] ^= 1;
const faults: readonly (readonly [string, Uint8Array, ErrorCode])[] = [
  ['nothing', new Uint8Array(0), 'ERR_PLAN_INVALID'],
  ['part of the header', plan.slice(0, 50), 'ERR_PLAN_INVALID'],
  ['a cut plan', plan.slice(0, plan.length - 1), 'ERR_PLAN_INVALID'],
  ['a plan with something behind it', Uint8Array.of(...plan, 0), 'ERR_PLAN_INVALID'],
  ['a flipped bit in the last byte', flipped, 'ERR_PLAN_INVALID'],
  ['an HTML page', new TextEncoder().encode('<!doctype html>'.padEnd(500)), 'ERR_PLAN_INVALID'],
];
for (const [what, bytes, expected] of faults) {
  for (const size of [1, 100, 1 << 20]) {
    it(`refuses ${what} in pieces of ${size}`, async () => {
      await assert.rejects(loadPlan(response(bytes, size).response), code(expected));
    });
  }
}

it('tells the sender to stop when the header is wrong', async () => {
  const source = response(new Uint8Array(1 << 16), 256);
  await assert.rejects(loadPlan(source.response), code('ERR_PLAN_INVALID'));
  assert.equal(source.cancelled(), true);
});
it('a broken connection is ERR_FILE', async () => {
  await assert.rejects(loadPlan(response(plan.slice(0, 700), 100, new TypeError('network error')).response), code('ERR_FILE'));
});
it('a refusal of the server is ERR_FILE, no body is an invalid plan', async () => {
  await assert.rejects(loadPlan(new Response('gone', { status: 404 })), code('ERR_FILE'));
  await assert.rejects(loadPlan(new Response(null)), code('ERR_PLAN_INVALID'));
});
