// Scales and zero points of int8 tensors. In: ranges of activations, float32 weights. Out: quantisation parameters, int8 weights.
// The scheme is TFLite's: https://ai.google.dev/edge/litert/conversion/tensorflow/quantization/quantization_spec
// (Jacob et al. 2018, https://arxiv.org/abs/1712.05877). Must not know graphs.

import { rint, saturate } from '../ops/quantized.ts';
import { numbers, type Quantization, type Tensor } from '../tensor.ts';
import type { Range } from './observe-ranges.ts';

const STEPS = 255;
/** Weights are -127…127: symmetric, and two products of them never wrap a 16-bit sum. */
const LARGEST_WEIGHT = 127;
/** Largest bias in accumulator units: leaves room for the products in 32 bits. */
const LARGEST_BIAS = 2 ** 29;

/** Per tensor, with 0 inside the range and exact, since padding and clamps need it. */
export function activationParameters(range: Range): Quantization {
  const [min, max] = [Math.min(0, range.min), Math.max(0, range.max)];
  const scale = Math.fround((max - min) / STEPS) || 1;
  return { scale: Float32Array.of(scale), zeroPoint: Int32Array.of(saturate(rint(-128 - min / scale))), axis: 0 };
}

/**
 * int8 weights, symmetric, one scale per channel of the last axis. Where weights are tiny beside their bias, the scale is as
 * large as the bias needs: it is stored in units of `inputScale` times it.
 */
export function quantizeWeights(weights: Tensor, bias: Tensor | null, inputScale: number): Tensor {
  const source = numbers(weights);
  const offsets = bias && numbers(bias);
  const channels = weights.shape.at(-1) ?? 1;
  const scale = Float32Array.from(largestPerChannel(source, channels), (largest, c) =>
    Math.max(largest / LARGEST_WEIGHT, Math.abs(offsets?.[c] ?? 0) / (inputScale * LARGEST_BIAS)) || 1);
  const data = new Int8Array(source.length);
  for (let row = 0; row < data.length; row += channels) {
    for (let c = 0; c < channels; c++) data[row + c] = saturate(rint(source[row + c] / scale[c]), -LARGEST_WEIGHT, LARGEST_WEIGHT);
  }
  const quantization = { scale, zeroPoint: new Int32Array(channels), axis: weights.shape.length - 1 };
  return { dtype: 'int8', shape: weights.shape, data, quantization };
}

function largestPerChannel(source: ArrayLike<number>, channels: number): Float64Array {
  const largest = new Float64Array(channels);
  for (let row = 0; row < source.length; row += channels) {
    for (let c = 0; c < channels; c++) largest[c] = Math.max(largest[c], Math.abs(source[row + c]));
  }
  return largest;
}
