// From pictures to inputs: exact resizing, fits, presets, layouts, and the bytes that other tools fed to the same networks.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KingletError } from '../../host/error.ts';
import { decodeImage } from '../../host/image/decode.ts';
import { regionOf } from '../../host/image/region.ts';
import type { Region } from '../../host/image/region.ts';
import { presetFor, toTensor } from '../../host/image/tensor.ts';
import type { ImageInput, ToTensorOptions } from '../../host/image/tensor.ts';
import type { Picture } from '../../host/image/picture.ts';
import type { PixelArray } from '../../host/image/resampler.ts';
import { readNpy } from '../../host/npy.ts';
import { sharedBytes, skipWithoutShared } from '../shared.ts';
import { pattern } from './pictures.ts';

const input = (dtype: string, shape: number[], scale?: number, zeroPoint = 0): ImageInput => ({
  name: 'x', dtype, shape, layout: null, quantization: scale === undefined ? null : { scale, zeroPoint },
});
/** The region, scaled, as RGB bytes. */
const resize = (picture: Picture, width: number, height: number, region: Region): PixelArray => toTensor(picture, input('uint8', [1, height, width, 3]), { region });
const whole = (width: number, height: number): { x: number; y: number; width: number; height: number } => ({ x: 0, y: 0, width, height });

test('the same size changes nothing', () => {
  const data = pattern(7, 5);
  assert.deepEqual(resize({ width: 7, height: 5, data }, 7, 5, whole(7, 5)), data);
});

test('halving averages with the triangle filter, doubling mixes neighbours', () => {
  const gray = { width: 4, height: 1, data: Uint8Array.of(0, 80, 160, 240) };
  // Centre 1.0, reach 2: weights of pixels 0…2 are 3/4, 3/4, 1/4, over their sum; mirrored for the other one.
  const left = Math.round((0.75 * 0 + 0.75 * 80 + 0.25 * 160) / 1.75);
  assert.deepEqual([...resize(gray, 2, 1, whole(4, 1))], [left, left, left, 240 - left, 240 - left, 240 - left]);
  const pair = { width: 2, height: 1, data: Uint8Array.of(0, 100) };
  assert.deepEqual([...resize(pair, 4, 1, whole(2, 1))].filter((_, i) => i % 3 === 0), [0, 25, 75, 100]);
});

test('stretch, crop and pad show what they say', () => {
  const picture = { width: 40, height: 20 }, frame = { width: 10, height: 10 };
  assert.deepEqual(regionOf(picture, frame, 'stretch'), { x: 0, y: 0, width: 40, height: 20 });
  assert.deepEqual(regionOf(picture, frame, 'crop'), { x: 10, y: 0, width: 20, height: 20 });
  assert.deepEqual(regionOf(picture, frame, 'pad'), { x: 0, y: -10, width: 40, height: 40 });
  assert.deepEqual(regionOf(picture, frame, 'middle'), { x: 11.25, y: 1.25, width: 17.5, height: 17.5 });
  const white = { ...picture, data: new Uint8Array(800).fill(255) };
  const rows = [...resize(white, 10, 10, regionOf(white, frame, 'pad'))].filter((_, i) => i % 30 === 0);
  assert.deepEqual(rows, [0, 0, 255, 255, 255, 255, 255, 255, 0, 0]);
});

test('a region outside the picture is black', () => {
  const data = pattern(4, 4);
  assert.ok(resize({ width: 4, height: 4, data }, 3, 3, { x: 100, y: 100, width: 5, height: 5 }).every((v) => v === 0));
  assert.throws(() => resize({ width: 4, height: 4, data }, 3, 3, { x: 0, y: 0, width: NaN, height: 1 }), KingletError);
});

test('presets, in both layouts', () => {
  const picture = { width: 1, height: 2, data: Uint8Array.of(0, 51, 255, 10, 20, 30) };
  const near = (a: ArrayLike<number>, b: number[]): void => { b.forEach((v, i) => { assert.ok(Math.abs(a[i] - v) < 1e-6, `${String(i)}: ${String(a[i])} is not ${v}`); }); };
  near(toTensor(picture, input('float32', [1, 2, 1, 3])), [-1, -0.6, 1, (10 - 127.5) / 127.5, (20 - 127.5) / 127.5, (30 - 127.5) / 127.5]);
  near(toTensor(picture, input('float32', [1, 3, 2, 1]), { preset: 'unit' }), [0, 10 / 255, 0.2, 20 / 255, 1, 30 / 255]);
  near(toTensor(picture, input('float32', [3, 2, 1]), { preset: 'raw' }), [0, 10, 51, 20, 255, 30]);
  near(toTensor(picture, input('float32', [1, 2, 1, 3]), { preset: 'torchvision', fit: 'stretch' }), [-0.485 / 0.229, (0.2 - 0.456) / 0.224, (1 - 0.406) / 0.225]);
  assert.deepEqual([...toTensor(picture, input('uint8', [1, 2, 1, 3], 1 / 128, 128))], [...picture.data]);
  assert.deepEqual([...toTensor(picture, input('int8', [1, 2, 1, 3], 1 / 128, -1), { preset: 'bytes' })], [0, 51, -1, 10, 20, 30]);
  // RGBA and gray pictures, gray networks.
  assert.deepEqual([...toTensor({ width: 1, height: 1, data: Uint8Array.of(1, 2, 3, 99) }, input('uint8', [1, 1, 1, 3]))], [1, 2, 3]);
  assert.deepEqual([...toTensor({ width: 1, height: 1, data: Uint8Array.of(9) }, input('uint8', [1, 1, 1, 3]))], [9, 9, 9]);
  assert.deepEqual([...toTensor({ width: 1, height: 1, data: Uint8Array.of(100, 50, 200) }, input('uint8', [1, 1, 1, 1]))], [Math.round(29.9 + 29.35 + 22.8)]);
});

test('presets under other names, with their own fit and order; and somebody\'s own', () => {
  const wide = { width: 32, height: 16, data: pattern(32, 16) }, to = input('float32', [1, 7, 7, 3]), same = (a: ToTensorOptions, b: ToTensorOptions): void => {
    assert.deepEqual(toTensor(wide, to, a), toTensor(wide, to, b));
  };
  same({ preset: 'mobilenet' }, { preset: 'signed', fit: 'stretch' });
  same({ preset: 'teachable-machine' }, { preset: 'signed', region: { x: 8, y: 0, width: 16, height: 16 } });
  same({ preset: 'torchvision' }, { preset: 'torchvision', region: { x: 9, y: 1, width: 14, height: 14 } });
  same({ preset: 'torchvision', fit: 'crop' }, { preset: 'torchvision', region: { x: 8, y: 0, width: 16, height: 16 } });
  same({ preset: 'rfb-320' }, { preset: { mean: [127, 127, 127], std: [128, 128, 128] }, fit: 'pad' });
  same({ preset: { mean: [0, 0, 0], std: [1, 1, 1], fit: 'middle' } }, { preset: 'raw', fit: 'middle' });
  assert.deepEqual(toTensor(wide, input('uint8', [1, 7, 7, 3], 0.5, 3), { preset: 'tflite-uint8' }), toTensor(wide, input('uint8', [1, 7, 7, 3])));
  const pixel = { width: 1, height: 1, data: Uint8Array.of(10, 20, 30) }, nanodet = toTensor(pixel, input('float32', [1, 3, 1, 1]), { preset: 'nanodet' });
  [(30 - 103.53) / 57.375, (20 - 116.28) / 57.12, (10 - 123.675) / 58.395].forEach((v, i) => { assert.equal(nanodet[i], Math.fround(v)); });
});

test('unknown presets, fits and normalisations are refused, and the known ones named', () => {
  const picture = { width: 1, height: 1, data: new Uint8Array(3) }, to = input('float32', [1, 1, 1, 3]);
  const refused = (options: unknown, hint: RegExp): void => {
    assert.throws(() => toTensor(picture, to, options as ToTensorOptions), (e) => e instanceof KingletError && e.code === 'ERR_USAGE' && hint.test(e.hint));
  };
  for (const preset of ['imagenet', 'toString', '__proto__', '']) refused({ preset }, /signed.*teachable-machine.*torchvision/);
  refused({ fit: 'cover' }, /stretch.*crop.*middle.*pad/);
  for (const preset of [{}, { mean: [1, 2], std: [1, 1, 1] }, { mean: [1, 2, NaN], std: [1, 1, 1] }, { mean: [0, 0, 0], std: [1, 0, 1] }]) refused({ preset }, /name a preset.*signed/);
});

test('an array of the caller is filled in place', () => {
  const picture = { width: 2, height: 2, data: pattern(2, 2) }, to = input('int8', [1, 2, 2, 3], 1, -128);
  const around = new Int8Array(20).fill(77), into = around.subarray(3, 15);
  assert.equal(toTensor(picture, to, { into }), into);
  assert.deepEqual(into, toTensor(picture, to));
  assert.ok([...around.subarray(0, 3), ...around.subarray(15)].every((v) => v === 77));
  assert.equal(toTensor(picture, to, { into, preset: 'bytes' }), into);
  assert.deepEqual(new Uint8Array(into), picture.data);
  const gone = new Int8Array(12);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  for (const wrong of [new Int8Array(11), new Uint8Array(12), new DataView(new ArrayBuffer(12)), gone]) {
    assert.throws(() => toTensor(picture, to, { into: wrong }), (e) => e instanceof KingletError && e.code === 'ERR_INPUT');
  }
});

test('int8 inputs are filled by their own scale', () => {
  assert.deepEqual([2 / 255, 1 / 128, 1 / 255, 1, 0.05].map((scale) => presetFor(input('int8', [1, 2, 2, 3], scale))), ['signed', 'signed', 'unit', 'raw', 'signed']);
  const ends = { width: 3, height: 1, data: Uint8Array.of(0, 128, 255) };
  const as = (scale: number, zero: number): number[] => [...toTensor(ends, input('int8', [1, 1, 3, 1], scale, zero))];
  assert.deepEqual(as(1 / 255, -128), [-128, 0, 127]);
  assert.deepEqual(as(1, -128), [-128, 0, 127]);
  assert.deepEqual(as(2 / 255, 0), [-128, 0, 127], 'halves go to even, the ends saturate');
});

test('inputs that take no picture are refused', () => {
  const picture = { width: 1, height: 1, data: new Uint8Array(3) };
  for (const [dtype, shape] of [['float32', [1, 1000]], ['float32', [2, 4, 4, 3]], ['int32', [1, 4, 4, 3]], ['float32', [1, 5, 5, 7]], ['float32', [1, 0, 4, 3]]] as const) {
    assert.throws(() => toTensor(picture, input(dtype, [...shape])), (e) => e instanceof KingletError && e.code === 'ERR_INPUT');
  }
  assert.throws(() => toTensor({ width: 2, height: 1, data: new Uint8Array(5) }, input('uint8', [1, 1, 1, 3])), KingletError);
});

test('photos become exactly the goldens\' inputs', { skip: skipWithoutShared }, async () => {
  const networks = ['mobilenet_v1_0.25_128_quant', 'mobilenet_v2_1.0_224_quant', 'qdq_mobilenet_v1_0.25_128', 'mobilenet_v2_1.0_224_imagenet_f32.tflite', 'mobilenet_v2_1.0_224_imagenet_f32.onnx'];
  for (const photo of ['cat', 'bird', 'grace_hopper']) {
    const picture = await decodeImage(sharedBytes(`images/${photo}.bmp`));
    for (const network of networks) {
      const golden = readNpy(sharedBytes(`goldens/${network}/${photo}.input_0.npy`));
      const tensor = toTensor(picture, input(golden.dtype, [...golden.shape]));
      if (golden.dtype === 'uint8') assert.deepEqual(tensor, golden.data, `${network} ${photo}`);
      else tensor.forEach((v, i) => { assert.ok(Math.abs(v - Number(golden.data[i])) < 1e-6, `${network} ${photo} ${i}`); });
    }
  }
  for (const photo of ['person', 'no_person']) {
    const golden = readNpy(sharedBytes(`goldens/person_detect/${photo}.input_0.npy`));
    const picture = await decodeImage(sharedBytes(`images/${photo}.bmp`));
    assert.deepEqual(toTensor(picture, input('int8', [...golden.shape], 1 / 128, -1), { preset: 'bytes' }), golden.data);
  }
});
