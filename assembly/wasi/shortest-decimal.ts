// The shortest decimal that reads back as the same f64, nearest to it among those: what JavaScript's String(x) shows.
// In: a positive finite number. Out: its digits and the place of the point. Must not know how a number is laid out on paper.
//
// Steele and White's free format with whole numbers of any size, as in Burger and Dybvig, "Printing Floating-Point Numbers Quickly and
// Accurately" (1996), figure 1: x = R/S, and PLUS/S and MINUS/S are the distances to the middle of the gap to the next numbers.
// Slow beside tables of powers, and a quarter of their size: a network's answer has few numbers.

/** 2^1074 times 8 and a digit. */
const WORDS = 36;
const BYTES: usize = 4 * <usize>WORDS;
const R: usize = memory.data(576, 16);
const S: usize = R + BYTES;
const PLUS: usize = S + BYTES;
const MINUS: usize = PLUS + BYTES;
const SUM: usize = memory.data(144, 16);
const digits: usize = memory.data(24, 8);
let count: i32 = 0;
let point: i32 = 0;

export function decimalDigits(): usize { return digits; }
export function decimalCount(): i32 { return count; }
/** Digits before the point; negative where zeros follow it. */
export function decimalPoint(): i32 { return point; }

/** a = value * 2^bits. */
function set(a: usize, value: u64, bits: i32): void {
  memory.fill(a, 0, BYTES);
  const at = a + (<usize>(bits >> 5) << 2), shift = bits & 31;
  store<u64>(at, value << shift);
  if (shift > 0) store<u32>(at, <u32>(value >> (64 - shift)), 8);
}

function timesTen(a: usize): void {
  let carry: u64 = 0;
  for (const end = a + BYTES; a < end; a += 4) {
    carry += <u64>load<u32>(a) * 10;
    store<u32>(a, <u32>carry);
    carry >>= 32;
  }
}

/** to = a + sign * b, for sign 1 or -1. */
function add(to: usize, a: usize, b: usize, sign: i64): void {
  let carry: i64 = 0;
  for (let i: usize = 0; i < BYTES; i += 4) {
    carry += <i64>load<u32>(a + i) + sign * <i64>load<u32>(b + i);
    store<u32>(to + i, <u32>carry);
    carry >>= 32;
  }
}

/** Below 0, 0 or above: a before, at or behind b. */
function order(a: usize, b: usize): i32 {
  for (let i = <isize>BYTES - 4; i >= 0; i -= 4) {
    const x = load<u32>(a + <usize>i), y = load<u32>(b + <usize>i);
    if (x != y) return x < y ? -1 : 1;
  }
  return 0;
}

/** Whether (R + PLUS)/S reaches 1, where the end of the gap belongs to it (`closed` 0) or not (1). */
function reachesOne(closed: i32): bool {
  add(SUM, R, PLUS, 1);
  return order(SUM, S) >= closed;
}

export function shortestDecimal(x: f64): void {
  const bits = reinterpret<u64>(x), biased = <i32>(bits >> 52), fraction = bits & 0xfffffffffffff;
  const mantissa = biased > 0 ? fraction | 0x10000000000000 : fraction, exponent = max(biased, 1) - 1075;
  // At a power of two the next number below is half as far away.
  const narrow = i32(fraction == 0 && biased > 1), up = max(exponent, 0), closed = <i32>(mantissa & 1);
  set(R, mantissa, up + 1 + narrow);
  set(S, 1, up - exponent + 1 + narrow);
  set(PLUS, 1, up + narrow);
  set(MINUS, 1, up);
  for (point = 0; reachesOne(closed); point++) timesTen(S);
  for (;;) {
    scale();
    if (reachesOne(closed)) break;
    point--;
  }
  for (count = 0; ;) {
    let digit = 0;
    for (; order(R, S) >= 0; digit++) add(R, R, S, -1);
    const low = order(R, MINUS) < (closed ^ 1), high = reachesOne(closed);
    if (low || high) {
      add(SUM, R, R, 1);
      // Between two that are as near, the even one.
      if (high && (!low || order(SUM, S) >= 1 - (digit & 1))) digit++;
    }
    store<u8>(digits + <usize>count, <u8>(0x30 + digit));
    count++;
    if (low || high) return;
    scale();
  }
}
function scale(): void {
  timesTen(R);
  timesTen(PLUS);
  timesTen(MINUS);
}
