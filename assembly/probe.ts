// Lets the host find out what the relaxed dot product does on this engine and processor.
// In: operands in memory (run-time values, so nothing is folded at compile time). Out: results in memory.
// Must not know the answer: host/backends/probe.ts compares with exact arithmetic for signed and unsigned activations.

import { dot4 } from "./simd.ts";

/** out[i] = relaxed_dot(a[i], b[i]) + c[i] for `count` vectors of 16 bytes. Returns 1, or 0 (nothing written) in the simd128 build. */
export function probeDot(a: usize, b: usize, c: usize, out: usize, count: i32): i32 {
  if (!ASC_FEATURE_RELAXED_SIMD) return 0;
  for (let i = 0; i < count; i++) {
    v128.store(out, dot4(v128.load(a), v128.load(b), v128.load(c)));
    a += 16;
    b += 16;
    c += 16;
    out += 16;
  }
  return 1;
}
