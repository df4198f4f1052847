// Every spelling of a channel shuffle becomes one node; what only looks like one stays.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Builder } from '../../host/graph/builder.ts';
import { reshape } from '../../host/ops/reshape.ts';
import { transpose } from '../../host/ops/transpose.ts';
import { recogniseShuffle } from '../../host/passes/recognise-shuffle.ts';
import { rewritten, text } from './rewrite.ts';

interface Spelling {
  readonly from: readonly number[];
  readonly split: readonly number[];
  readonly perm: readonly number[];
  readonly to?: readonly number[];
}

function spelled({ from, split, perm, to = from }: Spelling): (b: Builder) => void {
  return (b) => {
    const x = b.input('x', { dtype: 'float32', shape: from });
    const parts = b.add(reshape, { shape: split }, [x]);
    const swapped = b.add(transpose, { perm }, [parts]);
    b.output(b.add(reshape, { shape: to }, [swapped]), 'y');
  };
}

const shuffles: Record<string, Spelling & { readonly golden: string }> = {
  'NCHW in five dimensions': { from: [2, 6, 4, 5], split: [2, 2, 3, 4, 5], perm: [0, 2, 1, 3, 4], golden: '{axis: 1, groups: 2}' },
  'NCHW with merged pixels': { from: [2, 6, 4, 5], split: [2, 3, 2, 20], perm: [0, 2, 1, 3], golden: '{axis: 1, groups: 3}' },
  'NCHW without a batch': { from: [1, 6, 4, 5], split: [2, 3, 20], perm: [1, 0, 2], golden: '{axis: 1, groups: 2}' },
  'NHWC in five dimensions': { from: [1, 4, 5, 6], split: [1, 4, 5, 3, 2], perm: [0, 1, 2, 4, 3], golden: '{axis: 3, groups: 3}' },
  'NHWC with merged pixels': { from: [2, 4, 5, 6], split: [40, 2, 3], perm: [0, 2, 1], golden: '{axis: 3, groups: 2}' },
  'NHWC with axes of extent 1 in between': { from: [1, 4, 5, 6], split: [1, 20, 2, 1, 3], perm: [0, 1, 4, 3, 2], golden: '{axis: 3, groups: 2}' },
};

for (const [name, { golden, ...spelling }] of Object.entries(shuffles)) {
  test(`recognises ${name}`, () => {
    const { after, count } = rewritten(spelled(spelling), recogniseShuffle);
    assert.equal(count, 1);
    const type = `float32[${spelling.from.join(',')}]`;
    assert.equal(after, text(`
      input %0 "x": ${type}
      %1: ${type} = channelShuffle(%0) ${golden}
      %2: ${type} = reshape(%1) {shape: [${spelling.from.join(',')}]}
      output %2 "y"`));
  });
}

test('keeps another final shape behind the shuffle', () => {
  const { after, count } = rewritten(spelled({ from: [1, 6, 4, 5], split: [6 / 2, 2, 20], perm: [1, 0, 2], to: [2, 1, 3, 4, 5] }), recogniseShuffle);
  assert.equal(count, 1);
  assert.match(after, /channelShuffle\(%0\) \{axis: 1, groups: 3\}\n.*reshape\(%1\) \{shape: \[2,1,3,4,5\]\}/);
});

const others: Record<string, Spelling> = {
  'a transpose of pixels and channels': { from: [1, 4, 5, 6], split: [1, 20, 6], perm: [0, 2, 1], to: [1, 6, 4, 5] },
  'a swap across an axis': { from: [1, 12, 4, 5], split: [1, 2, 3, 2, 20], perm: [0, 3, 2, 1, 4] },
  'depth to space': { from: [1, 8, 4, 5], split: [1, 2, 2, 2, 4, 5], perm: [0, 3, 4, 1, 5, 2], to: [1, 2, 8, 10] },
  'a split of the rows': { from: [2, 6, 4, 5], split: [2, 6, 2, 2, 5], perm: [0, 2, 1, 3, 4] },
};
for (const [name, spelling] of Object.entries(others)) {
  test(`leaves ${name}`, () => {
    const { before, after, count } = rewritten(spelled(spelling), recogniseShuffle);
    assert.equal(count, 0);
    assert.equal(after, before);
  });
}
