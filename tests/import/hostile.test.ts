// Cut and flipped files: whatever the bytes, a graph or a typed error, and soon.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { KingletError } from '../../host/error.ts';
import { Builder } from '../../host/graph/builder.ts';
import { importModel } from '../../host/import/index.ts';
import { defaultLimits } from '../../host/import/limits.ts';
import { importOnnx } from '../../host/import/onnx/import.ts';
import { readModel as readOnnx } from '../../host/import/onnx/records.ts';
import { importTflite } from '../../host/import/tflite/import.ts';
import { readModel as readTflite } from '../../host/import/tflite/schema.ts';
import type { TfliteReader } from '../../host/ops/op.ts';
import { matmul } from '../../host/ops/matmul.ts';
import { reshape } from '../../host/ops/reshape.ts';
import * as onnx from './onnx-bytes.ts';
import { sharedBytes, sharedFolder, skipWithoutShared } from '../shared.ts';
import { testReaders } from './onnx-readers.ts';
import { tinyOnnx, tinyTflite } from './tiny-model.ts';

const tfliteReaders: ReadonlyMap<string, TfliteReader> = new Map<string, TfliteReader>([
  ['RESHAPE', (node, b) => [b.add(reshape, { shape: node.i32s(0) }, [node.input(0)])]],
]);
const MAX_MS = 1000;

/** Runs one import; anything but a graph or a KingletError (that is no ERR_INTERNAL) fails. Returns the error's code or 'ok'. */
function outcome(what: string, run: () => unknown): string {
  const start = performance.now();
  let code = 'ok';
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof KingletError, `${what}: ${String(error)}`);
    assert.notEqual(error.code, 'ERR_INTERNAL', `${what}: ${error.message}`);
    code = error.code;
  }
  const ms = performance.now() - start;
  assert.ok(ms < MAX_MS, `${what} took ${ms} ms`);
  return code;
}

const tiny: [string, Uint8Array, (bytes: Uint8Array) => unknown][] = [
  ['onnx', tinyOnnx(), (bytes) => importOnnx(bytes, {}, testReaders)],
  ['tflite', tinyTflite(), (bytes) => importTflite(bytes, {}, tfliteReaders)],
];
for (const [name, bytes, run] of tiny) {
  test(`${name}: the whole file imports`, () => { assert.equal(outcome(name, () => run(bytes)), 'ok'); });
  test(`${name}: cut at every byte`, () => {
    for (let length = 0; length < bytes.length; length++) {
      const code = outcome(`cut at ${length}`, () => run(bytes.slice(0, length)));
      // The operator set comes last in the ONNX file, so that no cut leaves a whole model.
      assert.notEqual(code, 'ok', `cut at ${length}`);
    }
  });
  test(`${name}: every bit flipped`, () => {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      outcome(`bit ${bit}`, () => run(flipped));
    }
  });
  test(`${name}: every byte set to 0, 127, 128, 255`, () => {
    for (let at = 0; at < bytes.length; at++) {
      for (const value of [0, 127, 128, 255]) {
        const changed = bytes.slice();
        changed[at] = value;
        outcome(`byte ${at} = ${value}`, () => run(changed));
      }
    }
  });
}

test('twenty thousand convolutions in half a megabyte import in time that grows with their number', () => {
  const nodes: Uint8Array[] = [];
  for (let i = 0; i < 20_000; i++) nodes.push(onnx.node({ op: 'Conv', in: [i === 0 ? 'x' : `v${i}`, 'w'], out: [`v${i + 1}`] }));
  const weight = onnx.initializer({ name: 'w', type: 1, dims: [2, 2, 1, 1], data: [onnx.message(9, onnx.floats(1, 2, 3, 4))] });
  const bytes = onnx.model(onnx.input('x', 1, [1, 2, 2, 2]), weight, joined(nodes), onnx.output('v20000', 1, [1, 2, 2, 2]));
  const start = performance.now();
  assert.ok(importModel(bytes).nodes.length >= 20_000);
  // A quadratic scan takes half a minute here.
  assert.ok(performance.now() - start < 10_000);
});
function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

test('folding stops where its work is out of proportion: 7e10 multiplications stay a node', () => {
  const b = new Builder();
  const square = b.constant({ dtype: 'float32', shape: [4096, 4096], data: new Float32Array(2 ** 24) });
  const start = performance.now();
  b.add(matmul, { min: -Infinity, max: Infinity }, [square, square]);
  assert.equal(b.graph.nodes.length, 1);
  assert.ok(performance.now() - start < MAX_MS);
});

const skip = skipWithoutShared;
const files = skip ? [] : ['models', 'onnx-light'].flatMap((folder) => readdirSync(sharedFolder + folder).map((file) => sharedFolder + folder + '/' + file))
  .filter((file) => /\.(onnx|tflite)$/.test(file));

test('every sample model has the records it should', { skip }, () => {
  assert.ok(files.length >= 20, `${files.length} files`);
  for (const file of files) {
    const bytes = new Uint8Array(readFileSync(file));
    if (file.endsWith('.onnx')) assert.ok(readOnnx(bytes, defaultLimits).graph.nodes.length > 5, file);
    else assert.ok(readTflite(bytes, defaultLimits).operators.length > 5, file);
  }
});

test('every sample model imports', { skip }, () => {
  for (const file of files) {
    const graph = importModel(readFileSync(file));
    assert.ok(graph.inputs.length > 0 && graph.outputs.length > 0 && graph.nodes.length > 5, file);
  }
});

/** A small linear congruential generator: the cases are the same in every run. */
function randoms(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

test('sample models with random damage', { skip }, () => {
  const next = randoms(2024);
  for (const name of ['mlperf_tiny_kws_ref_model.tflite', 'person_detect.tflite', 'qdq_shuffle_int8.onnx']) {
    const bytes = sharedBytes(`models/${name}`);
    for (let round = 0; round < 150; round++) {
      const damaged = bytes.slice();
      // TFLite keeps its structure at both ends, so half of the damage goes there.
      const at = Math.floor(next() * (round % 2 === 0 ? bytes.length : 2048));
      const place = round % 4 === 1 ? bytes.length - 1 - at : at;
      damaged[place] = Math.floor(next() * 256);
      outcome(`${name} round ${round}`, () => importModel(damaged));
      if (round % 10 === 0) outcome(`${name} cut ${round}`, () => importModel(bytes.slice(0, Math.floor(next() * bytes.length))));
    }
  }
});
