// Elementwise functions of one operand: activations and simple mathematics, in float32 and int8; some in int32.
// In: one tensor, a kind and up to two parameters. Out: one F32_UNARY step, or for int8 a table of all 256 results.
// Must not know what the operand means.

import {
  BINARY_A, BINARY_ADD, BINARY_A_STRIDES, BINARY_B, BINARY_B_STRIDES, BINARY_DIMS, BINARY_DST, BINARY_DST_STRIDES, BINARY_KIND,
  BINARY_MAX, BINARY_MIN, BINARY_MUL, BINARY_STEP_BYTES, BINARY_SUB, F32_UNARY, I32_BINARY, UNARY_ABS, UNARY_CEIL, UNARY_CLAMP,
  UNARY_DIMS, UNARY_DST, UNARY_DST_STRIDES, UNARY_ELU, UNARY_EXP, UNARY_FLOOR, UNARY_HARD_SIGMOID, UNARY_HARD_SWISH, UNARY_KIND,
  UNARY_LEAKY_RELU, UNARY_LOG, UNARY_NEG, UNARY_P0, UNARY_P1, UNARY_ROUND, UNARY_RSQRT, UNARY_SIGMOID, UNARY_SOFTPLUS, UNARY_SQRT, UNARY_SQUARE,
  UNARY_SRC, UNARY_SRC_STRIDES, UNARY_STEP_BYTES, UNARY_SWISH, UNARY_TANH,
} from '../../assembly/abi.ts';
import { KingletError } from '../error.ts';
import type { Builder } from '../graph/builder.ts';
import { isConstant, type Value } from '../graph/graph.ts';
import type { OnnxNode } from '../import/onnx/node.ts';
import type { Lowering, View } from '../plan/lowering.ts';
import { makeNest } from '../plan/views.ts';
import { allocate, numbers, perTensor, type TensorType } from '../tensor.ts';
import { product } from './axes.ts';
import { wholeClamp } from './binary.ts';
import { emitTable, fillView } from './copy-step.ts';
import type { OnnxReader, Op, TfliteReader } from './op.ts';
import { forward, operand } from './operand.ts';
import { dequantizeValue, quantizeValue, rint } from './quantized.ts';
import { asIntegers } from './whole-bytes.ts';

export type UnaryKind = 'clamp' | 'leakyRelu' | 'sigmoid' | 'tanh' | 'hardSigmoid' | 'hardSwish' | 'swish' | 'elu' | 'softplus' | 'exp' | 'log'
  | 'sqrt' | 'neg' | 'abs' | 'rsqrt' | 'floor' | 'ceil' | 'round' | 'square';
export interface UnaryAttrs {
  readonly kind: UnaryKind;
  /** Parameters as assembly/abi.ts gives them per kind: clamp [p0, p1], leakyRelu and elu p0, hardSigmoid p0*x + p1. */
  readonly p0: number;
  readonly p1: number;
}

interface Definition {
  readonly number: number;
  readonly real: (x: number, p0: number, p1: number) => number;
}
const clamp = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x));

const definitions: Readonly<Record<UnaryKind, Definition>> = {
  clamp: { number: UNARY_CLAMP, real: clamp },
  leakyRelu: { number: UNARY_LEAKY_RELU, real: (x, slope) => (x >= 0 ? x : slope * x) },
  sigmoid: { number: UNARY_SIGMOID, real: (x) => 1 / (1 + Math.exp(-x)) },
  tanh: { number: UNARY_TANH, real: (x) => Math.tanh(x) },
  hardSigmoid: { number: UNARY_HARD_SIGMOID, real: (x, alpha, beta) => clamp(alpha * x + beta, 0, 1) },
  hardSwish: { number: UNARY_HARD_SWISH, real: (x) => x * clamp(x / 6 + 0.5, 0, 1) },
  elu: { number: UNARY_ELU, real: (x, alpha) => (x >= 0 ? x : alpha * Math.expm1(x)) },
  softplus: { number: UNARY_SOFTPLUS, real: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))) },
  exp: { number: UNARY_EXP, real: (x) => Math.exp(x) },
  log: { number: UNARY_LOG, real: (x) => Math.log(x) },
  sqrt: { number: UNARY_SQRT, real: (x) => Math.sqrt(x) },
  neg: { number: UNARY_NEG, real: (x) => -x },
  abs: { number: UNARY_ABS, real: (x) => Math.abs(x) },
  rsqrt: { number: UNARY_RSQRT, real: (x) => 1 / Math.sqrt(x) },
  floor: { number: UNARY_FLOOR, real: (x) => Math.floor(x) },
  ceil: { number: UNARY_CEIL, real: (x) => Math.ceil(x) },
  round: { number: UNARY_ROUND, real: rint },
  swish: { number: UNARY_SWISH, real: (x) => x / (1 + Math.exp(-x)) },
  square: { number: UNARY_SQUARE, real: (x) => x * x },
};

/** Activations that float32 convolutions apply themselves. */
export const fusedKinds: readonly UnaryKind[] = ['leakyRelu', 'swish', 'hardSwish', 'hardSigmoid'];
/** The function on real numbers; the identity where there is none. */
export function realFunction(attrs: UnaryAttrs | undefined): (x: number) => number {
  if (attrs === undefined) return (x) => x;
  const { real } = definitions[attrs.kind];
  return (x) => real(x, attrs.p0, attrs.p1);
}
/** Its number in assembly/abi.ts. */
export function unaryNumber(kind: UnaryKind): number {
  return definitions[kind].number;
}

const wholeKinds: readonly UnaryKind[] = ['clamp', 'neg', 'abs', 'square'];

/** The function on stored numbers of `from`'s dtype, giving stored numbers of `to`'s. */
function applied({ kind, p0, p1 }: UnaryAttrs, from: TensorType, to: TensorType): (x: number) => number {
  const { real } = definitions[kind];
  if (from.dtype === 'float32') return (x) => real(x, p0, p1);
  if (from.dtype === 'int32') {
    const [low, high] = wholeClamp(p0, p1);
    return kind === 'square' ? (x) => Math.imul(x, x) : (x) => real(x, low, high) | 0;
  }
  const qi = perTensor(from, 'the operand');
  const qo = perTensor(to, 'the result');
  return (x) => quantizeValue(Math.fround(real(dequantizeValue(x, qi.scale, qi.zeroPoint), p0, p1)), qo.scale, qo.zeroPoint);
}

/** Results for every int8 code, −128 first. */
function tableOf(attrs: UnaryAttrs, from: TensorType, to: TensorType): Int8Array {
  const apply = applied(attrs, from, to);
  return Int8Array.from({ length: 256 }, (_, i) => apply(i - 128));
}

function emitReal(ctx: Lowering, attrs: UnaryAttrs, dst: View, src: View): void {
  const nest = makeNest([dst, src]);
  ctx.emit(F32_UNARY, UNARY_STEP_BYTES, {
    [UNARY_SRC]: src.at,
    [UNARY_DST]: dst.at,
    [UNARY_KIND]: definitions[attrs.kind].number,
    [UNARY_P0]: { f32: attrs.p0 },
    [UNARY_P1]: { f32: attrs.p1 },
    [UNARY_DIMS]: nest.dims,
    [UNARY_DST_STRIDES]: nest.strides[0],
    [UNARY_SRC_STRIDES]: nest.strides[1],
  });
}

/** int32 has no unary kernel: clamp(x + 0), 0 - x and x * x say the same with two operands. */
function emitWhole(ctx: Lowering, attrs: UnaryAttrs, dst: View, src: View): void {
  const zero = fillView(ctx, 'int32', 0, dst.shape);
  const [min, max] = attrs.kind === 'clamp' ? wholeClamp(attrs.p0, attrs.p1) : wholeClamp(-Infinity, Infinity);
  const [kind, a, b] = attrs.kind === 'clamp' ? [BINARY_ADD, src, zero] as const
    : attrs.kind === 'neg' ? [BINARY_SUB, zero, src] as const
    : [BINARY_MUL, src, src] as const;
  const nest = makeNest([dst, a, b]);
  ctx.emit(I32_BINARY, BINARY_STEP_BYTES, {
    [BINARY_A]: a.at,
    [BINARY_B]: b.at,
    [BINARY_DST]: dst.at,
    [BINARY_KIND]: kind,
    [BINARY_DIMS]: nest.dims,
    [BINARY_DST_STRIDES]: nest.strides[0],
    [BINARY_A_STRIDES]: nest.strides[1],
    [BINARY_B_STRIDES]: nest.strides[2],
    [BINARY_MIN]: min,
    [BINARY_MAX]: max,
  });
}

function onnxUnary(kind: UnaryKind, p0 = 0, p1 = 0): OnnxReader {
  return (node, b) => {
    node.ignore('consumed_inputs');
    return [b.add(unary, { kind, p0, p1 }, [node.input(0)])];
  };
}
function tfliteUnary(kind: UnaryKind, p0 = 0, p1 = 0): TfliteReader {
  return (node, b) => [b.add(unary, { kind, p0, p1 }, [node.input(0)], { quantization: node.output(0).quantization })];
}

/** A bound of Clip: an attribute until opset 10, an optional constant input from 11 on. */
function clipBound(node: OnnxNode, attribute: string, index: number, none: number): number {
  if (node.opset < 11) return node.float(attribute, none);
  const bound = node.optional(index);
  if (bound === null) return none;
  if (!isConstant(bound) || product(bound.shape) !== 1) node.unsupported(`${attribute} must be one constant number`);
  return numbers(bound)[0] + (node.wasUint8(index) ? 128 : 0);
}

/** A clamp of plain integers when they are 8-bit: ONNX's Clip and Relu know no scales. */
function onnxClamp(node: OnnxNode, b: Builder, p0: number, p1: number): Value {
  node.ignore('consumed_inputs');
  const x = node.input(0).dtype === 'int8' ? asIntegers(b, node.input(0), node.wasUint8(0)) : node.input(0);
  return b.add(unary, { kind: 'clamp', p0, p1 }, [x], { quantization: x.quantization });
}

export const unary: Op<UnaryAttrs> = {
  kind: 'unary',
  onnx: {
    Relu: (node, b) => [onnxClamp(node, b, 0, Infinity)],
    Clip: (node, b) => [onnxClamp(node, b, clipBound(node, 'min', 1, -Infinity), clipBound(node, 'max', 2, Infinity))],
    LeakyRelu: (node, b) => onnxUnary('leakyRelu', node.float('alpha', 0.01))(node, b),
    Elu: (node, b) => onnxUnary('elu', node.float('alpha', 1))(node, b),
    HardSigmoid: (node, b) => onnxUnary('hardSigmoid', node.float('alpha', 0.2), node.float('beta', 0.5))(node, b),
    HardSwish: onnxUnary('hardSwish'),
    Sigmoid: onnxUnary('sigmoid'),
    Tanh: onnxUnary('tanh'),
    Softplus: onnxUnary('softplus'),
    Exp: onnxUnary('exp'),
    Log: onnxUnary('log'),
    Sqrt: onnxUnary('sqrt'),
    Neg: onnxUnary('neg'),
    Abs: onnxUnary('abs'),
    Floor: onnxUnary('floor'),
    Ceil: onnxUnary('ceil'),
    Round: onnxUnary('round'),
  },
  tflite: {
    RELU: tfliteUnary('clamp', 0, Infinity),
    RELU6: tfliteUnary('clamp', 0, 6),
    RELU_N1_TO_1: tfliteUnary('clamp', -1, 1),
    RELU_0_TO_1: tfliteUnary('clamp', 0, 1),
    LEAKY_RELU: (node, b) => tfliteUnary('leakyRelu', node.f32(0, 0))(node, b),
    LOGISTIC: tfliteUnary('sigmoid'),
    TANH: tfliteUnary('tanh'),
    HARD_SWISH: tfliteUnary('hardSwish'),
    ELU: tfliteUnary('elu', 1),
    EXP: tfliteUnary('exp'),
    LOG: tfliteUnary('log'),
    SQRT: tfliteUnary('sqrt'),
    RSQRT: tfliteUnary('rsqrt'),
    NEG: tfliteUnary('neg'),
    ABS: tfliteUnary('abs'),
    FLOOR: tfliteUnary('floor'),
    CEIL: tfliteUnary('ceil'),
    ROUND: tfliteUnary('round'),
    SQUARE: tfliteUnary('square'),
  },

  infer(inputs, { kind }) {
    const { dtype, shape } = operand(inputs, 0);
    if (dtype !== 'float32' && dtype !== 'int8' && !(dtype === 'int32' && wholeKinds.includes(kind))) {
      throw new KingletError('ERR_UNSUPPORTED', `${kind} of ${dtype} tensors is not supported`);
    }
    return [{ dtype, shape }];
  },

  reference(inputs, attrs, [type]) {
    const x = operand(inputs, 0);
    const apply = applied(attrs, x, type);
    const source = numbers(x);
    const data = allocate(type.dtype, source.length);
    const target = numbers({ ...type, data });
    for (let i = 0; i < source.length; i++) target[i] = apply(source[i]);
    return [{ ...type, data }];
  },

  permute: (attrs) => attrs,

  lower(node, ctx) {
    const x = operand(node.inputs, 0);
    const out = node.outputs[0];
    if (product(out.shape) === 0) return;
    if (out.dtype === 'int32' && node.attrs.kind === 'abs') throw new KingletError('ERR_UNSUPPORTED', 'abs of int32 tensors is supported for constants only');
    const src = ctx.read(x, forward);
    const dst = ctx.write(out, forward);
    if (out.dtype === 'int8') emitTable(ctx, dst, src, tableOf(node.attrs, x, out));
    else if (out.dtype === 'int32') emitWhole(ctx, node.attrs, dst, src);
    else emitReal(ctx, node.attrs, dst, src);
  },
};
