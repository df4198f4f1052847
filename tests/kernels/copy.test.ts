// X_COPY and X_GATHER against plain loops: element sizes, negative and zero strides, transposes, dense rows, hostile indices.

import { test } from 'node:test';
import {
  COPY_DIMS, COPY_DST, COPY_DST_STRIDES, COPY_ELEMENT_BYTES, COPY_SRC, COPY_SRC_STRIDES, COPY_STEP_BYTES, GATHER_AXIS, GATHER_AXIS_BYTES,
  GATHER_COUNT, GATHER_DEPTH, GATHER_DST, GATHER_INDICES, GATHER_INNER_BYTES, GATHER_OUTER, GATHER_SRC, GATHER_SRC_OUTER_BYTES,
  GATHER_STEP_BYTES, X_COPY, X_GATHER,
} from '../../assembly/abi.ts';
import { canaries, clamp, positions, Random, randomDims, randomLayout, randomSource, sameBytes, SEED, spanOf } from './nests.ts';
import { executors, runStep, type Executor } from './plan-image.ts';

/** Runs one copy and compares every byte; `reversed` dims get a negative source stride. */
function checkCopy(executor: Executor, random: Random, bytes: number, dims: readonly number[], src: readonly number[], dst: readonly number[], message: string): void {
  const data = new Uint8Array(random.i8(spanOf(dims, src) * bytes).buffer);
  const before = src.reduce((sum, s, i) => sum + (s < 0 ? (dims[i] - 1) * -s : 0), 0);
  const expected = new Uint8Array(canaries(spanOf(dims, dst) * bytes));
  const at = positions(dims, src, before);
  positions(dims, dst).forEach((o, i) => { expected.set(data.subarray(at[i] * bytes, (at[i] + 1) * bytes), o * bytes); });
  const actual = runStep(executor, {
    opcode: X_COPY, stepBytes: COPY_STEP_BYTES,
    words: { [COPY_ELEMENT_BYTES]: bytes, [COPY_DIMS]: dims, [COPY_SRC_STRIDES]: src, [COPY_DST_STRIDES]: dst },
    operands: [{ field: COPY_SRC, data, skip: before * bytes }], output: { field: COPY_DST, bytes: expected.length },
  });
  sameBytes(actual, expected, `${message}: ${bytes} bytes, dims ${dims.join('x')}, src ${src.join()}, dst ${dst.join()}`);
}

for (const executor of executors) {
  test(`x_copy, random nests (${executor.name}, seed ${SEED})`, () => {
    const random = new Random(SEED);
    for (let round = 0; round < 400; round++) {
      const dims = randomDims(random, 6, random.pick([3, 20, 70]));
      const src = randomSource(random, dims).strides.map((s) => (random.chance(0.2) ? -s : s));
      checkCopy(executor, random, random.pick([1, 2, 4, 8]), dims, src, randomLayout(random, dims).strides, `round ${round}`);
    }
  });

  test(`x_copy, transposes of every small size (${executor.name}, seed ${SEED})`, () => {
    const random = new Random(SEED + 1);
    for (const bytes of [1, 2, 4, 8]) {
      for (let rows = 1; rows <= 9; rows++) {
        for (let columns = 1; columns <= 9; columns++) {
          const gap = random.int(0, 2);
          checkCopy(executor, random, bytes, [1, 1, 1, 2, rows, columns], [0, 0, 0, rows * columns, 1, rows], [0, 0, 0, rows * (columns + gap), columns + gap, 1], 'to rows');
          checkCopy(executor, random, bytes, [1, 1, 1, 2, rows, columns], [0, 0, 0, rows * columns, columns, 1], [0, 0, 0, rows * columns, 1, rows], 'to columns');
        }
      }
    }
  });

  test(`x_copy, long rows and fills (${executor.name}, seed ${SEED})`, () => {
    const random = new Random(SEED + 2);
    for (const bytes of [1, 2, 4, 8]) {
      for (const length of [1, 15, 16, 17, 63, 64, 65, 511, 512, 513, 700]) {
        checkCopy(executor, random, bytes, [1, 1, 1, 1, 2, length], [0, 0, 0, 0, length, 1], [0, 0, 0, 0, length + 1, 1], 'rows');
        checkCopy(executor, random, bytes, [1, 1, 1, 1, 2, length], [0, 0, 0, 0, 1, 0], [0, 0, 0, 0, length + 1, 1], 'fill');
        checkCopy(executor, random, bytes, [1, 1, 1, 1, 2, length], [0, 0, 0, 0, 0, -1], [0, 0, 0, 0, length, 1], 'reversed');
      }
    }
  });

  test(`x_copy, channel shuffles (${executor.name}, seed ${SEED})`, () => {
    const random = new Random(SEED + 4);
    for (const bytes of [1, 2, 4, 8]) {
      for (const groups of [2, 3, 4]) {
        for (const channels of [1, 2, 3, 4, 5, 15, 16, 17, 29, 58]) {
          const all = groups * channels;
          checkCopy(executor, random, bytes, [1, 1, 1, 3, channels, groups], [0, 0, 0, all, 1, channels], [0, 0, 0, all + 1, groups, 1], 'shuffle');
        }
      }
    }
  });

  test(`x_gather (${executor.name}, seed ${SEED})`, () => {
    const random = new Random(SEED + 3);
    for (let round = 0; round < 200; round++) {
      const depth = random.int(1, 4);
      const axis = Array.from({ length: 4 }, () => random.int(1, 5));
      const inner = random.pick([1, 2, 3, 4, 7, 16, 20, 33, 600]);
      const [outer, count] = [random.int(1, 3), random.int(1, 9)];
      const axisBytes = axis.map((_, k) => inner * axis.slice(k + 1, depth).reduce((p, d) => p * d, 1));
      const outerBytes = axis.slice(0, depth).reduce((p, d) => p * d, inner);
      const src = random.i8(outer * outerBytes);
      const indices = Int32Array.from({ length: count * depth }, () => random.pick([0, 1, 2, 3, 4, -1, -2, -5, 99, -99, 2 ** 31 - 1, -(2 ** 31)]));
      const expected = new Int8Array(outer * count * inner);
      for (let o = 0; o < outer; o++) {
        for (let m = 0; m < count; m++) {
          let from = o * outerBytes;
          for (let k = 0; k < depth; k++) {
            const i = indices[m * depth + k];
            from += clamp(i < 0 ? i + axis[k] : i, 0, axis[k] - 1) * axisBytes[k];
          }
          expected.set(src.subarray(from, from + inner), (o * count + m) * inner);
        }
      }
      const actual = runStep(executor, {
        opcode: X_GATHER, stepBytes: GATHER_STEP_BYTES,
        words: {
          [GATHER_OUTER]: outer, [GATHER_SRC_OUTER_BYTES]: outerBytes, [GATHER_COUNT]: count, [GATHER_DEPTH]: depth,
          [GATHER_INNER_BYTES]: inner, [GATHER_AXIS]: axis, [GATHER_AXIS_BYTES]: axisBytes,
        },
        operands: [{ field: GATHER_SRC, data: src }, { field: GATHER_INDICES, data: indices }],
        output: { field: GATHER_DST, bytes: expected.length },
      });
      sameBytes(actual, expected, `round ${round}`);
    }
  });
}
