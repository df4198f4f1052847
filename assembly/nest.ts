// Walks the four outer dims of a nest; each kernel loops over what lies inside itself. Also the exact stores at a row's end.
// In: a step and the offset of its dims. Out: where the current position lies in an operand.
// Must not know any opcode. State lives in globals: a kernel that walks a nest must not call another that does.

import { storeLanesF32, storeLanesI8 } from "./simd.ts";
import { positive, require, stride, word } from "./verify.ts";

let i0: i32 = 0;
let i1: i32 = 0;
let i2: i32 = 0;
let i3: i32 = 0;

export function nestStart(): void { i0 = i1 = i2 = i3 = 0; }

/** Moves to the next position of the four dims at `dimsAt`; false after the last one. */
export function nestNext(step: usize, dimsAt: usize): bool {
  const dims = step + dimsAt;
  if (++i3 < load<i32>(dims, 12)) return true;
  i3 = 0;
  if (++i2 < load<i32>(dims, 8)) return true;
  i2 = 0;
  if (++i1 < load<i32>(dims, 4)) return true;
  i1 = 0;
  return ++i0 < load<i32>(dims, 0);
}

/** Positions left in the innermost of the four dims, the current one included. */
export function nestLeft(step: usize, dimsAt: usize): i32 { return load<i32>(step + dimsAt, 12) - i3; }
/** Skips positions of the innermost dim that a vector handled together with the current one: fewer than nestLeft. */
export function nestSkip(count: i32): void { i3 += count; }

/** Elements from an operand's first element to the current position. */
export function nestOffset(step: usize, stridesAt: usize): i32 {
  const s = step + stridesAt;
  return i0 * load<i32>(s, 0) + i1 * load<i32>(s, 4) + i2 * load<i32>(s, 8) + i3 * load<i32>(s, 12);
}

/** Refuses a destination whose elements would be written again and again: stride 0 in a dim above 1. */
export function spreads(step: usize, dimsAt: usize, stridesAt: usize, rank: i32): void {
  for (let i = 0; i < rank; i++) {
    const o = <usize>(i << 2);
    require(positive(step, dimsAt + o) == 1 || stride(step, stridesAt + o) > 0);
  }
}

/** Operand `at` is a count or flag below `count`, for kinds that a kernel switches on. */
export function oneOf(step: usize, at: usize, count: i32): void {
  const kind = word(step, at);
  require(kind >= 0 && kind < count);
}

/** Stores the first `count` f32 or i32 lanes, at most 4: the end of a row, or a whole vector. */
export function storeWords(to: usize, v: v128, count: i32): void {
  if (count >= 4) v128.store(to, v);
  else storeLanesF32(to, v, count);
}

/** Stores the first `count` bytes, at most 16. */
export function storeBytes(to: usize, v: v128, count: i32): void {
  if (count >= 16) { v128.store(to, v); return; }
  if (count >= 8) {
    v128.store64_lane(to, v, 0);
    to += 8;
    v = i64x2.shuffle(v, v, 1, 1);
  }
  if (count & 7) storeLanesI8(to, v, count & 7);
}
