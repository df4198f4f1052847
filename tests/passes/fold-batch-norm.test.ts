// Batch normalisation and per-channel constants disappear in weights; the result changes by rounding only.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Builder } from '../../host/graph/builder.ts';
import type { Value } from '../../host/graph/graph.ts';
import { noClamp } from '../../host/ops/activation.ts';
import { batchNorm } from '../../host/ops/batch-norm.ts';
import { binary, type BinaryKind } from '../../host/ops/binary.ts';
import { conv2d } from '../../host/ops/conv2d.ts';
import { matmul } from '../../host/ops/matmul.ts';
import { foldBatchNorm } from '../../host/passes/fold-batch-norm.ts';
import type { Shape } from '../../host/tensor.ts';
import { tolerance } from '../tolerance.ts';
import { filled, rewritten, text } from './rewrite.ts';

function constant(b: Builder, shape: Shape, seed: number): Value {
  return b.constant(filled('float32', shape, seed));
}
function convolved(b: Builder, groups: number, bias: boolean): Value {
  const x = b.input('x', { dtype: 'float32', shape: [2, 5, 6, 4] });
  const attrs = { strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1], groups, ...noClamp } as const;
  return b.add(conv2d, attrs, [x, constant(b, [3, 3, 4 / groups, 8], 3), bias ? constant(b, [8], 4) : null]);
}
function normalised(b: Builder, x: Value): Value {
  const variance = b.constant({ dtype: 'float32', shape: [8], data: Float32Array.of(0.1, 1, 2, 0.5, 3, 0.01, 1.5, 0.7) });
  return b.add(batchNorm, { epsilon: 1e-3 }, [x, constant(b, [8], 5), constant(b, [8], 6), constant(b, [8], 7), variance]);
}
function scaled(b: Builder, kind: BinaryKind, operands: [Value, Value]): Value {
  return b.add(binary, { kind, min: -1, max: Infinity }, operands);
}

test('conv2d takes in a batch normalisation', () => {
  const { after, count } = rewritten((b) => { b.output(normalised(b, convolved(b, 1, true)), 'y'); }, foldBatchNorm, tolerance.rewrite);
  assert.equal(count, 1);
  // The numbers of the new bias are rounded products; the comparison above checks them.
  assert.equal(after.replace(/=\[[^\]]*\]/, ''), text(`
    input %0 "x": float32[2,5,6,4]
    %1: float32[2,5,6,8] = conv2d(%0, float32[3,3,4,8], float32[8]) {dilations: [1,1], groups: 1, pads: [1,1,1,1], strides: [1,1]}
    output %1 "y"`));
});

const cases: Record<string, (b: Builder) => Value> = {
  'a depthwise convolution without bias': (b) => normalised(b, convolved(b, 4, false)),
  'a product with the constant first': (b) => scaled(b, 'mul', [constant(b, [1, 1, 8], 8), convolved(b, 2, true)]),
  'a quotient': (b) => scaled(b, 'div', [convolved(b, 1, true), constant(b, [8], 8)]),
  'a difference': (b) => scaled(b, 'sub', [convolved(b, 1, false), constant(b, [8], 8)]),
  'a difference from a scalar': (b) => scaled(b, 'sub', [constant(b, [], 8), convolved(b, 1, false)]),
  'a bias of a matrix product': (b) => scaled(b, 'add', [
    b.add(matmul, { ...noClamp }, [b.input('x', { dtype: 'float32', shape: [3, 5] }), constant(b, [5, 8], 2), null]), constant(b, [8], 8),
  ]),
};
for (const [name, build] of Object.entries(cases)) {
  test(`folds ${name}`, () => {
    const { graph, count } = rewritten((b) => { b.output(build(b), 'y'); }, foldBatchNorm, tolerance.rewrite);
    assert.equal(count, 1);
    assert.equal(graph.nodes.length, 1);
  });
}

const kept: Record<string, (b: Builder) => Value> = {
  'a constant that differs between rows': (b) => scaled(b, 'mul', [convolved(b, 1, true), constant(b, [5, 1, 1], 8)]),
  'a quotient of a constant': (b) => scaled(b, 'div', [constant(b, [8], 8), convolved(b, 1, true)]),
  'a sum behind a clamp': (b) => scaled(b, 'add', [scaled(b, 'add', [convolved(b, 1, true), constant(b, [8], 8)]), constant(b, [8], 9)]),
  'a product of a value that something else needs': (b) => {
    const x = convolved(b, 1, true);
    b.output(x, 'x');
    return scaled(b, 'mul', [x, constant(b, [8], 8)]);
  },
};
for (const [name, build] of Object.entries(kept)) {
  test(`keeps ${name}`, () => {
    const { after } = rewritten((b) => { b.output(build(b), 'y'); }, foldBatchNorm, tolerance.rewrite);
    assert.match(after, / binary\(/);
  });
}
