// Labels and scores: which outputs are probabilities, the order, thresholds, what is no classifier.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KingletError } from '../../host/error.ts';
import { classifier } from '../../host/tasks/classifier.ts';
import type { IoInfo } from '../../host/model.ts';
import type { TensorData } from '../../host/tensor.ts';
import { io, pretendedModel } from './pretended.ts';

const photo = { width: 2, height: 1, data: Uint8Array.of(0, 51, 255, 255, 0, 0) };
const input = io('float32', [1, 1, 1, 3]);
const judge = (answer: TensorData, output: IoInfo, options = {}): Promise<{ index: number; label: string | null; score: number }[]> => (
  classifier(pretendedModel([input], [output], [answer]), options).classify(photo));

test('probabilities stay, sorted, ties by index, with labels', async () => {
  assert.deepEqual(await judge(Float32Array.of(0.125, 0.5, 0.5, 0.25), io('float32', [1, 4]), { labels: ['a', 'b', 'c'], top: 3 }), [
    { index: 1, label: 'b', score: 0.5 }, { index: 2, label: 'c', score: 0.5 }, { index: 3, label: null, score: 0.25 },
  ]);
});

test('logits become probabilities; an option decides where the rule would guess wrong', async () => {
  const e = Math.exp(1), logits = await judge(Float32Array.of(-1, 0), io('float32', [1, 2]));
  assert.ok(Math.abs(logits[0].score - e / (1 + e)) < 1e-12 && logits[0].index === 1);
  const small = Float32Array.of(0, 1);
  assert.deepEqual((await judge(small, io('float32', [1, 2]))).map(({ score }) => score), [1, 0]);
  assert.ok(Math.abs((await judge(small, io('float32', [1, 2]), { softmax: true }))[0].score - e / (1 + e)) < 1e-12);
  assert.deepEqual((await judge(Float32Array.of(-1, 4), io('float32', [1, 2]), { softmax: false, threshold: -9 })).map(({ score }) => score), [4, -1]);
  const far = await judge(Float32Array.of(1000, -1000), io('float32', [1, 2]));
  assert.deepEqual(far.map(({ score }) => score), [1, 0]);
});

test('quantised scores are real numbers again', async () => {
  assert.deepEqual(await judge(Uint8Array.of(0, 255, 64), io('uint8', [1, 3], { scale: 1 / 256, zeroPoint: 0 }), { top: 2 }), [
    { index: 1, label: null, score: 255 / 256 }, { index: 2, label: null, score: 0.25 },
  ]);
  assert.equal((await judge(Int8Array.of(-128, 127), io('int8', [1, 2], { scale: 0.00392160006, zeroPoint: -128 })))[0].score > 1, true, 'a dequantised 1 may be a little more');
  assert.equal((await judge(BigInt64Array.of(1n, 5n), io('int64', [1, 2])))[0].index, 1);
});

test('thresholds and tops, from the classifier or from the call; what is not a number is no score', async () => {
  const model = pretendedModel([input], [io('float32', [1, 4])], [Float32Array.of(0.1, 0.2, 0.3, 0.4)]);
  const strict = classifier(model, { threshold: 0.25 });
  assert.deepEqual((await strict.classify(photo)).map(({ index }) => index), [3, 2]);
  assert.deepEqual((await strict.classify(photo, { threshold: 0, top: 1 })).map(({ index }) => index), [3]);
  assert.deepEqual(await judge(Float32Array.of(NaN, NaN), io('float32', [1, 2])), []);
});

test('the photo arrives as the preset and its fit say', async () => {
  const asked: unknown[] = [], model = pretendedModel([input], [io('float32', [1, 1])], [Float32Array.of(1)], asked);
  await classifier(model, { preset: 'unit' }).classify({ width: 1, height: 1, data: Uint8Array.of(0, 51, 255) });
  assert.deepEqual(asked[0], [Float32Array.of(0, 0.2, 1)]);
  const teachable = classifier(model, { preset: 'teachable-machine' });
  assert.equal(teachable.fit, 'crop');
  assert.equal(classifier(model, { preset: 'torchvision' }).fit, 'middle');
  assert.equal(classifier(model, { preset: 'torchvision', fit: 'pad' }).fit, 'pad');
  assert.deepEqual([classifier(model).preset, classifier(model).fit], ['signed', 'stretch']);
});

test('files are decoded', async () => {
  const model = pretendedModel([input], [io('float32', [1, 1])], [Float32Array.of(1)]);
  const [first] = await classifier(model).classify(new Blob([new TextEncoder().encode('P6 1 1 255 abc')]));
  assert.equal(first.index, 0);
  await assert.rejects(classifier(model).classify(new Blob(['nothing'])), (e) => e instanceof KingletError && e.code === 'ERR_IMAGE');
});

test('models that cannot classify a photo are refused at once', () => {
  const scores = io('float32', [1, 2]);
  for (const model of [pretendedModel([input, input], [scores], []), pretendedModel([input], [], []), pretendedModel([io('float32', [1, 640])], [scores], [])]) {
    assert.throws(() => classifier(model), (e) => e instanceof KingletError && e.code === 'ERR_INPUT');
  }
  assert.throws(() => classifier(pretendedModel([input], [scores], []), { preset: 'imagenet' as 'signed' }), (e) => e instanceof KingletError && e.code === 'ERR_USAGE' && e.hint.includes('torchvision'));
});
