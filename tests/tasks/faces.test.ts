// Faces: anchors where the network has them, boxes decoded as an independent computation says, groups merged.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anchorCentres, decodeFaces, intersectionOverUnion, mergeFaces } from '../../host/tasks/faces.ts';

test('896 anchors: two per cell of 16x16, then six per cell of 8x8', () => {
  const centres = anchorCentres();
  assert.equal(centres.length, 896);
  assert.deepEqual(centres.slice(0, 3), [{ x: 1 / 32, y: 1 / 32 }, { x: 1 / 32, y: 1 / 32 }, { x: 3 / 32, y: 1 / 32 }]);
  assert.deepEqual(centres[511], { x: 31 / 32, y: 31 / 32 });
  assert.deepEqual([centres[512], centres[517], centres[518], centres[895]], [{ x: 1 / 16, y: 1 / 16 }, { x: 1 / 16, y: 1 / 16 }, { x: 3 / 16, y: 1 / 16 }, { x: 15 / 16, y: 15 / 16 }]);
});

test('a box and its keypoints land in the region\'s pixels', () => {
  const boxes = new Float32Array(896 * 16), logits = new Float32Array(896).fill(-200);
  const anchor = 512 + 6 * (8 * 3 + 2); // coarse grid, row 3, column 2
  boxes.set([12.8, -6.4, 32, 64, 0, 0, 128, 0], anchor * 16);
  logits[anchor] = Math.log(3); // sigmoid 0.75
  logits[7] = Math.log(0.9); // below one half
  const [face, ...others] = decodeFaces(boxes, logits, { x: 100, y: -50, width: 640, height: 640 }, 0.5);
  assert.equal(others.length, 0);
  assert.ok(Math.abs(face.score - 0.75) < 1e-6);
  const centre = { x: 100 + (0.1 + 2.5 / 8) * 640, y: -50 + (-0.05 + 3.5 / 8) * 640 };
  const expected = { x: centre.x - 80, y: centre.y - 160, width: 160, height: 320 };
  for (const key of ['x', 'y', 'width', 'height'] as const) assert.ok(Math.abs(face.box[key] - expected[key]) < 1e-3, key);
  assert.equal(face.keypoints.length, 6);
  assert.ok(Math.abs(face.keypoints[0].x - (100 + (2.5 / 8) * 640)) < 1e-3 && Math.abs(face.keypoints[1].x - (100 + (1 + 2.5 / 8) * 640)) < 1e-3);
});

test('scores that are not numbers find nothing', () => {
  assert.deepEqual(decodeFaces(new Float32Array(896 * 16), new Float32Array(896).fill(NaN), { x: 0, y: 0, width: 1, height: 1 }, 0.5), []);
});

test('overlapping boxes become their mean by score, others stay', () => {
  const face = (x: number, score: number): { score: number; box: { x: number; y: number; width: number; height: number }; keypoints: { x: number; y: number }[] } =>
    ({ score, box: { x, y: 0, width: 10, height: 10 }, keypoints: [{ x, y: 1 }] });
  const merged = mergeFaces([face(2, 0.5), face(50, 0.6), face(0, 1)], 0.3);
  assert.equal(merged.length, 2);
  assert.equal(merged[0].score, 1);
  assert.ok(Math.abs(merged[0].box.x - 1 / 1.5) < 1e-9 && Math.abs(merged[0].keypoints[0].x - 1 / 1.5) < 1e-9);
  assert.equal(merged[1].box.x, 50);
  assert.deepEqual(mergeFaces([], 0.3), []);
});

test('intersection over union', () => {
  const a = { x: 0, y: 0, width: 4, height: 2 };
  assert.equal(intersectionOverUnion(a, a), 1);
  assert.equal(intersectionOverUnion(a, { x: 2, y: 0, width: 4, height: 2 }), 4 / 12);
  assert.equal(intersectionOverUnion(a, { x: 4, y: 0, width: 4, height: 2 }), 0);
  assert.equal(intersectionOverUnion(a, { x: 0, y: 0, width: -1, height: 2 }), 0);
});
