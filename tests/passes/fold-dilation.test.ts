// spaceToBatch, convolution and batchToSpace are one dilated convolution, whatever pads and crops surround it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Builder } from '../../host/graph/builder.ts';
import { batchToSpace } from '../../host/ops/batch-to-space.ts';
import { conv2d } from '../../host/ops/conv2d.ts';
import { spaceToBatch } from '../../host/ops/space-to-batch.ts';
import { foldDilation } from '../../host/passes/fold-dilation.ts';
import { filled, rewritten, text } from './rewrite.ts';

interface Case {
  readonly size: readonly [number, number];
  readonly block: readonly [number, number];
  readonly pads: readonly [number, number, number, number];
  readonly crops: readonly [number, number, number, number];
  readonly groups: number;
  readonly strides?: readonly [number, number];
  readonly convPads?: readonly [number, number, number, number];
}

function build(c: Case): (b: Builder) => void {
  return (b) => {
    const x = b.input('x', { dtype: 'float32', shape: [2, ...c.size, 4] });
    const split = b.add(spaceToBatch, { block: c.block, pads: c.pads }, [x]);
    const w = b.constant(filled('float32', [3, 3, 4 / c.groups, 4], 5));
    const attrs = { strides: c.strides ?? [1, 1] as const, pads: c.convPads ?? [0, 0, 0, 0] as const, dilations: [1, 1] as const, groups: c.groups, min: -1, max: 3 };
    const y = b.add(conv2d, attrs, [split, w, b.constant(filled('float32', [4], 6))]);
    b.output(b.add(batchToSpace, { block: c.block, crops: c.crops }, [y]), 'y');
  };
}

const cases: Record<string, Case> = {
  'the same size': { size: [7, 9], block: [2, 3], pads: [2, 3, 3, 3], crops: [0, 0, 1, 0], groups: 1 },
  'depthwise, cropped on all sides': { size: [8, 9], block: [2, 3], pads: [3, 4, 5, 5], crops: [1, 2, 1, 1], groups: 4 },
  'a convolution with pads of its own': { size: [4, 6], block: [2, 2], pads: [0, 0, 0, 0], crops: [0, 0, 0, 0], groups: 2, convPads: [1, 1, 1, 1] },
};
for (const [name, c] of Object.entries(cases)) {
  test(`folds ${name}`, () => {
    const { graph, count } = rewritten(build(c), foldDilation);
    assert.equal(count, 1);
    assert.equal(graph.nodes.length, 1);
  });
}

test('the text before and after', () => {
  const { before, after } = rewritten(build(cases['the same size']), foldDilation);
  assert.match(before, /spaceToBatch[^]*conv2d[^]*batchToSpace/);
  assert.equal(after.replaceAll(/=\[[^\]]*\]/g, ''), text(`
    input %0 "x": float32[2,7,9,4]
    %1: float32[2,7,9,4] = conv2d(%0, float32[3,3,4,4], float32[4]) {dilations: [2,3], groups: 1, max: 3, min: -1, pads: [2,3,2,3], strides: [1,1]}
    output %1 "y"`));
});

test('keeps a convolution with strides', () => {
  const { count } = rewritten(build({ size: [10, 10], block: [2, 2], pads: [0, 0, 0, 0], crops: [0, 0, 0, 0], groups: 1, strides: [2, 2] }), foldDilation);
  assert.equal(count, 0);
});
