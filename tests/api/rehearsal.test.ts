// A plan is rehearsed while its weights arrive: kernels run on what has come, what the verifier refuses runs nothing, and the answers
// are those of a plan that was there at once.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { HEADER_STEPS_AT, STEP_OPCODE } from '../../assembly/abi.ts';
import { getEngine } from '../../host/backends/engine.ts';
import { placePlan, receivePlan, rehearsal, type PlacedPlan } from '../../host/backends/wasm.ts';
import { startPlan } from '../../host/load.ts';
import { loadPlan } from '../../host/run.ts';
import { noise } from '../../models/random.ts';
import { planOf, tinyGraph } from '../../models/tiny.ts';

const plan = planOf(tinyGraph());
const image = noise(7, [1, 6, 5, 3]).data as Float32Array;
const engine = getEngine();
await engine;

const arenaOf = ({ region, info }: PlacedPlan): Uint8Array => region.view(info.planBytes, info.arenaBytes);
/** The arena is clear until a kernel writes to it. */
const written = (placed: PlacedPlan): boolean => arenaOf(placed).some((byte) => byte !== 0);

it('kernels run before the last piece has come, and the answer is the same', async () => {
  const rehearse = rehearsal(engine);
  let rehearsed = false;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(to) {
      to.enqueue(plan.slice(0, -64)); // with the first layers' biases: what they compute from zeros is not zero
      to.enqueue(plan.slice(-64));
      to.close();
    },
  });
  const placed = await receivePlan(body.getReader(), (partial) => { rehearse(partial); rehearsed = written(partial); });
  assert.ok(rehearsed, 'no kernel ran while the plan was arriving');
  const model = await startPlan(placed, { warmup: false }, engine);
  const whole = await loadPlan(plan, { warmup: false });
  assert.deepEqual(model.runSync(image)[0], whole.runSync(image)[0]);
});

it('nothing runs of a plan that the verifier refuses', () => {
  const placed = placePlan(plan);
  arenaOf(placed).fill(0); // another model's memory before
  const { buffer, byteOffset } = placed.region.view(0, 0);
  const view = new DataView(buffer, byteOffset);
  view.setUint32(view.getUint32(HEADER_STEPS_AT, true) + STEP_OPCODE, 255, true);
  rehearsal(engine)(placed);
  assert.equal(written(placed), false);
});
