// Operators that leave no node behind: constants, shapes and identities. In: ONNX and TFLite nodes. Out: constants or their inputs.
// Shapes are known when a model is imported, so arithmetic on them folds away. Must not know which ops use the results.

import { KingletError } from '../error.ts';
import type { Builder } from '../graph/builder.ts';
import { isConstant, type Value } from '../graph/graph.ts';
import type { OnnxNode } from '../import/onnx/node.ts';
import { numbers, type Shape } from '../tensor.ts';
import { integers, product } from './axes.ts';
import { expand } from './expand.ts';
import type { OnnxReader, TfliteReader } from './op.ts';

function intConstant(b: Builder, values: readonly number[], shape: Shape = [values.length]): Value {
  return b.constant({ dtype: 'int32', shape, data: Int32Array.from(values) });
}
function floatConstant(b: Builder, values: readonly number[], shape: Shape = [values.length]): Value {
  return b.constant({ dtype: 'float32', shape, data: Float32Array.from(values) });
}

function onnxConstant(node: OnnxNode, b: Builder): Value {
  if (node.has('value')) return b.constant(node.tensor('value'));
  if (node.has('value_float')) return floatConstant(b, [node.float('value_float')], []);
  if (node.has('value_floats')) return floatConstant(b, node.floats('value_floats'));
  if (node.has('value_int')) return intConstant(b, [node.int('value_int')], []);
  if (node.has('value_ints')) return intConstant(b, node.ints('value_ints'));
  return node.unsupported('constants other than tensors and numbers are not supported');
}

/** Dims start…end of the input's shape; negative ones count from the end, ones outside are moved inside. */
function onnxShape(node: OnnxNode, b: Builder): Value {
  const { shape } = node.input(0);
  return intConstant(b, shape.slice(node.int('start', 0), node.int('end', shape.length)));
}

/** Inference keeps every element. The mask says so, should anybody ask; otherwise it disappears. */
function onnxDropout(node: OnnxNode, b: Builder): Value[] {
  node.ignore('ratio', 'seed', 'is_test', 'consumed_inputs');
  const x = node.input(0);
  const training = node.optional(2);
  if (training !== null && !(isConstant(training) && [...numbers(training)].every((flag) => flag === 0))) node.unsupported('training_mode is not supported');
  if (node.outputCount < 2) return [x];
  return [x, b.add(expand, { shape: x.shape }, [intConstant(b, [1], [])], { fold: false })];
}

/** Most numbers of a Range: anchors and positions are far fewer, and a file of a hundred bytes may ask for any number. */
const MAX_RANGE = 2 ** 20;

/** start, start + delta, … up to limit, which is not reached. */
function onnxRange(node: OnnxNode, b: Builder): Value {
  const bounds = [0, 1, 2].map((i) => node.constant(i));
  if (bounds.some((bound) => product(bound.shape) !== 1 || bound.dtype !== bounds[0].dtype)) return node.fail('start, limit and delta must be numbers of one type');
  const [start, limit, delta] = bounds.map((bound) => numbers(bound)[0]);
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  if (!(count <= MAX_RANGE)) throw new KingletError('ERR_LIMIT', `a range of ${count} numbers; the limit is ${MAX_RANGE}`);
  const values = Array.from({ length: count }, (_, i) => start + i * delta);
  return bounds[0].dtype === 'float32' ? floatConstant(b, values) : intConstant(b, values);
}

const onnx: Readonly<Record<string, OnnxReader>> = {
  Constant: (node, b) => [onnxConstant(node, b)],
  ConstantOfShape(node, b) {
    const value = node.has('value') ? b.constant(node.tensor('value')) : floatConstant(b, [0]);
    if (product(value.shape) !== 1) return node.fail('value must be one number');
    return [b.add(expand, { shape: integers(node.constant(0)) }, [b.constant({ ...value, shape: [], data: value.data ?? new Float32Array(1) })])];
  },
  Range: (node, b) => [onnxRange(node, b)],
  Shape: (node, b) => [onnxShape(node, b)],
  Size: (node, b) => [intConstant(b, [product(node.input(0).shape)], [])],
  Identity: (node) => [node.input(0)],
  Dropout: onnxDropout,
};

const tflite: Readonly<Record<string, TfliteReader>> = {
  SHAPE: (node, b) => [intConstant(b, node.input(0).shape)],
  /** Sparse tensors are spread out when they are read. */
  DENSIFY: (node) => [node.input(0)],
  RANK: (node, b) => [intConstant(b, [node.input(0).shape.length], [])],
};

/** Readers only: nothing of these is left in a graph. */
export const constantOps = { kind: 'constant', onnx, tflite };
