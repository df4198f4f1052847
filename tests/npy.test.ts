// .npy files: what NumPy writes is read, what is written reads back, and everything else is refused with a sentence.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KingletError } from '../host/error.ts';
import { readNpy, writeNpy } from '../host/npy.ts';
import type { DType, TensorData } from '../host/tensor.ts';

/** A file as numpy.save lays it out, from its header's text. */
function file(header: string, data: Uint8Array, version = 1): Uint8Array {
  const text = new TextEncoder().encode(header);
  const lead = version === 1 ? [text.length & 255, text.length >> 8] : [text.length & 255, text.length >> 8, 0, 0];
  return new Uint8Array([0x93, ...new TextEncoder().encode('NUMPY'), version, 0, ...lead, ...text, ...data]);
}
const header = (descr: string, shape: string, order = 'False'): string => `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }          \n`;

function refused(bytes: Uint8Array, say: RegExp): void {
  assert.throws(() => readNpy(bytes), (error) => error instanceof KingletError && say.test(error.message) && error.hint !== '');
}

const arrays: [DType, TensorData][] = [
  ['float32', Float32Array.of(1.5, -0, NaN, Infinity, 1e-40, -7)], ['int8', Int8Array.of(-128, 127, 0, 1, 2, 3)],
  ['uint8', Uint8Array.of(0, 255, 1, 2, 3, 4)], ['int32', Int32Array.of(-(2 ** 31), 2 ** 31 - 1, 0, 1, 2, 3)],
  ['int64', BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n, 0n, 1n, 2n, 3n)],
];

test('every dtype and rank survives writing and reading', () => {
  for (const [dtype, data] of arrays) {
    for (const shape of [[6], [2, 3], [1, 3, 1, 2]]) {
      const bytes = writeNpy({ dtype, shape, data });
      assert.equal((bytes.length - data.byteLength) % 64, 0, 'data is 64-byte aligned, as NumPy writes it');
      assert.deepEqual(readNpy(bytes), { dtype, shape, data });
    }
  }
  assert.deepEqual(readNpy(writeNpy({ dtype: 'uint8', shape: [], data: Uint8Array.of(7) })).shape, []);
  assert.deepEqual(readNpy(writeNpy({ dtype: 'uint8', shape: [2, 0], data: new Uint8Array(0) })).shape, [2, 0]);
});

test('headers as NumPy writes them, in both versions and any key order', () => {
  const data = Uint8Array.of(1, 2, 3);
  assert.deepEqual(readNpy(file(header('|u1', '(3,)'), data)).data, data);
  assert.deepEqual(readNpy(file(header('|u1', '(3, 1)'), data, 2)).shape, [3, 1]);
  assert.deepEqual(readNpy(file("{'shape': (1, 3), 'fortran_order': False, 'descr': '|i1'}\n", data)).dtype, 'int8');
});

test('a file inside a larger buffer, at an odd offset', () => {
  const bytes = writeNpy({ dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) });
  const within = new Uint8Array(bytes.length + 3);
  within.set(bytes, 3);
  assert.deepEqual(readNpy(within.subarray(3)).data, Float32Array.of(1, 2));
});

test('what is not understood is refused by name', () => {
  const three = Uint8Array.of(1, 2, 3);
  refused(new Uint8Array(0), /not a \.npy/);
  refused(new TextEncoder().encode('<!doctype html><html>'), /not a \.npy/);
  refused(file(header('|u1', '(3,)'), three, 3), /version 3\.0/);
  refused(file(header('<f8', '(3,)'), three), /"<f8" is not supported/);
  refused(file(header('>f4', '(3,)'), three), /">f4" is not supported/);
  refused(file(header('|u1', '(3,)', 'True'), three), /Fortran/);
  refused(file(header('|u1', '(4,)'), three), /3 bytes of data.*needs 4/);
  refused(file(header('|u1', '(2,)'), three), /3 bytes of data.*needs 2/);
  refused(file(header('|u1', '(-3,)'), three), /lacks descr/);
  refused(file(header('|u1', '(3)'), three), /not a tuple/);
  refused(file(header('|u1', '(99999999999999999999,)'), three), /impossible dimension/);
  refused(file(header('|u1', '(999999999, 999999999)'), three), /more than/);
  refused(file("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,), }", three), /lacks descr/);
  refused(file('__import__("os")', three), /not a dict/);
});

test('every truncation of a file is refused', () => {
  const bytes = writeNpy({ dtype: 'float32', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) });
  for (let n = 0; n < bytes.length; n++) refused(bytes.subarray(0, n), /./);
});
