// TFLite operators as read by the op files, by definition, against values worked out by hand.

import { deepEqual, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { runReference } from '../../host/backends/reference.ts';
import { KingletError } from '../../host/error.ts';
import { Builder } from '../../host/graph/builder.ts';
import { batchToSpace } from '../../host/ops/batch-to-space.ts';
import { binary } from '../../host/ops/binary.ts';
import { concat } from '../../host/ops/concat.ts';
import { constantOps } from '../../host/ops/constant-ops.ts';
import { expand } from '../../host/ops/expand.ts';
import { gatherNd } from '../../host/ops/gather-nd.ts';
import { gather } from '../../host/ops/gather.ts';
import type { TfliteReader } from '../../host/ops/op.ts';
import { pad } from '../../host/ops/pad.ts';
import { reshape } from '../../host/ops/reshape.ts';
import { slice } from '../../host/ops/slice.ts';
import { spaceToBatch } from '../../host/ops/space-to-batch.ts';
import { transpose } from '../../host/ops/transpose.ts';
import { unary } from '../../host/ops/unary.ts';
import { numbers, type Quantization, type Tensor, type TensorType } from '../../host/tensor.ts';
import { floatTensor, intTensor, scale } from './problem.ts';
import { tfliteNode, type TfliteSpec } from './source-nodes.ts';

const readers = new Map<string, TfliteReader>(
  [binary, unary, concat, slice, pad, reshape, expand, transpose, gather, gatherNd, spaceToBatch, batchToSpace, constantOps]
    .flatMap((op) => Object.entries((op as { tflite?: Record<string, TfliteReader> }).tflite ?? {})),
);

/** Shapes and values of the outputs; float32 and int8 inputs are fed, integers are constants. */
function evaluate(op: string, inputs: readonly Tensor[], spec: Omit<TfliteSpec, 'inputs'> = {}): [readonly number[], number[]][] {
  const reader = readers.get(op);
  if (!reader) throw new Error(`no reader for ${op}`);
  const b = new Builder();
  const fed = inputs.filter((t) => t.dtype !== 'int32');
  const values = inputs.map((t, i) => (t.dtype === 'int32' ? b.constant(t) : b.input(`x${i}`, t)));
  for (const value of reader(tfliteNode({ ...spec, inputs: values }), b)) b.output(value, 'y');
  return runReference(b.graph, fed.map((t) => t.data)).map((y) => [y.shape, [...numbers(y)]]);
}
function int8(shape: readonly number[], data: readonly number[], quantization: Quantization): Tensor {
  return { dtype: 'int8', shape, data: Int8Array.from(data), quantization };
}
const as = (quantization: Quantization): TensorType[] => [{ dtype: 'int8', shape: [], quantization }];
const i = (...v: number[]): Tensor => intTensor([v.length], v);
const f = (...v: number[]): Tensor => floatTensor([v.length], v);
const grid = floatTensor([3, 4], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);

test('elementwise operators with fused activations', () => {
  deepEqual(evaluate('ADD', [f(1, -5, 4), f(1, 1, 4)], { options: { 0: 3 } }), [[[3], [2, 0, 6]]]);
  deepEqual(evaluate('SUB', [f(1, -5, 4), f(1, 1, 1)], { options: { 0: 1 } }), [[[3], [0, 0, 3]]]);
  deepEqual(evaluate('MUL', [f(0.5, -5), f(1, 1)], { options: { 0: 2 } }), [[[2], [0.5, -1]]]);
  deepEqual(evaluate('SQUARED_DIFFERENCE', [f(1, -5), f(3)]), [[[2], [4, 64]]]);
  deepEqual(evaluate('FLOOR_DIV', [f(7, -7), f(2)]), [[[2], [3, -4]]]);
  deepEqual(evaluate('PRELU', [floatTensor([1, 2, 2], [-1, 2, -3, -4]), floatTensor([1, 1, 2], [0.5, 2])]), [[[1, 2, 2], [-0.5, 2, -1.5, -8]]]);
  throws(() => evaluate('ADD', [f(1), f(1)], { options: { 0: 4 } }), (e) => e instanceof KingletError && e.code === 'ERR_UNSUPPORTED');
});

test('int8 sums are formed in output units, as the numerics document says', () => {
  const [qa, qb, qo] = [scale(0.5, 10), scale(0.25, -3), scale(1, 5)];
  // (20-10)*0.5 + (1+3)*0.25 = 6; (13-10)*0.5 + 0 = 1.5 → 2 (even); saturates; -1.5+1 = -0.5 → 0
  const a = int8([4], [20, 13, 127, 7], qa);
  const b = int8([4], [1, -3, 127, 1], qb);
  deepEqual(evaluate('ADD', [a, b], { outputs: as(qo) }), [[[4], [11, 7, 96, 5]]]);
  deepEqual(evaluate('SUB', [a, b], { outputs: as(qo) }), [[[4], [9, 7, 31, 3]]]); // 4; 1.5 → 2; 58.5-32.5 = 26; -2.5 → -2
  deepEqual(evaluate('ADD', [a, b], { outputs: as(qo), options: { 0: 3 } }), [[[4], [11, 7, 11, 5]]]); // at most 5 + 6
  deepEqual(evaluate('MUL', [a, b], { outputs: as(qo) }), [[[4], [10, 5, 127, 3]]]); // 5; 0; 58.5*32.5; -1.5 → -2
});

test('int8 functions go by way of real values', () => {
  const q = scale(0.5, 0);
  deepEqual(evaluate('RELU6', [int8([4], [-4, 3, 12, 100], q)], { outputs: as(q) }), [[[4], [0, 3, 12, 12]]]);
  deepEqual(evaluate('LOGISTIC', [int8([3], [0, 127, -128], q)], { outputs: as(scale(1 / 256, -128)) }), [[[3], [0, 127, -128]]]);
  deepEqual(evaluate('RELU_N1_TO_1', [f(-3, 0.5, 3)]), [[[3], [-1, 0.5, 1]]]);
  deepEqual(evaluate('RSQRT', [f(4, 0.25)]), [[[2], [0.5, 2]]]);
  deepEqual(evaluate('SQUARE', [f(-3)]), [[[1], [9]]]);
  deepEqual(evaluate('LEAKY_RELU', [f(-8, 8)], { options: { 0: 0.125 } }), [[[2], [-1, 8]]]);
});

test('joins', () => {
  deepEqual(evaluate('CONCATENATION', [floatTensor([1, 2], [1, -2]), floatTensor([1, 1], [9])], { options: { 0: -1, 1: 3 } }), [[[1, 3], [1, 0, 6]]]);
  deepEqual(evaluate('PACK', [f(1, 2), f(3, 4)], { options: { 0: 2, 1: 1 } }), [[[2, 2], [1, 3, 2, 4]]]);
  const whole = scale(1, 0);
  const parts = [int8([1, 2], [3, -4], whole), int8([1, 2], [20, 21], scale(0.25, 10))];
  deepEqual(evaluate('CONCATENATION', parts, { options: { 0: 1 }, outputs: as(whole) }), [[[1, 4], [3, -4, 2, 3]]]); // 2.5 → 2, 2.75 → 3
});

test('splits', () => {
  const two = [{ dtype: 'float32', shape: [] }, { dtype: 'float32', shape: [] }] as const;
  deepEqual(evaluate('SPLIT', [intTensor([], [1]), grid], { outputs: two }), [[[3, 2], [0, 1, 4, 5, 8, 9]], [[3, 2], [2, 3, 6, 7, 10, 11]]]);
  deepEqual(evaluate('SPLIT_V', [grid, i(1, -1), intTensor([], [0])], { outputs: two }), [[[1, 4], [0, 1, 2, 3]], [[2, 4], [4, 5, 6, 7, 8, 9, 10, 11]]]);
  deepEqual(evaluate('UNPACK', [floatTensor([2, 2], [1, 2, 3, 4])], { options: { 1: 1 }, outputs: two }), [[[2], [1, 3]], [[2], [2, 4]]]);
});

test('slices and their masks', () => {
  deepEqual(evaluate('SLICE', [grid, i(1, 2), i(-1, 1)]), [[[2, 1], [6, 10]]]);
  deepEqual(evaluate('STRIDED_SLICE', [grid, i(0, 1), i(3, 4), i(2, 2)]), [[[2, 2], [1, 3, 9, 11]]]);
  deepEqual(evaluate('STRIDED_SLICE', [grid, i(9, 9), i(9, 9), i(-1, 3)], { options: { 0: 3, 1: 3 } }), [[[3, 2], [8, 11, 4, 7, 0, 3]]]);
  deepEqual(evaluate('STRIDED_SLICE', [grid, i(-1, 0), i(0, 2), i(1, 1)], { options: { 4: 1 } }), [[[2], [8, 9]]]);
  deepEqual(evaluate('STRIDED_SLICE', [grid, i(0, 3), i(0, 4), i(1, 1)], { options: { 2: 1 } }), [[[3, 1], [3, 7, 11]]]);
  deepEqual(evaluate('STRIDED_SLICE', [grid, i(0, 1, 0), i(0, 2, 2), i(1, 1, 1)], { options: { 3: 1 } }), [[[1, 1, 2], [4, 5]]]);
  deepEqual(evaluate('STRIDED_SLICE', [grid, i(1), i(1), i(1)], { options: { 5: true } }), [[[1, 4], [4, 5, 6, 7]]]);
  throws(() => evaluate('STRIDED_SLICE', [grid, i(3), i(4), i(1)], { options: { 4: 1 } }), (e) => e instanceof KingletError && e.code === 'ERR_MODEL_INVALID');
});

test('pads', () => {
  const row = floatTensor([1, 3], [1, 2, 3]);
  const sides = intTensor([2, 2], [0, 0, 2, 1]);
  deepEqual(evaluate('PAD', [row, sides]), [[[1, 6], [0, 0, 1, 2, 3, 0]]]);
  deepEqual(evaluate('MIRROR_PAD', [row, sides], { options: { 0: 0 } }), [[[1, 6], [3, 2, 1, 2, 3, 2]]]);
  deepEqual(evaluate('MIRROR_PAD', [row, sides], { options: { 0: 1 } }), [[[1, 6], [2, 1, 1, 2, 3, 3]]]);
  const q = scale(0.5, -7);
  deepEqual(evaluate('PAD', [int8([1, 3], [1, 2, 3], q), sides]), [[[1, 6], [-7, -7, 1, 2, 3, -7]]]);
});

test('shapes', () => {
  deepEqual(evaluate('RESHAPE', [grid, i(2, -1)]), [[[2, 6], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]]]);
  deepEqual(evaluate('RESHAPE', [f(5)], { options: { 0: [0] } }), [[[], [5]]]);
  deepEqual(evaluate('SQUEEZE', [floatTensor([1, 2, 1], [5, 6])], { options: { 0: [-1] } }), [[[1, 2], [5, 6]]]);
  deepEqual(evaluate('EXPAND_DIMS', [f(5, 6), intTensor([], [-1])]), [[[2, 1], [5, 6]]]);
  deepEqual(evaluate('SHAPE', [grid]), [[[2], [3, 4]]]);
  deepEqual(evaluate('FILL', [i(2, 2), f(7)]), [[[2, 2], [7, 7, 7, 7]]]);
  deepEqual(evaluate('BROADCAST_TO', [f(1, 2), i(2, 2)]), [[[2, 2], [1, 2, 1, 2]]]);
  deepEqual(evaluate('TILE', [floatTensor([1, 2], [1, 2]), i(2, 2)]), [[[2, 4], [1, 2, 1, 2, 1, 2, 1, 2]]]);
  deepEqual(evaluate('TRANSPOSE', [floatTensor([2, 3], [0, 1, 2, 3, 4, 5]), i(1, 0)]), [[[3, 2], [0, 3, 1, 4, 2, 5]]]);
});

test('gathers', () => {
  deepEqual(evaluate('GATHER', [grid, i(3, 0, 0)], { options: { 0: 1 } }), [[[3, 3], [3, 0, 0, 7, 4, 4, 11, 8, 8]]]);
  deepEqual(evaluate('GATHER_ND', [grid, intTensor([2, 2], [2, 1, 0, 3])]), [[[2], [9, 3]]]);
  throws(() => evaluate('GATHER', [grid, i(0)], { options: { 0: 1, 1: 1 } }), (e) => e instanceof KingletError && e.code === 'ERR_UNSUPPORTED');
});

test('blocks to batches and back, depths to blocks and back', () => {
  const image = floatTensor([1, 2, 2, 1], [1, 2, 3, 4]);
  const pads = intTensor([2, 2], [0, 0, 2, 0]);
  deepEqual(evaluate('SPACE_TO_BATCH_ND', [image, i(2, 2), pads]), [[[4, 1, 2, 1], [0, 1, 0, 2, 0, 3, 0, 4]]]);
  deepEqual(evaluate('BATCH_TO_SPACE_ND', [floatTensor([4, 1, 2, 1], [0, 1, 0, 2, 0, 3, 0, 4]), i(2, 2), pads]), [[[1, 2, 2, 1], [1, 2, 3, 4]]]);
  deepEqual(evaluate('SPACE_TO_BATCH_ND', [floatTensor([1, 4, 1], [1, 2, 3, 4]), i(2), intTensor([1, 2], [0, 0])]), [[[2, 2, 1], [1, 3, 2, 4]]]);
  deepEqual(evaluate('SPACE_TO_DEPTH', [image], { options: { 0: 2 } }), [[[1, 1, 1, 4], [1, 2, 3, 4]]]);
  deepEqual(evaluate('DEPTH_TO_SPACE', [floatTensor([1, 1, 1, 8], [1, 2, 3, 4, 5, 6, 7, 8])], { options: { 0: 2 } }), [[[1, 2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]]]);
  throws(() => evaluate('SPACE_TO_BATCH_ND', [image, i(3, 2), pads]), (e) => e instanceof KingletError && e.code === 'ERR_MODEL_INVALID');
});
