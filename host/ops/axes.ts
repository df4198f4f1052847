// Lists of axes, permutations and shapes: the small checks that the shape rules of moving ops share.
// In: numbers from models (hostile). Out: checked numbers, or a KingletError that says what does not fit.
// Must not know any particular op or file format.

import { KingletError } from '../error.ts';
import { numbers, type Quantization, type Shape, type Tensor } from '../tensor.ts';
import { normalizeAxis } from './operand.ts';

/** Several axes, each at most once. */
export function normalizeAxes(axes: readonly number[], rank: number): number[] {
  const positive = axes.map((axis) => normalizeAxis(axis, rank));
  if (new Set(positive).size !== positive.length) throw new KingletError('ERR_MODEL_INVALID', `axes [${axes.join(', ')}] name an axis twice`);
  return positive;
}

/** perm[inverse[i]] == i. */
export function inversePermutation(perm: readonly number[]): number[] {
  const inverse = new Array<number>(perm.length).fill(0);
  perm.forEach((from, to) => { inverse[from] = to; });
  return inverse;
}

/** The values of an int32 tensor (shapes, axes, indices). */
export function integers(tensor: Tensor): number[] {
  if (tensor.dtype !== 'int32') throw new KingletError('ERR_MODEL_INVALID', `expected integers, found ${tensor.dtype}`);
  return Array.from(numbers(tensor));
}

export function product(dims: Shape): number {
  return dims.reduce((a, d) => a * d, 1);
}

/** One axis moves, per-channel parameters with it; per-tensor parameters stay as they are. `to` < 0: the axis is lost. */
export function moveQuantizationAxis(q: Quantization | undefined, to: (axis: number) => number): Quantization | undefined {
  if (q === undefined || q.scale.length === 1) return q;
  const axis = to(q.axis);
  if (axis < 0) throw new KingletError('ERR_UNSUPPORTED', 'this rearrangement of a tensor that is quantised per channel is not supported');
  return { ...q, axis };
}
