// QDQ graphs become integer graphs. The float graph and the integer graph round at different places, so results may be one unit
// apart where an op was folded; they are equal where elements only moved.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Builder } from '../../host/graph/builder.ts';
import type { Value } from '../../host/graph/graph.ts';
import { noClamp } from '../../host/ops/activation.ts';
import { binary } from '../../host/ops/binary.ts';
import { concat } from '../../host/ops/concat.ts';
import { conv2d } from '../../host/ops/conv2d.ts';
import { dequantize } from '../../host/ops/dequantize.ts';
import { matmul } from '../../host/ops/matmul.ts';
import { pad } from '../../host/ops/pad.ts';
import { pool2d } from '../../host/ops/pool2d.ts';
import { quantize } from '../../host/ops/quantize.ts';
import { reduce } from '../../host/ops/reduce.ts';
import { reshape } from '../../host/ops/reshape.ts';
import { softmax } from '../../host/ops/softmax.ts';
import { transpose } from '../../host/ops/transpose.ts';
import { unary } from '../../host/ops/unary.ts';
import { foldQuantize } from '../../host/passes/fold-quantize.ts';
import type { Quantization, Shape } from '../../host/tensor.ts';
import { filled, perTensor, rewritten, text } from './rewrite.ts';

const ONE_UNIT = 1;
const qx = perTensor(0.05, 3);
const qy = perTensor(0.07, -9);

function real(b: Builder, name = 'x', quantization = qx, shape: Shape = [1, 4, 5, 6]): Value {
  return b.add(dequantize, {}, [b.input(name, { dtype: 'int8', shape, quantization })]);
}
function quantized(b: Builder, value: Value, quantization: Quantization = qy): Value {
  return b.add(quantize, {}, [value], { quantization });
}
function stored(b: Builder, shape: Shape, seed: number, quantization: Quantization): Value {
  return b.add(dequantize, {}, [b.constant(filled('int8', shape, seed, quantization))], { fold: false });
}
function perChannel(count: number, axis: number): Quantization {
  return {
    scale: Float32Array.from({ length: count }, (_, i) => 0.002 * (i + 1)), zeroPoint: Int32Array.from({ length: count }, (_, i) => i - 2), axis,
  };
}
const clampedMaximum = {
  kind: 'max', kernel: [2, 2], strides: [1, 1], pads: [0, 0, 1, 1], dilations: [1, 1], ceilMode: false, countIncludePad: false, min: 0, max: 6,
} as const;
const unit = { strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1], groups: 1, ...noClamp } as const;

test('a convolution with weights per channel and a bias in other units', () => {
  const { after, count } = rewritten((b) => {
    const bias = b.constant({ dtype: 'int32', shape: [7], data: Int32Array.of(90, -80, 70, -60, 50, -40, 30), quantization: perTensor(0.01, 0) });
    const y = b.add(conv2d, { ...unit, min: 0, max: 6 }, [real(b), stored(b, [3, 3, 6, 7], 4, perChannel(7, 3)), b.add(dequantize, {}, [bias], { fold: false })]);
    b.output(quantized(b, y), 'y');
  }, foldQuantize, ONE_UNIT);
  assert.equal(count, 1);
  assert.equal(after.replace(/=\[[^\]]*\]/, ''), text(`
    input %0 "x": int8[1,4,5,6]{0.05000000074505806,3}
    %1: int8[1,4,5,7]{0.07000000029802322,-9} = conv2d(%0, int8[3,3,6,7]{7 scales along 3}, int32[7]{7 scales along 0}) {dilations: [1,1], groups: 1, max: 6, min: 0, pads: [1,1,1,1], strides: [1,1]}
    output %1 "y"`));
});

test('a bias that is stored in the right units is taken as it is', () => {
  const data = Int32Array.of(1234567, -7654321);
  const { graph } = rewritten((b) => {
    const scale = Math.fround(Math.fround(0.05) * Math.fround(0.003));
    const bias = b.add(dequantize, {}, [b.constant({ dtype: 'int32', shape: [2], data, quantization: perTensor(scale, 0) })], { fold: false });
    b.output(quantized(b, b.add(conv2d, unit, [real(b), stored(b, [3, 3, 6, 2], 4, perTensor(0.003, 1)), bias]), perTensor(20, 0)), 'y');
  }, foldQuantize, ONE_UNIT);
  assert.deepEqual(graph.nodes[0].inputs[2]?.data, data);
});

const folded: Record<string, { readonly exact?: boolean; readonly build: (b: Builder) => Value }> = {
  'a matrix product with a float bias': {
    build: (b) => quantized(b, b.add(matmul, { ...noClamp }, [real(b, 'x', qx, [3, 6]), stored(b, [6, 5], 4, perChannel(5, 1)), b.constant(filled('float32', [5], 9))])),
  },
  'weights behind a transpose': {
    build(b) {
      const w = b.add(transpose, { perm: [1, 0] }, [stored(b, [5, 6], 4, perChannel(5, 0))]);
      return quantized(b, b.add(matmul, { ...noClamp }, [real(b, 'x', qx, [3, 6]), w, null]));
    },
  },
  'a sum of two scales': { build: (b) => quantized(b, b.add(binary, { kind: 'add', min: 0, max: Infinity }, [real(b), real(b, 'z', perTensor(0.02, 40))])) },
  'a product with a number': { build: (b) => quantized(b, b.add(binary, { kind: 'mul', ...noClamp }, [b.constant({ dtype: 'float32', shape: [], data: Float32Array.of(-1.7) }), real(b)])) },
  'a sigmoid': { build: (b) => quantized(b, b.add(unary, { kind: 'sigmoid', p0: 0, p1: 0 }, [real(b)]), perTensor(1 / 256, -128)) },
  'a mean': { build: (b) => quantized(b, b.add(reduce, { kind: 'mean', axes: [1, 2], keepDims: true }, [real(b)])) },
  'an average pool': {
    build: (b) => quantized(b, b.add(pool2d, { kind: 'average', kernel: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0], dilations: [1, 1], ceilMode: false, countIncludePad: false, ...noClamp }, [real(b)])),
  },
  'a softmax': { build: (b) => quantized(b, b.add(softmax, { axis: 3, log: false, beta: 1 }, [real(b)]), perTensor(1 / 256, -128)) },
  'parts of two scales': { build: (b) => quantized(b, b.add(concat, { axis: 3 }, [real(b), real(b, 'z', perTensor(0.02, 40))])) },
  'other parameters': { build: (b) => quantized(b, real(b)) },
  'movements and a maximum': {
    exact: true,
    build(b) {
      const x = real(b);
      const parts = b.add(concat, { axis: 3 }, [b.add(transpose, { perm: [0, 2, 1, 3] }, [x]), b.add(reshape, { shape: [1, 5, 4, 6] }, [x])]);
      const padded = b.add(pad, { pads: [0, 1, 0, 0, 0, 0, 1, 0], mode: 'constant', value: 0 }, [parts]);
      const y = b.add(pool2d, { kind: 'max', kernel: [2, 2], strides: [1, 1], pads: [0, 0, 1, 1], dilations: [1, 1], ceilMode: false, countIncludePad: false, ...noClamp }, [padded]);
      return quantized(b, y, qx);
    },
  },
  'a maximum with a clamp between equal parameters': { build: (b) => quantized(b, b.add(pool2d, clampedMaximum, [real(b)]), qx) },
  'one result that is quantised twice alike': {
    build(b) {
      const y = b.add(binary, { kind: 'add', ...noClamp }, [real(b), real(b, 'z', perTensor(0.02, 40))]);
      b.output(b.add(reshape, { shape: [120] }, [quantized(b, y)]), 'flat');
      return quantized(b, y);
    },
  },
};
for (const [name, { exact, build }] of Object.entries(folded)) {
  test(`${name}: nothing is float32`, () => {
    const { after } = rewritten((b) => { b.output(build(b), 'y'); }, foldQuantize, exact ? 0 : ONE_UNIT);
    assert.doesNotMatch(after, /float32/);
  });
}

const kept: Record<string, (b: Builder) => Value> = {
  'two functions in a row': (b) => {
    const inner = b.add(unary, { kind: 'exp', p0: 0, p1: 0 }, [real(b)]);
    return quantized(b, b.add(unary, { kind: 'tanh', p0: 0, p1: 0 }, [inner]));
  },
  'weights with scales along the wrong axis': (b) => quantized(b, b.add(conv2d, unit, [real(b), stored(b, [3, 3, 6, 2], 4, perChannel(6, 2)), null])),
  'a maximum with a clamp between different parameters': (b) => quantized(b, b.add(pool2d, clampedMaximum, [real(b)])),
  'a sum that is an output as well': (b) => {
    const y = b.add(binary, { kind: 'add', ...noClamp }, [real(b), real(b, 'z')]);
    b.output(y, 'sum');
    return quantized(b, y);
  },
  'a sum that is quantised in two ways': (b) => {
    const y = b.add(binary, { kind: 'add', ...noClamp }, [real(b), real(b, 'z')]);
    b.output(quantized(b, y, perTensor(0.3, 0)), 'coarse');
    return quantized(b, y);
  },
  'float inputs': (b) => quantized(b, b.add(unary, { kind: 'tanh', p0: 0, p1: 0 }, [b.input('x', { dtype: 'float32', shape: [4] })])),
};
for (const [name, build] of Object.entries(kept)) {
  test(`${name}: stays float32`, () => {
    const { before, after, count } = rewritten((b) => { b.output(build(b), 'y'); }, foldQuantize);
    assert.equal(count, 0);
    assert.equal(after, before);
  });
}
