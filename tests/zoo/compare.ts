// How far two tensors are apart, for the zoo's tests. In: numbers. Out: one number.

import type { TensorData } from '../../host/tensor.ts';

/** Largest difference as a share of the largest expected magnitude; infinite where something is not a number. */
export function relativeError(got: TensorData, want: TensorData): number {
  let [difference, largest] = [got.length === want.length ? 0 : Infinity, 0];
  for (let i = 0; i < want.length; i++) {
    difference = Math.max(difference, Math.abs(Number(got[i]) - Number(want[i])));
    largest = Math.max(largest, Math.abs(Number(want[i])));
  }
  return Number.isFinite(difference) ? difference / largest : Infinity;
}
