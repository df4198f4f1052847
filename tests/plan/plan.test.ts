// The plan's bytes: what docs/plan-format.md says, on the smallest network there is; decode after encode; several plans in one
// executor instance, each at a base of its own; damaged plans that init() accepts stay inside their memory.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import * as abi from '../../assembly/abi.ts';
import { Builder } from '../../host/graph/builder.ts';
import { unary } from '../../host/ops/unary.ts';
import { checksum } from '../../host/plan/checksum.ts';
import { decodePlan } from '../../host/plan/decode.ts';
import type { Executor } from '../../host/backends/engine.ts';
import { noise } from '../../models/random.ts';
import { planOf, tinyGraph } from '../../models/tiny.ts';
import { random, randomInt } from '../random.ts';

const module = new WebAssembly.Module(readFileSync(new URL('../../host/kinglet.simd.wasm', import.meta.url)));

/** relu of three numbers: one step. */
function reluPlan(): Uint8Array<ArrayBuffer> {
  const b = new Builder();
  const x = b.input('x', { dtype: 'float32', shape: [3] });
  b.output(b.add(unary, { kind: 'clamp', p0: 0, p1: Infinity }, [x]), 'y');
  return planOf(b.graph);
}

it('encodes relu of three numbers as documented', () => {
  const plan = reluPlan();
  const word = (at: number): number => new DataView(plan.buffer).getInt32(at, true);
  assert.equal(new TextDecoder().decode(plan.subarray(0, 4)), 'KGL1');
  assert.equal(word(abi.HEADER_VERSION), abi.ABI_VERSION);
  assert.equal(word(abi.HEADER_PLAN_BYTES), plan.length);
  assert.equal(word(abi.HEADER_ARENA_BYTES), 64 + 64 + abi.SLACK_BYTES, 'x and y, 12 bytes each, aligned');
  const step = word(abi.HEADER_STEPS_AT);
  assert.equal(word(abi.HEADER_STEP_COUNT), 1);
  assert.equal(word(abi.HEADER_STEPS_BYTES), abi.UNARY_STEP_BYTES);
  assert.equal(word(step + abi.STEP_OPCODE), abi.F32_UNARY);
  assert.equal(word(step + abi.STEP_BYTES), abi.UNARY_STEP_BYTES);
  assert.equal(word(step + abi.UNARY_KIND), abi.UNARY_CLAMP);
  assert.equal(word(step + abi.UNARY_P0), 0);
  assert.equal(word(step + abi.UNARY_P1), 0x7f800000, 'infinity');
  assert.deepEqual(Array.from({ length: 6 }, (_, i) => word(step + abi.UNARY_DIMS + 4 * i)), [1, 1, 1, 1, 1, 3]);
  const [x, y] = [word(step + abi.UNARY_SRC), word(step + abi.UNARY_DST)];
  assert.deepEqual([x, y].sort((a, b) => a - b), [plan.length, plan.length + 64], 'the arena follows the plan');
});

it('decodes what it encodes', () => {
  const info = decodePlan(planOf(tinyGraph()));
  assert.deepEqual(info.inputs.map((i) => [i.name, i.dtype, i.shape]), [['image', 'float32', [1, 6, 5, 3]]]);
  assert.deepEqual(info.outputs.map((i) => [i.name, i.dtype, i.shape]), [['scores', 'float32', [1, 3, 2, 7]]]);
  assert.deepEqual(info.steps.map((s) => [s.kernel, s.op, s.complete]), [['f32_conv', 'conv2d', true], ['f32_dwconv', 'conv2d', true], ['f32_conv', 'conv2d', true]]);
});

it('is deterministic', () => {
  assert.deepEqual(planOf(tinyGraph()), planOf(tinyGraph()));
});

interface Loaded {
  readonly base: number;
  readonly input: Float32Array;
  readonly output: Float32Array;
  readonly end: number;
}
function loadAt(executor: Executor, memory: WebAssembly.Memory, plan: Uint8Array, base: number): Loaded {
  new Uint8Array(memory.buffer).set(plan, base);
  const info = decodePlan(plan);
  const end = base + info.planBytes + info.arenaBytes;
  assert.equal(executor.init(base, plan.length, end), abi.OK);
  const view = (io: { address: number; elements: number }): Float32Array => new Float32Array(memory.buffer, base + io.address, io.elements);
  return { base, input: view(info.inputs[0]), output: view(info.outputs[0]), end };
}

it('runs several plans in one instance, wherever they lie', () => {
  const memory = new WebAssembly.Memory({ initial: 8 });
  const executor = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Executor;
  const plan = planOf(tinyGraph());
  const a = loadAt(executor, memory, plan, 1024);
  const b = loadAt(executor, memory, reluPlan(), Math.ceil(a.end / 64) * 64);
  const c = loadAt(executor, memory, plan, Math.ceil(b.end / 64) * 64 + 4096);
  a.input.set(noise(7, [90]).data);
  b.input.set([-1, 2, -3]);
  c.input.set(noise(7, [90]).data);
  for (const { base } of [a, b, c]) executor.run(base, 0, 1000);
  assert.deepEqual([...b.output], [0, 2, 0]);
  assert.deepEqual(a.output, c.output);
  assert.ok(a.output.some((v) => v !== 0));
});

it('a damaged plan is refused or writes nothing but its own arena (5,000 damages, seed 13)', (t) => {
  const memory = new WebAssembly.Memory({ initial: 4 });
  const executor = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Executor;
  const plan = planOf(tinyGraph());
  const base = 8192;
  const end = base + plan.length + decodePlan(plan).arenaBytes;
  const bytes = new Uint8Array(memory.buffer);
  const next = random(13);
  const stepsAt = new DataView(plan.buffer).getUint32(abi.HEADER_STEPS_AT, true);
  const stepsBytes = new DataView(plan.buffer).getUint32(abi.HEADER_STEPS_BYTES, true);
  const interesting = [0, 1, -1, 2, 3, 7, 63, 64, 255, 256, 4096, 65535, 65536, 2 ** 24, 2 ** 31 - 1, -(2 ** 31)];
  let accepted = 0;
  for (let round = 0; round < 5000; round++) {
    const damaged = plan.slice();
    const words = new DataView(damaged.buffer);
    const at = round % 5 === 0 ? 4 * randomInt(next, 32) : stepsAt + 4 * randomInt(next, stepsBytes / 4);
    words.setInt32(at, next() < 0.5 ? interesting[randomInt(next, interesting.length)] : words.getInt32(at, true) + randomInt(next, 9) - 4, true);
    words.setInt32(abi.HEADER_CHECKSUM, checksum(damaged), true);
    bytes.fill(0xa5);
    bytes.set(damaged, base);
    if (executor.init(base, plan.length, end) !== abi.OK) continue;
    accepted++;
    words.setInt32(abi.HEADER_DOT_MODE, executor.dotMode(), true); // the one word of a plan that is the executor's
    executor.run(base, 0, 1000);
    assert.ok(bytes.subarray(0, base).every((v) => v === 0xa5) && bytes.subarray(end).every((v) => v === 0xa5), `damage at ${at} wrote outside`);
    assert.deepEqual(bytes.slice(base, base + plan.length), damaged, `damage at ${at} changed the plan`);
  }
  t.diagnostic(`${accepted} of 5000 damaged plans were accepted`);
  assert.ok(accepted > 50 && accepted < 4000);
});
