// ONNX comparisons, logic on booleans and what chooses by them. In: their nodes. Out: binary and cast nodes; booleans are int32 0 or 1.
// A NaN is neither less than, nor equal to, nor greater than anything. Formulas: https://onnx.ai/onnx/operators/. Must not know kernels.

import type { Builder } from '../graph/builder.ts';
import type { Value } from '../graph/graph.ts';
import type { OnnxNode } from '../import/onnx/node.ts';
import type { BinaryKind } from './binary.ts';
import { cast } from './cast.ts';
import { applyBinary } from './composed.ts';
import type { OnnxReader } from './op.ts';

/** 1 where the relation holds, in the operands' dtype. */
type Relation = (b: Builder, x: Value | number, y: Value | number) => Value;
const less: Relation = (b, x, y) => applyBinary(b, 'less', x, y);
const equal: Relation = (b, x, y) => applyBinary(b, 'equal', x, y);
const atMost: Relation = (b, x, y) => applyBinary(b, 'maximum', less(b, x, y), equal(b, x, y));

function truth(b: Builder, x: Value): Value {
  return x.dtype === 'int32' ? x : b.add(cast, { to: 'int32' }, [x]);
}
function opposite(b: Builder, x: Value): Value {
  return applyBinary(b, 'sub', 1, x);
}

function comparison(relation: Relation): OnnxReader {
  return (node, b) => {
    if (node.opset < 7) node.unsupported('comparisons before opset 7 are not supported');
    const [x, y] = [node.input(0), node.input(1)];
    if (x.dtype === 'int8') node.unsupported('comparing 8-bit tensors is not supported');
    return [truth(b, relation(b, x, y))];
  };
}

function logic(kind: BinaryKind): OnnxReader {
  return (node, b) => {
    if (node.opset < 7) node.unsupported('logic before opset 7 is not supported');
    return [applyBinary(b, kind, node.input(0), node.input(1))];
  };
}

/** condition ? x : y, all three broadcast. */
function where(node: OnnxNode, b: Builder): Value {
  const [condition, x, y] = [node.input(0), node.input(1), node.input(2)];
  if (x.dtype !== 'float32' && x.dtype !== 'int32') return node.unsupported(`Where on ${x.dtype} tensors is not supported`);
  const as = (flag: Value): Value => (x.dtype === 'int32' ? flag : b.add(cast, { to: x.dtype }, [flag]));
  return applyBinary(b, 'add', applyBinary(b, 'keep', as(condition), x), applyBinary(b, 'keep', as(opposite(b, condition)), y));
}

/** x > alpha ? x : 0 */
function thresholdedRelu(node: OnnxNode, b: Builder): Value {
  const x = node.input(0);
  return applyBinary(b, 'keep', less(b, node.float('alpha', 1), x), x);
}

/** x < -lambd ? x + bias : x > lambd ? x - bias : 0 */
function shrink(node: OnnxNode, b: Builder): Value {
  const x = node.input(0);
  if (x.dtype !== 'float32') return node.unsupported(`Shrink on ${x.dtype} tensors is not supported`);
  const [bias, lambda] = [node.float('bias', 0), node.float('lambd', 0.5)];
  const below = applyBinary(b, 'keep', less(b, x, -lambda), applyBinary(b, 'add', x, bias));
  return applyBinary(b, 'add', below, applyBinary(b, 'keep', less(b, lambda, x), applyBinary(b, 'sub', x, bias)));
}

/** 1, 0 or -1; 0 for NaN. */
function sign(node: OnnxNode, b: Builder): Value {
  const x = node.input(0);
  return applyBinary(b, 'sub', less(b, 0, x), less(b, x, 0));
}

const onnx: Readonly<Record<string, OnnxReader>> = {
  Equal: comparison(equal),
  Less: comparison(less),
  Greater: comparison((b, x, y) => less(b, y, x)),
  LessOrEqual: comparison(atMost),
  GreaterOrEqual: comparison((b, x, y) => atMost(b, y, x)),
  And: logic('minimum'),
  Or: logic('maximum'),
  Xor: logic('squaredDifference'),
  Not: (node, b) => [opposite(b, node.input(0))],
  IsNaN: (node, b) => [opposite(b, truth(b, equal(b, node.input(0), node.input(0))))],
  Where: (node, b) => [where(node, b)],
  ThresholdedRelu: (node, b) => [thresholdedRelu(node, b)],
  Shrink: (node, b) => [shrink(node, b)],
  Sign: (node, b) => [sign(node, b)],
};

/** Readers only: nothing of these is left in a graph. */
export const logicOps = { kind: 'logic', onnx };
