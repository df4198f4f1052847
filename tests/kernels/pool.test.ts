// F32_POOL and QS8_POOL against plain loops: max and average, pads, dilation, strides, counted pads, channel tails.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BAD_OPERAND, F32_POOL, POOL_AVERAGE, POOL_BATCH, POOL_C, POOL_COUNT_PADS, POOL_DH, POOL_DST, POOL_DST_BATCH, POOL_DST_PIXEL, POOL_DST_ROW,
  POOL_DST_SCALE, POOL_DST_ZERO, POOL_DW, POOL_IH, POOL_IW, POOL_KH, POOL_KIND, POOL_KW, POOL_MAX, POOL_MAX_VALUE, POOL_MIN, POOL_OH, POOL_OW,
  POOL_PB, POOL_PL, POOL_PR, POOL_PT, POOL_SH, POOL_SRC, POOL_SRC_BATCH, POOL_SRC_PIXEL, POOL_SRC_ROW, POOL_SRC_SCALE, POOL_SRC_ZERO,
  POOL_STEP_BYTES, POOL_SW, QS8_POOL,
} from '../../assembly/abi.ts';
import { canaries, clamp, closeFloats, quantized, Random, sameBytes, SEED } from './nests.ts';
import { buildImage, executors, runStep, verify, type StepCase, type Words } from './plan-image.ts';

const f32 = Math.fround;

interface Axis { size: number; out: number; taps: number; move: number; dilation: number; before: number; after: number }
interface Pool { batch: number; channels: number; y: Axis; x: Axis; src: number[]; dst: number[]; countPads: boolean }

/** Input positions of one window, and how many positions the average counts. */
function taps(axis: Axis, o: number): { inside: number[]; counted: number } {
  const all = Array.from({ length: axis.taps }, (_, k) => o * axis.move - axis.before + k * axis.dilation);
  return { inside: all.filter((p) => p >= 0 && p < axis.size), counted: all.filter((p) => p < axis.size + axis.after).length };
}

function randomAxis(random: Random): Axis {
  for (;;) {
    const axis = {
      size: random.int(1, 9), out: random.int(1, 5), taps: random.int(1, 4), move: random.int(1, 3), dilation: random.int(1, 2),
      before: random.int(-1, 2), after: random.int(0, 2),
    };
    if (Array.from({ length: axis.out }, (_, o) => taps(axis, o).inside.length).every((n) => n > 0)) return axis;
  }
}

/** Long enough for the tiles of the commonest pooling. */
function commonAxis(random: Random): Axis {
  const size = random.int(9, 21), before = random.int(0, 1);
  return { size, out: Math.floor((size + before - 2) / 2), taps: 3, move: 2, dilation: 1, before, after: 0 };
}

function randomPool(random: Random): Pool {
  if (random.chance(0.3)) return laidOut(random, { batch: 1, channels: random.int(1, 13), y: randomAxis(random), x: commonAxis(random), countPads: false });
  return laidOut(random, { batch: random.int(1, 2), channels: random.int(1, 37), y: randomAxis(random), x: randomAxis(random), countPads: random.chance(0.5) });
}

/** Dense tensors, or with gaps behind pixels, rows and images. */
function laidOut(random: Random, pool: Omit<Pool, 'src' | 'dst'>): Pool {
  const strides = (rows: number, columns: number): number[] => {
    const pixel = pool.channels + random.int(0, 5);
    const row = pixel * columns + random.int(0, 3);
    return [row * rows + random.int(0, 9), row, pixel];
  };
  return { ...pool, src: strides(pool.y.size, pool.x.size), dst: strides(pool.y.out, pool.x.out) };
}

const span = (batch: number, rows: number, columns: number, channels: number, [b, r, p]: number[]): number =>
  (batch - 1) * b + (rows - 1) * r + (columns - 1) * p + channels;
const srcSpan = ({ batch, y, x, channels, src }: Pool): number => span(batch, y.size, x.size, channels, src);
const dstSpan = ({ batch, y, x, channels, dst }: Pool): number => span(batch, y.out, x.out, channels, dst);

function words(pool: Pool, kind: number): Words {
  const { y, x } = pool;
  return {
    [POOL_KIND]: kind, [POOL_BATCH]: pool.batch, [POOL_IH]: y.size, [POOL_IW]: x.size, [POOL_C]: pool.channels, [POOL_OH]: y.out, [POOL_OW]: x.out,
    [POOL_KH]: y.taps, [POOL_KW]: x.taps, [POOL_SH]: y.move, [POOL_SW]: x.move, [POOL_DH]: y.dilation, [POOL_DW]: x.dilation,
    [POOL_PT]: y.before, [POOL_PL]: x.before, [POOL_PB]: y.after, [POOL_PR]: x.after, [POOL_COUNT_PADS]: pool.countPads ? 1 : 0,
    [POOL_SRC_BATCH]: pool.src[0], [POOL_SRC_ROW]: pool.src[1], [POOL_SRC_PIXEL]: pool.src[2],
    [POOL_DST_BATCH]: pool.dst[0], [POOL_DST_ROW]: pool.dst[1], [POOL_DST_PIXEL]: pool.dst[2],
  };
}

function fill(target: { [i: number]: number }, pool: Pool, src: ArrayLike<number>, reduce: (values: number[], counted: number) => number): void {
  for (let n = 0; n < pool.batch; n++) {
    for (let oy = 0; oy < pool.y.out; oy++) {
      for (let ox = 0; ox < pool.x.out; ox++) {
        const rows = taps(pool.y, oy);
        const columns = taps(pool.x, ox);
        const counted = pool.countPads ? rows.counted * columns.counted : rows.inside.length * columns.inside.length;
        for (let c = 0; c < pool.channels; c++) {
          const values = rows.inside.flatMap((iy) => columns.inside.map((ix) => src[n * pool.src[0] + iy * pool.src[1] + ix * pool.src[2] + c]));
          target[n * pool.dst[0] + oy * pool.dst[1] + ox * pool.dst[2] + c] = reduce(values, counted);
        }
      }
    }
  }
}

function stepOf(opcode: number, pool: Pool, kind: number, src: ArrayBufferView, bytes: number, more: Words): StepCase {
  return {
    opcode, stepBytes: POOL_STEP_BYTES, words: { ...words(pool, kind), ...more },
    operands: [{ field: POOL_SRC, data: src }], output: { field: POOL_DST, bytes },
  };
}

for (const executor of executors) {
  for (const kind of [POOL_MAX, POOL_AVERAGE]) {
    const name = kind === POOL_MAX ? 'max' : 'average';
    test(`f32_pool ${name} (${executor.name}, seed ${SEED})`, () => {
      const random = new Random(SEED + kind);
      for (let round = 0; round < 80; round++) {
        const pool = randomPool(random);
        const src = random.f32(srcSpan(pool));
        if (random.chance(0.3)) src[random.int(0, src.length - 1)] = random.pick([NaN, Infinity, -Infinity]);
        if (random.chance(0.3)) src[random.int(0, src.length - 1)] = random.pick([NaN, Infinity, -Infinity]);
        const [low, high] = random.chance(0.5) ? [-Infinity, Infinity] : [f32(-1.5), 2];
        const expected = new Float32Array(canaries(4 * dstSpan(pool)));
        fill(expected, pool, src, (values, counted) => {
          const y = kind === POOL_MAX ? Math.max(...values) : f32(values.reduce((sum, v) => f32(sum + v), 0) / counted);
          return clamp(y, low, high);
        });
        const more = { [POOL_MIN]: { f32: low }, [POOL_MAX_VALUE]: { f32: high } };
        closeFloats(runStep(executor, stepOf(F32_POOL, pool, kind, src, expected.byteLength, more)), expected, 0, `round ${round}`);
      }
    });

    test(`qs8_pool ${name} (${executor.name}, seed ${SEED})`, () => {
      const random = new Random(SEED + 10 + kind);
      for (let round = 0; round < 80; round++) {
        const pool = randomPool(random);
        const src = random.i8(srcSpan(pool));
        const [low, high] = random.chance(0.5) ? [-128, 127] : [-60, 71];
        const [si, so] = [f32(0.03 * (0.5 + random.next())), f32(0.03 * (0.5 + random.next()))];
        const [zi, zo] = [random.int(-128, 127), random.int(-128, 127)];
        const expected = new Int8Array(canaries(dstSpan(pool)));
        fill(expected, pool, src, (values, counted) => {
          if (kind === POOL_MAX) return clamp(Math.max(...values), low, high);
          const sum = values.reduce((total, v) => total + v - zi, 0);
          return quantized(f32(sum * f32(si / f32(so * counted))), zo, low, high);
        });
        const more = {
          [POOL_MIN]: low, [POOL_MAX_VALUE]: high, [POOL_SRC_SCALE]: { f32: si }, [POOL_DST_SCALE]: { f32: so },
          [POOL_SRC_ZERO]: zi, [POOL_DST_ZERO]: zo,
        };
        sameBytes(runStep(executor, stepOf(QS8_POOL, pool, kind, src, expected.byteLength, more)), expected, `round ${round}`);
      }
    });
  }

  test(`pool windows without an input pixel are refused (${executor.name})`, () => {
    const y: Axis = { size: 4, out: 2, taps: 2, move: 2, dilation: 1, before: 0, after: 0 };
    const pool: Pool = { batch: 1, channels: 3, y, x: y, src: [48, 12, 3], dst: [12, 6, 3], countPads: false };
    const more = { [POOL_MIN]: { f32: -Infinity }, [POOL_MAX_VALUE]: { f32: Infinity } };
    const code = (words: Words): number =>
      verify(executor, buildImage(stepOf(F32_POOL, pool, POOL_MAX, new Float32Array(48), 48, { ...more, ...words })).plan);
    assert.equal(code({}), 0);
    assert.equal(code({ [POOL_PT]: 2 }), BAD_OPERAND, 'the first window lies above');
    assert.equal(code({ [POOL_PL]: -2 }), BAD_OPERAND, 'the second window lies behind');
    assert.equal(code({ [POOL_DH]: 5, [POOL_PT]: 1 }), BAD_OPERAND, 'the taps jump over the input');
  });
}
