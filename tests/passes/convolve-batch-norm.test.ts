// A batch normalisation without a convolution before it: one depthwise step, with the clamp behind it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Builder } from '../../host/graph/builder.ts';
import type { Value } from '../../host/graph/graph.ts';
import { batchNorm } from '../../host/ops/batch-norm.ts';
import { unary } from '../../host/ops/unary.ts';
import { convolveBatchNorm } from '../../host/passes/convolve-batch-norm.ts';
import { fuseClamp } from '../../host/passes/fuse-clamp.ts';
import type { Shape } from '../../host/tensor.ts';
import { tolerance } from '../tolerance.ts';
import { filled, rewritten, text } from './rewrite.ts';

function normalised(b: Builder, shape: Shape): Value {
  const [gamma, beta, mean] = [2, 3, 4].map((seed) => b.constant(filled('float32', [3], seed)));
  const variance = b.constant({ dtype: 'float32', shape: [3], data: Float32Array.of(0.1, 1, 2) });
  return b.add(batchNorm, { epsilon: 1e-3 }, [b.input('x', { dtype: 'float32', shape }), gamma, beta, mean, variance]);
}

test('a normalisation of pictures and the clamp behind it are one convolution', () => {
  const { after, count } = rewritten(
    (b) => { b.output(b.add(unary, { kind: 'clamp', p0: 0, p1: Infinity }, [normalised(b, [2, 4, 5, 3])]), 'y'); },
    [convolveBatchNorm, fuseClamp], tolerance.rewrite,
  );
  assert.equal(count, 2);
  assert.equal(after.replaceAll(/=\[[^\]]*\]/g, ''), text(`
    input %0 "x": float32[2,4,5,3]
    %1: float32[2,4,5,3] = conv2d(%0, float32[1,1,1,3], float32[3]) {dilations: [1,1], groups: 3, min: 0, pads: [0,0,0,0], strides: [1,1]}
    output %1 "y"`));
});

test('a normalisation of rows stays', () => {
  const { count } = rewritten((b) => { b.output(normalised(b, [7, 3]), 'y'); }, convolveBatchNorm);
  assert.equal(count, 0);
});
