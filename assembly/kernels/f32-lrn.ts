// Local response normalisation over channels in f32: y = x / (BIAS + SCALE * sum of the window's squares)^BETA.
// In: one F32_LRN step. Out: C channels at every position of the four outer dims.
//
// Layout: channel stride 1 on both sides. SCRATCH: [BEFORE zeros][C squares of one pixel][AFTER zeros] f32, so that windows need
// no border. Loads run past src and scratch (at most 12 bytes), stores are exact. dst may be src at the same address and strides.
// Exactness: every step is one f32 operation, the sum runs from the window's first channel to its last; BETA 3/4 is two square
// roots, other exponents go through exp and log. Must not use fused multiplication: int8 networks get the same bytes in both builds.

import {
  LRN_AFTER, LRN_BEFORE, LRN_BETA, LRN_BIAS, LRN_C, LRN_DIMS, LRN_DST, LRN_DST_STRIDES, LRN_SCALE, LRN_SCRATCH, LRN_SRC, LRN_SRC_STRIDES,
} from "../abi.ts";
import { addWork, nestCount, nestSpan, positive, reads, stride, times, word, writes } from "../verify.ts";
import { exp4, log4 } from "../math.ts";
import { nestNext, nestOffset, nestStart, spreads, storeWords } from "../nest.ts";

/** Work: product of DIMS, times C, times the window and one. */
export function verifyF32Lrn(step: usize): void {
  const channels = positive(step, LRN_C), window = stride(step, LRN_BEFORE) + 1 + stride(step, LRN_AFTER);
  spreads(step, LRN_DIMS, LRN_DST_STRIDES, 4);
  reads(word(step, LRN_SRC), times(nestSpan(step, LRN_DIMS, LRN_SRC_STRIDES, 4) + channels - 1, 4));
  writes(word(step, LRN_DST), times(nestSpan(step, LRN_DIMS, LRN_DST_STRIDES, 4) + channels - 1, 4));
  writes(word(step, LRN_SCRATCH), times(channels + window - 1, 4));
  addWork(times(times(nestCount(step, LRN_DIMS, 4), channels), window + 1));
}

export function f32Lrn(step: usize, base: usize): void {
  const channels = word(step, LRN_C), before = word(step, LRN_BEFORE), after = word(step, LRN_AFTER);
  const scratch = base + <usize>word(step, LRN_SCRATCH), squares = scratch + (<usize>before << 2);
  memory.fill(scratch, 0, <usize>before << 2);
  memory.fill(squares + (<usize>channels << 2), 0, <usize>after << 2);
  nestStart();
  do {
    const src = base + <usize>word(step, LRN_SRC) + <usize>(nestOffset(step, LRN_SRC_STRIDES) << 2);
    const dst = base + <usize>word(step, LRN_DST) + <usize>(nestOffset(step, LRN_DST_STRIDES) << 2);
    pixel(step, src, dst, scratch, squares, channels, before + after);
  } while (nestNext(step, LRN_DIMS));
}

// @ts-ignore: decorator
@inline function pixel(step: usize, src: usize, dst: usize, scratch: usize, squares: usize, channels: i32, others: i32): void {
  const bias = v128.load32_splat(step, LRN_BIAS), scale = v128.load32_splat(step, LRN_SCALE), beta = load<f32>(step, LRN_BETA);
  const exponent = f32x4.splat(beta);
  for (let c = 0; c < channels; c += 4) {
    const x = v128.load(src + (<usize>c << 2));
    storeWords(squares + (<usize>c << 2), f32x4.mul(x, x), channels - c);
  }
  for (let c = 0; c < channels; c += 4) {
    let p = scratch + (<usize>c << 2), sum = v128.load(p);
    for (let k = others; k > 0; k--) {
      p += 4;
      sum = f32x4.add(sum, v128.load(p));
    }
    const s = f32x4.add(bias, f32x4.mul(scale, sum));
    let power: v128;
    if (beta == 0.75) {
      const root = f32x4.sqrt(s);
      power = f32x4.mul(root, f32x4.sqrt(root));
    } else power = exp4(f32x4.mul(exponent, log4(s)));
    storeWords(dst + (<usize>c << 2), f32x4.div(v128.load(src + (<usize>c << 2)), power), channels - c);
  }
}
