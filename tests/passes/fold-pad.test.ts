// Padding moves into convolutions and pools where that is exact, and stays where it is not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Builder } from '../../host/graph/builder.ts';
import type { Value } from '../../host/graph/graph.ts';
import { noClamp } from '../../host/ops/activation.ts';
import { conv2d } from '../../host/ops/conv2d.ts';
import { pad } from '../../host/ops/pad.ts';
import { pool2d, type Pool2dAttrs } from '../../host/ops/pool2d.ts';
import { transpose } from '../../host/ops/transpose.ts';
import { foldPad } from '../../host/passes/fold-pad.ts';
import { filled, perTensor, rewritten, text } from './rewrite.ts';

type Pads = readonly [number, number, number, number];

function convolved(b: Builder, x: Value, pads: Pads): Value {
  return b.add(conv2d, { strides: [2, 2], pads, dilations: [1, 1], groups: 1, ...noClamp }, [x, b.constant(filled('float32', [3, 3, 3, 2], 9)), null]);
}
function padded(b: Builder, x: Value, pads: readonly number[], value = 0): Value {
  return b.add(pad, { pads, mode: 'constant', value }, [x]);
}
function image(b: Builder, ...shape: number[]): Value {
  return b.input('x', { dtype: 'float32', shape });
}

test('asymmetric zeros become pads of the convolution', () => {
  const { after, count } = rewritten((b) => {
    b.output(convolved(b, padded(b, image(b, 1, 6, 7, 3), [0, 0, 1, 0, 0, 1, 0, 0]), [1, 0, 0, 1]), 'y');
  }, foldPad);
  assert.equal(count, 1);
  assert.equal(after, text(`
    input %0 "x": float32[1,6,7,3]
    %1: float32[1,3,4,2] = conv2d(%0, float32[3,3,3,2], -) {dilations: [1,1], groups: 1, pads: [1,1,1,1], strides: [2,2]}
    output %1 "y"`));
});

test('zeros that are added before the picture becomes NHWC do too', () => {
  const { after, count } = rewritten((b) => {
    const nchw = padded(b, image(b, 1, 3, 6, 7), [0, 0, 0, 1, 0, 0, 1, 2]);
    b.output(convolved(b, b.add(transpose, { perm: [0, 2, 3, 1] }, [nchw]), [0, 0, 0, 0]), 'y');
  }, foldPad);
  assert.equal(count, 1);
  assert.doesNotMatch(after, / pad\(/);
  assert.match(after, /pads: \[0,1,1,2\]/);
});

test('int8 zeros are zero points', () => {
  const quantization = perTensor(0.5, -7);
  const { count } = rewritten((b) => {
    const x = b.input('x', { dtype: 'int8', shape: [1, 6, 7, 3], quantization });
    const w = b.constant(filled('int8', [3, 3, 3, 2], 4, perTensor(0.01, 3)));
    const attrs = { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], groups: 1, ...noClamp } as const;
    b.output(b.add(conv2d, attrs, [padded(b, x, [0, 1, 2, 0, 0, 3, 0, 0]), w, null], { quantization: perTensor(0.3, 5) }), 'y');
  }, foldPad);
  assert.equal(count, 1);
});

const pool: Pool2dAttrs = { kind: 'average', kernel: [3, 3], strides: [2, 2], pads: [0, 0, 0, 0], dilations: [1, 1], ceilMode: false, countIncludePad: false, ...noClamp };
test('an average that counts the zeros takes them in', () => {
  const { after, count } = rewritten((b) => {
    b.output(b.add(pool2d, pool, [padded(b, image(b, 1, 6, 7, 3), [0, 1, 1, 0, 0, 1, 2, 0])]), 'y');
  }, foldPad, 1e-6);
  assert.equal(count, 1);
  assert.match(after, /countIncludePad: true.*pads: \[1,1,1,2\]/);
});
test('a maximum takes in minus infinity', () => {
  const { count } = rewritten((b) => {
    b.output(b.add(pool2d, { ...pool, kind: 'max' }, [padded(b, image(b, 1, 6, 7, 3), [0, 1, 1, 0, 0, 1, 1, 0], -Infinity)]), 'y');
  }, foldPad);
  assert.equal(count, 1);
});

const kept: Record<string, (b: Builder) => Value> = {
  'another value': (b) => convolved(b, padded(b, image(b, 1, 6, 7, 3), [0, 1, 1, 0, 0, 1, 1, 0], 0.5), [0, 0, 0, 0]),
  'padded channels': (b) => convolved(b, padded(b, image(b, 1, 6, 7, 2), [0, 1, 1, 0, 0, 1, 1, 1]), [0, 0, 0, 0]),
  'reflected borders': (b) => convolved(b, b.add(pad, { pads: [0, 1, 1, 0, 0, 1, 1, 0], mode: 'reflect', value: 0 }, [image(b, 1, 6, 7, 3)]), [0, 0, 0, 0]),
  'zeros before a maximum': (b) => b.add(pool2d, { ...pool, kind: 'max' }, [padded(b, image(b, 1, 6, 7, 3), [0, 1, 1, 0, 0, 1, 1, 0])]),
  'averages that do not count their own pads': (b) => b.add(pool2d, { ...pool, pads: [1, 1, 1, 1] }, [padded(b, image(b, 1, 6, 7, 3), [0, 1, 1, 0, 0, 1, 1, 0])]),
  'maxima of padding alone': (b) => b.add(pool2d, { ...pool, kind: 'max', strides: [1, 1] }, [padded(b, image(b, 1, 6, 7, 3), [0, 3, 0, 0, 0, 0, 0, 0], -Infinity)]),
};
for (const [name, build] of Object.entries(kept)) {
  test(`${name} stay`, () => {
    const { before, after, count } = rewritten((b) => { b.output(build(b), 'y'); }, foldPad);
    assert.equal(count, 0);
    assert.equal(after, before);
  });
}
