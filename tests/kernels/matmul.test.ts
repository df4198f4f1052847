// QS8_MATMUL against plain loops: every layout path, tails, both output types.

import { test } from 'node:test';
import {
  MATMUL_A, MATMUL_A_BATCH, MATMUL_A_COLUMN, MATMUL_A_ROW, MATMUL_A_ZERO, MATMUL_B, MATMUL_BATCH, MATMUL_B_BATCH, MATMUL_B_COLUMN,
  MATMUL_B_ROW, MATMUL_B_ZERO, MATMUL_DST, MATMUL_DST_BATCH, MATMUL_DST_ROW, MATMUL_DST_ZERO, MATMUL_K, MATMUL_M, MATMUL_N,
  MATMUL_OUT_I32, MATMUL_SCALE, MATMUL_STEP_BYTES, QS8_MATMUL,
} from '../../assembly/abi.ts';
import { canaries, quantized, Random, randomLayout, randomSource, sameBytes, SEED } from './nests.ts';
import { executors, runStep } from './plan-image.ts';

const f32 = Math.fround;

for (const executor of executors) {
  test(`qs8_matmul (${executor.name}, seed ${SEED})`, () => {
    const random = new Random(SEED);
    for (let round = 0; round < 200; round++) {
      const [batch, m, k, n] = [random.int(1, 3), random.int(1, 7), random.int(1, 35), random.int(1, 19)];
      const a = randomSource(random, [batch, m, k], 0.1);
      const b = random.chance(0.6) ? { ...randomLayout(random, [batch, n, k]), turned: true } : { ...randomSource(random, [batch, k, n], 0.1), turned: false };
      const [bBatch, bRow, bColumn] = b.turned ? [b.strides[0], b.strides[2], b.strides[1]] : b.strides;
      const dstRow = n + random.int(0, 2);
      const dstBatch = dstRow * m + random.int(0, 3);
      const whole = random.chance(0.3);
      const [za, zb, zo] = [random.int(-128, 127), random.int(-128, 127), random.int(-128, 127)];
      const scale = f32(0.0007 * (0.5 + random.next()));
      const [left, right] = [random.i8(a.span), random.i8(b.span)];
      const span = (batch - 1) * dstBatch + (m - 1) * dstRow + n;
      const expected = whole ? new Int32Array(canaries(4 * span)) : new Int8Array(canaries(span));
      for (let p = 0; p < batch; p++) {
        for (let i = 0; i < m; i++) {
          for (let j = 0; j < n; j++) {
            let sum = 0;
            for (let x = 0; x < k; x++) {
              sum += (left[p * a.strides[0] + i * a.strides[1] + x * a.strides[2]] - za) * (right[p * bBatch + x * bRow + j * bColumn] - zb);
            }
            expected[p * dstBatch + i * dstRow + j] = whole ? sum : quantized(f32(f32(sum) * scale), zo);
          }
        }
      }
      const actual = runStep(executor, {
        opcode: QS8_MATMUL, stepBytes: MATMUL_STEP_BYTES,
        words: {
          [MATMUL_BATCH]: batch, [MATMUL_M]: m, [MATMUL_K]: k, [MATMUL_N]: n,
          [MATMUL_A_BATCH]: a.strides[0], [MATMUL_A_ROW]: a.strides[1], [MATMUL_A_COLUMN]: a.strides[2],
          [MATMUL_B_BATCH]: bBatch, [MATMUL_B_ROW]: bRow, [MATMUL_B_COLUMN]: bColumn,
          [MATMUL_DST_BATCH]: dstBatch, [MATMUL_DST_ROW]: dstRow, [MATMUL_A_ZERO]: za, [MATMUL_B_ZERO]: zb, [MATMUL_DST_ZERO]: zo,
          [MATMUL_SCALE]: { f32: scale }, [MATMUL_OUT_I32]: whole ? 1 : 0,
        },
        operands: [{ field: MATMUL_A, data: left }, { field: MATMUL_B, data: right }], output: { field: MATMUL_DST, bytes: expected.byteLength },
      });
      sameBytes(actual, expected, `round ${round}, ${m}x${k}x${n}`);
    }
  });
}
