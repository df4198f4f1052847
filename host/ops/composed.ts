// ONNX operators that are a few simpler ones: activations, means and reductions. In: their nodes. Out: unary, binary and reduce nodes.
// Formulas: https://onnx.ai/onnx/operators/ (Selu, Celu, Softsign, Mean, ReduceL1 …). Must not know kernels.

import type { Builder } from '../graph/builder.ts';
import type { Value } from '../graph/graph.ts';
import type { OnnxNode } from '../import/onnx/node.ts';
import { noClamp } from './activation.ts';
import { binary, type BinaryKind } from './binary.ts';
import type { OnnxReader } from './op.ts';
import { onnxAxes, reduce, withoutAxes, type ReduceKind } from './reduce.ts';
import { unary, type UnaryKind } from './unary.ts';

export function applyUnary(b: Builder, kind: UnaryKind, x: Value, p0 = 0, p1 = 0): Value {
  return b.add(unary, { kind, p0, p1 }, [x]);
}
/** A number may stand for a constant: int32 beside int32, otherwise float32. */
export function applyBinary(b: Builder, kind: BinaryKind, x: Value | number, y: Value | number): Value {
  const isWhole = [x, y].some((v) => typeof v !== 'number' && v.dtype === 'int32');
  const operand = (v: Value | number): Value => typeof v !== 'number' ? v
    : b.constant(isWhole ? { dtype: 'int32', shape: [], data: Int32Array.of(v) } : { dtype: 'float32', shape: [], data: Float32Array.of(v) });
  return b.add(binary, { kind, ...noClamp }, [operand(x), operand(y)]);
}

/** gamma * (x >= 0 ? x : alpha * (exp(x) - 1)) */
function selu(node: OnnxNode, b: Builder): Value {
  node.ignore('consumed_inputs');
  const old = node.opset < 6;
  const alpha = node.float('alpha', old ? 1.6732 : 1.67326319217681884765625);
  return applyBinary(b, 'mul', applyUnary(b, 'elu', node.input(0), alpha), node.float('gamma', old ? 1.0507 : 1.05070102214813232421875));
}

/** x >= 0 ? x : alpha * (exp(x / alpha) - 1) */
function celu(node: OnnxNode, b: Builder): Value {
  const alpha = node.float('alpha', 1);
  if (alpha === 0) return node.fail('alpha is 0');
  return applyBinary(b, 'mul', applyUnary(b, 'elu', applyBinary(b, 'div', node.input(0), alpha), 1), alpha);
}

/** x / (1 + |x|) */
function softsign(node: OnnxNode, b: Builder): Value {
  const x = node.input(0);
  node.ignore('consumed_inputs');
  return applyBinary(b, 'div', x, applyBinary(b, 'add', applyUnary(b, 'abs', x), 1));
}

function mean(node: OnnxNode, b: Builder): Value {
  node.ignore('consumed_inputs');
  let sum = node.input(0);
  for (let i = 1; i < node.inputs.length; i++) sum = applyBinary(b, 'add', sum, node.input(i));
  return node.inputs.length === 1 ? sum : applyBinary(b, 'div', sum, node.inputs.length);
}

/** A reduction between two elementwise functions. */
function reduction(kind: ReduceKind, before: UnaryKind | null, after: UnaryKind | null): OnnxReader {
  return (node, b) => {
    const x = node.input(0);
    const axes = onnxAxes(node, 18);
    if (axes.length === 0 && x.shape.length > 0) return [withoutAxes(node, b, x, axes)];
    const reduced = b.add(reduce, { kind, axes, keepDims: true }, [before === null ? x : applyUnary(b, before, x)]);
    return [withoutAxes(node, b, after === null ? reduced : applyUnary(b, after, reduced), axes)];
  };
}

const LARGEST = 3.4028234663852886e38;

/** max + log(sum(exp(x - max))), which neither overflows nor vanishes; an infinite maximum counts as the largest number. */
function logSumExp(node: OnnxNode, b: Builder): Value {
  const x = node.input(0);
  const axes = onnxAxes(node, 18);
  if (axes.length === 0 && x.shape.length > 0) return withoutAxes(node, b, x, axes);
  const largest = applyUnary(b, 'clamp', b.add(reduce, { kind: 'max', axes, keepDims: true }, [x]), -LARGEST, LARGEST);
  const powers = applyUnary(b, 'exp', applyBinary(b, 'sub', x, largest));
  const sum = applyUnary(b, 'log', b.add(reduce, { kind: 'sum', axes, keepDims: true }, [powers]));
  return withoutAxes(node, b, applyBinary(b, 'add', sum, largest), axes);
}

const onnx: Readonly<Record<string, OnnxReader>> = {
  Selu: (node, b) => [selu(node, b)],
  Celu: (node, b) => [celu(node, b)],
  Softsign: (node, b) => [softsign(node, b)],
  Mean: (node, b) => [mean(node, b)],
  ReduceL1: reduction('sum', 'abs', null),
  ReduceL2: reduction('sum', 'square', 'sqrt'),
  ReduceSumSquare: reduction('sum', 'square', null),
  ReduceLogSum: reduction('sum', null, 'log'),
  ReduceLogSumExp: (node, b) => [logSumExp(node, b)],
};

/** Readers only: nothing of these is left in a graph. */
export const composed = { kind: 'composed of others', onnx };
