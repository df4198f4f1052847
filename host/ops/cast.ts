// cast: between float32, int32, int8 and (at the graph's border) int64 and bool (0 or 1), by value.
// ONNX Cast, TFLite CAST. Float to integer truncates towards zero and saturates; NaN becomes 0. Must not know the graph around it.

import {
  CONVERT_DEQUANTIZE, CONVERT_F32_I32, CONVERT_I32_F32, CONVERT_I32_I64, CONVERT_I32_I8, CONVERT_I64_I32, CONVERT_I8_I32,
} from '../../assembly/abi.ts';
import { KingletError } from '../error.ts';
import type { Builder } from '../graph/builder.ts';
import type { Value } from '../graph/graph.ts';
import { withQuantization } from '../import/onnx/quantization.ts';
import type { Lowering, View } from '../plan/lowering.ts';
import { denseStrides, elementBytes, elementCount, type DType, type Quantization, type Tensor } from '../tensor.ts';
import { emitConvert } from './convert-step.ts';
import { dequantize } from './dequantize.ts';
import type { Op } from './op.ts';
import { emptyTensor, forward, operand } from './operand.ts';
import { quantize } from './quantize.ts';
import { saturate } from './quantized.ts';

export interface CastAttrs {
  readonly to: DType;
}

/** TensorProto.DataType by number; int64 is int32 inside the graph. */
const onnxTypes: Readonly<Record<number, DType>> = { 1: 'float32', 2: 'uint8', 3: 'int8', 6: 'int32', 7: 'int32' };

/** uint8 values as the integers 0 … 255 when their int8 stand-in is read with it. */
export const byteValues: Quantization = { scale: Float32Array.of(1), zeroPoint: Int32Array.of(-128), axis: 0 };

/** The X_CONVERT kinds from one dtype to another, in order. */
const routes: Partial<Record<DType, Partial<Record<DType, readonly Hop[]>>>> = {
  float32: { int32: [[CONVERT_F32_I32, 'int32']], int8: [[CONVERT_F32_I32, 'int32'], [CONVERT_I32_I8, 'int8']], int64: [[CONVERT_F32_I32, 'int32'], [CONVERT_I32_I64, 'int64']] },
  int32: { float32: [[CONVERT_I32_F32, 'float32']], int8: [[CONVERT_I32_I8, 'int8']], int64: [[CONVERT_I32_I64, 'int64']], bool: [[CONVERT_I32_I8, 'bool']] },
  bool: { int32: [[CONVERT_I8_I32, 'int32']] },
  int8: { float32: [[CONVERT_DEQUANTIZE, 'float32']], int32: [[CONVERT_I8_I32, 'int32']], int64: [[CONVERT_I8_I32, 'int32'], [CONVERT_I32_I64, 'int64']] },
  int64: { int32: [[CONVERT_I64_I32, 'int32']], float32: [[CONVERT_I64_I32, 'int32'], [CONVERT_I32_F32, 'float32']], int8: [[CONVERT_I64_I32, 'int32'], [CONVERT_I32_I8, 'int8']] },
};
type Hop = readonly [kind: number, to: DType];

export const cast: Op<CastAttrs> = {
  kind: 'cast',
  onnx: {
    Cast(node, b) {
      node.ignore('saturate', 'round_mode');
      const to = onnxTypes[node.int('to')];
      if (to === undefined) return node.unsupported(`casting to ONNX data type ${node.int('to')} is not supported`);
      const x = node.wasUint8(0) ? fromBytes(b, node.input(0)) : node.input(0);
      return [to === 'uint8' ? toBytes(b, x) : castTo(b, x, to)];
    },
  },
  tflite: {
    CAST(node, b) {
      const x = node.input(0);
      const stated = node.output(0).dtype;
      const to = stated === 'int64' ? 'int32' : stated;
      if (x.dtype !== to && (x.dtype === 'int8' || to === 'int8')) node.unsupported('casting 8-bit tensors is not supported');
      return [castTo(b, x, to)];
    },
  },
  infer(inputs, attrs) {
    const x = operand(inputs, 0);
    if (x.dtype !== attrs.to && routes[x.dtype]?.[attrs.to] === undefined) {
      throw new KingletError('ERR_UNSUPPORTED', `casting ${x.dtype} to ${attrs.to} is not supported`);
    }
    return [{ dtype: attrs.to, shape: x.shape }];
  },
  reference(inputs, attrs, outputs) {
    const x = operand(inputs, 0);
    const y = emptyTensor(operand(outputs, 0));
    for (let i = 0; i < y.data.length; i++) store(y, i, castNumber(Number(x.data[i]), x.dtype, attrs.to));
    return [y];
  },
  permute: (attrs) => attrs,
  lower(node, ctx) {
    const y = operand(node.outputs, 0);
    let src = ctx.read(operand(node.inputs, 0), forward);
    const dst = ctx.write(y);
    const hops = routes[src.dtype]?.[y.dtype];
    if (hops === undefined) throw new KingletError('ERR_INTERNAL', `no conversion from ${src.dtype} to ${y.dtype}`);
    hops.forEach(([kind, to], i) => {
      const next = i === hops.length - 1 ? dst : temporaryView(ctx, to, dst.shape);
      emitConvert(ctx, kind, src, next);
      src = next;
    });
  },
};

/** Dense memory for the steps of one node. */
export function temporaryView(ctx: Lowering, dtype: DType, shape: readonly number[]): View {
  return { dtype, shape, strides: denseStrides(shape), at: ctx.temporary(elementCount(shape) * elementBytes[dtype]) };
}

function castTo(b: Builder, x: Value, to: DType): Value {
  return x.dtype === to ? x : b.add(cast, { to }, [x]);
}

function fromBytes(b: Builder, x: Value): Value {
  return b.add(dequantize, {}, [withQuantization(b, x, byteValues)]);
}

function toBytes(b: Builder, x: Value): Value {
  const whole = x.dtype === 'float32' ? castTo(b, x, 'int32') : x;
  return b.add(quantize, {}, [castTo(b, whole, 'float32')], { quantization: byteValues });
}

/** By way of int32, as the steps do: wider values saturate there. */
function castNumber(value: number, from: DType, to: DType): number {
  if (to === 'float32' && from !== 'int64') return value;
  const whole = saturate(Math.trunc(value), -(2 ** 31), 2 ** 31 - 1);
  return to === 'int8' ? saturate(whole) : whole;
}

function store(tensor: Tensor, index: number, value: number): void {
  if (tensor.data instanceof BigInt64Array) tensor.data[index] = BigInt(value);
  else tensor.data[index] = value;
}
