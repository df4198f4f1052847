// Readers of made-up ONNX operators, so that the tests of the import core do not depend on any op's reader.

import type { OnnxReader } from '../../host/ops/op.ts';
import { reshape } from '../../host/ops/reshape.ts';
import { transpose } from '../../host/ops/transpose.ts';

export const testReaders: ReadonlyMap<string, OnnxReader> = new Map<string, OnnxReader>([
  ['Copy', (node, b) => [b.add(reshape, { shape: [...node.input(0).shape] }, [node.input(0)], { fold: false })]],
  ['Same', (node) => [node.input(0)]],
  ['First', (node, b) => [b.add(reshape, { shape: [...node.input(0).shape] }, [node.input(0)], { fold: false })]],
  ['Perm', (node, b) => [b.add(transpose, { perm: node.ints('perm') }, [node.input(0)])]],
  ['Value', (node, b) => [b.constant(node.tensor('value'))]],
  ['Crash', () => { throw new TypeError('reader is broken'); }],
]);
