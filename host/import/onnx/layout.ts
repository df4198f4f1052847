// Layout changes at the ONNX border: NCHW activations and OIHW weights into the graph's NHWC and HWIO, and back.
// In: a builder and a value. Out: the transposed value. The pass cancel-transposes removes the pairs afterwards.
// Must not know any ONNX operator.

import { KingletError } from '../../error.ts';
import type { Builder } from '../../graph/builder.ts';
import { is, isConstant, type Node, type Value } from '../../graph/graph.ts';
import { dequantize } from '../../ops/dequantize.ts';
import { reshape } from '../../ops/reshape.ts';
import { transpose } from '../../ops/transpose.ts';
import type { Quantization } from '../../tensor.ts';

const TO_NHWC = [0, 2, 3, 1];
const TO_NCHW = [0, 3, 1, 2];

/** [N,C,H,W] → [N,H,W,C]; [N,C,L] → [N,1,L,C]. */
export function toNhwc(b: Builder, value: Value): Value {
  const [n, c, length] = value.shape;
  if (value.shape.length === 3) return b.add(transpose, { perm: TO_NHWC }, [b.add(reshape, { shape: [n, c, 1, length] }, [value])]);
  requireRank4(value);
  return b.add(transpose, { perm: TO_NHWC }, [value]);
}

/** [N,H,W,C] → [N,C,H,W], or for rank 3 (whose height is 1) → [N,C,L]. */
export function toNchw(b: Builder, value: Value, rank = 4): Value {
  requireRank4(value);
  const planes = b.add(transpose, { perm: TO_NCHW }, [value]);
  const [n, c, , length] = planes.shape;
  return rank === 3 ? b.add(reshape, { shape: [n, c, length] }, [planes]) : planes;
}

/** [N, C, …] → [N, …, C], whatever the number of axes between. */
export function channelsToBack(b: Builder, value: Value): Value {
  const rank = value.shape.length;
  if (rank < 2) throw new KingletError('ERR_MODEL_INVALID', `a tensor of shape [${value.shape.join(', ')}] has no channels`);
  return rank === 2 ? value : b.add(transpose, { perm: [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1] }, [value]);
}

/** [N, …, C] → [N, C, …]. */
export function channelsToFront(b: Builder, value: Value): Value {
  const rank = value.shape.length;
  return rank === 2 ? value : b.add(transpose, { perm: [0, rank - 1, ...Array.from({ length: rank - 2 }, (_, i) => i + 1)] }, [value]);
}

function requireRank4(value: Value): void {
  if (value.shape.length !== 4) {
    throw new KingletError('ERR_UNSUPPORTED', `spatial operators work on one or two spatial axes here, not on shape [${value.shape.join(', ')}]`);
  }
}

/** The node that makes `value`; undefined for inputs and constants. */
export function producerOf(b: Builder, value: Value): Node | undefined {
  return b.producer(value);
}

/** Quantisation of transpose(x, perm): the channel axis moves along. */
export function permuteQuantization(q: Quantization | undefined, perm: readonly number[]): Quantization | undefined {
  if (q === undefined || q.scale.length === 1) return q;
  return { ...q, axis: perm.indexOf(q.axis) };
}

/** transpose(value, perm); behind a dequantised constant it is the quantised constant that moves, so that it stays quantised. */
export function permuteWeights(b: Builder, value: Value, perm: readonly number[]): Value {
  const node = producerOf(b, value);
  const quantized = node?.inputs[0];
  if (is(node, dequantize) && isConstant(quantized)) {
    const moved = b.add(transpose, { perm }, [quantized], { quantization: permuteQuantization(quantized.quantization, perm) });
    return b.add(dequantize, node.attrs, [moved], { fold: false });
  }
  return b.add(transpose, { perm }, [value], { quantization: permuteQuantization(value.quantization, perm) });
}
