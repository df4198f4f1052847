// How files spell matrix products: ONNX MatMul, Gemm, MatMulInteger, QLinearMatMul; TFLite FULLY_CONNECTED, BATCH_MATMUL.
// In: the matmul op and a file's node. Out: matmul nodes on [..., M, K] and [..., K, N]. Must not know kernels.

import type { Builder } from '../graph/builder.ts';
import type { Value } from '../graph/graph.ts';
import { permuteWeights } from '../import/onnx/layout.ts';
import type { OnnxNode } from '../import/onnx/node.ts';
import { onnxQuantization, unitQuantization, withQuantization } from '../import/onnx/quantization.ts';
import type { TfliteNode } from '../import/tflite/node.ts';
import { elementCount } from '../tensor.ts';
import { noClamp, tfliteClamp } from './activation.ts';
import { binary } from './binary.ts';
import { dequantize } from './dequantize.ts';
import type { MatmulAttrs } from './matmul.ts';
import type { OnnxReader, Op, TfliteReader } from './op.ts';
import { reshape } from './reshape.ts';

export function onnxMatmulReaders(matmul: Op<MatmulAttrs>): Record<string, OnnxReader> {
  return {
    MatMul: (node, b) => [withMatrices(b, node.input(0), node.input(1), (x, y) => b.add(matmul, noClamp, [x, y, null]))],
    Gemm: (node, b) => [readGemm(matmul, node, b)],
    MatMulInteger(node, b) {
      const x = withQuantization(b, node.input(0), unitQuantization(node, 0, 2, node.input(0).shape.length - 1));
      const y = withQuantization(b, node.input(1), unitQuantization(node, 1, 3, node.input(1).shape.length - 1));
      return [withMatrices(b, x, y, (left, right) => b.add(matmul, { ...noClamp, accumulators: true }, [left, right, null]))];
    },
    QLinearMatMul(node, b) {
      const state = (index: number, value: Value): Value => withQuantization(b, value,
        onnxQuantization(node, value.shape, { scale: index + 1, zeroPoint: index + 2, defaultZero: 0, axis: -1 }));
      const quantization = onnxQuantization(node, [], { scale: 6, zeroPoint: 7, defaultZero: 0, axis: 0 });
      return [withMatrices(b, state(0, node.input(0)), state(3, node.input(3)), (x, y) => b.add(matmul, noClamp, [x, y, null], { quantization }))];
    },
  };
}

export function tfliteMatmulReaders(matmul: Op<MatmulAttrs>): Record<string, TfliteReader> {
  return {
    FULLY_CONNECTED: (node, b) => [readFullyConnected(matmul, node, b)],
    BATCH_MATMUL(node, b) {
      const x = node.bool(0, false) ? swapLast(b, node.input(0)) : node.input(0);
      const y = node.bool(1, false) ? swapLast(b, node.input(1)) : node.input(1);
      return [b.add(matmul, noClamp, [x, y, null], { quantization: node.output(0).quantization })];
    },
  };
}

/** ONNX lets vectors stand for matrices: a row on the left, a column on the right, and drops that axis from the result. */
function withMatrices(b: Builder, x: Value, y: Value, multiply: (x: Value, y: Value) => Value): Value {
  const left = x.shape.length === 1 ? b.add(reshape, { shape: [1, x.shape[0]] }, [x]) : x;
  const right = y.shape.length === 1 ? b.add(reshape, { shape: [y.shape[0], 1] }, [y]) : y;
  const z = multiply(left, right);
  if (left === x && right === y) return z;
  const dropped = [...(left === x ? [] : [z.shape.length - 2]), ...(right === y ? [] : [z.shape.length - 1])];
  return b.add(reshape, { shape: z.shape.filter((_, i) => !dropped.includes(i)) }, [z]);
}

/** alpha * A' * B' + beta * C. */
function readGemm(matmul: Op<MatmulAttrs>, node: OnnxNode, b: Builder): Value {
  node.ignore('broadcast');
  if (node.input(0).shape.length !== 2 || node.input(1).shape.length !== 2) return node.fail('Gemm multiplies matrices');
  const x = node.int('transA', 0) !== 0 ? swapLast(b, node.input(0)) : node.input(0);
  const weights = node.int('transB', 0) !== 0 ? swapLast(b, node.input(1)) : node.input(1);
  const y = scaled(b, weights, node.float('alpha', 1));
  const c = node.optional(2);
  const beta = node.float('beta', 1);
  if (c === null || beta === 0) return b.add(matmul, noClamp, [x, y, null]);
  const added = scaled(b, c, beta);
  const columns = y.shape[1];
  if (added.shape.at(-1) === columns && elementCount(added.shape) === columns) {
    const bias = added.shape.length === 1 ? added : b.add(reshape, { shape: [columns] }, [added]);
    return b.add(matmul, noClamp, [x, y, bias]);
  }
  return b.add(binary, { kind: 'add', ...noClamp }, [b.add(matmul, noClamp, [x, y, null]), added]);
}

function scaled(b: Builder, value: Value, factor: number): Value {
  if (factor === 1) return value;
  return b.add(binary, { kind: 'mul', ...noClamp }, [value, b.constant({ dtype: 'float32', shape: [], data: Float32Array.of(factor) })]);
}

/** Transposes the two matrix axes. */
function swapLast(b: Builder, value: Value): Value {
  const axes = value.shape.map((_, i) => i);
  return permuteWeights(b, value, [...axes.slice(0, -2), ...axes.slice(-2).reverse()]);
}

/** Options: activation, weights_format, keep_num_dims. Weights [OUT, IN] → [IN, OUT]. */
function readFullyConnected(matmul: Op<MatmulAttrs>, node: TfliteNode, b: Builder): Value {
  const x = node.input(0);
  if (node.u8(1, 0) !== 0) node.unsupported('shuffled weights are not supported');
  if (node.input(1).shape.length !== 2) node.fail(`weights of shape [${node.input(1).shape.join(', ')}] are not a matrix`);
  const stored = permuteWeights(b, node.input(1), [1, 0]);
  const [width, columns] = stored.shape;
  // Weights compressed to int8 under float activations are widened once, at compile time.
  const weights = x.dtype === 'float32' && stored.dtype === 'int8' ? b.add(dequantize, {}, [stored]) : stored;
  const count = elementCount(x.shape);
  if (width < 1 || count % width !== 0) return node.fail(`${count} inputs do not fit weights for ${width}`);
  const rows = x.shape.length === 2 && x.shape[1] === width ? x : b.add(reshape, { shape: [count / width, width] }, [x]);
  const y = b.add(matmul, tfliteClamp(node, 0), [rows, weights, node.optional(2)], { quantization: node.output(0).quantization });
  const keepsDims = node.bool(2, false) && x.shape.length !== 2 && x.shape.at(-1) === width;
  return keepsDims ? b.add(reshape, { shape: [...x.shape.slice(0, -1), columns] }, [y]) : y;
}
