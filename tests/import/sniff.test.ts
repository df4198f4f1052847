// Which format a file is, by content, and what people are told about files that are no models.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importModel, sniff } from '../../host/import/index.ts';
import { throws } from './throws.ts';
import { tinyOnnx, tinyTflite } from './tiny-model.ts';

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

test('the three formats', () => {
  assert.equal(sniff(tinyOnnx()), 'onnx');
  assert.equal(sniff(tinyTflite()), 'tflite');
  assert.equal(sniff(bytesOf('KGL1\0\0\0\0')), 'kgl');
});

test('other files are named', () => {
  const cases: [string, RegExp][] = [
    ['', /empty/],
    ['<!DOCTYPE html><html>', /HTML page/],
    ['\n  <html lang="en">\xff\x01', /HTML page/],
    ['<?xml version="1.0"?>', /XML/],
    ['{"format": "graph-model"}', /JSON/],
    ['PK\x03\x04\x14\0', /ZIP/],
    ['\x80\x02}q\0', /pickle/],
    ['\x80\x04\x95', /pickle/],
    ['\x1f\x8b\x08\0', /gzip/],
    ['\x89HDF\r\n\x1a\n', /HDF5/],
    ['\x93NUMPY\x01\0', /NumPy/],
    ['version https://git-lfs.github.com/spec/v1\noid', /Git LFS/],
    ['\x89PNG\r\n', /PNG/],
    ['\x18\0\0\0ORTM', /\.ort/],
    ['hello world', /text file/],
    ['\0\0\0\0', /not a model/],
    ['\x0b', /not a model/],
  ];
  for (const [text, pattern] of cases) throws('ERR_MODEL_FORMAT', pattern, () => sniff(bytesOf(text)));
});

test('importModel checks its argument and the size first', () => {
  throws('ERR_USAGE', /Uint8Array/, () => importModel('model.onnx' as unknown as Uint8Array));
  throws('ERR_LIMIT', /bytes; the limit is 10/, () => importModel(tinyOnnx(), { limits: { maxModelBytes: 10 } }));
  throws('ERR_USAGE', /compiled already/, () => importModel(bytesOf('KGL1\0\0\0\0')));
});
