// How ONNX and TFLite name elementwise operations of two (or more) operands. In: their nodes. Out: binary nodes in the graph.
// The op is a parameter, so that this file does not depend on how it computes or lowers.

import type { Builder } from '../graph/builder.ts';
import { is, isConstant, type Value } from '../graph/graph.ts';
import type { OnnxNode } from '../import/onnx/node.ts';
import { producerOf } from '../import/onnx/layout.ts';
import type { Quantization } from '../tensor.ts';
import { noClamp, tfliteClamp, type Clamp } from './activation.ts';
import type { BinaryAttrs, BinaryKind } from './binary.ts';
import { cast } from './cast.ts';
import { dequantize } from './dequantize.ts';
import type { Op, OnnxReader, TfliteReader } from './op.ts';
import { reshape } from './reshape.ts';
import { asIntegers, byteArithmetic } from './whole-bytes.ts';

interface BinaryOptions {
  readonly clamp?: Clamp;
  readonly quantization?: Quantization | undefined;
}

/** A constant (or the dequantised form of one) of lower rank gets leading ones, so that both operands have one order of axes. */
function ranked(b: Builder, value: Value, rank: number): Value {
  if (value.shape.length === 0 || value.shape.length >= rank) return value;
  const shape = [...new Array<number>(rank - value.shape.length).fill(1), ...value.shape];
  if (isConstant(value)) return b.add(reshape, { shape }, [value]);
  const node = producerOf(b, value);
  if (!is(node, dequantize) || !isConstant(node.inputs[0])) return value;
  return b.add(dequantize, node.attrs, [b.add(reshape, { shape }, [node.inputs[0]])], { fold: false });
}

/** The second operand; before opset 7 it must say with `broadcast` and `axis` where its dims lie among the first one's. */
function secondOperand(node: OnnxNode, b: Builder): Value {
  const y = node.input(1);
  if (node.opset >= 7) return y;
  node.ignore('consumed_inputs');
  const rank = node.input(0).shape.length;
  const broadcast = node.int('broadcast', 0) !== 0;
  const axis = node.int('axis', rank - y.shape.length);
  if (!broadcast) {
    if (y.shape.length !== rank) node.fail(`operands of rank ${rank} and ${y.shape.length} need the attribute broadcast`);
    return y;
  }
  const start = axis < 0 ? axis + rank : axis;
  const behind = rank - start - y.shape.length;
  if (start < 0 || behind < 0) node.fail(`axis ${axis} does not leave room for an operand of rank ${y.shape.length}`);
  return behind === 0 ? y : b.add(reshape, { shape: [...y.shape, ...new Array<number>(behind).fill(1)] }, [y]);
}

type AddBinary = (b: Builder, kind: BinaryKind, x: Value, y: Value, options?: BinaryOptions) => Value;

function adder(op: Op<BinaryAttrs>): AddBinary {
  return (b, kind, x, y, options = {}) => {
    const { min, max } = options.clamp ?? noClamp;
    const rank = Math.max(x.shape.length, y.shape.length);
    return b.add(op, { kind, min, max }, [ranked(b, x, rank), ranked(b, y, rank)], { quantization: options.quantization });
  };
}

export function onnxBinaryReaders(op: Op<BinaryAttrs>): Readonly<Record<string, OnnxReader>> {
  const add = adder(op);
  const pair = (kind: BinaryKind): OnnxReader => (node, b) => {
    const [x, y] = [node.input(0), secondOperand(node, b)];
    const areBytes = x.dtype === 'int8' && y.dtype === 'int8';
    return [areBytes ? byteArithmetic(b, add, kind, x, y, node.wasUint8(0)) : add(b, kind, x, y)];
  };
  // Max, Min and Sum take any number of operands: a chain from left to right.
  const chain = (kind: BinaryKind): OnnxReader => (node, b) => {
    node.ignore('consumed_inputs');
    const inputs = node.inputs.map((_, i) => (node.input(i).dtype === 'int8' ? asIntegers(b, node.input(i), node.wasUint8(i)) : node.input(i)));
    return [inputs.reduce((x, y) => add(b, kind, x, y))];
  };
  return {
    Add: pair('add'),
    Sub: pair('sub'),
    Mul: pair('mul'),
    Div: pair('div'),
    Max: chain('maximum'),
    Min: chain('minimum'),
    Sum: chain('add'),
    Pow(node, b) {
      const x = node.input(0);
      const exponent = secondOperand(node, b);
      return [add(b, 'pow', x, exponent.dtype === x.dtype ? exponent : b.add(cast, { to: x.dtype }, [exponent]))];
    },
    PRelu(node, b) {
      const x = node.input(0);
      const slope = node.input(1);
      node.ignore('consumed_inputs');
      // Before opset 7 a vector of slopes belongs to the channels, which ONNX keeps in axis 1.
      const perChannel = node.opset < 7 && slope.shape.length === 1 && slope.shape[0] > 1 && x.shape.length > 2;
      const shape = [slope.shape[0], ...new Array<number>(Math.max(0, x.shape.length - 2)).fill(1)];
      return [add(b, 'prelu', x, perChannel ? b.add(reshape, { shape }, [slope]) : slope)];
    },
    Reciprocal(node, b) {
      node.ignore('consumed_inputs');
      const one = b.constant({ dtype: 'float32', shape: [], data: new Float32Array([1]) });
      return [add(b, 'div', one, node.input(0))];
    },
  };
}

export function tfliteBinaryReaders(op: Op<BinaryAttrs>): Readonly<Record<string, TfliteReader>> {
  const add = adder(op);
  const plain = (kind: BinaryKind): TfliteReader => (node, b) =>
    [add(b, kind, node.input(0), node.input(1), { quantization: node.output(0).quantization })];
  const activated = (kind: BinaryKind): TfliteReader => (node, b) =>
    [add(b, kind, node.input(0), node.input(1), { clamp: tfliteClamp(node, 0), quantization: node.output(0).quantization })];
  return {
    ADD: activated('add'),
    SUB: activated('sub'),
    MUL: activated('mul'),
    DIV: activated('div'),
    MAXIMUM: plain('maximum'),
    MINIMUM: plain('minimum'),
    POW: plain('pow'),
    SQUARED_DIFFERENCE: plain('squaredDifference'),
    FLOOR_DIV: plain('floorDiv'),
    PRELU: plain('prelu'),
  };
}
