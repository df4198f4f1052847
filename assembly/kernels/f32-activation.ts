// Activations that convolutions apply to what they have just stored, while it is still in the first-level cache.
// In: rows of channels in memory, a kind with its parameters. Out: the same rows. Must not know convolutions.
// A pass of its own, so that the tiles need no registers for it: twelve accumulators leave none.

import { UNARY_CLAMP, UNARY_HARD_SIGMOID, UNARY_HARD_SWISH, UNARY_LEAKY_RELU, UNARY_SWISH } from "../abi.ts";
import { storeWords } from "../nest.ts";
import { require, word } from "../verify.ts";
import { applyF32 } from "./f32-unary.ts";

/** [kind][P0][P1] at `at`: UNARY_CLAMP stands for none, as minimum and maximum have places of their own. */
export function verifyActivation(at: usize): void {
  const kind = word(at, 0);
  require(kind == UNARY_CLAMP || kind == UNARY_LEAKY_RELU || kind == UNARY_HARD_SWISH || kind == UNARY_HARD_SIGMOID || kind == UNARY_SWISH);
}

/** Applies the activation at `at` to `rows` rows of `channels` floats, `stride` bytes apart. */
export function activateF32(at: usize, rows: i32, to: usize, stride: usize, channels: i32): void {
  const kind = word(at, 0);
  if (kind == UNARY_LEAKY_RELU) pass(UNARY_LEAKY_RELU, at, rows, to, stride, channels);
  else if (kind == UNARY_HARD_SWISH) pass(UNARY_HARD_SWISH, at, rows, to, stride, channels);
  else if (kind == UNARY_SWISH) pass(UNARY_SWISH, at, rows, to, stride, channels);
  else pass(UNARY_HARD_SIGMOID, at, rows, to, stride, channels);
}

/** Hard swish without the division: one rounding away from F32_UNARY's, several times as fast. */
// @ts-ignore: decorator
@inline function fused(kind: i32, x: v128, p0: v128, p1: v128): v128 {
  if (kind == UNARY_HARD_SWISH) return f32x4.mul(x, applyF32(UNARY_HARD_SIGMOID, x, f32x4.splat(<f32>(1.0 / 6.0)), f32x4.splat(0.5)));
  return applyF32(kind, x, p0, p1);
}

// @ts-ignore: decorator
@inline function pass(kind: i32, at: usize, rows: i32, to: usize, stride: usize, channels: i32): void {
  const p0 = v128.load32_splat(at, 4), p1 = v128.load32_splat(at, 8);
  for (; rows > 0; rows--) {
    let p = to;
    for (let left = channels; left > 0; left -= 4) {
      storeWords(p, fused(kind, v128.load(p), p0, p1), left);
      p += 16;
    }
    to += stride;
  }
}
