// Decoders: each format's variants give the same samples, and hostile files give ERR_IMAGE.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { default as jpeg } from 'jpeg-js';
import { KingletError } from '../../host/error.ts';
import { decodeImage } from '../../host/image/decode.ts';
import { orientationOf, turned } from '../../host/image/jpeg.ts';
import { bmp, paletteBmp, pattern, png } from './pictures.ts';

const W = 5, H = 3;
const rgb = pattern(W, H);
const rowsOf = (data: Uint8Array, rowBytes: number): Uint8Array[] => Array.from({ length: data.length / rowBytes }, (_, y) => data.subarray(y * rowBytes, (y + 1) * rowBytes));

async function shows(bytes: Uint8Array, data: Uint8Array, channels = 3): Promise<void> {
  const picture = await decodeImage(bytes);
  assert.deepEqual({ ...picture, data: [...picture.data] }, { width: W, height: H, data: [...data] });
  assert.equal(picture.data.length, W * H * channels);
}
async function refused(bytes: Uint8Array): Promise<void> {
  await assert.rejects(() => decodeImage(bytes), (error) => error instanceof KingletError && error.code === 'ERR_IMAGE');
}

test('BMP: 24 and 32 bit, both directions, narrow rows', async () => {
  for (const bits of [24, 32] as const) for (const topDown of [false, true]) await shows(bmp(W, H, bits, rgb, topDown), rgb);
  const one = pattern(1, 2);
  assert.deepEqual([...(await decodeImage(bmp(1, 2, 24, one))).data], [...one]);
});

test('BMP: palette', async () => {
  const indices = Uint8Array.from({ length: W * H }, (_, i) => i * 17);
  await shows(paletteBmp(W, H, indices), new Uint8Array([...indices].flatMap((i) => [255 - i, i, 7])));
});

test('PPM and PGM with comments and small sample ranges', async () => {
  const text = (s: string): number[] => [...new TextEncoder().encode(s)];
  await shows(new Uint8Array([...text('P6\n# a comment\n5 3\n255\n'), ...rgb]), rgb);
  const gray = Uint8Array.from({ length: W * H }, (_, i) => i);
  await shows(new Uint8Array([...text('P5 5 3 #x\n 14\n'), ...gray]), gray.map((v) => Math.round((v * 255) / 14)), 1);
  await refused(new Uint8Array([...text('P6 5 3 65535\n'), ...rgb, ...rgb]));
  await refused(new Uint8Array(text('P6 99999999 99999999 255\n')));
});

test('PNG: RGB, RGBA, gray, gray with alpha, 16 bit, packed gray, palette', async () => {
  await shows(png(W, H, 8, 2, rowsOf(rgb, W * 3)), rgb);
  const rgba = new Uint8Array(Array.from({ length: W * H }, (_, i) => [...rgb.subarray(i * 3, i * 3 + 3), i]).flat());
  await shows(png(W, H, 8, 6, rowsOf(rgba, W * 4)), rgb);
  const gray = rgb.subarray(0, W * H), tripled = new Uint8Array([...gray].flatMap((v) => [v, v, v]));
  await shows(png(W, H, 8, 0, rowsOf(gray, W)), tripled);
  await shows(png(W, H, 8, 4, rowsOf(new Uint8Array([...gray].flatMap((v) => [v, 9])), W * 2)), tripled);
  await shows(png(W, H, 16, 2, rowsOf(new Uint8Array([...rgb].flatMap((v) => [v, 200])), W * 6)), rgb);
  const nibbles = [[0x1f, 0x28, 0x30], [0x00, 0xff, 0xf0], [0x77, 0x12, 0x40]].map((row) => Uint8Array.from(row));
  const unpacked = nibbles.flatMap((row) => [row[0] >> 4, row[0] & 15, row[1] >> 4, row[1] & 15, row[2] >> 4]);
  await shows(png(W, H, 4, 0, nibbles), new Uint8Array(unpacked.flatMap((v) => [v * 17, v * 17, v * 17])));
  const palette = pattern(16, 1);
  await shows(png(W, H, 4, 3, nibbles, [['PLTE', palette]]), new Uint8Array(unpacked.flatMap((v) => [...palette.subarray(v * 3, v * 3 + 3)])));
});

test('PNG: chunks without pixels never reach the decoder', async () => {
  const profile: [string, Uint8Array] = ['iCCP', new TextEncoder().encode('x\u0000\u0000this is not compressed data')];
  await shows(png(W, H, 8, 2, rowsOf(rgb, W * 3), [profile]), rgb);
});

test('JPEG: a flat picture comes back flat', async () => {
  const data = new Uint8Array(16 * 8 * 4).map((_, i) => [200, 100, 50, 255][i % 4]);
  const { data: bytes } = jpeg.encode({ width: 16, height: 8, data }, 95);
  const picture = await decodeImage(new Uint8Array(bytes));
  assert.deepEqual([picture.width, picture.height, picture.data.length], [16, 8, 16 * 8 * 3]);
  picture.data.forEach((v, i) => { assert.ok(Math.abs(v - [200, 100, 50][i % 3]) <= 3, `sample ${i} is ${v}`); });
});

test('JPEG: the EXIF orientation is found and undone', () => {
  const tiff = [0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0];
  const segment = [0xff, 0xe1, 0, 2 + 6 + tiff.length, 0x45, 0x78, 0x69, 0x66, 0, 0, ...tiff];
  assert.equal(orientationOf(new Uint8Array([0xff, 0xd8, ...segment, 0xff, 0xda, 0, 2])), 6);
  assert.equal(orientationOf(new Uint8Array([0xff, 0xd8, 0xff, 0xe1, 0xff])), 1);
  // Stored 2x3 (letters are pixels, row by row): A B / C D / E F.
  const stored = { width: 2, height: 3, data: new Uint8Array([65, 66, 67, 68, 69, 70].flatMap((c) => [c, 0, 0])) };
  const seen = (o: number): string => {
    const { width, data } = turned(stored, o);
    return [...data].filter((_, i) => i % 3 === 0).map((v, i) => String.fromCharCode(v) + ((i + 1) % width ? '' : '/')).join('');
  };
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7, 8].map(seen), ['AB/CD/EF/', 'BA/DC/FE/', 'FE/DC/BA/', 'EF/CD/AB/', 'ACE/BDF/', 'ECA/FDB/', 'FDB/ECA/', 'BDF/ACE/']);
});

test('files that are no pictures, or too large, are refused before anything is allocated', async () => {
  await refused(new Uint8Array(0));
  await refused(new TextEncoder().encode('<!doctype html>'));
  const huge = bmp(W, H, 24, rgb);
  new DataView(huge.buffer).setInt32(18, 2 ** 30, true);
  await refused(huge);
  await refused(png(60000, 60000, 8, 2, []));
});

test('truncations and flipped bytes give a picture or ERR_IMAGE, nothing else', async () => {
  const { data: jpegBytes } = jpeg.encode({ width: 16, height: 8, data: new Uint8Array(16 * 8 * 4).map((_, i) => (i * 31) & 255) }, 80);
  const files = [bmp(W, H, 24, rgb), paletteBmp(W, H, new Uint8Array(W * H)), png(W, H, 8, 2, rowsOf(rgb, W * 3)), new Uint8Array(jpegBytes), new Uint8Array([...new TextEncoder().encode('P6 5 3 255\n'), ...rgb])];
  const outcome = async (bytes: Uint8Array): Promise<void> => {
    try {
      const { width, height, data } = await decodeImage(bytes);
      assert.ok([1, 3].includes(data.length / (width * height)));
    } catch (error) {
      assert.ok(error instanceof KingletError && error.code === 'ERR_IMAGE', String(error));
    }
  };
  let state = 7;
  const random = (n: number): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % n;
  for (const file of files) {
    for (let i = 0; i < 60; i++) await outcome(file.subarray(0, random(file.length)));
    for (let i = 0; i < 200; i++) {
      const damaged = file.slice();
      damaged[random(Math.min(file.length, 1200))] ^= 1 << random(8);
      await outcome(damaged);
    }
  }
});
