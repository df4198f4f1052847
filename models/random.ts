// Seeded random numbers, so that networks built in code have the same weights everywhere. In: a seed. Out: numbers or a tensor.
// Must not know networks.

import { elementCount, type Shape, type Tensor } from '../host/tensor.ts';

/** Uniform numbers in [0, 1). Algorithm: Tommy Ettinger's mulberry32, 2017, public domain. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Uniform float32 numbers in [-1, 1). */
export function noise(seed: number, shape: Shape): Tensor & { data: Float32Array } {
  const next = random(seed);
  return { dtype: 'float32', shape, data: Float32Array.from({ length: elementCount(shape) }, () => next() * 2 - 1) };
}
