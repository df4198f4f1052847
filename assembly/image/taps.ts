// The triangle filter: which source positions an output position mixes, and with which weights.
// In: sizes along one axis and the span [from, from + span) of the source. Out: a table, one entry for each output position:
//   i32 first source position | i32 how many (0: outside, black) | a pair of weights each 8 bytes: i16 high, high, low, low
// A weight is a whole number of 2^-22: high = weight >> 11 and low = weight & 2047 fit the signed 16-bit products of rows.ts.
// An odd last pair ends with a weight of 0. Must not know pixels.

/** Weights are multiples of 1 / WEIGHT_ONE. Rounding can at most double a sum of weights, so 255 times it stays below 2^31. */
export const WEIGHT_BITS: i32 = 22;
const WEIGHT_ONE: f64 = 4194304;
export const LOW_BITS: i32 = 11;

/** The filter's half width in source pixels: it widens when it shrinks. */
function reachOf(count: f64, span: f64): f64 { return max(1, span / count); }

/** At least as many source positions as any output position mixes. */
export function mostTaps(size: f64, count: f64, span: f64): f64 { return min(size, ceil(2 * reachOf(count, span)) + 1); }

export function entryBytes(size: f64, count: f64, span: f64): f64 { return 8 + 8 * ceil(mostTaps(size, count, span) / 2); }

export function firstOf(entry: usize): i32 { return load<i32>(entry); }
export function tapsOf(entry: usize): i32 { return load<i32>(entry, 4); }

/** Weight of the source position whose centre is at `at`, before the weights are made to sum to 1. */
function triangle(at: f64, centre: f64, reach: f64): f64 { return max(0, 1 - abs(at - centre) / reach); }

/** To the nearest, halves up; not floor(x + 0.5), whose addition rounds. */
function rounded(x: f64): f64 {
  const whole = floor(x);
  return x - whole >= 0.5 ? whole + 1 : whole;
}

/** Fills the table for `count` output positions spread over the span. `size`: how many source positions there are. */
export function fillTaps(table: usize, stride: usize, size: i32, count: i32, from: f64, span: f64): void {
  const step = span / <f64>count, reach = reachOf(<f64>count, span), end = <f64>size;
  for (let i = 0; i < count; i++, table += stride) {
    const centre = from + (<f64>i + 0.5) * step;
    store<i64>(table, 0);
    if (!(centre >= 0 && centre <= end)) continue;
    const low = max(0, trunc(centre - reach + 0.5)), high = min(end, trunc(centre + reach + 0.5));
    let sum: f64 = 0;
    for (let at = low; at < high; at++) sum += triangle(at + 0.5, centre, reach);
    const taps = <i32>(high - low);
    store<i32>(table, <i32>low);
    store<i32>(table, taps, 4);
    if (taps & 1) store<i64>(table + 8 + ((<usize>taps >> 1) << 3), 0);
    for (let k = 0; k < taps; k++) {
      const weight = <i32>rounded((triangle(low + <f64>k + 0.5, centre, reach) / sum) * WEIGHT_ONE);
      const to = table + 8 + ((<usize>k >> 1) << 3) + ((<usize>k & 1) << 1);
      store<i16>(to, <i16>(weight >> LOW_BITS));
      store<i16>(to, <i16>(weight & ((1 << LOW_BITS) - 1)), 4);
    }
  }
}
