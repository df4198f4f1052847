// The passes that need little: constants, identities, repetitions, dead ends, dense weights, hard swish.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Builder } from '../../host/graph/builder.ts';
import type { Value } from '../../host/graph/graph.ts';
import { noClamp } from '../../host/ops/activation.ts';
import { binary } from '../../host/ops/binary.ts';
import { concat } from '../../host/ops/concat.ts';
import { dequantize } from '../../host/ops/dequantize.ts';
import { matmul } from '../../host/ops/matmul.ts';
import { reshape } from '../../host/ops/reshape.ts';
import { slice } from '../../host/ops/slice.ts';
import { transpose } from '../../host/ops/transpose.ts';
import { unary } from '../../host/ops/unary.ts';
import { dropIdentities } from '../../host/passes/drop-identities.ts';
import { foldConstants, foldDequantisedWeights } from '../../host/passes/fold-constants.ts';
import { fuseClamp } from '../../host/passes/fuse-clamp.ts';
import { mergeEqualNodes } from '../../host/passes/merge-equal-nodes.ts';
import { permuteDenseWeights } from '../../host/passes/permute-dense-weights.ts';
import { recogniseSwish } from '../../host/passes/recognise-swish.ts';
import { removeDead } from '../../host/passes/remove-dead.ts';
import { tolerance } from '../tolerance.ts';
import { filled, perTensor, rewritten, text } from './rewrite.ts';

function image(b: Builder): Value {
  return b.input('x', { dtype: 'float32', shape: [2, 3, 4, 5] });
}
function scalar(b: Builder, value: number): Value {
  return b.constant({ dtype: 'float32', shape: [], data: Float32Array.of(value) });
}
function times(b: Builder, x: Value, y: Value): Value {
  return b.add(binary, { kind: 'mul', ...noClamp }, [x, y]);
}
/** exp of dequantised weights, which the builder was told not to fold. */
function weights(b: Builder): Value {
  const w = b.add(dequantize, {}, [b.constant(filled('int8', [5], 3, perTensor(0.1, 2)))], { fold: false });
  return b.add(unary, { kind: 'exp', p0: 0, p1: 0 }, [w]);
}

test('fold-constants waits for dequantised weights, fold-dequantised-weights does not', () => {
  assert.equal(rewritten((b) => { b.output(times(b, image(b), weights(b)), 'y'); }, foldConstants).count, 0);
  const { graph, count } = rewritten((b) => { b.output(times(b, image(b), weights(b)), 'y'); }, [foldDequantisedWeights, foldConstants]);
  assert.equal(count, 2);
  assert.equal(graph.nodes.length, 1);
});

test('drop-identities leaves out what does nothing, except between the input and an output', () => {
  const { after, count } = rewritten((b) => {
    const x = image(b);
    const whole = { starts: [0, 0, 0, 0], sizes: [2, 3, 4, 5], steps: [1, 1, 1, 1] };
    const same = b.add(concat, { axis: 1 }, [b.add(slice, whole, [x])]);
    b.output(b.add(unary, { kind: 'clamp', p0: -Infinity, p1: Infinity }, [same]), 'same');
    b.output(b.add(unary, { kind: 'tanh', p0: 0, p1: 0 }, [same]), 'y');
  }, dropIdentities);
  assert.equal(count, 2);
  assert.equal(after, text(`
    input %0 "x": float32[2,3,4,5]
    %1: float32[2,3,4,5] = unary(%0) {kind: clamp, p0: -Infinity, p1: Infinity}
    %2: float32[2,3,4,5] = unary(%0) {kind: tanh, p0: 0, p1: 0}
    output %1 "same"
    output %2 "y"`));
});

test('drop-identities keeps a slice that runs backwards', () => {
  const { count } = rewritten((b) => {
    b.output(b.add(slice, { starts: [1, 0, 0, 0], sizes: [2, 3, 4, 5], steps: [-1, 1, 1, 1] }, [image(b)]), 'y');
  }, dropIdentities);
  assert.equal(count, 0);
});

test('merge-equal-nodes computes equal things once and tells different ones apart', () => {
  const { after, count } = rewritten((b) => {
    const x = image(b);
    const relu = (high: number): Value => b.add(unary, { kind: 'clamp', p0: 0, p1: high }, [x]);
    b.output(times(b, relu(6), b.add(binary, { kind: 'add', ...noClamp }, [relu(6), relu(Infinity)])), 'y');
  }, mergeEqualNodes);
  assert.equal(count, 1);
  assert.equal(after, text(`
    input %0 "x": float32[2,3,4,5]
    %1: float32[2,3,4,5] = unary(%0) {kind: clamp, p0: 0, p1: 6}
    %2: float32[2,3,4,5] = unary(%0) {kind: clamp, p0: 0, p1: Infinity}
    %3: float32[2,3,4,5] = binary(%1, %2) {kind: add}
    %4: float32[2,3,4,5] = binary(%1, %3) {kind: mul}
    output %4 "y"`));
});

test('remove-dead removes whole branches', () => {
  const { graph, count } = rewritten((b) => {
    const x = image(b);
    b.add(reshape, { shape: [120] }, [b.add(unary, { kind: 'tanh', p0: 0, p1: 0 }, [x])]);
    b.output(times(b, x, x), 'y');
  }, removeDead);
  assert.equal(count, 2);
  assert.equal(graph.nodes.length, 1);
});

test('permute-dense-weights reorders rows instead of the picture', () => {
  const { after, count } = rewritten((b) => {
    const nchw = b.add(transpose, { perm: [0, 3, 1, 2] }, [image(b)]);
    const flat = b.add(reshape, { shape: [2, 60] }, [nchw]);
    b.output(b.add(matmul, { ...noClamp }, [flat, b.constant(filled('float32', [60, 7], 3)), b.constant(filled('float32', [7], 4))]), 'y');
  }, permuteDenseWeights, tolerance.rewrite);
  assert.equal(count, 1);
  assert.doesNotMatch(after, /transpose/);
});

function shiftedClamp(b: Builder, x: Value): Value {
  return b.add(unary, { kind: 'clamp', p0: 0, p1: 6 }, [b.add(binary, { kind: 'add', ...noClamp }, [x, scalar(b, 3)])]);
}
const swishes: Record<string, (b: Builder, x: Value) => Value> = {
  'x * hardSigmoid(x)': (b, x) => times(b, x, b.add(unary, { kind: 'hardSigmoid', p0: 0.1666666716337204, p1: 0.5 }, [x])),
  'x * (clamp(x + 3, 0, 6) / 6)': (b, x) => times(b, x, b.add(binary, { kind: 'div', ...noClamp }, [shiftedClamp(b, x), scalar(b, 6)])),
  'x * clamp(x + 3, 0, 6) * (1 / 6)': (b, x) => times(b, scalar(b, 1 / 6), times(b, shiftedClamp(b, x), x)),
};
for (const [name, build] of Object.entries(swishes)) {
  test(`recognise-swish knows ${name}`, () => {
    const { graph } = rewritten((b) => { b.output(build(b, image(b)), 'y'); }, [fuseClamp, recogniseSwish, recogniseSwish], tolerance.rewrite);
    assert.deepEqual(graph.nodes.map((node) => node.attrs), [{ kind: 'hardSwish', p0: 0, p1: 0 }]);
  });
}
test('recognise-swish knows x * sigmoid(x), and no other product', () => {
  const gate = (b: Builder, x: Value): Value => b.add(unary, { kind: 'sigmoid', p0: 0, p1: 0 }, [x]);
  const { graph } = rewritten((b) => { const x = image(b); b.output(times(b, gate(b, x), x), 'y'); }, recogniseSwish, tolerance.rewrite);
  assert.deepEqual(graph.nodes.map((node) => node.attrs), [{ kind: 'swish', p0: 0, p1: 0 }]);
  const { count } = rewritten((b) => { const x = image(b); b.output(times(b, gate(b, b.add(unary, { kind: 'neg', p0: 0, p1: 0 }, [x])), x), 'y'); }, recogniseSwish);
  assert.equal(count, 0);
});
test('recognise-swish knows a hard sigmoid, and no other slope', () => {
  const gate = rewritten((b) => { b.output(b.add(binary, { kind: 'div', ...noClamp }, [shiftedClamp(b, image(b)), scalar(b, 6)]), 'y'); }, [fuseClamp, recogniseSwish], tolerance.rewrite);
  assert.equal(gate.graph.nodes.length, 1);
  const other = rewritten((b) => {
    const x = image(b);
    b.output(times(b, x, b.add(unary, { kind: 'hardSigmoid', p0: 0.2, p1: 0.5 }, [x])), 'y');
  }, recogniseSwish);
  assert.equal(other.count, 0);
});
