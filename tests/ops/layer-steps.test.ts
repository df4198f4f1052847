// Layers as steps against their definitions, through a real plan in wasm, without passes: odd sizes, strided sources and places.
// int8 is equal (softmax may round its exponential differently); float32 differs by accumulated rounding.

import { deepEqual, ok } from 'node:assert/strict';
import { test } from 'node:test';
import type { Builder } from '../../host/graph/builder.ts';
import type { Value } from '../../host/graph/graph.ts';
import { argmax } from '../../host/ops/argmax.ts';
import { batchNorm } from '../../host/ops/batch-norm.ts';
import { cast } from '../../host/ops/cast.ts';
import { concat } from '../../host/ops/concat.ts';
import { convTranspose2d } from '../../host/ops/conv-transpose2d.ts';
import { dequantize } from '../../host/ops/dequantize.ts';
import { flipSign } from '../../host/ops/flip-sign.ts';
import { lrn } from '../../host/ops/lrn.ts';
import { matmul } from '../../host/ops/matmul.ts';
import { normalize } from '../../host/ops/normalize.ts';
import { pool2d } from '../../host/ops/pool2d.ts';
import { quantize } from '../../host/ops/quantize.ts';
import { reduce } from '../../host/ops/reduce.ts';
import { requantize } from '../../host/ops/requantize.ts';
import { resize } from '../../host/ops/resize.ts';
import { softmax } from '../../host/ops/softmax.ts';
import { transpose } from '../../host/ops/transpose.ts';
import { sameShape, type DType, type Quantization, type Shape, type TensorType } from '../../host/tensor.ts';
import { random, randomInt } from '../random.ts';
import { tolerance } from '../tolerance.ts';
import { bothWays, graphOf, randomTensor, scale } from './problem.ts';

type Build = (b: Builder, values: Value[], quantization: Quantization | undefined) => Value;
const qi = scale(0.04, 5);
const qo = scale(0.07, -11);
const noClamp = { min: -Infinity, max: Infinity };
const kinds = ['float32', 'int8'] as const;

function typed(dtype: DType, shape: Shape): TensorType {
  return { dtype, shape, quantization: dtype === 'int8' ? qi : undefined };
}

/** float32 within the kernels' tolerance of the largest value, integers within `steps`. */
async function compare(types: readonly TensorType[], build: (b: Builder, values: Value[]) => Value[], steps = 0): Promise<void> {
  const graph = graphOf(types, build);
  const [expected, actual] = await bothWays(graph, types.map((type, i) => randomTensor(70 + i, type)));
  expected.forEach((want, o) => {
    const got = actual[o];
    const differences = Array.from(want as ArrayLike<number | bigint>, (v, i) => Math.abs(Number(v) - Number(got[i])));
    const largest = Math.max(1e-3, ...Array.from(want as ArrayLike<number | bigint>, (v) => Math.abs(Number(v))));
    const allowed = want instanceof Float32Array ? tolerance.kernel * largest : steps;
    ok(got.length === want.length && Math.max(0, ...differences) <= allowed, `output ${o} of [${graph.outputs[o].shape.join(', ')}] is off by ${Math.max(...differences)}`);
  });
}

interface LayerOptions {
  readonly dtypes?: readonly DType[];
  /** Allowed difference of integers. */
  readonly steps?: number;
  readonly strided?: boolean;
}

/** One layer on a dense source, and between a transposed source and a place inside a concat, for both dtypes. */
function layer(name: string, shapes: readonly Shape[], build: Build, options: LayerOptions = {}): void {
  const { dtypes = kinds, steps = 0, strided = true } = options;
  for (const dtype of dtypes) {
    const quantization = dtype === 'int8' ? qo : undefined;
    const types = shapes.map((shape) => typed(dtype, shape));
    test(`${name}, ${dtype}`, () => compare(types, (b, values) => [build(b, values, quantization)], steps));
    if (strided) test(`${name}, ${dtype}, strided`, () => {
      const turned = types.map((type) => ({ ...type, shape: [...type.shape].reverse() }));
      return compare(turned, (b, values) => {
        const straight = values.map((value) => b.add(transpose, { perm: value.shape.map((_, i) => i).reverse() }, [value]));
        const y = build(b, straight, quantization);
        return [y.shape.length === 0 ? y : b.add(concat, { axis: y.shape.length - 1 }, [y, y]), b.add(transpose, { perm: y.shape.map((_, i) => i).reverse() }, [y])];
      }, steps);
    });
  }
}

for (const kind of ['max', 'average'] as const) {
  const base = { kind, dilations: [1, 1], ceilMode: false, countIncludePad: false, ...noClamp } as const;
  const of = (attrs: Partial<Parameters<typeof pool2d.infer>[1]>): Build => (b, [x], quantization) => (
    b.add(pool2d, { ...base, kernel: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1], ...attrs }, [x], { quantization: kind === 'max' ? undefined : quantization }));
  layer(`${kind} pool`, [[2, 7, 6, 13]], of({}));
  layer(`${kind} pool with a clamp`, [[1, 5, 4, 5]], of({ min: 0, max: 2 }));
  layer(`${kind} pool, dilated`, [[1, 8, 9, 3]], of({ dilations: [2, 3], pads: [1, 2, 1, 2] }));
  layer(`${kind} pool, hanging over`, [[1, 6, 6, 17]], of({ kernel: [3, 3], strides: [2, 2], pads: [1, 0, 0, 0], ceilMode: true }));
}
layer('average pool counting pads, hanging over', [[1, 6, 6, 4]], (b, [x], quantization) => b.add(pool2d,
  { kind: 'average', kernel: [3, 3], strides: [2, 2], pads: [1, 1, 0, 1], dilations: [1, 1], ceilMode: true, countIncludePad: true, ...noClamp }, [x], { quantization }));

for (const kind of ['mean', 'sum', 'max', 'min'] as const) {
  const states = kind === 'mean' || kind === 'sum';
  for (const [axes, keepDims] of [[[1, 2], true], [[1, 2], false], [[3], false], [[0, 2], true], [[1, 3], false], [[0, 1, 2, 3], false]] as const) {
    layer(`${kind} over [${axes.join(', ')}]`, [[2, 3, 4, 7]], (b, [x], quantization) => (
      b.add(reduce, { kind, axes, keepDims }, [x], { quantization: states ? quantization : undefined })));
  }
}

for (const axis of [0, 1, 2]) {
  const softly = (log: boolean, quantization: Quantization): Build => (b, [x], given) => b.add(softmax, { axis, log, beta: 0.75 }, [x], { quantization: given && quantization });
  layer(`softmax over axis ${axis}`, [[3, 5, 9]], softly(false, scale(1 / 256, -128)), { steps: 1 });
  layer(`log-softmax over axis ${axis}`, [[3, 5, 9]], softly(true, scale(0.1, 100)), { steps: 1 });
  for (const last of [false, true]) {
    layer(`argmax over axis ${axis}, last ${last ? 'wins' : 'loses'}`, [[3, 5, 9]], (b, [x]) => b.add(argmax, { axis, keepDims: axis === 1, last }, [x]), { dtypes: ['float32', 'int8', 'int32'] });
  }
}

const resizing = { size: [7, 3], scales: [7 / 5, 3 / 4], nearest: 'round_prefer_floor' } as const;
for (const coordinates of ['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric', 'tf_half_pixel_for_nn'] as const) {
  for (const mode of ['nearest', 'linear'] as const) {
    layer(`resize ${mode}, ${coordinates}`, [[2, 5, 4, 6]], (b, [x], quantization) => (
      b.add(resize, { ...resizing, mode, coordinates }, [x], { quantization: mode === 'linear' ? quantization : undefined })));
  }
}

layer('resize cubic', [[2, 5, 4, 6]], (b, [x]) => (
  b.add(resize, { ...resizing, mode: 'cubic', coordinates: 'half_pixel', cubic: { a: -0.5, excludeOutside: true } }, [x])), { dtypes: ['float32'] });

layer('matrix product of rows', [[2, 3, 5, 7], [7, 19]], (b, [x, y], quantization) => b.add(matmul, noClamp, [x, y, null], { quantization }));
layer('matrix product of batches', [[2, 3, 5, 7], [2, 1, 7, 9]], (b, [x, y], quantization) => b.add(matmul, noClamp, [x, y, null], { quantization }));
layer('matrix product of wide batches', [[3, 1, 7], [3, 7, 8]], (b, [x, y], quantization) => b.add(matmul, noClamp, [x, y, null], { quantization }));
layer('matrix product with a bias computed at run time', [[5, 7], [7, 19], [19]], (b, [x, y, bias]) => b.add(matmul, { min: -1, max: 2 }, [x, y, bias]), { dtypes: ['float32'] });

const weightsOf = (b: Builder, dtype: DType, shape: Shape, quantization: Quantization): Value => (
  b.constant(randomTensor(90, { dtype, shape, quantization: dtype === 'int8' ? quantization : undefined })));
const perChannel = (channels: number, axis: number): Quantization => (
  { scale: Float32Array.from({ length: channels }, (_, c) => 0.01 + c / 1000), zeroPoint: new Int32Array(channels), axis });
const biasOf = (b: Builder, dtype: DType, channels: number): Value => b.constant(randomTensor(91, { dtype: dtype === 'int8' ? 'int32' : 'float32', shape: [channels] }));
layer('dense layer', [[3, 2, 10]], (b, [x], quantization) => (
  b.add(matmul, { min: -3, max: 3 }, [x, weightsOf(b, x.dtype, [10, 11], perChannel(11, 1)), biasOf(b, x.dtype, 11)], { quantization })));
layer('dense layer with a weight zero point', [[4, 33]], (b, [x], quantization) => (
  b.add(matmul, noClamp, [x, weightsOf(b, x.dtype, [33, 5], scale(0.02, -7)), null], { quantization })));
layer('constant batches', [[2, 3, 10]], (b, [x], quantization) => (
  b.add(matmul, noClamp, [x, weightsOf(b, x.dtype, [2, 10, 11], scale(0.02, 9)), null], { quantization })));

for (const [name, attrs, groups] of [
  ['stride 1', { strides: [1, 1], pads: [1, 0, 0, 1], dilations: [1, 1] }, 1],
  ['stride 2, output padding', { strides: [2, 2], pads: [1, 0, -1, 0], dilations: [1, 1] }, 1],
  ['dilated, grouped', { strides: [1, 3], pads: [0, 2, 1, 2], dilations: [2, 1] }, 2],
  ['depthwise', { strides: [2, 1], pads: [0, 1, 0, 1], dilations: [1, 1] }, 6],
] as const) {
  layer(`transposed convolution, ${name}`, [[2, 4, 3, 6]], (b, [x], quantization) => {
    const channels = groups === 6 ? 6 : 10;
    const w = weightsOf(b, x.dtype, [3, 2, 6 / groups, channels], perChannel(channels, 3));
    return b.add(convTranspose2d, { ...attrs, groups, min: -4, max: 4 }, [x, w, biasOf(b, x.dtype, channels)], { quantization });
  });
}

layer('batch normalisation', [[2, 3, 4, 7]], (b, [x]) => {
  const parameter = (seed: number, low: number): Value => b.constant({
    dtype: 'float32', shape: [7], data: Float32Array.from({ length: 7 }, (() => { const next = random(seed); return () => low + next(); })()),
  });
  return b.add(batchNorm, { epsilon: 1e-3 }, [x, parameter(1, -0.5), parameter(2, 0), parameter(3, -1), parameter(4, 0.1)]);
}, { dtypes: ['float32'] });

layer('local response normalisation', [[2, 3, 4, 7]], (b, [x], quantization) => (
  b.add(lrn, { before: 1, after: 2, scale: 0.25, bias: 1, beta: 0.75 }, [x], { quantization })));

for (const axes of [[1, 2], [3], [0, 2], [1, 2, 3], []]) {
  const parameterShape = [1, 1, 4, 7];
  const floats = { dtypes: ['float32'] } as const;
  layer(`normalise over [${axes.join(', ')}]`, [[2, 3, 4, 7]], (b, [x]) => b.add(normalize, { axes, epsilon: 1e-3 }, [x, null, null]), floats);
  layer(`normalise over [${axes.join(', ')}], with parameters`, [[2, 3, 4, 7], parameterShape, parameterShape],
    (b, [x, factor, offset]) => b.add(normalize, { axes, epsilon: 1e-3 }, [x, factor, offset]), floats);
}

layer('requantize', [[3, 4, 5]], (b, [x]) => b.add(requantize, {}, [x], { quantization: qo }), { dtypes: ['int8'] });
layer('quantize', [[3, 4, 5]], (b, [x]) => b.add(quantize, {}, [x], { quantization: scale(0.03, -7) }), { dtypes: ['float32'] });
layer('quantize per channel', [[3, 4, 5]], (b, [x]) => b.add(dequantize, {}, [b.add(quantize, {}, [x], { quantization: perChannel(4, 1) })]), { dtypes: ['float32'] });
layer('dequantize', [[3, 4, 5]], (b, [x]) => b.add(dequantize, {}, [x]), { dtypes: ['int8'] });
layer('flip the sign', [[3, 4, 5]], (b, [x]) => b.add(flipSign, {}, [x]), { dtypes: ['int8'] });
for (const to of ['float32', 'int32', 'int8', 'int64'] as const) {
  // int64 exists at the border only, where nothing moves.
  const dtypes = (['float32', 'int32', 'int8'] as const).filter((from) => from !== to);
  layer(`cast to ${to}`, [[3, 4, 5]], (b, [x]) => b.add(cast, { to }, [x]), { dtypes, strided: to !== 'int64' });
}

test('cast saturates and treats NaN as 0', async () => {
  const x = { dtype: 'float32', shape: [6], data: Float32Array.of(NaN, 1e30, -1e30, 200.7, -200.7, -0.9) } as const;
  const graph = graphOf([x], (b, [v]) => [b.add(cast, { to: 'int32' }, [v]), b.add(cast, { to: 'int8' }, [v])]);
  for (const [whole, byte] of await bothWays(graph, [x])) {
    deepEqual([...whole], [0, 2147483647, -2147483648, 200, -200, 0]);
    deepEqual([...byte], [0, 127, -128, 127, -128, 0]);
  }
});

test('random pools and reductions, seed 5', async () => {
  const next = random(5);
  const upTo = (n: number): number => 1 + randomInt(next, n);
  for (let round = 0; round < 40; round++) {
    const shape = [upTo(2), 3 + randomInt(next, 6), 3 + randomInt(next, 6), upTo(20)];
    const kernel = [upTo(3), upTo(3)] as const;
    const pads = kernel.flatMap((k) => [randomInt(next, k), randomInt(next, k)]);
    const attrs = {
      kernel, strides: [upTo(3), upTo(3)], pads: [pads[0], pads[2], pads[1], pads[3]], dilations: [1, 1],
      ceilMode: next() < 0.5, countIncludePad: next() < 0.5, ...noClamp,
    } as const;
    const axes = [0, 1, 2, 3].filter(() => next() < 0.5);
    const dtype = kinds[randomInt(next, 2)];
    const quantization = dtype === 'int8' ? qo : undefined;
    await compare([typed(dtype, shape)], (b, [x]) => [
      b.add(pool2d, { kind: 'max', ...attrs }, [x]),
      b.add(pool2d, { kind: 'average', ...attrs }, [x], { quantization }),
      b.add(reduce, { kind: 'mean', axes, keepDims: false }, [x], { quantization }),
    ]);
  }
});

test('permuted layers are the permutation of the layer', async () => {
  for (const dtype of kinds) {
    const type = typed(dtype, [2, 3, 4, 5]);
    const quantization = dtype === 'int8' ? qo : undefined;
    for (const perm of [[0, 2, 3, 1], [3, 1, 0, 2], [1, 0, 3, 2]]) {
      const graph = graphOf([type], (b, [x]) => {
        const turn = (value: Value): Value => b.add(transpose, { perm }, [value]);
        const law = <A>(op: Parameters<typeof b.add<A>>[0], attrs: A): Value[] => {
          const plain = b.add(op, attrs, [x], { quantization: op.kind === 'argmax' ? undefined : quantization });
          const node = b.graph.nodes.at(-1) as Parameters<NonNullable<typeof op.permute>>[2];
          const moved = op.permute?.(attrs, perm, node);
          ok(moved !== undefined, `${op.kind} can be permuted`);
          return [turn(plain), b.add(op, moved, [turn(x)], { quantization: plain.quantization })];
        };
        return [
          ...law(softmax, { axis: 1, log: false, beta: 1 }), ...law(reduce, { kind: 'mean', axes: [1, 3], keepDims: true }),
          ...law(argmax, { axis: 2, keepDims: true, last: false }), ...(dtype === 'int8' ? law(requantize, {}) : law(cast, { to: 'int32' })),
        ];
      });
      for (const outputs of await bothWays(graph, [randomTensor(3, type)])) {
        for (let o = 0; o < outputs.length; o += 2) {
          ok(sameShape(graph.outputs[o].shape, graph.outputs[o + 1].shape));
          const worst = Math.max(...Array.from(outputs[o] as ArrayLike<number>, (v, i) => Math.abs(v - Number(outputs[o + 1][i]))));
          ok(worst <= tolerance.kernel, `outputs ${o} and ${o + 1} differ by ${worst}`);
        }
      }
    }
  }
});
