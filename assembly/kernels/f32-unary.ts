// Elementwise functions of one f32 operand.
// In: one F32_UNARY step. Out: dst = kind(src; P0, P1) over a nest of 6 dims.
// Fast where both innermost strides are 1; other strides go element by element. Loads run past the operand (at most 12 bytes), stores
// are exact. dst may be src at the same address and strides, and otherwise must not overlap it. NaN stays NaN.
// Accuracy of the transcendental kinds: math.ts. Must not know quantisation (int8 functions are tables, see qs8-lut.ts).

import {
  NEST_RANK, UNARY_ABS, UNARY_CEIL, UNARY_CLAMP, UNARY_DIMS, UNARY_DST, UNARY_DST_STRIDES, UNARY_ELU, UNARY_EXP, UNARY_FLOOR,
  UNARY_HARD_SIGMOID, UNARY_HARD_SWISH, UNARY_KIND, UNARY_KIND_COUNT, UNARY_LEAKY_RELU, UNARY_LOG, UNARY_NEG, UNARY_P0, UNARY_P1,
  UNARY_ROUND, UNARY_RSQRT, UNARY_SIGMOID, UNARY_SOFTPLUS, UNARY_SQRT, UNARY_SQUARE, UNARY_SRC, UNARY_SRC_STRIDES, UNARY_SWISH,
  UNARY_TANH,
} from "../abi.ts";
import { addWork, nestCount, nestSpan, reads, times, word, writes } from "../verify.ts";
import { exp4, expm14, log4, sigmoid4, softplus4, tanh4 } from "../math.ts";
import { nestNext, nestOffset, nestStart, oneOf, spreads, storeWords } from "../nest.ts";
import { clampF32 } from "../simd.ts";

/** Work: product of DIMS. */
export function verifyF32Unary(step: usize): void {
  oneOf(step, UNARY_KIND, UNARY_KIND_COUNT);
  spreads(step, UNARY_DIMS, UNARY_DST_STRIDES, NEST_RANK);
  reads(word(step, UNARY_SRC), times(nestSpan(step, UNARY_DIMS, UNARY_SRC_STRIDES), 4));
  writes(word(step, UNARY_DST), times(nestSpan(step, UNARY_DIMS, UNARY_DST_STRIDES), 4));
  addWork(nestCount(step, UNARY_DIMS));
}

// @ts-ignore: decorator
@inline function unit(x: v128): v128 { return clampF32(x, f32x4.splat(0), f32x4.splat(1)); }

/** Four lanes. Only for constant kinds, of which one line remains. */
// @ts-ignore: decorator
@inline export function applyF32(kind: i32, x: v128, p0: v128, p1: v128): v128 {
  if (kind == UNARY_CLAMP) return clampF32(x, p0, p1);
  // The comparison is false for NaN, which then takes the product and stays NaN.
  if (kind == UNARY_LEAKY_RELU) return v128.bitselect(x, f32x4.mul(p0, x), f32x4.ge(x, f32x4.splat(0)));
  if (kind == UNARY_SIGMOID) return sigmoid4(x);
  if (kind == UNARY_TANH) return tanh4(x);
  if (kind == UNARY_HARD_SIGMOID) return unit(f32x4.add(f32x4.mul(p0, x), p1));
  if (kind == UNARY_HARD_SWISH) return f32x4.mul(x, unit(f32x4.add(f32x4.div(x, f32x4.splat(6)), f32x4.splat(0.5))));
  if (kind == UNARY_ELU) return v128.bitselect(x, f32x4.mul(p0, expm14(x)), f32x4.ge(x, f32x4.splat(0)));
  if (kind == UNARY_SOFTPLUS) return softplus4(x);
  if (kind == UNARY_EXP) return exp4(x);
  if (kind == UNARY_LOG) return log4(x);
  if (kind == UNARY_SQRT) return f32x4.sqrt(x);
  if (kind == UNARY_NEG) return f32x4.neg(x);
  if (kind == UNARY_ABS) return f32x4.abs(x);
  if (kind == UNARY_RSQRT) return f32x4.div(f32x4.splat(1), f32x4.sqrt(x));
  if (kind == UNARY_FLOOR) return f32x4.floor(x);
  if (kind == UNARY_CEIL) return f32x4.ceil(x);
  if (kind == UNARY_SWISH) return f32x4.mul(x, sigmoid4(x));
  if (kind == UNARY_ROUND) return f32x4.nearest(x);
  return f32x4.mul(x, x);
}

/** The same with a kind known at run time only. A switch: with a chain of ifs the optimiser computes every kind before it asks. */
function unary4(kind: i32, x: v128, p0: v128, p1: v128): v128 {
  switch (kind) {
    case UNARY_CLAMP: return applyF32(UNARY_CLAMP, x, p0, p1);
    case UNARY_LEAKY_RELU: return applyF32(UNARY_LEAKY_RELU, x, p0, p1);
    case UNARY_SIGMOID: return applyF32(UNARY_SIGMOID, x, p0, p1);
    case UNARY_TANH: return applyF32(UNARY_TANH, x, p0, p1);
    case UNARY_HARD_SIGMOID: return applyF32(UNARY_HARD_SIGMOID, x, p0, p1);
    case UNARY_HARD_SWISH: return applyF32(UNARY_HARD_SWISH, x, p0, p1);
    case UNARY_ELU: return applyF32(UNARY_ELU, x, p0, p1);
    case UNARY_SOFTPLUS: return applyF32(UNARY_SOFTPLUS, x, p0, p1);
    case UNARY_EXP: return applyF32(UNARY_EXP, x, p0, p1);
    case UNARY_LOG: return applyF32(UNARY_LOG, x, p0, p1);
    case UNARY_SQRT: return applyF32(UNARY_SQRT, x, p0, p1);
    case UNARY_NEG: return applyF32(UNARY_NEG, x, p0, p1);
    case UNARY_ABS: return applyF32(UNARY_ABS, x, p0, p1);
    case UNARY_RSQRT: return applyF32(UNARY_RSQRT, x, p0, p1);
    case UNARY_FLOOR: return applyF32(UNARY_FLOOR, x, p0, p1);
    case UNARY_CEIL: return applyF32(UNARY_CEIL, x, p0, p1);
    case UNARY_ROUND: return applyF32(UNARY_ROUND, x, p0, p1);
    case UNARY_SWISH: return applyF32(UNARY_SWISH, x, p0, p1);
    default: return applyF32(UNARY_SQUARE, x, p0, p1);
  }
}

/** Whole vectors of a row; the rest is the caller's. */
// @ts-ignore: decorator
@inline function vectors(kind: i32, src: usize, dst: usize, count: i32, p0: v128, p1: v128): void {
  for (; count >= 4; count -= 4) {
    v128.store(dst, applyF32(kind, v128.load(src), p0, p1));
    src += 16;
    dst += 16;
  }
}
function anyVectors(kind: i32, src: usize, dst: usize, count: i32, p0: v128, p1: v128): void {
  for (; count >= 4; count -= 4) {
    v128.store(dst, unary4(kind, v128.load(src), p0, p1));
    src += 16;
    dst += 16;
  }
}

/** A row with both strides 1. Cheap common kinds have a loop of their own; the others choose per vector. */
function denseRow(kind: i32, src: usize, dst: usize, count: i32, p0: v128, p1: v128): void {
  if (kind == UNARY_CLAMP) vectors(UNARY_CLAMP, src, dst, count, p0, p1);
  else if (kind == UNARY_LEAKY_RELU) vectors(UNARY_LEAKY_RELU, src, dst, count, p0, p1);
  else if (kind == UNARY_HARD_SIGMOID) vectors(UNARY_HARD_SIGMOID, src, dst, count, p0, p1);
  else if (kind == UNARY_HARD_SWISH) vectors(UNARY_HARD_SWISH, src, dst, count, p0, p1);
  else anyVectors(kind, src, dst, count, p0, p1);
  const rest = count & 3, done = <usize>(count - rest << 2);
  if (rest) storeWords(dst + done, unary4(kind, v128.load(src + done), p0, p1), rest);
}

export function f32Unary(step: usize, base: usize): void {
  const kind = load<i32>(step, UNARY_KIND), p0 = v128.load32_splat(step, UNARY_P0), p1 = v128.load32_splat(step, UNARY_P1);
  const rows = load<i32>(step, UNARY_DIMS + 16), count = load<i32>(step, UNARY_DIMS + 20);
  const ss = load<i32>(step, UNARY_SRC_STRIDES + 20), ds = load<i32>(step, UNARY_DST_STRIDES + 20);
  nestStart();
  do {
    let src = base + <usize>load<i32>(step, UNARY_SRC) + <usize>(nestOffset(step, UNARY_SRC_STRIDES) << 2);
    let dst = base + <usize>load<i32>(step, UNARY_DST) + <usize>(nestOffset(step, UNARY_DST_STRIDES) << 2);
    for (let row = 0; row < rows; row++) {
      if (ss == 1 && ds == 1) denseRow(kind, src, dst, count, p0, p1);
      else {
        for (let i = 0; i < count; i++) {
          v128.store32_lane(dst + <usize>(i * ds << 2), unary4(kind, v128.load32_splat(src + <usize>(i * ss << 2)), p0, p1), 0);
        }
      }
      src += <usize>(load<i32>(step, UNARY_SRC_STRIDES + 16) << 2);
      dst += <usize>(load<i32>(step, UNARY_DST_STRIDES + 16) << 2);
    }
  } while (nestNext(step, UNARY_DIMS));
}
