// The example's job as a test: four faces in the photo, where people see them. Also what the full-range networks say of it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { decodeImage } from '../../host/image/decode.ts';
import { regionOf } from '../../host/image/region.ts';
import { toTensor } from '../../host/image/tensor.ts';
import { loadModel } from '../../host/index.ts';
import { detector } from '../../host/tasks/detector.ts';

const modules = fileURLToPath(new URL('../../../node_modules/', import.meta.url));
/** Centres in shares of width and height, read off the photo. */
const expected = [[0.83, 0.29], [0.19, 0.41], [0.67, 0.32], [0.39, 0.32]];

test('four faces, with and without close-ups', async () => {
  const model = await loadModel(`${modules}@mediapipe/face_detection/face_detection_short_range.tflite`);
  const picture = await decodeImage(readFileSync(`${modules}@vladmandic/face-api/demo/sample6.jpg`));
  const finder = detector(model);
  assert.equal(finder.kind, 'blazeface');
  for (const closeUps of [false, true]) {
    const faces = await finder.detect(picture, { closeUps });
    assert.equal(faces.length, 4);
    for (const [x, y] of expected) {
      const near = faces.filter(({ box, score }) => score > 0.5
        && Math.abs((box.x + box.width / 2) / picture.width - x) < 0.03 && Math.abs((box.y + box.height / 2) / picture.height - y) < 0.03);
      assert.equal(near.length, 1, `one face at ${x}, ${y}`);
    }
    if (closeUps) assert.ok(faces.every(({ score }) => score > 0.9));
  }
  model.dispose();
});

/** Cells per side of the grid on which the full-range networks score faces. */
const CELLS = 48;

for (const name of ['face_detection_full_range', 'face_detection_full_range_sparse']) {
  test(`${name}: four cells and their neighbours see a face`, async () => {
    const model = await loadModel(`${modules}@mediapipe/face_detection/${name}.tflite`);
    const picture = await decodeImage(readFileSync(`${modules}@vladmandic/face-api/demo/sample6.jpg`));
    const region = regionOf(picture, { width: 192, height: 192 }, 'pad');
    const outputs = model.runSync([toTensor(picture, model.inputs[0], { region })]);
    const scores = Array.from(outputs.find(({ length }) => length === CELLS * CELLS) ?? [], Number);
    const seen = scores.flatMap((score, i) => (score > 0.5 ? [{ x: ((i % CELLS) + 0.5) / CELLS, y: (Math.floor(i / CELLS) + 0.5) / CELLS }] : []));
    const isNear = (cell: { x: number; y: number }, [x, y]: readonly number[]): boolean => (
      Math.abs(region.x + cell.x * region.width - x * picture.width) < 0.04 * picture.width && Math.abs(region.y + cell.y * region.height - y * picture.height) < 0.04 * picture.height);
    assert.ok(expected.every((face) => seen.some((cell) => isNear(cell, face))), 'every face is seen');
    assert.ok(seen.every((cell) => expected.some((face) => isNear(cell, face))), 'nothing else is');
    model.dispose();
  });
}
