// Activations end up in the op before them; several clamps become the one that has their effect.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Builder } from '../../host/graph/builder.ts';
import type { Value } from '../../host/graph/graph.ts';
import { noClamp } from '../../host/ops/activation.ts';
import { binary } from '../../host/ops/binary.ts';
import { channelShuffle } from '../../host/ops/channel-shuffle.ts';
import { concat } from '../../host/ops/concat.ts';
import { unary } from '../../host/ops/unary.ts';
import { fuseClamp } from '../../host/passes/fuse-clamp.ts';
import { filled, rewritten, text } from './rewrite.ts';

function sum(b: Builder, x: Value, bounds = noClamp): Value {
  return b.add(binary, { kind: 'add', ...bounds }, [x, b.constant(filled('float32', [1, 2, 3, 1], 3))]);
}
function clamp(b: Builder, x: Value, low: number, high: number): Value {
  return b.add(unary, { kind: 'clamp', p0: low, p1: high }, [x]);
}
function image(b: Builder, name = 'x'): Value {
  return b.input(name, { dtype: 'float32', shape: [1, 2, 3, 4] });
}

test('Relu and Clip behind a sum', () => {
  const { after, count } = rewritten((b) => { b.output(clamp(b, clamp(b, sum(b, image(b)), 0, Infinity), 0, 1), 'y'); }, fuseClamp);
  assert.equal(count, 2);
  assert.equal(after.replace(/=\[[^\]]*\]/, ''), text(`
    input %0 "x": float32[1,2,3,4]
    %1: float32[1,2,3,4] = binary(%0, float32[1,2,3,1]) {kind: add, max: 1, min: 0}
    output %1 "y"`));
});

const pairs: readonly (readonly [readonly [number, number], readonly [number, number], string])[] = [
  [[-1, 0.5], [0, 2], 'max: 0.5, min: 0'],
  [[-1, 0.2], [0.4, 2], 'max: 0.4, min: 0.4'],
  [[0.4, 2], [-1, 0.2], 'max: 0.2, min: 0.2'],
  [[-Infinity, 0.5], [-0.5, Infinity], 'max: 0.5, min: -0.5'],
];
for (const [[min, max], outer, golden] of pairs) {
  test(`[${min}, ${max}] and then [${outer.join(', ')}] is {${golden}}`, () => {
    const { after, count } = rewritten((b) => { b.output(clamp(b, sum(b, image(b), { min, max }), ...outer), 'y'); }, fuseClamp);
    assert.equal(count, 1);
    assert.match(after, new RegExp(`{kind: add, ${golden}}`));
  });
}

test('a clamp behind joined and shuffled parts moves into them', () => {
  const { after, count } = rewritten((b) => {
    const parts = b.add(concat, { axis: 3 }, [sum(b, image(b)), sum(b, image(b, 'z'), { min: -1, max: 1 })]);
    b.output(clamp(b, b.add(channelShuffle, { axis: 3, groups: 2 }, [parts]), 0, Infinity), 'y');
  }, fuseClamp);
  assert.equal(count, 1);
  assert.doesNotMatch(after, /unary/);
});

const kept: Record<string, (b: Builder) => Value> = {
  'a clamp of a value that is also an output': (b) => {
    const x = sum(b, image(b));
    b.output(x, 'x');
    return clamp(b, x, 0, 1);
  },
  'a clamp of joined parts of which one is an input': (b) => clamp(b, b.add(concat, { axis: 3 }, [sum(b, image(b)), image(b, 'z')]), 0, 1),
  'another function': (b) => b.add(unary, { kind: 'leakyRelu', p0: 0.1, p1: 0 }, [sum(b, image(b))]),
};
for (const [name, build] of Object.entries(kept)) {
  test(`keeps ${name}`, () => {
    const { before, after, count } = rewritten((b) => { b.output(build(b), 'y'); }, fuseClamp);
    assert.equal(count, 0);
    assert.equal(after, before);
  });
}
