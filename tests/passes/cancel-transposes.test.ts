// NCHW graphs as importers make them lose their transposes, and keep their meaning to the last bit.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Builder } from '../../host/graph/builder.ts';
import type { Value } from '../../host/graph/graph.ts';
import { noClamp } from '../../host/ops/activation.ts';
import { batchNorm } from '../../host/ops/batch-norm.ts';
import { binary } from '../../host/ops/binary.ts';
import { concat } from '../../host/ops/concat.ts';
import { pool2d } from '../../host/ops/pool2d.ts';
import { reduce } from '../../host/ops/reduce.ts';
import { reshape } from '../../host/ops/reshape.ts';
import { slice } from '../../host/ops/slice.ts';
import { softmax } from '../../host/ops/softmax.ts';
import { transpose } from '../../host/ops/transpose.ts';
import { unary } from '../../host/ops/unary.ts';
import { cancelTransposes } from '../../host/passes/cancel-transposes.ts';
import { transposeAfterReshape } from '../../host/passes/permutation.ts';
import { filled, rewritten, text } from './rewrite.ts';

const toNhwc = [0, 2, 3, 1];
const toNchw = [0, 3, 1, 2];

function input(b: Builder, name: string, ...shape: number[]): Value {
  return b.input(name, { dtype: 'float32', shape });
}
function relu(b: Builder, x: Value): Value {
  return b.add(unary, { kind: 'clamp', p0: 0, p1: Infinity }, [x]);
}
/** A spatial op between its two transposes. */
function pooled(b: Builder, x: Value): Value {
  const nhwc = b.add(transpose, { perm: toNhwc }, [x]);
  const y = b.add(pool2d, {
    kind: 'average', kernel: [2, 2], strides: [1, 1], pads: [0, 0, 1, 1], dilations: [1, 1], ceilMode: false, countIncludePad: false, ...noClamp,
  }, [nhwc]);
  return b.add(transpose, { perm: toNchw }, [y]);
}
function transposesIn(graph: string): number {
  return (graph.match(/ transpose\(/g) ?? []).length;
}

test('a chain keeps one transpose at either end', () => {
  const { before, after } = rewritten((b) => {
    b.output(pooled(b, relu(b, pooled(b, input(b, 'x', 2, 3, 4, 5)))), 'y');
  }, cancelTransposes);
  assert.equal(transposesIn(before), 4);
  assert.equal(after, text(`
    input %0 "x": float32[2,3,4,5]
    %1: float32[2,4,5,3] = transpose(%0) {perm: [0,2,3,1]}
    %2: float32[2,4,5,3] = pool2d(%1) {ceilMode: false, countIncludePad: false, dilations: [1,1], kernel: [2,2], kind: average, pads: [0,0,1,1], strides: [1,1]}
    %3: float32[2,4,5,3] = unary(%2) {kind: clamp, p0: 0, p1: Infinity}
    %4: float32[2,4,5,3] = pool2d(%3) {ceilMode: false, countIncludePad: false, dilations: [1,1], kernel: [2,2], kind: average, pads: [0,0,1,1], strides: [1,1]}
    %5: float32[2,3,4,5] = transpose(%4) {perm: [0,3,1,2]}
    output %5 "y"`));
});

const graphs: Record<string, { readonly left: number; readonly build: (b: Builder) => void }> = {
  'a residual sum with a per-channel constant': {
    left: 2,
    build(b) {
      const x = pooled(b, input(b, 'x', 2, 3, 4, 5));
      const sum = b.add(binary, { kind: 'add', ...noClamp }, [x, pooled(b, relu(b, x))]);
      const scaled = b.add(binary, { kind: 'mul', ...noClamp }, [sum, b.constant(filled('float32', [3, 1, 1], 7))]);
      b.output(pooled(b, b.add(binary, { kind: 'sub', ...noClamp }, [b.constant(filled('float32', [], 8)), scaled])), 'y');
    },
  },
  'slices and a concat of channels': {
    left: 2,
    build(b) {
      const x = pooled(b, input(b, 'x', 2, 6, 4, 5));
      const half = (start: number): Value => b.add(slice, { starts: [0, start, 0, 0], sizes: [2, 3, 4, 5], steps: [1, 1, 1, 1] }, [x]);
      b.output(pooled(b, b.add(concat, { axis: 1 }, [half(0), relu(b, half(3))])), 'y');
    },
  },
  'a gate from reduced pixels': {
    left: 2,
    build(b) {
      const x = pooled(b, input(b, 'x', 2, 3, 4, 5));
      const mean = b.add(reduce, { kind: 'mean', axes: [2, 3], keepDims: false }, [x]);
      const gate = b.add(reshape, { shape: [2, 3, 1, 1] }, [b.add(unary, { kind: 'sigmoid', p0: 0, p1: 0 }, [mean])]);
      b.output(pooled(b, b.add(binary, { kind: 'mul', ...noClamp }, [gate, x])), 'y');
    },
  },
  'a global average and its flattening': {
    left: 1,
    build(b) {
      const x = pooled(b, input(b, 'x', 2, 3, 4, 5));
      const mean = b.add(reduce, { kind: 'mean', axes: [2, 3], keepDims: true }, [x]);
      b.output(b.add(softmax, { axis: 1, log: false, beta: 1 }, [b.add(reshape, { shape: [2, 3] }, [mean])]), 'y');
    },
  },
  'heads that the model itself transposes back': {
    left: 1,
    build(b) {
      const x = pooled(b, input(b, 'x', 1, 6, 4, 5));
      const head = (y: Value): Value => b.add(reshape, { shape: [1, 40, 3] }, [b.add(transpose, { perm: toNhwc }, [y])]);
      b.output(b.add(concat, { axis: 1 }, [head(x), head(pooled(b, x))]), 'y');
    },
  },
  'heads of merged pixels, concatenated': {
    left: 2,
    build(b) {
      const x = pooled(b, input(b, 'x', 1, 6, 4, 5));
      const head = (y: Value): Value => b.add(reshape, { shape: [1, 6, 20] }, [y]);
      b.output(b.add(concat, { axis: 2 }, [head(x), head(pooled(b, x))]), 'y');
    },
  },
  'a concat of which one part is an input': {
    left: 2,
    build(b) {
      const x = pooled(b, input(b, 'x', 2, 3, 4, 5));
      const joined = b.add(concat, { axis: 1 }, [x, pooled(b, x), input(b, 'z', 2, 2, 4, 5)]);
      const mean = b.add(reduce, { kind: 'mean', axes: [2, 3], keepDims: true }, [pooled(b, joined)]);
      b.output(mean, 'y');
    },
  },
  'batch normalisation, whose parameters lie along the channels': {
    left: 2,
    build(b) {
      const x = pooled(b, input(b, 'x', 2, 3, 4, 5));
      const nhwc = b.add(transpose, { perm: toNhwc }, [x]);
      const parameters = [4, 5, 6].map((seed) => b.constant(filled('float32', [3], seed)));
      const variance = b.constant({ dtype: 'float32', shape: [3], data: Float32Array.of(0.5, 1, 2) });
      const y = b.add(batchNorm, { epsilon: 1e-5 }, [nhwc, ...parameters, variance]);
      b.output(b.add(transpose, { perm: toNchw }, [relu(b, b.add(transpose, { perm: toNhwc }, [b.add(transpose, { perm: toNchw }, [y])]))]), 'y');
    },
  },
};
for (const [name, { left, build }] of Object.entries(graphs)) {
  test(`${name}: ${left} left`, () => {
    const { after } = rewritten(build, cancelTransposes);
    assert.equal(transposesIn(after), left, after);
  });
}

test('an output that was only a transposed view keeps its name and its layout', () => {
  const { after } = rewritten((b) => {
    const x = input(b, 'x', 1, 3, 4, 5);
    b.output(b.add(transpose, { perm: toNchw }, [b.add(transpose, { perm: toNhwc }, [x])]), 'same');
    b.output(relu(b, x), 'y');
  }, cancelTransposes);
  assert.match(after, /output %\d+ "same"\noutput %\d+ "y"/);
  assert.equal(transposesIn(after), 0);
});

test('a reshape trades places with a transpose exactly where it keeps neighbours together', () => {
  assert.deepEqual(transposeAfterReshape([1, 4, 5, 6], toNchw, [1, 6, 20]), { shape: [1, 20, 6], perm: [0, 2, 1] });
  assert.deepEqual(transposeAfterReshape([2, 4, 5, 6], toNchw, [2, 2, 3, 4, 5]), { shape: [2, 4, 5, 2, 3], perm: [0, 3, 4, 1, 2] });
  assert.equal(transposeAfterReshape([2, 4, 5, 6], toNchw, [2, 120]), undefined);
  assert.deepEqual(transposeAfterReshape([2, 1, 1, 6], toNchw, [2, 6]), { shape: [2, 6], perm: [0, 1] });
  assert.deepEqual(transposeAfterReshape([4, 6], [1, 0], [1, 6, 1, 4, 1]), { shape: [1, 4, 1, 6, 1], perm: [0, 3, 4, 1, 2] });
});
