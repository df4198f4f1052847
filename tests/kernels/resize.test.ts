// F32_RESIZE, QS8_RESIZE, F32_RESIZE_CUBIC and X_RESIZE_NEAREST against plain loops; tables with wrong indices are refused.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BAD_READ, BAD_TABLE, F32_RESIZE, F32_RESIZE_CUBIC, OK, QS8_RESIZE, RESIZE_BATCH, RESIZE_C, RESIZE_DST, RESIZE_DST_BATCH, RESIZE_DST_PIXEL, RESIZE_DST_ROW,
  RESIZE_DST_SCALE, RESIZE_DST_ZERO, RESIZE_ELEMENT_BYTES, RESIZE_IH, RESIZE_IW, RESIZE_OH, RESIZE_OW, RESIZE_SRC, RESIZE_SRC_BATCH,
  RESIZE_SRC_PIXEL, RESIZE_SRC_ROW, RESIZE_SRC_SCALE, RESIZE_SRC_ZERO, RESIZE_STEP_BYTES, RESIZE_X_TABLE, RESIZE_Y_TABLE, X_RESIZE_NEAREST,
} from '../../assembly/abi.ts';
import { tolerance } from '../tolerance.ts';
import { canaries, closeFloats, quantized, Random, sameBytes, SEED } from './nests.ts';
import { buildImage, executors, runStep, verify, type StepCase, type Words } from './plan-image.ts';

const f32 = Math.fround;
type Entry = readonly [number, number, number];
interface Resize { batch: number; c: number; ih: number; iw: number; oh: number; ow: number; src: number[]; dst: number[]; y: Entry[]; x: Entry[] }

function randomResize(random: Random): Resize {
  const [batch, c] = [random.int(1, 2), random.int(1, 19)];
  const [ih, iw, oh, ow] = [random.int(1, 6), random.int(1, 6), random.int(1, 7), random.int(1, 7)];
  const strides = (rows: number, columns: number): number[] => {
    const pixel = c + random.int(0, 3);
    const row = pixel * columns + random.int(0, 3);
    return [row * rows + random.int(0, 5), row, pixel];
  };
  const table = (entries: number, size: number): Entry[] =>
    Array.from({ length: entries }, () => [random.int(0, size - 1), random.int(0, size - 1), f32(random.next())]);
  return { batch, c, ih, iw, oh, ow, src: strides(ih, iw), dst: strides(oh, ow), y: table(oh, ih), x: table(ow, iw) };
}

const span = (batch: number, rows: number, columns: number, c: number, [b, r, p]: number[]): number =>
  (batch - 1) * b + (rows - 1) * r + (columns - 1) * p + c;
const srcSpan = (r: Resize): number => span(r.batch, r.ih, r.iw, r.c, r.src);
const dstSpan = (r: Resize): number => span(r.batch, r.oh, r.ow, r.c, r.dst);

function packed(table: readonly Entry[]): Int32Array {
  const words = new Int32Array(3 * table.length);
  const weights = new Float32Array(words.buffer);
  table.forEach(([first, second, weight], i) => {
    words.set([first, second], 3 * i);
    weights[3 * i + 2] = weight;
  });
  return words;
}

/** Per output index four neighbours and their weights. */
function cubicTable(random: Random, entries: number, size: number): [number, number][][] {
  return Array.from({ length: entries }, () => Array.from({ length: 4 }, (): [number, number] => [random.int(0, size - 1), f32(random.next() * 2 - 1)]));
}
function packedCubic(table: readonly (readonly [number, number])[][]): Int32Array {
  const words = new Int32Array(8 * table.length);
  const weights = new Float32Array(words.buffer);
  table.forEach((taps, i) => {
    words.set(taps.map(([index]) => index), 8 * i);
    weights.set(taps.map(([, weight]) => weight), 8 * i + 4);
  });
  return words;
}

function stepOf(opcode: number, r: Resize, src: ArrayBufferView, bytes: number, yTable: Int32Array, xTable: Int32Array, more: Words): StepCase {
  return {
    opcode, stepBytes: RESIZE_STEP_BYTES,
    words: {
      [RESIZE_BATCH]: r.batch, [RESIZE_IH]: r.ih, [RESIZE_IW]: r.iw, [RESIZE_C]: r.c, [RESIZE_OH]: r.oh, [RESIZE_OW]: r.ow,
      [RESIZE_SRC_BATCH]: r.src[0], [RESIZE_SRC_ROW]: r.src[1], [RESIZE_SRC_PIXEL]: r.src[2],
      [RESIZE_DST_BATCH]: r.dst[0], [RESIZE_DST_ROW]: r.dst[1], [RESIZE_DST_PIXEL]: r.dst[2], ...more,
    },
    operands: [
      { field: RESIZE_SRC, data: src }, { field: RESIZE_Y_TABLE, data: yTable, constant: true }, { field: RESIZE_X_TABLE, data: xTable, constant: true },
    ],
    output: { field: RESIZE_DST, bytes },
  };
}

/** value(read, y, x) for every output element; read(row, column) is the input element of the same channel. */
function fill(target: { [i: number]: number }, r: Resize, src: ArrayLike<number>, value: (read: (row: number, column: number) => number, y: Entry, x: Entry) => number): void {
  for (let n = 0; n < r.batch; n++) {
    for (let oy = 0; oy < r.oh; oy++) {
      for (let ox = 0; ox < r.ow; ox++) {
        for (let c = 0; c < r.c; c++) {
          const read = (row: number, column: number): number => src[n * r.src[0] + row * r.src[1] + column * r.src[2] + c];
          target[n * r.dst[0] + oy * r.dst[1] + ox * r.dst[2] + c] = value(read, r.y[oy], r.x[ox]);
        }
      }
    }
  }
}

function bilinear(read: (row: number, column: number) => number, y: Entry, x: Entry): number {
  const between = (a: number, b: number, w: number): number => f32(a + f32(f32(b - a) * w));
  return between(between(read(y[0], x[0]), read(y[0], x[1]), x[2]), between(read(y[1], x[0]), read(y[1], x[1]), x[2]), y[2]);
}

for (const executor of executors) {
  test(`f32_resize (${executor.name}, seed ${SEED})`, () => {
    const random = new Random(SEED);
    for (let round = 0; round < 100; round++) {
      const r = randomResize(random);
      const src = random.f32(srcSpan(r));
      const expected = new Float32Array(canaries(4 * dstSpan(r)));
      fill(expected, r, src, bilinear);
      closeFloats(runStep(executor, stepOf(F32_RESIZE, r, src, expected.byteLength, packed(r.y), packed(r.x), {})), expected, 0, `round ${round}`);
    }
  });

  test(`qs8_resize (${executor.name}, seed ${SEED})`, () => {
    const random = new Random(SEED + 1);
    for (let round = 0; round < 100; round++) {
      const r = randomResize(random);
      const src = random.i8(srcSpan(r));
      const [si, so] = [f32(0.03), f32(0.03 * (0.5 + random.next()))];
      const [zi, zo] = [random.int(-128, 127), random.int(-128, 127)];
      const expected = new Int8Array(canaries(dstSpan(r)));
      fill(expected, r, src, (read, y, x) => quantized(f32(bilinear((row, column) => read(row, column) - zi, y, x) * f32(si / so)), zo));
      const more = { [RESIZE_SRC_SCALE]: { f32: si }, [RESIZE_DST_SCALE]: { f32: so }, [RESIZE_SRC_ZERO]: zi, [RESIZE_DST_ZERO]: zo };
      sameBytes(runStep(executor, stepOf(QS8_RESIZE, r, src, expected.length, packed(r.y), packed(r.x), more)), expected, `round ${round}`);
    }
  });

  test(`f32_resize_cubic (${executor.name}, seed ${SEED})`, () => {
    const random = new Random(SEED + 4);
    for (let round = 0; round < 100; round++) {
      const r = randomResize(random);
      const [y, x] = [cubicTable(random, r.oh, r.ih), cubicTable(random, r.ow, r.iw)];
      const src = random.f32(srcSpan(r));
      const expected = new Float32Array(canaries(4 * dstSpan(r)));
      const entries = (count: number): Entry[] => Array.from({ length: count }, (_, i): Entry => [i, 0, 0]);
      // The entries handed to the loops below are only row numbers of the cubic tables.
      fill(expected, { ...r, y: entries(r.oh), x: entries(r.ow) }, src, (read, [row], [column]) => y[row].reduce((sum, [iy, wy]) => (
        sum + wy * x[column].reduce((line, [ix, wx]) => line + wx * read(iy, ix), 0)), 0));
      const step = stepOf(F32_RESIZE_CUBIC, r, src, expected.byteLength, packedCubic(y), packedCubic(x), {});
      closeFloats(runStep(executor, step), expected, 0, `round ${round}`, tolerance.kernel * 64);
    }
  });

  test(`cubic tables are checked entry by entry (${executor.name}, seed ${SEED})`, () => {
    const random = new Random(SEED + 5);
    const r = randomResize(random);
    const [y, x] = [packedCubic(cubicTable(random, r.oh, r.ih)), packedCubic(cubicTable(random, r.ow, r.iw))];
    const src = new Float32Array(srcSpan(r));
    const code = (column: Int32Array): number => verify(executor, buildImage(stepOf(F32_RESIZE_CUBIC, r, src, 4 * dstSpan(r), y, column, {})).plan);
    assert.equal(code(x), OK);
    for (const which of [0, 1, 2, 3]) for (const index of [-1, r.iw]) {
      const table = x.slice();
      table[8 * (r.ow - 1) + which] = index;
      assert.equal(code(table), BAD_TABLE);
    }
  });

  test(`x_resize_nearest (${executor.name}, seed ${SEED})`, () => {
    const random = new Random(SEED + 2);
    for (let round = 0; round < 100; round++) {
      const r = randomResize(random);
      const make = random.pick([Int8Array, Int16Array, Int32Array, Float64Array]);
      const src = make.from(Array.from({ length: srcSpan(r) }, () => random.int(-128, 127)));
      const expected = new make(canaries(make.BYTES_PER_ELEMENT * dstSpan(r)));
      fill(expected, r, src, (read, y, x) => read(y[0], x[0]));
      const rows = (table: readonly Entry[]): Int32Array => Int32Array.from(table, ([first]) => first);
      const step = stepOf(X_RESIZE_NEAREST, r, src, expected.byteLength, rows(r.y), rows(r.x), { [RESIZE_ELEMENT_BYTES]: make.BYTES_PER_ELEMENT });
      sameBytes(runStep(executor, step), expected, `round ${round}`);
    }
  });

  test(`resize tables are checked entry by entry (${executor.name}, seed ${SEED})`, () => {
    const r = randomResize(new Random(SEED + 3));
    const src = new Float32Array(srcSpan(r));
    for (const [entry, index] of [[0, -1], [0, r.ih], [r.oh - 1, 2 ** 31 - 1]]) {
      for (const which of [0, 1]) {
        const table = packed(r.y);
        table[3 * entry + which] = index;
        const step = stepOf(F32_RESIZE, r, src, 4 * dstSpan(r), table, packed(r.x), {});
        assert.equal(verify(executor, buildImage(step).plan), BAD_TABLE);
      }
    }
    const step = stepOf(F32_RESIZE, r, src, 4 * dstSpan(r), packed(r.y), packed(r.x), {});
    const operands = step.operands.map((o) => ({ ...o, constant: o.field !== RESIZE_Y_TABLE && o.constant === true }));
    assert.equal(verify(executor, buildImage({ ...step, operands }).plan), BAD_READ, 'a table in the arena');
  });
}
