// Plans whose steps were damaged on purpose: each one is refused, or runs without touching a byte outside its arena.
// Reads are watched too: the arena afterwards must not depend on what lies around the plan.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ARGMAX_AXIS, ARGMAX_DIMS, ARGMAX_DST, ARGMAX_DTYPE, ARGMAX_DST_STRIDES, ARGMAX_SRC, ARGMAX_SRC_AXIS_STRIDE, ARGMAX_SRC_STRIDES, ARGMAX_STEP_BYTES,
  BINARY_A, BINARY_A_STRIDES, BINARY_B, BINARY_B_STRIDES, BINARY_DIMS, BINARY_DST, BINARY_DST_STRIDES, BINARY_STEP_BYTES, CONVERT_DIMS,
  CONVERT_DST, CONVERT_DST_STRIDES, CONVERT_SRC, CONVERT_SRC_STRIDES, CONVERT_STEP_BYTES, COPY_DIMS, COPY_DST, COPY_DST_STRIDES,
  COPY_ELEMENT_BYTES, COPY_SRC, COPY_SRC_STRIDES, COPY_STEP_BYTES, DTYPE_F32, F32_BINARY, F32_LRN, F32_NORMALIZE, F32_POOL, F32_REDUCE, F32_RESIZE, F32_RESIZE_CUBIC, F32_SOFTMAX,
  F32_UNARY, GATHER_AXIS, GATHER_AXIS_BYTES, GATHER_COUNT, GATHER_DEPTH, GATHER_DST, GATHER_INDICES, GATHER_INNER_BYTES, GATHER_OUTER,
  GATHER_SRC, GATHER_SRC_OUTER_BYTES, GATHER_STEP_BYTES, HEADER_BYTES, I32_BINARY, LRN_AFTER, LRN_BEFORE, LRN_C, LRN_DIMS, LRN_DST, LRN_DST_STRIDES,
  LRN_SCRATCH, LRN_SRC, LRN_SRC_STRIDES, LRN_STEP_BYTES, LUT_DIMS, LUT_DST, LUT_DST_STRIDES, LUT_SRC,
  LUT_SRC_STRIDES, LUT_STEP_BYTES, LUT_TABLE, MATMUL_A, MATMUL_A_COLUMN, MATMUL_A_ROW, MATMUL_B, MATMUL_BATCH, MATMUL_B_COLUMN, MATMUL_B_ROW,
  MATMUL_DST, MATMUL_DST_ROW, MATMUL_K, MATMUL_M, MATMUL_N, MATMUL_STEP_BYTES, NORMALIZE_DIMS, NORMALIZE_DST, NORMALIZE_DST_STRIDES,
  NORMALIZE_FACTOR, NORMALIZE_FACTOR_STRIDES, NORMALIZE_OFFSET, NORMALIZE_REGION, NORMALIZE_REGION_DST_STRIDES,
  NORMALIZE_REGION_FACTOR_STRIDES, NORMALIZE_REGION_SRC_STRIDES, NORMALIZE_SRC, NORMALIZE_SRC_STRIDES, NORMALIZE_STEP_BYTES, OK, POOL_BATCH, POOL_C, POOL_DH, POOL_DST, POOL_DST_BATCH,
  POOL_DST_PIXEL, POOL_DST_ROW, POOL_DW, POOL_IH, POOL_IW, POOL_KH, POOL_KW, POOL_OH, POOL_OW, POOL_PL, POOL_PT, POOL_SH, POOL_SRC,
  POOL_SRC_BATCH, POOL_SRC_PIXEL, POOL_SRC_ROW, POOL_STEP_BYTES, POOL_SW, QS8_BINARY, QS8_LUT, QS8_MATMUL, QS8_POOL, QS8_REDUCE, QS8_RESIZE,
  QS8_SOFTMAX, REDUCE_DIMS, REDUCE_DST, REDUCE_DST_STRIDES, REDUCE_INNER_DIMS, REDUCE_INNER_STRIDES, REDUCE_SRC, REDUCE_SRC_STRIDES,
  REDUCE_STEP_BYTES, RESIZE_BATCH, RESIZE_C, RESIZE_DST, RESIZE_DST_BATCH, RESIZE_DST_PIXEL, RESIZE_DST_ROW, RESIZE_ELEMENT_BYTES, RESIZE_IH,
  RESIZE_IW, RESIZE_OH, RESIZE_OW, RESIZE_SRC, RESIZE_SRC_BATCH, RESIZE_SRC_PIXEL, RESIZE_SRC_ROW, RESIZE_STEP_BYTES, RESIZE_X_TABLE,
  RESIZE_Y_TABLE, SLACK_BYTES, SOFTMAX_AXIS, SOFTMAX_DIMS, SOFTMAX_DST, SOFTMAX_DST_AXIS_STRIDE, SOFTMAX_DST_STRIDES, SOFTMAX_SCRATCH,
  SOFTMAX_SRC, SOFTMAX_SRC_AXIS_STRIDE, SOFTMAX_SRC_STRIDES, SOFTMAX_STEP_BYTES, STEP_BYTES, UNARY_DIMS, UNARY_DST, UNARY_DST_STRIDES,
  UNARY_SRC, UNARY_SRC_STRIDES, UNARY_STEP_BYTES, X_ARGMAX, X_CONVERT, X_COPY, X_GATHER, X_RESIZE_NEAREST,
} from '../../assembly/abi.ts';
import { Random, SEED } from './nests.ts';
import { BASE, buildImage, CANARY, executors, verify, type Executor, type StepCase, type Words } from './plan-image.ts';

const BYTES = 2048;
const dims = [1, 1, 2, 3, 4, 5];
const dense = [120, 120, 60, 20, 5, 1];
const outer = [1, 2, 3, 5];
const outerStrides = [120, 60, 20, 4];

function random(): Uint8Array { return new Uint8Array(new Random(SEED).i8(BYTES).buffer); }

/** A valid step whose operands are BYTES long each; most words are small, so that damage often stays valid. */
function step(opcode: number, stepBytes: number, words: Words, sources: readonly number[], dst: number, constants: readonly number[] = []): StepCase {
  return {
    opcode, stepBytes, words,
    operands: [
      ...sources.map((field) => ({ field, data: random() })),
      ...constants.map((field) => ({ field, data: new Uint8Array(BYTES), constant: true })),
    ],
    output: { field: dst, bytes: BYTES },
  };
}

const pool: Words = {
  [POOL_BATCH]: 1, [POOL_IH]: 5, [POOL_IW]: 5, [POOL_C]: 5, [POOL_OH]: 3, [POOL_OW]: 3, [POOL_KH]: 3, [POOL_KW]: 3, [POOL_SH]: 2, [POOL_SW]: 2,
  [POOL_DH]: 1, [POOL_DW]: 1, [POOL_PT]: 1, [POOL_PL]: 1, [POOL_SRC_BATCH]: 125, [POOL_SRC_ROW]: 25, [POOL_SRC_PIXEL]: 5,
  [POOL_DST_BATCH]: 45, [POOL_DST_ROW]: 15, [POOL_DST_PIXEL]: 5,
};
const binary: Words = { [BINARY_DIMS]: dims, [BINARY_A_STRIDES]: dense, [BINARY_B_STRIDES]: dense, [BINARY_DST_STRIDES]: dense };
const reduce: Words = {
  [REDUCE_DIMS]: outer, [REDUCE_SRC_STRIDES]: outerStrides, [REDUCE_DST_STRIDES]: [30, 15, 5, 1], [REDUCE_INNER_DIMS]: [1, 2, 2],
  [REDUCE_INNER_STRIDES]: [0, 2, 1],
};
const softmax: Words = {
  [SOFTMAX_DIMS]: outer, [SOFTMAX_SRC_STRIDES]: outerStrides, [SOFTMAX_DST_STRIDES]: outerStrides, [SOFTMAX_AXIS]: 4,
  [SOFTMAX_SRC_AXIS_STRIDE]: 1, [SOFTMAX_DST_AXIS_STRIDE]: 1,
};
const resize: Words = {
  [RESIZE_BATCH]: 1, [RESIZE_IH]: 4, [RESIZE_IW]: 4, [RESIZE_C]: 5, [RESIZE_OH]: 4, [RESIZE_OW]: 5, [RESIZE_SRC_BATCH]: 80, [RESIZE_SRC_ROW]: 20,
  [RESIZE_SRC_PIXEL]: 5, [RESIZE_DST_BATCH]: 100, [RESIZE_DST_ROW]: 25, [RESIZE_DST_PIXEL]: 5, [RESIZE_ELEMENT_BYTES]: 4,
};
const nest = (at: number, src: number, dst: number): Words => ({ [at]: dims, [src]: dense, [dst]: dense });
const tables = [RESIZE_Y_TABLE, RESIZE_X_TABLE];

const steps: readonly (readonly [string, StepCase])[] = [
  ['f32_pool', step(F32_POOL, POOL_STEP_BYTES, pool, [POOL_SRC], POOL_DST)],
  ['qs8_pool', step(QS8_POOL, POOL_STEP_BYTES, pool, [POOL_SRC], POOL_DST)],
  ['f32_binary', step(F32_BINARY, BINARY_STEP_BYTES, binary, [BINARY_A, BINARY_B], BINARY_DST)],
  ['i32_binary', step(I32_BINARY, BINARY_STEP_BYTES, binary, [BINARY_A, BINARY_B], BINARY_DST)],
  ['qs8_binary', step(QS8_BINARY, BINARY_STEP_BYTES, binary, [BINARY_A, BINARY_B], BINARY_DST)],
  ['f32_unary', step(F32_UNARY, UNARY_STEP_BYTES, nest(UNARY_DIMS, UNARY_SRC_STRIDES, UNARY_DST_STRIDES), [UNARY_SRC], UNARY_DST)],
  ['qs8_lut', step(QS8_LUT, LUT_STEP_BYTES, nest(LUT_DIMS, LUT_SRC_STRIDES, LUT_DST_STRIDES), [LUT_SRC], LUT_DST, [LUT_TABLE])],
  ['x_copy', step(X_COPY, COPY_STEP_BYTES, { ...nest(COPY_DIMS, COPY_SRC_STRIDES, COPY_DST_STRIDES), [COPY_ELEMENT_BYTES]: 4 }, [COPY_SRC], COPY_DST)],
  ['x_gather', step(X_GATHER, GATHER_STEP_BYTES, {
    [GATHER_OUTER]: 2, [GATHER_SRC_OUTER_BYTES]: 200, [GATHER_COUNT]: 6, [GATHER_DEPTH]: 2, [GATHER_INNER_BYTES]: 10, [GATHER_AXIS]: [4, 5, 1, 1],
    [GATHER_AXIS_BYTES]: [50, 10, 0, 0],
  }, [GATHER_SRC, GATHER_INDICES], GATHER_DST)],
  ['f32_reduce', step(F32_REDUCE, REDUCE_STEP_BYTES, reduce, [REDUCE_SRC], REDUCE_DST)],
  ['qs8_reduce', step(QS8_REDUCE, REDUCE_STEP_BYTES, reduce, [REDUCE_SRC], REDUCE_DST)],
  ['f32_softmax', step(F32_SOFTMAX, SOFTMAX_STEP_BYTES, softmax, [SOFTMAX_SRC], SOFTMAX_DST)],
  ['qs8_softmax', step(QS8_SOFTMAX, SOFTMAX_STEP_BYTES, softmax, [SOFTMAX_SRC, SOFTMAX_SCRATCH], SOFTMAX_DST)],
  ['x_argmax', step(X_ARGMAX, ARGMAX_STEP_BYTES, {
    [ARGMAX_DTYPE]: DTYPE_F32, [ARGMAX_DIMS]: outer, [ARGMAX_SRC_STRIDES]: outerStrides, [ARGMAX_DST_STRIDES]: [30, 15, 5, 1], [ARGMAX_AXIS]: 4,
    [ARGMAX_SRC_AXIS_STRIDE]: 1,
  }, [ARGMAX_SRC], ARGMAX_DST)],
  ['f32_resize', step(F32_RESIZE, RESIZE_STEP_BYTES, resize, [RESIZE_SRC], RESIZE_DST, tables)],
  ['qs8_resize', step(QS8_RESIZE, RESIZE_STEP_BYTES, resize, [RESIZE_SRC], RESIZE_DST, tables)],
  ['f32_resize_cubic', step(F32_RESIZE_CUBIC, RESIZE_STEP_BYTES, resize, [RESIZE_SRC], RESIZE_DST, tables)],
  ['x_resize_nearest', step(X_RESIZE_NEAREST, RESIZE_STEP_BYTES, resize, [RESIZE_SRC], RESIZE_DST, tables)],
  ['x_convert', step(X_CONVERT, CONVERT_STEP_BYTES, nest(CONVERT_DIMS, CONVERT_SRC_STRIDES, CONVERT_DST_STRIDES), [CONVERT_SRC], CONVERT_DST)],
  ['qs8_matmul', step(QS8_MATMUL, MATMUL_STEP_BYTES, {
    [MATMUL_BATCH]: 1, [MATMUL_M]: 6, [MATMUL_K]: 9, [MATMUL_N]: 7, [MATMUL_A_ROW]: 9, [MATMUL_A_COLUMN]: 1, [MATMUL_B_ROW]: 7,
    [MATMUL_B_COLUMN]: 1, [MATMUL_DST_ROW]: 7,
  }, [MATMUL_A, MATMUL_B], MATMUL_DST)],
  ['f32_lrn', step(F32_LRN, LRN_STEP_BYTES, {
    [LRN_DIMS]: outer, [LRN_SRC_STRIDES]: outerStrides, [LRN_DST_STRIDES]: outerStrides, [LRN_C]: 4, [LRN_BEFORE]: 2, [LRN_AFTER]: 2,
  }, [LRN_SRC, LRN_SCRATCH], LRN_DST)],
  ['f32_normalize', step(F32_NORMALIZE, NORMALIZE_STEP_BYTES, {
    [NORMALIZE_DIMS]: outer, [NORMALIZE_SRC_STRIDES]: outerStrides, [NORMALIZE_DST_STRIDES]: outerStrides,
    [NORMALIZE_FACTOR_STRIDES]: [0, 0, 4, 1], [NORMALIZE_REGION]: [1, 2, 2], [NORMALIZE_REGION_SRC_STRIDES]: [0, 2, 1],
    [NORMALIZE_REGION_DST_STRIDES]: [1, 2, 1], [NORMALIZE_REGION_FACTOR_STRIDES]: [0, 2, 1],
  }, [NORMALIZE_SRC, NORMALIZE_FACTOR, NORMALIZE_OFFSET], NORMALIZE_DST)],
];

/** The arena after a run; everything around plan and arena must still hold `around`. */
function arenaAfter(executor: Executor, plan: Uint8Array, arena: Uint8Array, around: number, message: string): Uint8Array {
  assert.equal(verify(executor, plan, around), OK);
  const bytes = new Uint8Array(executor.memory.buffer);
  const [from, to] = [BASE + plan.length, BASE + plan.length + arena.length];
  bytes.set(arena, from);
  executor.calls.run(BASE, 0, 1);
  assert.ok(bytes.subarray(0, BASE).every((b) => b === around), `${message}: bytes before the plan`);
  assert.equal(Buffer.compare(bytes.subarray(BASE, from), plan), 0, `${message}: the plan`);
  assert.equal(Buffer.compare(bytes.subarray(to - SLACK_BYTES, to), arena.subarray(-SLACK_BYTES)), 0, `${message}: the slack`);
  assert.equal(Buffer.compare(bytes.subarray(to), Buffer.alloc(bytes.length - to, around)), 0, `${message}: bytes behind the arena`);
  return bytes.slice(from, to - SLACK_BYTES);
}

/** Numbers that break arithmetic, addresses near every border, and small ones that may still be valid. */
function badWord(random: Random, plan: number, arena: number): number {
  const border = random.pick([0, plan, plan + arena - SLACK_BYTES, plan + arena]) + random.int(-70, 70);
  return random.pick([
    -(2 ** 31), 2 ** 31 - 1, 2 ** 30, 65536, -1, -7, 0, 1, 2, 3, 4, random.int(0, 12), random.int(0, 300), -random.int(0, 300), border, border, random.int(-(2 ** 31), 2 ** 31 - 1),
  ]);
}

for (const executor of executors) {
  for (const [name, valid] of steps) {
    test(`${name}: damaged steps are refused or stay inside (${executor.name}, seed ${SEED})`, () => {
      const random = new Random(SEED + valid.opcode);
      const { plan, arena } = buildImage(valid);
      assert.equal(verify(executor, plan), OK, 'the undamaged step');
      let accepted = 0;
      for (let round = 0; round < 400; round++) {
        const damaged = plan.slice();
        const view = new DataView(damaged.buffer);
        for (let k = random.int(1, 3); k > 0; k--) {
          const field = 4 * random.int((STEP_BYTES + 4) / 4, valid.stepBytes / 4 - 1);
          view.setInt32(HEADER_BYTES + field, badWord(random, plan.length, arena.length), true);
        }
        // Work is what bounds a hostile plan's time; the caller sees it before anything runs.
        if (verify(executor, damaged) !== OK || executor.calls.planWork() > 1e6) continue;
        accepted++;
        const once = arenaAfter(executor, damaged, arena, CANARY, `round ${round}`);
        const again = arenaAfter(executor, damaged, arena, CANARY ^ 0xff, `round ${round}`);
        assert.equal(Buffer.compare(once, again), 0, `round ${round}: the result depends on bytes outside the plan`);
      }
      assert.ok(accepted > 20, `only ${accepted} damaged steps were accepted: the test looks at too little`);
    });
  }
}
