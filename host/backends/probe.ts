// Asks the engine what i32x4.relaxed_dot_i8x16_i7x16_add_s does, with run-time operands, in the baseline and the optimising tier.
// In: an executor instance. Out: a dot mode, or -1 when even legal products are wrong. Must not know kernels.
// The proposal leaves the second operand's sign and the pair sums' width open outside 0…127:
// https://github.com/WebAssembly/relaxed-simd/blob/main/proposals/relaxed-simd/Overview.md

import { DOT_I16, DOT_S8S8, DOT_U8S8 } from '../../assembly/abi.ts';
import type { Executor } from './engine.ts';

/**
 * 16-byte vectors per call, of which the first hold legal operands only, and calls: enough work that the optimising compiler has
 * taken over before the last call. Few vectors, because the JavaScript around them runs once, in the interpreter.
 */
const VECTORS = 128;
const LEGAL = 48;
const CALLS = 800;
const AT = 4096;

const WEIGHTS = [-128, -127, -1, 0, 1, 127, 126, -64];

/** Deterministic operand bytes: all pairs of corners, then a linear congruential sequence (seed 1); legal ones, then any. */
function operands(lowest: number): { a: Int8Array; b: Uint8Array; c: Int32Array } {
  let state = 1;
  const next = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24;
  const a = new Int8Array(VECTORS * 16);
  const b = new Uint8Array(VECTORS * 16);
  for (let vector = 0; vector < VECTORS; vector++) {
    const legal = vector < LEGAL;
    const corners = legal ? [0, 1, 64, 127] : [0, 1, 127, 128, 129, 254, 255];
    const corner = corners[(legal ? vector : vector - LEGAL) >> 3];
    for (let i = vector * 16; i < vector * 16 + 16; i++) {
      a[i] = Math.max(lowest, corner === undefined ? (next() << 24) >> 24 : WEIGHTS[vector & 7] ?? 0);
      b[i] = corner ?? next() & (legal ? 127 : 255);
    }
  }
  return { a, b, c: Int32Array.from({ length: VECTORS * 4 }, (_, i) => (i - 200) * 2_345_678) };
}

function exact(a: Int8Array, b: Uint8Array, c: Int32Array, signed: boolean): Int32Array {
  return Int32Array.from(c, (sum, lane) => {
    for (let k = 0; k < 4; k++) {
      const value = b[lane * 4 + k] ?? 0;
      sum += (a[lane * 4 + k] ?? 0) * (signed ? (value << 24) >> 24 : value);
    }
    return sum | 0;
  });
}

/** The results of the first call and of the last: of the baseline and, most likely, the optimising tier. */
function results(executor: Executor, memory: WebAssembly.Memory, { a, b, c }: ReturnType<typeof operands>): [Int32Array, Int32Array] {
  const bytes = VECTORS * 16;
  new Int8Array(memory.buffer, AT, bytes).set(a);
  new Uint8Array(memory.buffer, AT + bytes, bytes).set(b);
  new Int32Array(memory.buffer, AT + 2 * bytes, VECTORS * 4).set(c);
  const out = new Int32Array(memory.buffer, AT + 3 * bytes, VECTORS * 4);
  executor.probeDot(AT, AT + bytes, AT + 2 * bytes, AT + 3 * bytes, VECTORS);
  const first = out.slice();
  for (let call = 1; call < CALLS; call++) executor.probeDot(AT, AT + bytes, AT + 2 * bytes, AT + 3 * bytes, VECTORS);
  return [first, out];
}

/** Both calls gave `want` in the first `vectors` vectors. */
function both(got: readonly Int32Array[], want: Int32Array, vectors = VECTORS): boolean {
  return got.every((lanes) => want.subarray(0, vectors * 4).every((value, i) => value === lanes[i]));
}

/**
 * DOT_U8S8 or DOT_S8S8 where products are exact, DOT_I16 where only legal ones are (or in the simd128 build), -1 otherwise.
 * DOT_S8S8 leaves out two neighbours that are both (-128)*(-128): V8's baseline compiler for arm64 wraps there, its optimising
 * compiler does not, and the executor keeps away from them.
 */
export function probeDot(executor: Executor, memory: WebAssembly.Memory): number {
  if (executor.probeDot(AT, AT, AT, AT, 0) === 0) return DOT_I16;
  const any = operands(-128);
  const got = results(executor, memory, any); // first of all: what the baseline tier does is not seen again later
  const unsigned = exact(any.a, any.b, any.c, false);
  if (!both(got, unsigned, LEGAL)) return -1;
  if (both(got, unsigned)) return DOT_U8S8;
  const narrow = operands(-127);
  return both(results(executor, memory, narrow), exact(narrow.a, narrow.b, narrow.c, true)) ? DOT_S8S8 : DOT_I16;
}
