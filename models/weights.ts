// Where a network's weights come from: a caller's file, or seeded noise. In: a layer's name, shape, role and wanted spread.
// Out: numbers. Must not know networks.

import { elementCount, type Shape } from '../host/tensor.ts';
import { random } from './random.ts';

/** Weights are HWIO for convolutions and [inputs, outputs] for fully connected layers; all else has one number per channel. */
export type WeightRole = 'weights' | 'bias' | 'gamma' | 'beta' | 'mean' | 'variance';
/** The numbers of one tensor, `shape` row-major; asked once per tensor, in the order in which a network is built. */
export type WeightSource = (name: string, shape: Shape, role: WeightRole) => Float32Array;

/** Uniform numbers in [centre - spread, centre + spread), the same for the same seed, name and role whatever else a network has. */
export function seeded(seed: number, name: string, role: WeightRole, shape: Shape, centre: number, spread: number): Float32Array {
  const next = random(hash(`${seed}/${name}/${role}`));
  const numbers = new Float32Array(elementCount(shape));
  for (let i = 0; i < numbers.length; i++) numbers[i] = centre + (next() * 2 - 1) * spread;
  return numbers;
}

/**
 * Scales the weights of each output (the last axis) so that their squares sum to norm², in place, after the share `centred` of
 * their mean was taken away. At 1 a mean that all inputs share does not pass (scaled weight standardisation: Brock et al.,
 * arXiv 2101.08692, section 4).
 */
export function standardised(weights: Float32Array, shape: Shape, { norm, centred }: { readonly norm: number; readonly centred: number }): Float32Array {
  const outputs = shape[shape.length - 1];
  const fanIn = weights.length / outputs;
  const [sums, squares] = [new Float64Array(outputs), new Float64Array(outputs)];
  for (let i = 0; i < weights.length; i++) {
    sums[i % outputs] += weights[i];
    squares[i % outputs] += weights[i] ** 2;
  }
  const means = sums.map((sum) => centred * sum / fanIn);
  const factors = squares.map((square, o) => norm / Math.sqrt(square - (2 - centred) * means[o] * sums[o]));
  for (let i = 0; i < weights.length; i++) weights[i] = (weights[i] - means[i % outputs]) * factors[i % outputs];
  return weights;
}

/** FNV-1a, 32 bits (Fowler, Noll, Vo; RFC 9923). */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  return state >>> 0;
}
