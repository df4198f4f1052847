// What the relaxed dot product does on this engine, for programs without a JavaScript host: host/backends/probe.ts in AssemblyScript.
// In: scratch memory. Out: a dot mode, or -1 when even legal products are wrong. Must not know kernels.

import { DOT_I16, DOT_S8S8, DOT_U8S8 } from "./abi.ts";
import { probeDot } from "./probe.ts";

/** As many vectors and calls as the host's probe: an engine with tiers has changed to its last one before the last call. */
const VECTORS: i32 = 128;
const LEGAL: i32 = 48;
const CALLS: i32 = 800;
const BYTES: usize = 2048;
export const PROBE_BYTES: usize = 6 * 2048;

let state: u32 = 1;
function next(): i32 {
  state = state * 1664525 + 1013904223;
  return state >> 24;
}

/** One of the corner values that a group of eight vectors has as its activations, or -1 for random ones. */
function corner(group: i32, legal: bool): i32 {
  if (legal) return group == 0 ? 0 : group == 1 ? 1 : group == 2 ? 64 : group == 3 ? 127 : -1;
  return group == 0 ? 0 : group == 1 ? 1 : group < 5 ? 125 + group : group == 5 ? 254 : group == 6 ? 255 : -1;
}
/** -128 -127 -1 0 1 127 126 -64 */
function weight(vector: i32): i32 {
  const i = vector & 7;
  return i < 2 ? i - 128 : i < 5 ? i - 3 : i == 5 ? 127 : i == 6 ? 126 : -64;
}

/** Deterministic operands at `a`, `a + BYTES` (activations) and `a + 2 * BYTES` (sums). */
function operands(a: usize, lowest: i32): void {
  state = 1;
  const b = a + BYTES, c = b + BYTES;
  for (let vector = 0; vector < VECTORS; vector++) {
    const legal = vector < LEGAL, fixed = corner((legal ? vector : vector - LEGAL) >> 3, legal);
    for (let i = <usize>(vector << 4), end = i + 16; i < end; i++) {
      store<i8>(a + i, <i8>max(lowest, fixed < 0 ? (next() << 24) >> 24 : weight(vector)));
      store<u8>(b + i, <u8>(fixed >= 0 ? fixed : next() & (legal ? 127 : 255)));
    }
  }
  for (let i = 0; i < VECTORS * 4; i++) store<i32>(c + <usize>(i << 2), (i - 200) * 2345678);
}

/** The results of both tiers, at `out` and behind it, equal exact arithmetic in the first `vectors` vectors. */
function areExact(a: usize, vectors: i32, signed: bool): bool {
  for (let lane = 0; lane < vectors * 4; lane++) {
    const at = a + <usize>(lane << 2);
    let sum = load<i32>(at + 2 * BYTES);
    for (let k: usize = 0; k < 4; k++) {
      const value = signed ? <i32>load<i8>(at + BYTES + k) : <i32>load<u8>(at + BYTES + k);
      sum += <i32>load<i8>(at + k) * value;
    }
    if (sum != load<i32>(at + 3 * BYTES) || sum != load<i32>(at + 4 * BYTES)) return false;
  }
  return true;
}

function measure(a: usize): void {
  probeDot(a, a + BYTES, a + 2 * BYTES, a + 3 * BYTES, VECTORS);
  for (let call = 1; call < CALLS; call++) probeDot(a, a + BYTES, a + 2 * BYTES, a + 4 * BYTES, VECTORS);
}

/** DOT_I16 in the simd128 build. `scratch` has PROBE_BYTES. */
export function probedDotMode(scratch: usize): i32 {
  if (!ASC_FEATURE_RELAXED_SIMD) return DOT_I16;
  operands(scratch, -128);
  measure(scratch);
  if (!areExact(scratch, LEGAL, false)) return -1;
  if (areExact(scratch, VECTORS, false)) return DOT_U8S8;
  operands(scratch, -127);
  measure(scratch);
  return areExact(scratch, VECTORS, true) ? DOT_S8S8 : DOT_I16;
}
