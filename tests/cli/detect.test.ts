// `kinglet detect`: boxes as lines, as JSON and as a picture; exit codes.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { decodeImage } from '../../host/image/decode.ts';
import { sharedFolder, skipWithoutShared } from '../shared.ts';
import { blazeface, kinglet, scratch } from './command.ts';

const place = scratch();
const photo = fileURLToPath(new URL('../../../node_modules/@vladmandic/face-api/demo/sample6.jpg', import.meta.url));

interface Found {
  readonly photo: string;
  readonly width: number;
  readonly detections: readonly { readonly label: string; readonly score: number; readonly box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number }; readonly keypoints?: unknown[] }[];
}

test('faces: one JSON object per photo, and the photo with its boxes', async () => {
  const file = place('new/faces.png');
  const { code, out, err } = kinglet('detect', blazeface, photo, '--json', '--close-ups', '--output', file);
  assert.equal(code, 0, err);
  const found = JSON.parse(out) as Found;
  assert.equal(found.photo, photo);
  assert.equal(found.detections.length, 4);
  assert.ok(found.detections.every(({ label, score, keypoints }) => label === 'face' && score > 0.9 && keypoints?.length === 6));
  assert.match(err, /blazeface and sees 128x128/);
  const before = await decodeImage(readFileSync(photo)), after = await decodeImage(readFileSync(file));
  assert.deepEqual([after.width, after.height], [before.width, before.height]);
  const { box } = found.detections[0];
  const pixel = (x: number, y: number): number[] => [...after.data.subarray((Math.round(y) * after.width + Math.round(x)) * 3).subarray(0, 3)];
  assert.deepEqual(pixel(box.x + box.width / 2, box.y + 1), [255, 230, 0], 'the upper edge of the surest face');
  const changed = Array.from(after.data).filter((v, i) => v !== before.data[i]).length;
  assert.ok(changed > 0 && changed < 0.05 * after.data.length, `${changed} samples changed`);
});

test('objects: lines with the label, for several photos; thresholds and labels', { skip: skipWithoutShared }, () => {
  const nanodet = `${sharedFolder}models/nanodet_plus_m_320.onnx`, photos = ['cat', 'no_person'].map((name) => `${sharedFolder}images/${name}.bmp`);
  const { code, out, err } = kinglet('detect', nanodet, ...photos);
  assert.equal(code, 0, err);
  assert.match(out, /cat\.bmp: 1 found\n {2}( +)0\.8\d+ +15 {2}x +\d+ .* cat\n.*no_person\.bmp: 0 found\n$/);
  const labels = place('labels.txt');
  writeFileSync(labels, `${'thing\n'.repeat(15)}Katze\n`);
  assert.match(kinglet('detect', nanodet, photos[0], '--labels', labels).out, / Katze\n$/);
  assert.equal((JSON.parse(kinglet('detect', nanodet, photos[0], '--threshold', '0.95', '--json').out) as Found).detections.length, 0);
  assert.equal((JSON.parse(kinglet('detect', nanodet, photos[0], '--threshold', '0.05', '--top', '3', '--json').out) as Found).detections.length, 3);
});

test('wrong words end with 64, wrong files and networks with the table\'s code', () => {
  const text = place('photo.png'), output = place('never.png');
  writeFileSync(text, 'no picture');
  for (const [words, code] of [
    [[blazeface], 64], [[blazeface, photo, '--overlap', '2'], 64], [[blazeface, photo, '--fit', 'fold'], 64], [[blazeface, photo, photo, '--output', output], 64],
    [[blazeface, text], 65], [[blazeface, place('missing.jpg')], 66], [['lenet5', photo], 65], [[place('missing.tflite'), photo], 66], [[blazeface, photo, '--labels', place('none.txt')], 66],
  ] as const) {
    const result = kinglet('detect', ...words);
    assert.equal(result.code, code, `${words.join(' ')}: ${result.err}`);
    assert.equal(result.out, '');
    assert.notEqual(result.err, '');
  }
  assert.ok(!existsSync(output));
});

test('a network that is no detector is told what is', { skip: skipWithoutShared }, () => {
  const { code, err } = kinglet('detect', `${sharedFolder}models/mobilenet_v1_0.25_128_quant.tflite`, photo);
  assert.equal(code, 65);
  assert.match(err, /not a detector.*\nhint: .*BlazeFace.*RFB.*NanoDet/);
});
