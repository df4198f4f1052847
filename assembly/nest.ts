// Walks the four outer dims of a nest; each kernel loops over what lies inside itself.
// In: a step and the offset of its dims. Out: where the current position lies in an operand.
// Must not know any opcode. State lives in globals: a kernel that walks a nest must not call another that does.

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
