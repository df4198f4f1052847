// Normalisation over a region in f32: y = (x - mean) / sqrt(variance + EPSILON) * factor + offset, mean and variance of the region.
// In: one F32_NORMALIZE step. Out: for each position of the four kept dims, all elements of the three region dims.
//
// Two ways through memory, as in f32-reduce.ts. across: four neighbouring kept positions at once, every load one vector. along: one
// region whose innermost dim is dense, the lanes behind its end taken as 0. Anything else goes across with one lane.
// The variance is the mean of squared differences, in a second pass. Loads run past operands (at most 12 bytes), stores are exact.
// src and dst must not overlap. Must not know which normalisation this is.

import {
  NORMALIZE_DIMS, NORMALIZE_DST, NORMALIZE_DST_STRIDES, NORMALIZE_EPSILON, NORMALIZE_FACTOR, NORMALIZE_FACTOR_STRIDES, NORMALIZE_OFFSET,
  NORMALIZE_REGION, NORMALIZE_REGION_DST_STRIDES, NORMALIZE_REGION_FACTOR_STRIDES, NORMALIZE_REGION_SRC_STRIDES, NORMALIZE_SRC,
  NORMALIZE_SRC_STRIDES,
} from "../abi.ts";
import { addWork, nestCount, nestSpan, reads, times, word, writes } from "../verify.ts";
import { nestLeft, nestNext, nestOffset, nestSkip, nestStart, spreads, storeWords } from "../nest.ts";
import { madd } from "../simd.ts";

/** Bytes from the first to the last element that an operand's two nests touch. */
function span(step: usize, stridesAt: usize, regionStridesAt: usize): i64 {
  return times(nestSpan(step, NORMALIZE_DIMS, stridesAt, 4) + nestSpan(step, NORMALIZE_REGION, regionStridesAt, 3) - 1, 4);
}

/** Work: three times the product of DIMS and REGION. */
export function verifyF32Normalize(step: usize): void {
  spreads(step, NORMALIZE_DIMS, NORMALIZE_DST_STRIDES, 4);
  spreads(step, NORMALIZE_REGION, NORMALIZE_REGION_DST_STRIDES, 3);
  reads(word(step, NORMALIZE_SRC), span(step, NORMALIZE_SRC_STRIDES, NORMALIZE_REGION_SRC_STRIDES));
  reads(word(step, NORMALIZE_FACTOR), span(step, NORMALIZE_FACTOR_STRIDES, NORMALIZE_REGION_FACTOR_STRIDES));
  reads(word(step, NORMALIZE_OFFSET), span(step, NORMALIZE_FACTOR_STRIDES, NORMALIZE_REGION_FACTOR_STRIDES));
  writes(word(step, NORMALIZE_DST), span(step, NORMALIZE_DST_STRIDES, NORMALIZE_REGION_DST_STRIDES));
  addWork(times(times(nestCount(step, NORMALIZE_DIMS, 4), nestCount(step, NORMALIZE_REGION, 3)), 3));
}

/** All lanes the sum of the four. */
// @ts-ignore: decorator
@inline function fold(v: v128): v128 {
  const half = f32x4.add(v, i32x4.shuffle(v, v, 2, 3, 0, 1));
  return f32x4.add(half, i32x4.shuffle(half, half, 1, 0, 3, 2));
}

/** Sum of x, or of (x - mean)^2, over the region at src: per lane, or along the innermost dim and then in all lanes. */
function total(step: usize, src: usize, mean: v128, squared: bool, along: bool): v128 {
  const n0 = word(step, NORMALIZE_REGION), n1 = word(step, NORMALIZE_REGION + 4), n2 = word(step, NORMALIZE_REGION + 8);
  const s0 = word(step, NORMALIZE_REGION_SRC_STRIDES) << 2, s1 = word(step, NORMALIZE_REGION_SRC_STRIDES + 4) << 2;
  const move = along ? <usize>16 : <usize>word(step, NORMALIZE_REGION_SRC_STRIDES + 8) << 2, width = along ? 4 : 1;
  let sum = f32x4.splat(0);
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      let p = src + <usize>(i * s0 + j * s1), run = f32x4.splat(0);
      for (let k = n2; k > 0; k -= width) {
        let x = v128.load(p);
        if (squared) {
          x = f32x4.sub(x, mean);
          x = f32x4.mul(x, x);
        }
        if (along && k < 4) x = v128.and(x, i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(k)));
        run = f32x4.add(run, x);
        p += move;
      }
      sum = f32x4.add(sum, run);
    }
  }
  return along ? fold(sum) : sum;
}

/** Four neighbours of a parameter where they differ, else four copies. */
// @ts-ignore: decorator
@inline function parameter(at: usize, differs: bool): v128 { return differs ? v128.load(at) : v128.load32_splat(at); }

/** Writes the region: `lanes` elements at a time across, vectors and their rest along. */
// @ts-ignore: decorator
@inline function apply(
  step: usize, src: usize, dst: usize, factor: usize, offset: usize, mean: v128, scale: v128, along: bool, differs: bool, lanes: i32,
): void {
  const n0 = word(step, NORMALIZE_REGION), n1 = word(step, NORMALIZE_REGION + 4), n2 = word(step, NORMALIZE_REGION + 8);
  const width = along ? 4 : 1, unit = along ? 16 : 4;
  const moveSrc = <usize>(word(step, NORMALIZE_REGION_SRC_STRIDES + 8) * unit), moveDst = <usize>(word(step, NORMALIZE_REGION_DST_STRIDES + 8) * unit);
  const moveFactor = <usize>(word(step, NORMALIZE_REGION_FACTOR_STRIDES + 8) * unit);
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      let p = src + <usize>(at(step, NORMALIZE_REGION_SRC_STRIDES, i, j) << 2), q = dst + <usize>(at(step, NORMALIZE_REGION_DST_STRIDES, i, j) << 2);
      let f = <usize>(at(step, NORMALIZE_REGION_FACTOR_STRIDES, i, j) << 2);
      for (let k = n2; k > 0; k -= width) {
        const x = f32x4.mul(f32x4.sub(v128.load(p), mean), scale);
        storeWords(q, madd(x, parameter(factor + f, differs), parameter(offset + f, differs)), along ? k : lanes);
        p += moveSrc;
        q += moveDst;
        f += moveFactor;
      }
    }
  }
}
// @ts-ignore: decorator
@inline function at(step: usize, stridesAt: usize, i: i32, j: i32): i32 { return i * word(step, stridesAt) + j * word(step, stridesAt + 4); }

/** The region at src, `lanes` of them side by side. */
// @ts-ignore: decorator
@inline function region(step: usize, src: usize, dst: usize, factor: usize, offset: usize, along: bool, differs: bool, lanes: i32): void {
  const count = f32x4.splat(<f32>(word(step, NORMALIZE_REGION) * word(step, NORMALIZE_REGION + 4) * word(step, NORMALIZE_REGION + 8)));
  const mean = f32x4.div(total(step, src, f32x4.splat(0), false, along), count);
  const variance = f32x4.div(total(step, src, mean, true, along), count);
  const scale = f32x4.div(f32x4.splat(1), f32x4.sqrt(f32x4.add(variance, v128.load32_splat(step, NORMALIZE_EPSILON))));
  apply(step, src, dst, factor, offset, mean, scale, along, differs, lanes);
}

export function f32Normalize(step: usize, base: usize): void {
  const factorStep = word(step, NORMALIZE_FACTOR_STRIDES + 12), regionFactorStep = word(step, NORMALIZE_REGION_FACTOR_STRIDES + 8);
  const vector = word(step, NORMALIZE_SRC_STRIDES + 12) == 1 && word(step, NORMALIZE_DST_STRIDES + 12) == 1 && factorStep <= 1;
  const along = !vector && word(step, NORMALIZE_REGION_SRC_STRIDES + 8) == 1 && word(step, NORMALIZE_REGION_DST_STRIDES + 8) == 1
    && regionFactorStep <= 1;
  const differs = (along ? regionFactorStep : factorStep) == 1;
  nestStart();
  do {
    const src = base + <usize>word(step, NORMALIZE_SRC) + <usize>(nestOffset(step, NORMALIZE_SRC_STRIDES) << 2);
    const dst = base + <usize>word(step, NORMALIZE_DST) + <usize>(nestOffset(step, NORMALIZE_DST_STRIDES) << 2);
    const parameters = base + <usize>(nestOffset(step, NORMALIZE_FACTOR_STRIDES) << 2);
    const factor = parameters + <usize>word(step, NORMALIZE_FACTOR), offset = parameters + <usize>word(step, NORMALIZE_OFFSET);
    const lanes = vector ? min<i32>(4, nestLeft(step, NORMALIZE_DIMS)) : 1;
    region(step, src, dst, factor, offset, along, differs, lanes);
    nestSkip(lanes - 1);
  } while (nestNext(step, NORMALIZE_DIMS));
}
