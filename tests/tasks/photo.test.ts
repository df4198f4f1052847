// The example's job as a test: four faces in the photo, where people see them.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { decodeImage } from '../../host/image/decode.ts';
import { loadModel } from '../../host/index.ts';
import { detectFaces } from '../../host/tasks/faces.ts';

const modules = fileURLToPath(new URL('../../../node_modules/', import.meta.url));
/** Centres in shares of width and height, read off the photo. */
const expected = [[0.83, 0.29], [0.19, 0.41], [0.67, 0.32], [0.39, 0.32]];

test('four faces, with and without close-ups', async () => {
  const model = await loadModel(`${modules}@mediapipe/face_detection/face_detection_short_range.tflite`);
  const picture = await decodeImage(readFileSync(`${modules}@vladmandic/face-api/demo/sample6.jpg`));
  for (const closeUps of [false, true]) {
    const faces = detectFaces(model, picture, { closeUps });
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
