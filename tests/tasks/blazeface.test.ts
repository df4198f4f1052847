// BlazeFace: anchors where the network has them, boxes and keypoints decoded as an independent computation says.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anchorCentres, blazeface } from '../../host/tasks/blazeface.ts';
import type { Decoder } from '../../host/tasks/family.ts';
import { io } from './pretended.ts';

const frame = { width: 128, height: 128 };
const outputs = [io('float32', [1, 896, 16]), io('float32', [1, 896, 1])];
function decode(...values: Parameters<Decoder>): ReturnType<Decoder> {
  const decoder = blazeface.decoderFor(frame, outputs);
  assert.ok(decoder);
  return decoder(...values);
}

test('896 anchors: two per cell of 16x16, then six per cell of 8x8', () => {
  const centres = anchorCentres([{ cells: 16, anchors: 2 }, { cells: 8, anchors: 6 }]);
  assert.equal(centres.length, 896);
  assert.deepEqual(centres.slice(0, 3), [{ x: 1 / 32, y: 1 / 32 }, { x: 1 / 32, y: 1 / 32 }, { x: 3 / 32, y: 1 / 32 }]);
  assert.deepEqual(centres[511], { x: 31 / 32, y: 31 / 32 });
  assert.deepEqual([centres[512], centres[517], centres[518], centres[895]], [{ x: 1 / 16, y: 1 / 16 }, { x: 1 / 16, y: 1 / 16 }, { x: 3 / 16, y: 1 / 16 }, { x: 15 / 16, y: 15 / 16 }]);
});

test('a box and its keypoints in shares of the frame', () => {
  const boxes = new Float32Array(896 * 16), logits = new Float32Array(896).fill(-200);
  const anchor = 512 + 6 * (8 * 3 + 2); // coarse grid, row 3, column 2
  boxes.set([12.8, -6.4, 32, 64, 0, 0, 128, 0], anchor * 16);
  logits[anchor] = Math.log(3); // sigmoid 0.75
  logits[7] = Math.log(0.9); // below one half
  const [face, ...others] = decode([boxes, logits], 0.5);
  assert.equal(others.length, 0);
  assert.ok(Math.abs(face.score - 0.75) < 1e-6);
  const expected = { x: 0.1 + 2.5 / 8 - 0.125, y: -0.05 + 3.5 / 8 - 0.25, width: 0.25, height: 0.5 };
  for (const key of ['x', 'y', 'width', 'height'] as const) assert.ok(Math.abs(face.box[key] - expected[key]) < 1e-6, key);
  assert.equal(face.keypoints?.length, 6);
  assert.deepEqual(face.keypoints?.slice(0, 2), [{ x: 2.5 / 8, y: 3.5 / 8 }, { x: 1 + 2.5 / 8, y: 3.5 / 8 }]);
});

test('scores that are not numbers find nothing', () => {
  assert.deepEqual(decode([new Float32Array(896 * 16), new Float32Array(896).fill(NaN)], 0.5), []);
});

test('other sizes and outputs are other networks', () => {
  assert.equal(blazeface.decoderFor({ width: 128, height: 96 }, outputs), null);
  assert.equal(blazeface.decoderFor({ width: 192, height: 192 }, outputs), null);
  assert.equal(blazeface.decoderFor(frame, [outputs[0]]), null);
  assert.ok(blazeface.decoderFor(frame, [outputs[1], outputs[0]]), 'the order of the outputs does not matter');
});
