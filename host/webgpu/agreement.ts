// When answers of the GPU count as right: the one place of that tolerance. In: answers of wasm and of the GPU. Out: how far apart they are.
// Must not know where they come from.

import type { TensorData } from '../dtype.ts';

/**
 * Largest difference that is allowed, as a share of the output's largest absolute value; of positions (argmax) the share that may be others,
 * where two values are closer than that. Float16 has 11 bits.
 */
const allowedShare = { float32: 1e-3, float16: 2e-2 } as const;

/** `half`: the GPU may keep weights in float16. */
export function agrees(apart: number, half: boolean): boolean {
  return apart <= (half ? allowedShare.float16 : allowedShare.float32);
}

/**
 * Largest difference of any element, as a share of its output's largest absolute value in `wanted`; of integers the share of elements that
 * differ. Infinity for another length or a number that is none.
 */
export function disagreement(wanted: readonly TensorData[], got: readonly TensorData[]): number {
  if (wanted.length !== got.length) return Infinity;
  return wanted.reduce((most, data, i) => Math.max(most, apart(data, got[i])), 0);
}

function apart(wanted: TensorData, got: TensorData): number {
  if (wanted.length !== got.length) return Infinity;
  if (!(wanted instanceof Float32Array)) return wanted.length === 0 ? 0 : others(wanted, got) / wanted.length;
  let largest = 0, difference = 0;
  for (let i = 0; i < wanted.length; i++) {
    const a = wanted[i], b = got[i] as number;
    if (Number.isFinite(a)) largest = Math.max(largest, Math.abs(a));
    if (Object.is(a, b)) continue;
    if (!Number.isFinite(a) || !Number.isFinite(b)) return Infinity;
    difference = Math.max(difference, Math.abs(a - b));
  }
  return difference === 0 ? 0 : difference / largest;
}

function others(wanted: TensorData, got: TensorData): number {
  let count = 0;
  for (let i = 0; i < wanted.length; i++) if (wanted[i] !== got[i]) count++;
  return count;
}
