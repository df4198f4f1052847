// TFLite layers as read by the op files, by definition and by steps, against values worked out by hand.

import { deepEqual, ok, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { KingletError, type ErrorCode } from '../../host/error.ts';
import { Builder } from '../../host/graph/builder.ts';
import type { Graph } from '../../host/graph/graph.ts';
import { tfliteReaders } from '../../host/ops/index.ts';
import type { Quantization, Tensor, TensorType } from '../../host/tensor.ts';
import { bothWays, floatTensor, intTensor, scale } from './problem.ts';
import { tfliteNode, type TfliteSpec } from './source-nodes.ts';

/** The first input is fed, the others are constants. `fed` feeds another one. */
function readNode(op: string, inputs: readonly (Tensor | null)[], spec: Omit<TfliteSpec, 'inputs'> = {}, fed = 0): Graph {
  const reader = tfliteReaders.get(op);
  if (!reader) throw new Error(`no reader for ${op}`);
  const b = new Builder();
  const values = inputs.map((t, i) => (t === null ? null : i === fed ? b.input('x', t) : b.constant(t)));
  for (const value of reader(tfliteNode({ ...spec, inputs: values }), b)) b.output(value, 'y');
  return b.graph;
}

function check(name: string, op: string, inputs: readonly (Tensor | null)[], spec: Omit<TfliteSpec, 'inputs'>, expected: Tensor, fed = 0): void {
  test(name, async () => {
    const graph = readNode(op, inputs, spec, fed);
    deepEqual([graph.outputs[0].dtype, graph.outputs[0].shape], [expected.dtype, expected.shape]);
    deepEqual(graph.outputs[0].quantization, expected.quantization);
    for (const [y] of await bothWays(graph, [inputs[fed] ?? floatTensor([], [])])) {
      const worst = Math.max(...Array.from(y as ArrayLike<number | bigint>, (v, i) => Math.abs(Number(v) - Number(expected.data[i]))));
      ok(y.length === expected.data.length && worst <= (expected.dtype === 'float32' ? 1e-6 : 0), `[${[...y].join(', ')}] is not [${[...expected.data].join(', ')}]`);
    }
  });
}

const int8 = (shape: readonly number[], data: readonly number[], quantization?: Quantization): Tensor => ({ dtype: 'int8', shape, data: Int8Array.from(data), quantization });
const int32 = (shape: readonly number[], data: readonly number[]): Tensor => intTensor(shape, data);
const out = (dtype: 'float32' | 'int8' | 'int32', quantization?: Quantization): TensorType[] => [{ dtype, shape: [], quantization }];
const i = (...v: number[]): Tensor => intTensor([v.length], v);
const f = (...v: number[]): Tensor => floatTensor([v.length], v);
const [qa, qo] = [scale(0.5, 10), scale(0.25, -3)];

const column = floatTensor([1, 4, 1, 1], [1, -2, 3, 4]);
check('MAX_POOL_2D SAME with RELU6', 'MAX_POOL_2D', [column], { options: { 0: 0, 1: 1, 2: 2, 3: 1, 4: 3, 5: 3 }, outputs: out('float32') }, floatTensor([1, 2, 1, 1], [3, 4]));
check('AVERAGE_POOL_2D SAME leaves pads out', 'AVERAGE_POOL_2D', [column], { options: { 0: 0, 1: 1, 2: 2, 3: 1, 4: 3 }, outputs: out('float32') }, floatTensor([1, 2, 1, 1], [2 / 3, 3.5]));
// (sum - 3*10) * 0.5 / (0.25 * 3): 1-30 → -19.33, 18-20 (two values) → -2.
check('AVERAGE_POOL_2D of bytes', 'AVERAGE_POOL_2D', [int8([1, 4, 1, 1], [-5, 2, 4, 14], qa)], { options: { 0: 0, 1: 1, 2: 2, 3: 1, 4: 3 }, outputs: out('int8', qo) },
  int8([1, 2, 1, 1], [-22, -5], qo));
check('MAX_POOL_2D of bytes restates the scale', 'MAX_POOL_2D', [int8([1, 2, 1, 1], [12, 20], qa)], { options: { 0: 1, 1: 1, 2: 1, 3: 1, 4: 2 }, outputs: out('int8', qo) },
  int8([1, 1, 1, 1], [17], qo));

const pairs = floatTensor([2, 3], [1, 2, 3, 4, 5, 9]);
check('MEAN drops axes', 'MEAN', [pairs, i(-1)], { outputs: out('float32') }, floatTensor([2], [2, 6]));
check('SUM keeps axes', 'SUM', [pairs, i(0)], { options: { 0: true }, outputs: out('float32') }, floatTensor([1, 3], [5, 7, 12]));
check('REDUCE_MAX over a scalar axis', 'REDUCE_MAX', [pairs, int32([], [1])], { outputs: out('float32') }, floatTensor([2], [3, 9]));
check('REDUCE_MIN of bytes keeps the scale', 'REDUCE_MIN', [int8([2, 2], [1, -7, 3, 4], qa), i(0, 1)], { outputs: out('int8', qa) }, int8([], [-7], qa));
// (1+2+6 - 3*10) * (0.5 / 0.75) = -14, (21+22+23 - 30) * 2/3 = 24
check('MEAN of bytes', 'MEAN', [int8([2, 3], [1, 2, 6, 21, 22, 23], qa), i(1)], { outputs: out('int8', qo) }, int8([2], [-17, 21], qo));
check('SUM of bytes', 'SUM', [int8([2, 3], [1, 2, 6, 21, 22, 23], qa), i(1)], { outputs: out('int8', qo) }, int8([2], [-45, 69], qo));

check('SOFTMAX with beta', 'SOFTMAX', [floatTensor([1, 2], [0, Math.log(3) / 2])], { options: { 0: 2 }, outputs: out('float32') }, floatTensor([1, 2], [0.25, 0.75]));
const probability = scale(1 / 256, -128);
// Real inputs 0, 1, 0: p = 0.2119, 0.5761, 0.2119.
check('SOFTMAX of bytes', 'SOFTMAX', [int8([1, 3], [10, 12, 10], qa)], { options: { 0: 1 }, outputs: out('int8', probability) }, int8([1, 3], [-74, 19, -74], probability));
check('LOG_SOFTMAX', 'LOG_SOFTMAX', [floatTensor([1, 2], [0, 0])], { outputs: out('float32') }, floatTensor([1, 2], [-Math.LN2, -Math.LN2]));
// log(p) = -1.551, -0.551, -1.551 in steps of 1/16, zero point 127.
check('LOG_SOFTMAX of bytes', 'LOG_SOFTMAX', [int8([1, 3], [10, 12, 10], qa)], { outputs: out('int8', scale(1 / 16, 127)) }, int8([1, 3], [102, 118, 102], scale(1 / 16, 127)));
check('ARG_MAX takes the first', 'ARG_MAX', [floatTensor([2, 3], [1, 5, 5, 7, 2, 7]), int32([], [-1])], { outputs: out('int32') }, int32([2], [1, 0]));

check('FULLY_CONNECTED flattens', 'FULLY_CONNECTED', [floatTensor([2, 1, 2], [1, 2, 3, 4]), floatTensor([3, 2], [1, 0, 0, 1, -1, -1]), f(10, 20, 0)],
  { options: { 0: 1 }, outputs: out('float32') }, floatTensor([2, 3], [11, 22, 0, 13, 24, 0]));
check('FULLY_CONNECTED keeps dims', 'FULLY_CONNECTED', [floatTensor([2, 1, 2], [1, 2, 3, 4]), floatTensor([1, 2], [1, -1]), null],
  { options: { 2: true }, outputs: out('float32') }, floatTensor([2, 1, 1], [-1, -1]));
// Column 0: ((1-10)*2 + (20-10)*3 + 5) * f32(0.5*1/0.25) = 34; column 1: (-9*-1 + 10*4 - 60) * 0.5 = -5.5 → -6.
check('FULLY_CONNECTED of bytes, weights per channel', 'FULLY_CONNECTED',
  [int8([1, 2], [1, 20], qa), int8([2, 2], [2, 3, -1, 4], { scale: Float32Array.of(1, 0.25), zeroPoint: new Int32Array(2), axis: 0 }), i(5, -60)],
  { outputs: out('int8', qo) }, int8([1, 2], [31, -9], qo));
check('FULLY_CONNECTED of bytes with a weight zero point and RELU', 'FULLY_CONNECTED',
  [int8([1, 2], [1, 20], qa), int8([2, 2], [2, 3, -1, -9], scale(0.5, 1)), null],
  { options: { 0: 1 }, outputs: out('int8', qo) }, int8([1, 2], [8, -3], qo));
check('FULLY_CONNECTED widens weights under float activations', 'FULLY_CONNECTED', [floatTensor([1, 2], [1, 2]), int8([1, 2], [4, -6], scale(0.5, 0)), null],
  { outputs: out('float32') }, floatTensor([1, 1], [-4]));
check('BATCH_MATMUL with both operands turned', 'BATCH_MATMUL', [floatTensor([1, 2, 2], [1, 2, 3, 4]), floatTensor([1, 1, 2], [1, -1])],
  { options: { 0: true, 1: true }, outputs: out('float32') }, floatTensor([1, 2, 1], [-2, -2]));

// Strides 2 in SAME: one crop in front, output padding behind where the output is longer.
const taps = floatTensor([1, 1, 3, 1], [1, 10, 100]);
const row = floatTensor([1, 1, 2, 1], [1, 2]);
check('TRANSPOSE_CONV VALID', 'TRANSPOSE_CONV', [i(1, 1, 5, 1), taps, row], { options: { 0: 1, 1: 2, 2: 1 }, outputs: out('float32') }, floatTensor([1, 1, 5, 1], [1, 10, 102, 20, 200]), 2);
check('TRANSPOSE_CONV SAME with bias and RELU6', 'TRANSPOSE_CONV', [i(1, 1, 4, 1), taps, row, f(-90)], { options: { 0: 0, 1: 2, 2: 1, 3: 3 }, outputs: out('float32') },
  floatTensor([1, 1, 4, 1], [0, 0, 6, 0]), 2);
check('TRANSPOSE_CONV to a longer output', 'TRANSPOSE_CONV', [i(1, 2, 6, 1), taps, row], { options: { 0: 1, 1: 2, 2: 1 }, outputs: out('float32') },
  floatTensor([1, 2, 6, 1], [1, 10, 102, 20, 200, 0, 0, 0, 0, 0, 0, 0]), 2);
// Real values: x 1, -1 with weights 1, 2, 3 and so 0.25; two output channels of different scale.
check('TRANSPOSE_CONV of bytes, weights per channel', 'TRANSPOSE_CONV',
  [i(1, 1, 5, 2), int8([2, 1, 3, 1], [1, 2, 3, 4, 5, 6], { scale: Float32Array.of(1, 0.5), zeroPoint: new Int32Array(2), axis: 0 }), int8([1, 1, 2, 1], [12, 8], qa), i(1, -1)],
  { options: { 0: 1, 1: 2, 2: 1 }, outputs: out('int8', qo) },
  // acc + bias, channel 0: 3 5 5 -3 -5 (times 2), channel 1: 7 9 3 -11 -13 (times 1).
  int8([1, 1, 5, 2], [3, 4, 7, 6, 7, 0, -9, -14, -13, -16], qo), 2);

const square = floatTensor([1, 2, 2, 1], [0, 4, 8, 12]);
check('RESIZE_BILINEAR', 'RESIZE_BILINEAR', [square, i(1, 4)], { outputs: out('float32') }, floatTensor([1, 1, 4, 1], [0, 2, 4, 4]));
check('RESIZE_BILINEAR half pixel', 'RESIZE_BILINEAR', [square, i(1, 4)], { options: { 3: true }, outputs: out('float32') }, floatTensor([1, 1, 4, 1], [4, 5, 7, 8]));
check('RESIZE_BILINEAR aligned', 'RESIZE_BILINEAR', [square, i(3, 3)], { options: { 2: true }, outputs: out('float32') }, floatTensor([1, 3, 3, 1], [0, 2, 4, 4, 6, 8, 8, 10, 12]));
check('RESIZE_BILINEAR of bytes', 'RESIZE_BILINEAR', [int8([1, 1, 2, 1], [10, 14], qa), i(1, 4)], { outputs: out('int8', qo) }, int8([1, 1, 4, 1], [-3, 1, 5, 5], qo));
check('RESIZE_NEAREST_NEIGHBOR', 'RESIZE_NEAREST_NEIGHBOR', [square, i(2, 3)], { outputs: out('float32') }, floatTensor([1, 2, 3, 1], [0, 0, 4, 8, 8, 12]));
check('RESIZE_NEAREST_NEIGHBOR half pixel', 'RESIZE_NEAREST_NEIGHBOR', [square, i(2, 3)], { options: { 1: true }, outputs: out('float32') }, floatTensor([1, 2, 3, 1], [0, 4, 4, 8, 12, 12]));
check('RESIZE_NEAREST_NEIGHBOR aligned', 'RESIZE_NEAREST_NEIGHBOR', [square, i(2, 3)], { options: { 0: true }, outputs: out('float32') }, floatTensor([1, 2, 3, 1], [0, 4, 4, 8, 12, 12]));

check('QUANTIZE real numbers', 'QUANTIZE', [f(0.125, 0.375, -1, 99)], { outputs: out('int8', qo) }, int8([4], [-3, -1, -7, 127], qo));
check('QUANTIZE between scales', 'QUANTIZE', [int8([3], [10, 11, -128], qa)], { outputs: out('int8', qo) }, int8([3], [-3, -1, -128], qo));
check('QUANTIZE with nothing to do', 'QUANTIZE', [int8([2], [10, 11], qa)], { outputs: out('int8', qa) }, int8([2], [10, 11], qa));
check('DEQUANTIZE', 'DEQUANTIZE', [int8([3], [10, 11, -128], qa)], { outputs: out('float32') }, f(0, 0.5, -69));
check('CAST to integers', 'CAST', [f(2.9, -2.9)], { outputs: out('int32') }, i(2, -2));

test('DEQUANTIZE passes widened float16 constants through', () => {
  const b = new Builder();
  const x = b.constant(f(1, 2));
  deepEqual(tfliteReaders.get('DEQUANTIZE')?.(tfliteNode({ inputs: [x], outputs: out('float32') }), b), [x]);
});

test('what is not supported or contradicts itself is refused by name', () => {
  const refused: [string, ErrorCode, Omit<TfliteSpec, 'inputs'>, (Tensor | null)[], number?][] = [
    ['MAX_POOL_2D', 'ERR_MODEL_INVALID', { options: { 0: 2, 1: 1, 2: 1, 3: 1, 4: 1 } }, [column]],
    ['MAX_POOL_2D', 'ERR_MODEL_INVALID', { options: { 0: 0, 1: 0, 2: 1, 3: 1, 4: 1 } }, [column]],
    ['MAX_POOL_2D', 'ERR_MODEL_INVALID', { options: { 0: 0, 1: 1, 2: 1, 3: 1, 4: 1 } }, [pairs]],
    ['MAX_POOL_2D', 'ERR_UNSUPPORTED', { options: { 0: 0, 1: 1, 2: 1, 3: 1, 4: 1, 5: 4 } }, [column]],
    ['MEAN', 'ERR_MODEL_INVALID', {}, [pairs, i(2)]],
    ['FULLY_CONNECTED', 'ERR_MODEL_INVALID', {}, [pairs, floatTensor([1, 4], [1, 2, 3, 4]), null]],
    ['FULLY_CONNECTED', 'ERR_MODEL_INVALID', {}, [pairs, f(1, 2, 3), null]],
    ['FULLY_CONNECTED', 'ERR_MODEL_INVALID', {}, [pairs, floatTensor([1, 3], [1, 2, 3]), f(1, 2)]],
    ['FULLY_CONNECTED', 'ERR_UNSUPPORTED', { options: { 1: 1 } }, [pairs, floatTensor([1, 3], [1, 2, 3]), null]],
    ['TRANSPOSE_CONV', 'ERR_MODEL_INVALID', { options: { 0: 1, 1: 2, 2: 0 } }, [i(1, 1, 5, 1), taps, row], 2],
    ['TRANSPOSE_CONV', 'ERR_MODEL_INVALID', { options: { 0: 1, 1: 2, 2: 1 } }, [i(1, 5, 1), taps, row], 2],
    ['TRANSPOSE_CONV', 'ERR_MODEL_INVALID', { options: { 0: 1, 1: 2, 2: 1 } }, [i(1, 1, 2147483647, 1), taps, row], 2],
    ['RESIZE_BILINEAR', 'ERR_MODEL_INVALID', {}, [square, i(0, 4)]],
    ['RESIZE_BILINEAR', 'ERR_MODEL_INVALID', {}, [square, i(4)]],
    ['RESIZE_BILINEAR', 'ERR_LIMIT', {}, [square, i(1000000, 1000000)]],
    ['QUANTIZE', 'ERR_UNSUPPORTED', { outputs: out('float32') }, [f(1)]],
    ['CAST', 'ERR_UNSUPPORTED', { outputs: out('float32') }, [int8([1], [1])]],
  ];
  for (const [op, code, spec, inputs, fed] of refused) {
    throws(() => readNode(op, inputs, { outputs: out('float32'), ...spec }, fed), (error) => error instanceof KingletError && error.code === code, `${op} ${JSON.stringify(spec)}`);
  }
});
