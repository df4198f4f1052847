// The picture module against the definition in plain loops: the same bytes for every size, region, pixel format, dtype and layout.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { KingletError } from '../../host/error.ts';
import type { Region } from '../../host/image/region.ts';
import { regionOf } from '../../host/image/region.ts';
import { resample } from '../../host/image/resampler.ts';
import type { PixelArray, Target } from '../../host/image/resampler.ts';
import { random, randomInt } from '../random.ts';
import { plainResize, plainTensor } from './plain-resize.ts';

const SEED = 20261128;
const dtypes = { float32: Float32Array, uint8: Uint8Array, int8: Int8Array } as const;

const rgbTarget = (width: number, height: number): Target => (
  { width, height, channels: 3, layout: 'NHWC', blueFirst: false, mean: [0, 0, 0], std: [1, 1, 1], scale: 1, zeroPoint: 0 });

function noise(next: () => number, width: number, height: number, channels: number): { width: number; height: number; data: Uint8Array } {
  return { width, height, data: Uint8Array.from({ length: width * height * channels }, () => randomInt(next, 256)) };
}

function rgb(picture: { width: number; height: number; data: Uint8Array }, width: number, height: number, region: Region): Uint8Array {
  const out = new Uint8Array(width * height * 3).fill(0x5a);
  resample(picture, region, rgbTarget(width, height), out);
  return out;
}

test(`every size from 1 to 20 on both sides, RGB, gray and RGBA (seed ${SEED})`, () => {
  const next = random(SEED);
  for (let size = 1; size <= 20; size++) {
    for (let other = 1; other <= 20; other++) {
      const picture = noise(next, size, other, [1, 3, 4][(size + other) % 3]);
      const region = { x: 0, y: 0, width: size, height: other };
      assert.deepEqual(rgb(picture, other, size, region), plainResize(picture, other, size, region), `${size}x${other} to ${other}x${size}`);
    }
  }
});

test(`regions inside, across the edge and outside, all fits (seed ${SEED})`, () => {
  const next = random(SEED);
  for (let round = 0; round < 300; round++) {
    const picture = noise(next, 1 + randomInt(next, 60), 1 + randomInt(next, 60), [1, 3, 4][round % 3]);
    const width = 1 + randomInt(next, 33), height = 1 + randomInt(next, 33), fit = (['stretch', 'crop', 'pad'] as const)[randomInt(next, 3)];
    const free = { x: (next() - 0.5) * 150, y: (next() - 0.5) * 150, width: 0.01 + next() * 120, height: 0.01 + next() * 120 };
    const region = round % 2 === 0 ? free : regionOf(picture, { width, height }, fit);
    assert.deepEqual(rgb(picture, width, height, region), plainResize(picture, width, height, region), `round ${round}`);
  }
});

test(`every dtype, layout, order and number of channels (seed ${SEED})`, () => {
  const next = random(SEED);
  for (const dtype of ['float32', 'uint8', 'int8'] as const) {
    for (const layout of ['NHWC', 'NCHW'] as const) {
      for (const channels of [1, 3] as const) {
        for (const blueFirst of [false, true]) {
          const picture = noise(next, 31, 17, 4), region = { x: 2.5, y: -3, width: 25, height: 22 };
          const target: Target = { width: 13, height: 9, channels, layout, blueFirst, mean: [103.53, 116.28, 123.675], std: [57.375, 57.12, 58.395], scale: 0.0187, zeroPoint: 3 };
          const out: PixelArray = new dtypes[dtype](13 * 9 * channels);
          resample(picture, region, target, out);
          assert.deepEqual([...out], plainTensor(picture, region, target, dtype), `${dtype} ${layout} ${channels} ${String(blueFirst)}`);
        }
      }
    }
  }
});

test(`far down, far up, one pixel, one row, more rows than are copied at once (seed ${SEED})`, () => {
  const next = random(SEED);
  for (const [w, h, width, height] of [[3000, 2, 3, 1], [1, 5000, 2, 3], [4001, 257, 7, 5], [1, 1, 40, 30], [2, 1, 301, 1], [1280, 720, 224, 224], [70000, 1, 1, 1]]) {
    const picture = noise(next, w, h, 3), region = { x: 0, y: 0, width: w, height: h };
    assert.deepEqual(rgb(picture, width, height, region), plainResize(picture, width, height, region), `${w}x${h} to ${width}x${height}`);
  }
});

test('white stays white and never wraps, however far it shrinks', () => {
  for (const size of [20_000, 33_333, 100_000]) {
    const picture = { width: size, height: 1, data: new Uint8Array(size).fill(255) };
    const region = { x: 0, y: 0, width: size, height: 1 };
    const [sample] = rgb(picture, 1, 1, region);
    assert.ok(sample > 250, `${size}: ${sample}`);
    assert.equal(sample, plainResize(picture, 1, 1, region)[0]);
  }
});

test('absurd sizes and regions are refused before anything is allocated', () => {
  const picture = { width: 4, height: 4, data: new Uint8Array(48) };
  const refused = (region: Region, width: number, height: number, code: string): void => {
    assert.throws(() => { resample(picture, region, rgbTarget(width, height), new Uint8Array(3)); }, (e) => e instanceof KingletError && e.code === code);
  };
  refused({ x: 0, y: 0, width: NaN, height: 1 }, 1, 1, 'ERR_USAGE');
  refused({ x: 0, y: 0, width: 0, height: 1 }, 1, 1, 'ERR_USAGE');
  refused({ x: Infinity, y: 0, width: 1, height: 1 }, 1, 1, 'ERR_USAGE');
  refused({ x: 0, y: 0, width: 4, height: 4 }, 0, 1, 'ERR_IMAGE');
  refused({ x: 0, y: 0, width: 4, height: 4 }, 100_000, 100_000, 'ERR_IMAGE');
  const tall = { width: 1, height: 50_000_000, data: new Uint8Array(50_000_000) };
  assert.throws(() => { resample(tall, { x: 0, y: 0, width: 1, height: 50_000_000 }, rgbTarget(320, 320), new Uint8Array(320 * 320 * 3)); },
    (e) => e instanceof KingletError && e.code === 'ERR_IMAGE');
  for (const region of [{ x: 0, y: 0, width: 1e300, height: 1e300 }, { x: -1e300, y: 1e300, width: 5, height: 5 }]) {
    const out = new Uint8Array(12);
    resample(picture, region, rgbTarget(2, 2), out);
    assert.deepEqual(out, plainResize(picture, 2, 2, region));
  }
});

interface Module { begin(...words: number[]): void; into(...words: number[]): void; normalise(...words: number[]): void; firstRow(work: number): number; endRow(work: number): number; feed(...words: number[]): void; workBytes(...words: number[]): number }

test(`rgb565, and rows fed one at a time: the same bytes, and nothing is written outside (seed ${SEED})`, () => {
  const next = random(SEED), memory = new WebAssembly.Memory({ initial: 8 });
  const bytes = readFileSync(new URL('../../host/image/picture.wasm', import.meta.url));
  const module = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports as unknown as Module;
  const w = 23, h = 11, width = 9, height = 14, region = { x: -1.5, y: 2, width: 22, height: 8 };
  const words = Uint16Array.from({ length: w * h }, () => randomInt(next, 65536));
  const wide = (bits: number, count: number): number => (count === 5 ? bits << 3 | bits >> 2 : bits << 2 | bits >> 4);
  const data = Uint8Array.from([...words].flatMap((word) => [wide(word >> 11, 5), wide((word >> 5) & 63, 6), wide(word & 31, 5)]));
  const expected = plainResize({ width: w, height: h, data }, width, height, region);
  for (const rows of [1, 3, h]) {
    const view = new Uint8Array(memory.buffer).fill(0x77);
    const work = 32, dst = 200_000, src = 300_000, used = module.workBytes(w, h, region.width, region.height, width, height);
    view.set(new Uint8Array(words.buffer), src);
    module.begin(work, 2, w, h, region.x, region.y, region.width, region.height, width, height);
    module.into(work, dst, 1, 3, 0, 0);
    for (let c = 0; c < 3; c++) module.normalise(work, c, 0, 1, 1, 0);
    for (let row = module.firstRow(work); row < module.endRow(work); row += rows) module.feed(work, src + row * w * 2, Math.min(rows, module.endRow(work) - row));
    assert.deepEqual(view.slice(dst, dst + expected.length), expected);
    const untouched = (from: number, to: number): boolean => view.subarray(from, to).every((byte) => byte === 0x77);
    assert.ok(untouched(0, work) && untouched(work + used, dst) && untouched(dst + expected.length, src) && untouched(src + w * h * 2, view.length));
  }
});
