// Moving and elementwise ops as steps against their definitions, through a real plan in wasm. Moved elements are equal;
// elementwise float32 results may differ by rounding where a kernel approximates.

import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import type { Builder } from '../../host/graph/builder.ts';
import type { Value } from '../../host/graph/graph.ts';
import { batchToSpace } from '../../host/ops/batch-to-space.ts';
import { binary, type BinaryKind } from '../../host/ops/binary.ts';
import { channelShuffle } from '../../host/ops/channel-shuffle.ts';
import { concat } from '../../host/ops/concat.ts';
import { expand } from '../../host/ops/expand.ts';
import { gatherNd } from '../../host/ops/gather-nd.ts';
import { gather } from '../../host/ops/gather.ts';
import { pad, type PadMode } from '../../host/ops/pad.ts';
import { reshape } from '../../host/ops/reshape.ts';
import { slice } from '../../host/ops/slice.ts';
import { spaceToBatch } from '../../host/ops/space-to-batch.ts';
import { transpose } from '../../host/ops/transpose.ts';
import { unary, type UnaryKind } from '../../host/ops/unary.ts';
import { lower } from '../../host/plan/lower.ts';
import type { DType, TensorType } from '../../host/tensor.ts';
import { tolerance } from '../tolerance.ts';
import { bothWays, graphOf, intTensor, randomTensor, scale } from './problem.ts';

type Build = (b: Builder, values: Value[]) => Value[];
const q = scale(0.05, 3);
function typed(dtype: DType, ...shape: number[]): TensorType {
  return { dtype, shape, quantization: dtype === 'int8' ? q : undefined };
}

/** Builds, lowers and runs; moved elements must be equal. */
function moves(name: string, shapes: readonly (readonly number[])[], build: Build): void {
  for (const dtype of ['float32', 'int8', 'int32'] as const) {
    test(`${name}, ${dtype}`, async () => {
      const types = shapes.map((shape) => typed(dtype, ...shape));
      const [expected, actual] = await bothWays(graphOf(types, build), types.map((type, i) => randomTensor(40 + i, type)));
      deepEqual(actual, expected);
    });
  }
}

const reverse = { starts: [1, 2, 3], sizes: [2, 2, 2], steps: [-1, -1, -2] };
moves('transpose', [[2, 3, 4, 5]], (b, [x]) => [b.add(transpose, { perm: [3, 1, 0, 2] }, [x])]);
moves('reshape of a transpose', [[2, 3, 4]], (b, [x]) => [b.add(reshape, { shape: [6, 4] }, [b.add(transpose, { perm: [2, 0, 1] }, [x])])]);
moves('reverse slice', [[2, 3, 4]], (b, [x]) => [b.add(slice, reverse, [x])]);
moves('concat of slices, transposes and inputs', [[2, 3, 4], [2, 3, 2]], (b, [x, y]) => {
  const part = b.add(slice, { starts: [0, 0, 1], sizes: [2, 3, 2], steps: [1, 1, 2] }, [x]);
  const turned = b.add(transpose, { perm: [0, 2, 1] }, [b.add(reshape, { shape: [2, 2, 3] }, [y])]);
  return [b.add(concat, { axis: 2 }, [part, y, turned, y])];
});
moves('concat of concats', [[2, 1, 3], [2, 2, 3]], (b, [x, y]) => {
  const inner = b.add(concat, { axis: 1 }, [y, x]);
  return [b.add(concat, { axis: 0 }, [inner, inner])];
});
for (const mode of ['constant', 'reflect', 'symmetric', 'edge'] as readonly PadMode[]) {
  moves(`pad ${mode}`, [[2, 3, 4, 3]], (b, [x]) => [b.add(pad, { pads: [1, 2, 0, 1, 0, 1, 3, 2], mode, value: 2 }, [x])]);
  moves(`pad ${mode} of a reversed transpose`, [[2, 3, 4]], (b, [x]) => {
    const turned = b.add(transpose, { perm: [1, 2, 0] }, [b.add(slice, reverse, [x])]);
    return [b.add(pad, { pads: [1, 0, 1, 0, 1, 1], mode, value: 0 }, [turned])];
  });
}
moves('expand', [[3, 1]], (b, [x]) => [b.add(expand, { shape: [2, 3, 4] }, [x])]);
moves('channel shuffle', [[2, 3, 12]], (b, [x]) => [b.add(channelShuffle, { axis: 2, groups: 3 }, [x])]);
moves('channel shuffle of a middle axis', [[2, 6, 5]], (b, [x]) => [b.add(channelShuffle, { axis: 1, groups: 2 }, [b.add(slice, { starts: [0, 0, 1], sizes: [2, 6, 3], steps: [1, 1, 1] }, [x])])]);
moves('gather', [[2, 4, 3]], (b, [x]) => [b.add(gather, { axis: 1 }, [x, b.constant(intTensor([2, 3], [3, 0, 0, -1, -4, 2]))])]);
moves('gather of a transpose', [[4, 2]], (b, [x]) => [b.add(gather, { axis: 1 }, [b.add(transpose, { perm: [1, 0] }, [x]), b.constant(intTensor([3], [3, 0, 0]))])]);
moves('gather by coordinates', [[2, 4, 3]], (b, [x]) => [b.add(gatherNd, {}, [x, b.constant(intTensor([3, 2], [1, 3, 0, -1, 0, 0]))])]);
moves('space to batch', [[2, 3, 5, 2]], (b, [x]) => [b.add(spaceToBatch, { block: [2, 3], pads: [1, 2, 2, 2] }, [x])]);
moves('batch to space', [[12, 3, 2, 2]], (b, [x]) => [b.add(batchToSpace, { block: [2, 3], crops: [1, 0, 2, 4] }, [x])]);

test('indices computed at run time are moved inside', async () => {
  const types = [typed('float32', 3, 4), typed('int32', 5)];
  const graph = graphOf(types, (b, [x, i]) => [b.add(gather, { axis: 0 }, [x, i])]);
  const [expected, actual] = await bothWays(graph, [randomTensor(5, types[0]), intTensor([5], [99, -99, 1, -1, 2])]);
  deepEqual(actual, expected);
});

test('int8 concat requantises parts with other parameters', async () => {
  const types: TensorType[] = [typed('int8', 3, 2), { dtype: 'int8', shape: [3, 4], quantization: scale(0.09, -11) }];
  const graph = graphOf(types, (b, [x, y]) => [b.add(concat, { axis: 1 }, [x, b.add(slice, { starts: [0, 3], sizes: [3, 2], steps: [1, -2] }, [y]), x], { quantization: q })]);
  const [expected, actual] = await bothWays(graph, types.map((type, i) => randomTensor(60 + i, type)));
  deepEqual(actual, expected);
});

test('transpose, slice, reshape and a join of producers cost no step', () => {
  const graph = graphOf([typed('float32', 2, 3, 4)], (b, [x]) => {
    const left = b.add(unary, { kind: 'abs', p0: 0, p1: 0 }, [x]);
    const right = b.add(unary, { kind: 'neg', p0: 0, p1: 0 }, [b.add(slice, { starts: [0, 1, 0], sizes: [2, 2, 4], steps: [1, 1, 1] }, [x])]);
    return [b.add(unary, { kind: 'square', p0: 0, p1: 0 }, [b.add(transpose, { perm: [2, 0, 1] }, [b.add(concat, { axis: 1 }, [left, right])])])];
  });
  equal(lower(graph).steps.length, 3);
});

const kinds: BinaryKind[] = ['add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'pow', 'prelu', 'floorDiv', 'squaredDifference'];
for (const kind of kinds) {
  const clamped: Build = (b, [x, y]) => [b.add(binary, { kind, min: -3, max: 2.5 }, [x, y], { quantization: x.dtype === 'int8' ? scale(0.04, -7) : undefined })];
  test(`${kind} in float32`, async () => {
    const types = [typed('float32', 2, 3, 1, 5), typed('float32', 3, 4, 5)];
    const [x, y] = types.map((type, i) => randomTensor(70 + i, type));
    if (kind === 'pow') (x.data as Float32Array).forEach((v, i, all) => { all[i] = Math.abs(v) + 0.1; });
    const [[expected], [actual]] = await bothWays(graphOf(types, clamped), [x, y]);
    const worst = Math.max(...[...expected as Float32Array].map((v, i) => Math.abs(v - (actual as Float32Array)[i])));
    ok(worst <= 3 * tolerance.kernel, `off by ${worst}`);
  });
  test(`${kind} in int32`, async () => {
    const types = [typed('int32', 4, 1), typed('int32', 6)];
    const [expected, actual] = await bothWays(graphOf(types, clamped), types.map((type, i) => randomTensor(80 + i, type)));
    deepEqual(actual, expected);
  });
  test(`${kind} in int8`, async () => {
    const types: TensorType[] = [{ dtype: 'int8', shape: [7, 37], quantization: scale(0.031, -5) }, { dtype: 'int8', shape: [37], quantization: scale(0.017, 11) }];
    const [expected, actual] = await bothWays(graphOf(types, clamped), types.map((type, i) => randomTensor(90 + i, type)));
    deepEqual(actual, expected);
  });
}

const functions: UnaryKind[] = ['clamp', 'leakyRelu', 'sigmoid', 'tanh', 'hardSigmoid', 'hardSwish', 'elu', 'softplus', 'exp', 'log', 'sqrt', 'neg', 'abs',
  'rsqrt', 'floor', 'ceil', 'square'];
for (const kind of functions) {
  test(`${kind} of a transpose in float32 and int8`, async () => {
    for (const dtype of ['float32', 'int8'] as const) {
      const type = typed(dtype, 3, 5, 7);
      const graph = graphOf([type], (b, [x]) => {
        const positive = ['log', 'sqrt', 'rsqrt'].includes(kind) && dtype === 'float32' ? b.add(unary, { kind: 'abs', p0: 0, p1: 0 }, [x]) : x;
        const turned = b.add(transpose, { perm: [2, 0, 1] }, [positive]);
        return [b.add(unary, { kind, p0: 0.25, p1: 0.75 }, [turned], { quantization: dtype === 'int8' ? scale(0.04, -7) : undefined })];
      });
      const [[expected], [actual]] = await bothWays(graph, [randomTensor(7, type)]);
      if (dtype === 'int8') { deepEqual(actual, expected); continue; }
      const largest = Math.max(...[...expected as Float32Array].map(Math.abs));
      const worst = Math.max(...[...expected as Float32Array].map((v, i) => Math.abs(v - (actual as Float32Array)[i])));
      ok(worst <= tolerance.kernel * largest, `off by ${worst} of ${largest}`);
    }
  });
}

test('clamp, neg and square of int32', async () => {
  for (const kind of ['clamp', 'neg', 'square'] as const) {
    const graph = graphOf([typed('int32', 3, 4)], (b, [x]) => [b.add(unary, { kind, p0: -5.5, p1: 6.5 }, [x])]);
    const [expected, actual] = await bothWays(graph, [randomTensor(9, typed('int32', 3, 4))]);
    deepEqual(actual, expected);
  }
});
