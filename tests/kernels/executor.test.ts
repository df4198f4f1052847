// init() on damaged plans: every header field, record and step frame is checked, and run() obeys its range.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as abi from '../../assembly/abi.ts';
import { align, machines, onePlan, type Problem, verdict } from './machine.ts';

/** A 1x1 convolution of one pixel: 1 channel in, 8 out, weights 1…8. */
const problem: Problem = {
  opcode: abi.F32_CONV, stepBytes: abi.CONV_STEP_BYTES, arenaBytes: 1024,
  weights: new Uint8Array(Float32Array.from([0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]).buffer),
  words: new Map<number, number | { f32: number } | ((p: { weights: number; arena: number }) => number)>([
    ...[abi.CONV_BATCH, abi.CONV_IH, abi.CONV_IW, abi.CONV_IC, abi.CONV_OH, abi.CONV_OW, abi.CONV_GROUPS, abi.CONV_KH, abi.CONV_KW, abi.CONV_SH,
      abi.CONV_SW, abi.CONV_DH, abi.CONV_DW, abi.CONV_SRC_CHANNEL, abi.CONV_DST_CHANNEL, abi.CONV_SRC_PIXEL, abi.CONV_SRC_ROW, abi.CONV_DIRECT]
      .map((at): [number, number] => [at, 1]),
    [abi.CONV_OC, 8], [abi.CONV_DST_PIXEL, 8], [abi.CONV_BLOCK_ROWS, 12], [abi.CONV_SCRATCH_BYTES, 256],
    [abi.CONV_SRC, (p) => p.arena], [abi.CONV_DST, (p) => p.arena + 64], [abi.CONV_SCRATCH, (p) => p.arena + 128], [abi.CONV_WEIGHTS, (p) => p.weights],
    [abi.CONV_MIN, { f32: -Infinity }], [abi.CONV_MAX, { f32: Infinity }],
  ]),
};
const machine = machines[0];
assert.ok(machine);
const { plan: intact, place } = onePlan(problem);
const stepsAt = new DataView(intact.buffer).getInt32(abi.HEADER_STEPS_AT, true);
const tracesAt = new DataView(intact.buffer).getInt32(abi.HEADER_TRACES_AT, true);

const edited = (at: number, value: number): number => verdict(machine, problem, (plan) => { plan.setInt32(at, value, true); });

test('the intact plan is accepted and computes', () => {
  assert.equal(verdict(machine, problem), abi.OK);
  const floats = new Float32Array(machine.memory.buffer, 4096 + place.arena);
  assert.ok(floats.subarray(0, 256).every((x) => x === 0), 'init clears the arena');
  floats[0] = 3;
  machine.executor.run(4096, 1, 2);
  assert.equal(floats[16], 0, 'an empty range runs nothing');
  machine.executor.run(4096, 0, 1000);
  assert.deepEqual([...floats.subarray(16, 24)], [3, 6, 9, 12, 15, 18, 21, 24]);
});

test('every header field that init reads is refused when it is wrong', () => {
  for (const at of [abi.HEADER_MAGIC, abi.HEADER_VERSION, abi.HEADER_PLAN_BYTES, abi.HEADER_ARENA_BYTES, abi.HEADER_IO_AT, abi.HEADER_INPUT_COUNT,
    abi.HEADER_OUTPUT_COUNT, abi.HEADER_STEPS_AT, abi.HEADER_STEPS_BYTES, abi.HEADER_STEP_COUNT, abi.HEADER_STRINGS_AT, abi.HEADER_STRINGS_BYTES,
    abi.HEADER_WEIGHTS_AT, abi.HEADER_WEIGHTS_BYTES, abi.HEADER_TRACES_AT]) {
    for (const value of [-1, -64, 0x7fffffc0, 0x40000000]) assert.notEqual(edited(at, value), abi.OK, `header ${at} = ${value}`);
  }
});

test('step frames: unknown opcode, wrong length, more or fewer steps than bytes', () => {
  assert.equal(edited(stepsAt + abi.STEP_OPCODE, 0), abi.BAD_OPCODE);
  assert.equal(machine.executor.refusedStep(), 0);
  assert.equal(edited(stepsAt + abi.STEP_OPCODE, abi.OPCODE_COUNT), abi.BAD_OPCODE);
  assert.equal(edited(stepsAt + abi.STEP_BYTES, 8), abi.BAD_STEP_BYTES);
  assert.equal(edited(stepsAt + abi.STEP_BYTES, abi.CONV_STEP_BYTES + 4), abi.BAD_STEP_BYTES);
  assert.equal(edited(abi.HEADER_STEPS_BYTES, abi.CONV_STEP_BYTES - 4), abi.BAD_STEP_BYTES);
  assert.equal(edited(abi.HEADER_STEP_COUNT, 0), abi.BAD_HEADER, 'bytes that no step owns');
});

test('step records: dtype, rank, names and place', () => {
  assert.equal(edited(tracesAt + abi.TRACE_DTYPE, 0), abi.BAD_HEADER);
  assert.equal(edited(tracesAt + abi.TRACE_RANK, 9), abi.BAD_HEADER);
  assert.equal(edited(tracesAt + abi.TRACE_NAME_BYTES, 1), abi.BAD_HEADER);
  assert.equal(edited(tracesAt + abi.TRACE_COMPLETE, 1), abi.BAD_HEADER, 'address 0 is not in the arena');
  assert.equal(edited(tracesAt + abi.TRACE_COMPLETE, 2), abi.BAD_HEADER);
});

test('more work than the header allows is refused', () => {
  const withWork = (work: number): number => verdict(machine, problem, (plan) => { plan.setFloat64(abi.HEADER_WORK, work, true); });
  assert.equal(verdict(machine, problem), abi.OK);
  const work = machine.executor.planWork();
  assert.equal(work, 2, 'one pixel, one k, one panel and the packing');
  assert.equal(withWork(work), abi.OK);
  assert.equal(withWork(work - 1), abi.BAD_WORK);
  assert.equal(withWork(NaN), abi.BAD_WORK);
});

test('a plan that does not fit the memory is refused', () => {
  const { plan } = onePlan(problem);
  const bytes = new Uint8Array(machine.memory.buffer);
  bytes.set(plan, 4096);
  const end = 4096 + plan.length + align(problem.arenaBytes) + abi.SLACK_BYTES;
  assert.equal(machine.executor.init(4096, plan.length, end), abi.OK);
  assert.equal(machine.executor.init(4096, plan.length, end - 1), abi.BAD_HEADER);
  assert.equal(machine.executor.init(4096 + 4, plan.length, end), abi.BAD_HEADER, 'unaligned base');
  assert.equal(machine.executor.init(4096, 64, end), abi.BAD_HEADER, 'shorter than a header');
  const last = bytes.length - 64;
  bytes.set(plan.subarray(0, 64), last);
  assert.equal(machine.executor.init(last, plan.length, 0xffffffff), abi.BAD_HEADER, 'a claimed memory larger than the real one');
});

test('probe: the simd128 build has nothing to probe', () => {
  for (const { name, executor } of machines) assert.equal(executor.probeDot(0, 0, 0, 0, 0), name === 'relaxed' ? 1 : 0);
});
