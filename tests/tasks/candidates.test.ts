// Proposals that overlap, and too many of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_CANDIDATES, averaged, intersectionOverUnion, strongest, suppressed } from '../../host/tasks/candidates.ts';
import type { Candidate } from '../../host/tasks/candidates.ts';

const at = (x: number, score: number, index = 0): Candidate => ({ index, score, box: { x, y: 0, width: 10, height: 10 }, keypoints: [{ x, y: 1 }] });

test('intersection over union', () => {
  const a = { x: 0, y: 0, width: 4, height: 2 };
  assert.equal(intersectionOverUnion(a, a), 1);
  assert.equal(intersectionOverUnion(a, { x: 2, y: 0, width: 4, height: 2 }), 4 / 12);
  assert.equal(intersectionOverUnion(a, { x: 4, y: 0, width: 4, height: 2 }), 0);
  assert.equal(intersectionOverUnion(a, { x: 0, y: 0, width: -1, height: 2 }), 0);
});

test('the best of overlapping boxes of one class stays', () => {
  const list = [at(0, 0.9), at(1, 0.8), at(1, 0.7, 1), at(5, 0.6), at(30, 0.5)];
  assert.deepEqual(suppressed(list, 0.5).map(({ score }) => score), [0.9, 0.7, 0.6, 0.5]);
  // 5 apart: 50 shared of 150.
  assert.deepEqual(suppressed(list, 0.33).map(({ score }) => score), [0.9, 0.7, 0.5]);
  assert.deepEqual(suppressed([], 0.5), []);
});

test('overlapping boxes become their mean by score, others stay', () => {
  const merged = averaged([at(0, 1), at(50, 0.6), at(2, 0.5), at(1, 0.4, 1)], 0.3);
  assert.deepEqual(merged.map(({ score }) => score), [1, 0.6, 0.4]);
  assert.ok(Math.abs(merged[0].box.x - 1 / 1.5) < 1e-9 && Math.abs((merged[0].keypoints?.[0].x ?? 0) - 1 / 1.5) < 1e-9);
  assert.equal(merged[1].box.x, 50);
  assert.deepEqual(averaged([], 0.3), []);
});

test('a network that proposes two million boxes costs a thousand', () => {
  const scores = Float32Array.from({ length: 2_000_000 }, (_, i) => (i % 1000) / 1000);
  const found = strongest(scores, 0.1);
  assert.equal(found.length, MAX_CANDIDATES);
  assert.ok(found.every((i) => scores[i] === scores[999]));
  assert.deepEqual(found.slice(0, 3), [999, 1999, 2999]);
  assert.deepEqual(strongest([NaN, 0.2, Infinity, -1, 0.5], 0.5), [2, 4]);
});
