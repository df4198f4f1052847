// Quantisation parameters of ONNX's quantised operators. In: a node's scale and zero-point inputs. Out: Quantization of a value.
// Must not know any ONNX operator.

import type { Builder } from '../../graph/builder.ts';
import { isConstant, type Value } from '../../graph/graph.ts';
import { numbers, sameQuantization, type Quantization } from '../../tensor.ts';
import { normalizeAxis } from '../../ops/operand.ts';
import { reshape } from '../../ops/reshape.ts';
import type { OnnxNode } from './node.ts';

export interface QuantizationInputs {
  /** Input index of the scale. */
  readonly scale: number;
  /** Input index of the zero point, which may be missing. */
  readonly zeroPoint: number;
  /** Zero point in our int8 domain when the file has none. */
  readonly defaultZero: number;
  /** Axis of per-channel parameters. */
  readonly axis: number;
}

/** Per-tensor parameters, or one per index of `axis` of a tensor of this shape. */
export function onnxQuantization(node: OnnxNode, shape: readonly number[], where: QuantizationInputs): Quantization {
  const scale = node.constant(where.scale);
  if (scale.dtype !== 'float32') return node.unsupported(`${scale.dtype} scales are not supported`);
  const values = Float32Array.from(numbers(scale));
  if (!values.every((s) => s > 0 && s < Infinity)) return node.fail('scales must be positive numbers');
  const channels = values.length === 1 && scale.shape.length <= 1 ? 1 : values.length;
  const axis = channels === 1 ? 0 : normalizeAxis(where.axis, shape.length);
  if (scale.shape.length > 1) return node.unsupported(`scales of shape [${scale.shape.join(', ')}] (blocked quantisation) are not supported`);
  if (channels !== 1 && channels !== shape[axis]) return node.fail(`${channels} scales for ${shape[axis] ?? 0} channels`);
  return { scale: values, zeroPoint: zeroPoints(node, where, channels), axis };
}

function zeroPoints(node: OnnxNode, where: QuantizationInputs, channels: number): Int32Array {
  if (node.optional(where.zeroPoint) === null) return new Int32Array(channels).fill(where.defaultZero);
  const zero = node.constant(where.zeroPoint);
  if (zero.dtype !== 'int8' && zero.dtype !== 'int32') return node.unsupported(`${zero.dtype} zero points are not supported`);
  const values = Int32Array.from(numbers(zero));
  if (values.length !== channels) return node.fail(`${values.length} zero points for ${channels} scales`);
  return values;
}

/** Integers that stand for themselves: scale 1, and the zero point that the node states for its input `value`. */
export function unitQuantization(node: OnnxNode, value: number, zeroPoint: number, axis: number): Quantization {
  const zeros = node.optional(zeroPoint) === null ? Int32Array.of(node.wasUint8(value) ? -128 : 0) : Int32Array.from(numbers(node.constant(zeroPoint)));
  return { scale: new Float32Array(zeros.length).fill(1), zeroPoint: zeros, axis: zeros.length === 1 ? 0 : axis };
}

/** The same integers, stated to mean what `q` says. Graph inputs get their parameters from the first operator that knows them. */
export function withQuantization(b: Builder, value: Value, q: Quantization): Value {
  if (sameQuantization(value.quantization, q)) return value;
  if (isConstant(value)) return b.constant({ dtype: value.dtype, shape: value.shape, data: value.data, quantization: q }, value.name);
  // Two operators read the same integers differently.
  if (value.quantization !== undefined) return b.add(reshape, { shape: [...value.shape] }, [value], { quantization: q });
  (value as { quantization?: Quantization }).quantization = q;
  return value;
}
