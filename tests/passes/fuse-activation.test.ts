// Leaky and hard activations end up in the float32 convolution before them, others stay.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Builder } from '../../host/graph/builder.ts';
import type { Value } from '../../host/graph/graph.ts';
import { noClamp, type Clamp } from '../../host/ops/activation.ts';
import { conv2d } from '../../host/ops/conv2d.ts';
import { unary, type UnaryAttrs } from '../../host/ops/unary.ts';
import { fuseActivation } from '../../host/passes/fuse-activation.ts';
import { fuseClamp } from '../../host/passes/fuse-clamp.ts';
import { filled, rewritten } from './rewrite.ts';

function conv(b: Builder, x: Value, clamp: Clamp = noClamp): Value {
  const attrs = { strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1], groups: 1, ...clamp } as const;
  return b.add(conv2d, attrs, [x, b.constant(filled('float32', [3, 3, 2, 5], 2)), b.constant(filled('float32', [5], 3))]);
}
function image(b: Builder): Value {
  return b.input('x', { dtype: 'float32', shape: [1, 4, 3, 2] });
}
const leaky = (p0: number): UnaryAttrs => ({ kind: 'leakyRelu', p0, p1: 0 });
const swish: UnaryAttrs = { kind: 'hardSwish', p0: 0, p1: 0 };

/** How many activations the pass takes in behind one convolution. */
function taken(attrs: UnaryAttrs, clamp: Clamp = noClamp): number {
  return rewritten((b) => { b.output(b.add(unary, attrs, [conv(b, image(b), clamp)]), 'y'); }, fuseActivation, 1e-6).count;
}

test('leaky Relu, swish, hard swish and hard sigmoid', () => {
  assert.equal(taken(leaky(0.1)), 1);
  assert.equal(taken(swish), 1);
  assert.equal(taken({ kind: 'hardSigmoid', p0: 0.2, p1: 0.5 }), 1);
  assert.equal(taken({ kind: 'swish', p0: 0, p1: 0 }), 1);
});

test('hard swish behind a clamp; leaky Relu only in its place, and only where it is a maximum', () => {
  assert.equal(taken(swish, { min: 0, max: 6 }), 1);
  assert.equal(taken(leaky(0.1), { min: -1, max: Infinity }), 0);
  assert.equal(taken(leaky(1.5)), 0);
  assert.equal(taken(leaky(-0.5)), 0);
});

test('other functions stay', () => { assert.equal(taken({ kind: 'sigmoid', p0: 0, p1: 0 }), 0); });

test('a sum that something else needs stays', () => {
  const { count } = rewritten((b) => {
    const sum = conv(b, image(b));
    b.output(b.add(unary, swish, [sum]), 'y');
    b.output(sum, 'sum');
  }, fuseActivation);
  assert.equal(count, 0);
});

test('one activation per convolution, and no clamp behind it', () => {
  const { count, after } = rewritten((b) => {
    const once = b.add(unary, swish, [conv(b, image(b))]);
    b.output(b.add(unary, { kind: 'clamp', p0: 0, p1: 1 }, [b.add(unary, leaky(0.5), [once])]), 'y');
  }, fuseActivation, 1e-6);
  assert.equal(count, 1);
  assert.match(after, /hardSwish[^]*leakyRelu[^]*clamp/);
});

test('a clamp behind an activation is not the convolution\'s own', () => {
  const { after } = rewritten((b) => {
    b.output(b.add(unary, { kind: 'clamp', p0: -0.1, p1: 1 }, [b.add(unary, swish, [conv(b, image(b))])]), 'y');
  }, [fuseActivation, fuseClamp], 1e-6);
  assert.match(after, /clamp/);
});
