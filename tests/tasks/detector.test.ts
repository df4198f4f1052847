// Detectors as a whole: which networks are known, boxes in the photo's pixels, hostile answers, and what real networks find.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { KingletError } from '../../host/error.ts';
import { decodeImage } from '../../host/image/decode.ts';
import { loadModel } from '../../host/index.ts';
import { cocoLabels } from '../../host/tasks/coco-labels.ts';
import { intersectionOverUnion } from '../../host/tasks/candidates.ts';
import { detector } from '../../host/tasks/detector.ts';
import type { Detection } from '../../host/tasks/detector.ts';
import { gridAnchors } from '../../host/tasks/nanodet.ts';
import { sharedBytes, sharedFolder, skipWithoutShared } from '../shared.ts';
import { io, pretendedModel } from './pretended.ts';

const modules = fileURLToPath(new URL('../../../node_modules/', import.meta.url));
const gray = { width: 640, height: 320, data: new Uint8Array(640 * 320).fill(99) };
const near = (found: Detection['box'], expected: Detection['box']): void => {
  for (const key of ['x', 'y', 'width', 'height'] as const) assert.ok(Math.abs(found[key] - expected[key]) < 1e-3, `${key}: ${found[key]} is not ${expected[key]}`);
};

test('NanoDet: a box from its bins, letterboxed and not, in both layouts, with logits and with probabilities', async () => {
  assert.equal(gridAnchors(320, 320).length, 2125);
  const point = 1600 + 20 * 7 + 5; // stride 16, row 7, column 5: at (80, 112)
  const distances = [1.5, 0.25, 7, 3.25];
  for (const pointsLast of [true, false]) {
    for (const isLogit of [true, false]) {
      const data = new Float32Array(112 * 2125).fill(isLogit ? -9 : 0);
      const set = (number: number, value: number): void => { data[pointsLast ? number * 2125 + point : point * 112 + number] = value; };
      set(16, isLogit ? Math.log(4) : 0.8);
      for (let k = 80; k < 112; k++) set(k, -90);
      if (!isLogit) for (let i = 0; i < 2125; i++) for (let k = 80; k < 112; k++) data[pointsLast ? k * 2125 + i : i * 112 + k] = -90;
      // Weights per side: 1.5 = halves on 1 and 2; 0.25 = 3/4 on 0, 1/4 on 1; 7 = all on 7; 3.25 = 3/4 on 3, 1/4 on 4.
      for (const [side, bin, weight] of [[0, 1, 1], [0, 2, 1], [1, 0, 3], [1, 1, 1], [2, 7, 1], [3, 3, 3], [3, 4, 1]]) set(80 + side * 8 + bin, Math.log(weight));
      const model = pretendedModel([io('float32', [1, 3, 320, 320])], [io('float32', pointsLast ? [1, 112, 2125] : [1, 2125, 112])], [data]);
      for (const [fit, scale, top] of [['stretch', [2, 1], 0], ['pad', [2, 2], -160]] as const) {
        const found = await detector(model, { fit }).detect(gray);
        assert.equal(found.length, 1);
        assert.deepEqual([found[0].index, found[0].label], [16, 'dog']);
        assert.ok(Math.abs(found[0].score - 0.8) < 1e-6);
        const [left, up, right, down] = distances.map((d) => d * 16);
        near(found[0].box, { x: (80 - left) * scale[0], y: (112 - up) * scale[1] + top, width: (left + right) * scale[0], height: (up + down) * scale[1] });
      }
    }
  }
  assert.equal(new Set(cocoLabels).size, 80);
});

test('RFB: corners become boxes, duplicates go, letterboxing is undone', async () => {
  const scores = new Float32Array(4420 * 2), boxes = new Float32Array(4420 * 4);
  for (const [i, score, corners] of [[10, 0.9, [0.5, 0.5, 0.75, 0.75]], [11, 0.8, [0.5, 0.5, 0.75, 0.74]], [4000, 0.75, [0, 0.1, 0.1, 0.3]], [5, 0.6, [0, 0, 1, 1]]] as const) {
    scores[2 * i + 1] = score;
    boxes.set(corners, 4 * i);
  }
  const model = pretendedModel([io('float32', [1, 3, 240, 320])], [io('float32', [1, 4420, 2]), io('float32', [1, 4420, 4])], [scores, boxes]);
  const finder = detector(model), found = await finder.detect(gray);
  assert.equal(finder.kind, 'rfb');
  assert.deepEqual(found.map(({ label, score }) => [label, Math.round(score * 100)]), [['face', 90], ['face', 75]]);
  near(found[0].box, { x: 320, y: -80 + 240, width: 160, height: 120 }); // the frame shows 640 x 480 around the photo
  assert.equal((await finder.detect(gray, { threshold: 0.5, overlap: 1 })).length, 4);
  assert.equal((await finder.detect(gray, { threshold: 0.5, top: 1 })).length, 1);
});

test('answers that are no numbers, or all boxes at once, are dealt with quickly', async () => {
  const input = io('float32', [1, 3, 240, 320]), outputs = [io('float32', [1, 4420, 2]), io('float32', [1, 4420, 4])];
  const answer = async (score: number, corner: number): Promise<number> => (
    await detector(pretendedModel([input], outputs, [new Float32Array(8840).fill(score), new Float32Array(17680).fill(corner)])).detect(gray)).length;
  assert.equal(await answer(NaN, 0), 0);
  assert.equal(await answer(1, NaN), 0);
  assert.equal(await answer(1, Infinity), 0);
  assert.equal(await answer(1, 0.5), 0, 'empty boxes');
  const apart = Float32Array.from({ length: 17680 }, (_, i) => (i >> 2) * 2 + (i & 2));
  const many = await detector(pretendedModel([input], outputs, [new Float32Array(8840).fill(1), apart])).detect(gray);
  assert.equal(many.length, 100);
});

test('a quantised detector\'s outputs are real numbers again', async () => {
  const scores = new Uint8Array(8840), boxes = new Uint8Array(17680);
  scores[1] = 250;
  boxes.set([50, 50, 100, 150]);
  const model = pretendedModel([io('uint8', [1, 240, 320, 3], { scale: 1 / 128, zeroPoint: 127 })],
    [io('uint8', [1, 4420, 2], { scale: 1 / 256, zeroPoint: 0 }), io('uint8', [1, 4420, 4], { scale: 0.01, zeroPoint: 50 })], [scores, boxes]);
  const [face] = await detector(model, { fit: 'stretch' }).detect(gray);
  assert.equal(face.score, 250 / 256);
  near(face.box, { x: 0, y: 0, width: 320, height: 320 });
});

test('an unknown network is refused by naming what is known', () => {
  const isRefused = (e: unknown): boolean => e instanceof KingletError && e.code === 'ERR_INPUT' && /BlazeFace.*RFB.*NanoDet/.test(e.hint);
  for (const model of [
    pretendedModel([io('float32', [1, 224, 224, 3])], [io('float32', [1, 1000])], []),
    pretendedModel([io('float32', [1, 3, 320, 320])], [io('float32', [1, 32, 2125])], []),
    pretendedModel([io('float32', [1, 3, 320, 320])], [io('float32', [2125])], []),
    pretendedModel([io('float32', [1, 3, 240, 320])], [io('float32', [1, 4420, 2]), io('float32', [2, 4420, 4])], []),
    pretendedModel([], [], []),
  ]) assert.throws(() => detector(model), isRefused);
});

test('BlazeFace full range finds the same four faces as the short range', async () => {
  const photo = await decodeImage(readFileSync(`${modules}@vladmandic/face-api/demo/sample6.jpg`));
  const found = [];
  for (const range of ['short', 'full']) {
    const model = await loadModel(`${modules}@mediapipe/face_detection/face_detection_${range}_range.tflite`);
    found.push(await detector(model).detect(photo));
    model.dispose();
  }
  const [short, full] = found;
  assert.equal(short.length, 4);
  assert.equal(full.length, 4);
  for (const { box } of full) assert.ok(short.some((face) => intersectionOverUnion(face.box, box) > 0.4));
});

/** Read off the photos by eye, to about 15 pixels. */
const seen = [
  { network: 'version-RFB-320.onnx', photo: 'grace_hopper', label: 'face', box: { x: 170, y: 125, width: 185, height: 205 } },
  { network: 'nanodet_plus_m_320.onnx', photo: 'cat', label: 'cat', box: { x: 45, y: 38, width: 315, height: 300 } },
  { network: 'nanodet_plus_m_320.onnx', photo: 'bird', label: 'bird', box: { x: 40, y: 78, width: 450, height: 242 } },
  { network: 'nanodet_plus_m_320.onnx', photo: 'grace_hopper', label: 'person', box: { x: 5, y: 25, width: 507, height: 575 } },
  { network: 'nanodet_plus_m_320.onnx', photo: 'person', label: 'person', box: { x: 20, y: 13, width: 54, height: 83 } },
];

test('real detectors find in the photos what people see there', { skip: skipWithoutShared }, async () => {
  for (const network of new Set(seen.map((one) => one.network))) {
    const model = await loadModel(`${sharedFolder}models/${network}`);
    const finder = detector(model);
    for (const { photo, label, box } of seen.filter((one) => one.network === network)) {
      const found = await finder.detect(await decodeImage(sharedBytes(`images/${photo}.bmp`)));
      assert.equal(found[0].label, label, photo);
      assert.ok(found[0].score > 0.7, photo);
      assert.ok(intersectionOverUnion(found[0].box, box) > 0.9, `${network} ${photo}: ${JSON.stringify(found[0].box)}`);
      assert.equal(found.length, 1, photo);
    }
    assert.deepEqual(await finder.detect(await decodeImage(sharedBytes('images/no_person.bmp'))), []);
    model.dispose();
  }
});
