// Elementwise operations of two operands in f32 and int32, with broadcasting.
// In: one F32_BINARY or I32_BINARY step. Out: dst = clamp(kind(a, b), MIN, MAX) over a nest of 6 dims.
// Fast where dst's innermost stride is 1 and those of a and b are 0 or 1; other strides go lane by lane. Loads run past the operand
// (at most 12 bytes), stores are exact. dst may be a or b at the same address and strides, and otherwise must not overlap them.
// binary4 is also the arithmetic of qs8-binary.ts. Must not know quantisation.

import {
  BINARY_A, BINARY_ADD, BINARY_A_STRIDES, BINARY_B, BINARY_B_STRIDES, BINARY_DIMS, BINARY_DIV, BINARY_DST, BINARY_DST_STRIDES,
  BINARY_EQUAL, BINARY_FLOOR_DIV, BINARY_KEEP, BINARY_KIND, BINARY_KIND_COUNT, BINARY_LESS, BINARY_MAX, BINARY_MAXIMUM, BINARY_MIN, BINARY_MINIMUM, BINARY_MUL, BINARY_POW,
  BINARY_PRELU, BINARY_SQUARED_DIFFERENCE, BINARY_SUB, NEST_RANK,
} from "../abi.ts";
import { addWork, nestCount, nestSpan, reads, times, word, writes } from "../verify.ts";
import { pow32 } from "../math.ts";
import { nestNext, nestOffset, nestStart, oneOf, spreads, storeWords } from "../nest.ts";
import { clampF32 } from "../simd.ts";

/** Work: product of DIMS. */
export function verifyBinary(step: usize, elementBytes: i64): void {
  oneOf(step, BINARY_KIND, BINARY_KIND_COUNT);
  spreads(step, BINARY_DIMS, BINARY_DST_STRIDES, NEST_RANK);
  reads(word(step, BINARY_A), times(nestSpan(step, BINARY_DIMS, BINARY_A_STRIDES), elementBytes));
  reads(word(step, BINARY_B), times(nestSpan(step, BINARY_DIMS, BINARY_B_STRIDES), elementBytes));
  writes(word(step, BINARY_DST), times(nestSpan(step, BINARY_DIMS, BINARY_DST_STRIDES), elementBytes));
  addWork(nestCount(step, BINARY_DIMS));
}
export function verifyF32Binary(step: usize): void { verifyBinary(step, 4); }
export function verifyI32Binary(step: usize): void { verifyBinary(step, 4); }

function pow4(a: v128, b: v128): v128 {
  return f32x4(
    pow32(f32x4.extract_lane(a, 0), f32x4.extract_lane(b, 0)), pow32(f32x4.extract_lane(a, 1), f32x4.extract_lane(b, 1)),
    pow32(f32x4.extract_lane(a, 2), f32x4.extract_lane(b, 2)), pow32(f32x4.extract_lane(a, 3), f32x4.extract_lane(b, 3)),
  );
}

/** Four lanes. Only for constant kinds, of which one line remains. */
// @ts-ignore: decorator
@inline function apply(kind: i32, a: v128, b: v128): v128 {
  if (kind == BINARY_ADD) return f32x4.add(a, b);
  if (kind == BINARY_SUB) return f32x4.sub(a, b);
  if (kind == BINARY_MUL) return f32x4.mul(a, b);
  if (kind == BINARY_DIV) return f32x4.div(a, b);
  if (kind == BINARY_MAXIMUM) return f32x4.max(a, b);
  if (kind == BINARY_MINIMUM) return f32x4.min(a, b);
  if (kind == BINARY_PRELU) return v128.bitselect(a, f32x4.mul(a, b), f32x4.ge(a, f32x4.splat(0)));
  if (kind == BINARY_FLOOR_DIV) return f32x4.floor(f32x4.div(a, b));
  if (kind == BINARY_POW) return pow4(a, b);
  if (kind == BINARY_LESS) return v128.and(f32x4.lt(a, b), f32x4.splat(1));
  if (kind == BINARY_EQUAL) return v128.and(f32x4.eq(a, b), f32x4.splat(1));
  if (kind == BINARY_KEEP) return v128.andnot(b, f32x4.eq(a, f32x4.splat(0)));
  const d = f32x4.sub(a, b);
  return f32x4.mul(d, d);
}

/** The same with a kind known at run time only. A switch: with a chain of ifs the optimiser computes every kind before it asks. */
export function binary4(kind: i32, a: v128, b: v128): v128 {
  switch (kind) {
    case BINARY_ADD: return apply(BINARY_ADD, a, b);
    case BINARY_SUB: return apply(BINARY_SUB, a, b);
    case BINARY_MUL: return apply(BINARY_MUL, a, b);
    case BINARY_DIV: return apply(BINARY_DIV, a, b);
    case BINARY_MAXIMUM: return apply(BINARY_MAXIMUM, a, b);
    case BINARY_MINIMUM: return apply(BINARY_MINIMUM, a, b);
    case BINARY_POW: return apply(BINARY_POW, a, b);
    case BINARY_PRELU: return apply(BINARY_PRELU, a, b);
    case BINARY_FLOOR_DIV: return apply(BINARY_FLOOR_DIV, a, b);
    case BINARY_LESS: return apply(BINARY_LESS, a, b);
    case BINARY_EQUAL: return apply(BINARY_EQUAL, a, b);
    case BINARY_KEEP: return apply(BINARY_KEEP, a, b);
    default: return apply(BINARY_SQUARED_DIFFERENCE, a, b);
  }
}

/** Whole vectors of a row. Steps: 1, or 0 for an operand that repeats one element; not both 0. */
// @ts-ignore: decorator
@inline function vectors(kind: i32, a: usize, b: usize, dst: usize, count: i32, aStep: i32, bStep: i32, low: v128, high: v128): void {
  if (aStep != 0 && bStep != 0) {
    for (; count >= 4; count -= 4) {
      v128.store(dst, clampF32(apply(kind, v128.load(a), v128.load(b)), low, high));
      a += 16; b += 16; dst += 16;
    }
  } else if (aStep != 0) {
    const right = v128.load32_splat(b);
    for (; count >= 4; count -= 4) {
      v128.store(dst, clampF32(apply(kind, v128.load(a), right), low, high));
      a += 16; dst += 16;
    }
  } else {
    const left = v128.load32_splat(a);
    for (; count >= 4; count -= 4) {
      v128.store(dst, clampF32(apply(kind, left, v128.load(b)), low, high));
      b += 16; dst += 16;
    }
  }
}

/** The same for kinds that are rare: one loop for all of them, which chooses per vector. */
function rareVectors(kind: i32, a: usize, b: usize, dst: usize, count: i32, aStep: i32, bStep: i32, low: v128, high: v128): void {
  for (; count >= 4; count -= 4) {
    const va = aStep ? v128.load(a) : v128.load32_splat(a), vb = bStep ? v128.load(b) : v128.load32_splat(b);
    v128.store(dst, clampF32(binary4(kind, va, vb), low, high));
    a += <usize>(aStep << 4); b += <usize>(bStep << 4); dst += 16;
  }
}

/** Rows of 2 or 3 elements (the last axis of box tables), where choosing a loop per row would cost more than the row. */
// @ts-ignore: decorator
@inline function narrowRows(
  kind: i32, a: usize, b: usize, dst: usize, rows: i32, count: i32, aStep: i32, bStep: i32, step: usize, low: v128, high: v128,
): void {
  const aRow = <usize>load<i32>(step, BINARY_A_STRIDES + 16) << 2, bRow = <usize>load<i32>(step, BINARY_B_STRIDES + 16) << 2;
  const dstRow = <usize>load<i32>(step, BINARY_DST_STRIDES + 16) << 2;
  for (; rows > 0; rows--) {
    const va = aStep ? v128.load(a) : v128.load32_splat(a), vb = bStep ? v128.load(b) : v128.load32_splat(b);
    const y = clampF32(kind < 0 ? binary4(~kind, va, vb) : apply(kind, va, vb), low, high);
    v128.store64_lane(dst, y, 0);
    if (count == 3) v128.store32_lane(dst, y, 2, 8);
    a += aRow;
    b += bRow;
    dst += dstRow;
  }
}

/** A row whose dst stride is 1 and whose source strides are 0 or 1, not both 0. */
function denseRow(kind: i32, a: usize, b: usize, dst: usize, count: i32, aStep: i32, bStep: i32, low: v128, high: v128): void {
  if (kind == BINARY_ADD) vectors(BINARY_ADD, a, b, dst, count, aStep, bStep, low, high);
  else if (kind == BINARY_MUL) vectors(BINARY_MUL, a, b, dst, count, aStep, bStep, low, high);
  else rareVectors(kind, a, b, dst, count, aStep, bStep, low, high);
  const rest = count & 3, done = count - rest << 2;
  if (rest == 0) return;
  a += <usize>(done * aStep);
  b += <usize>(done * bStep);
  const va = aStep ? v128.load(a) : v128.load32_splat(a), vb = bStep ? v128.load(b) : v128.load32_splat(b);
  storeWords(dst + <usize>done, clampF32(binary4(kind, va, vb), low, high), rest);
}

export function f32Binary(step: usize, base: usize): void {
  const kind = load<i32>(step, BINARY_KIND);
  const low = v128.load32_splat(step, BINARY_MIN), high = v128.load32_splat(step, BINARY_MAX);
  const rows = load<i32>(step, BINARY_DIMS + 16), count = load<i32>(step, BINARY_DIMS + 20);
  const as = load<i32>(step, BINARY_A_STRIDES + 20), bs = load<i32>(step, BINARY_B_STRIDES + 20), ds = load<i32>(step, BINARY_DST_STRIDES + 20);
  const dense = (ds == 1 || count == 1) && as <= 1 && bs <= 1 && (as | bs) != 0;
  nestStart();
  do {
    let a = base + <usize>load<i32>(step, BINARY_A) + <usize>(nestOffset(step, BINARY_A_STRIDES) << 2);
    let b = base + <usize>load<i32>(step, BINARY_B) + <usize>(nestOffset(step, BINARY_B_STRIDES) << 2);
    let dst = base + <usize>load<i32>(step, BINARY_DST) + <usize>(nestOffset(step, BINARY_DST_STRIDES) << 2);
    if (dense && (count == 2 || count == 3)) {
      if (kind == BINARY_ADD) narrowRows(BINARY_ADD, a, b, dst, rows, count, as, bs, step, low, high);
      else if (kind == BINARY_MUL) narrowRows(BINARY_MUL, a, b, dst, rows, count, as, bs, step, low, high);
      else narrowRows(~kind, a, b, dst, rows, count, as, bs, step, low, high);
    } else for (let row = 0; row < rows; row++) {
      if (dense) denseRow(kind, a, b, dst, count, as, bs, low, high);
      else {
        let pa = a, pb = b, pd = dst;
        for (let i = 0; i < count; i++) {
          v128.store32_lane(pd, clampF32(binary4(kind, v128.load32_splat(pa), v128.load32_splat(pb)), low, high), 0);
          pa += <usize>(as << 2); pb += <usize>(bs << 2); pd += <usize>(ds << 2);
        }
      }
      a += <usize>(load<i32>(step, BINARY_A_STRIDES + 16) << 2);
      b += <usize>(load<i32>(step, BINARY_B_STRIDES + 16) << 2);
      dst += <usize>(load<i32>(step, BINARY_DST_STRIDES + 16) << 2);
    }
  } while (nestNext(step, BINARY_DIMS));
}

/** Rounds toward negative infinity; 0 for a zero divisor. */
function floorDivide(a: i32, b: i32): i32 {
  if (b == 0) return 0;
  if (b == -1) return -a; // the smallest number wraps; dividing it would trap
  const q = a / b;
  return (a % b != 0) && ((a < 0) != (b < 0)) ? q - 1 : q;
}

/** Integer power, wrapping; the reciprocal of a negative exponent is rounded toward zero. */
function integerPower(a: i32, b: i32): i32 {
  if (b < 0) {
    if (a == 1) return 1;
    return a == -1 ? ((b & 1) ? -1 : 1) : 0;
  }
  let r = 1;
  for (; b != 0; b >>= 1) {
    if (b & 1) r *= a;
    a *= a;
  }
  return r;
}

function applyI32(kind: i32, a: i32, b: i32): i32 {
  switch (kind) {
    case BINARY_ADD: return a + b;
    case BINARY_SUB: return a - b;
    case BINARY_MUL: return a * b;
    case BINARY_DIV: return b == 0 ? 0 : b == -1 ? -a : a / b;
    case BINARY_MAXIMUM: return max<i32>(a, b);
    case BINARY_MINIMUM: return min<i32>(a, b);
    case BINARY_POW: return integerPower(a, b);
    case BINARY_PRELU: return a >= 0 ? a : a * b;
    case BINARY_FLOOR_DIV: return floorDivide(a, b);
    case BINARY_LESS: return i32(a < b);
    case BINARY_EQUAL: return i32(a == b);
    case BINARY_KEEP: return a == 0 ? 0 : b;
    default: return (a - b) * (a - b);
  }
}

/** Element by element: int32 tensors are indices and shapes, not pictures. */
export function i32Binary(step: usize, base: usize): void {
  const kind = load<i32>(step, BINARY_KIND), low = load<i32>(step, BINARY_MIN), high = load<i32>(step, BINARY_MAX);
  nestStart();
  do {
    const a = base + <usize>load<i32>(step, BINARY_A) + <usize>(nestOffset(step, BINARY_A_STRIDES) << 2);
    const b = base + <usize>load<i32>(step, BINARY_B) + <usize>(nestOffset(step, BINARY_B_STRIDES) << 2);
    const dst = base + <usize>load<i32>(step, BINARY_DST) + <usize>(nestOffset(step, BINARY_DST_STRIDES) << 2);
    for (let i = 0; i < load<i32>(step, BINARY_DIMS + 16); i++) {
      for (let j = 0; j < load<i32>(step, BINARY_DIMS + 20); j++) {
        const x = load<i32>(a + <usize>(i * load<i32>(step, BINARY_A_STRIDES + 16) + j * load<i32>(step, BINARY_A_STRIDES + 20) << 2));
        const y = load<i32>(b + <usize>(i * load<i32>(step, BINARY_B_STRIDES + 16) + j * load<i32>(step, BINARY_B_STRIDES + 20) << 2));
        const to = dst + <usize>(i * load<i32>(step, BINARY_DST_STRIDES + 16) + j * load<i32>(step, BINARY_DST_STRIDES + 20) << 2);
        store<i32>(to, min<i32>(max<i32>(applyI32(kind, x, y), low), high));
      }
    }
  } while (nestNext(step, BINARY_DIMS));
}
