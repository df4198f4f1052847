// Elementary functions on four f32 lanes: exp, exp(x)-1, log, log(1+x), tanh, sigmoid, softplus; and scalar pow.
// In: any f32 bits. Out: within about 2 ulp of the real value; NaN stays NaN; overflow is inf, underflow is 0 or subnormal.
// Polynomials are minimax fits made for this file. No tables: the module has no data section.
// Must not use relaxed instructions: both builds give the same bits. Must not know any step.

/** Four copies of a constant, folded into one v128.const. */
// @ts-ignore: decorator
@inline function k(x: f32): v128 { return f32x4(x, x, x, x); }
// @ts-ignore: decorator
@inline function ki(x: i32): v128 { return i32x4(x, x, x, x); }
/** a*b + c, always with two roundings. */
// @ts-ignore: decorator
@inline function mulAdd(a: v128, b: v128, c: v128): v128 { return f32x4.add(f32x4.mul(a, b), c); }

const LOG2_E: f32 = 1.4426950408889634;
const LN2_HIGH: f32 = 0.693359375; // 9 bits, so that n * LN2_HIGH is exact
const LN2_LOW: f32 = -2.12194440054690583e-4;

/** exp(r) - 1 for |r| <= ln(2)/2: r + r*r*Q(r). */
// @ts-ignore: decorator
@inline function expm1Reduced(r: v128): v128 {
  let q = mulAdd(k(0.001388251535), r, k(0.008366554633));
  q = mulAdd(q, r, k(0.04166720095));
  q = mulAdd(q, r, k(0.1666654337));
  q = mulAdd(q, r, k(0.4999999815));
  return mulAdd(f32x4.mul(r, r), q, r);
}

/** x - n*ln(2) for the integer-valued n. */
// @ts-ignore: decorator
@inline function reduce(x: v128, n: v128): v128 {
  return f32x4.sub(f32x4.sub(x, f32x4.mul(n, k(LN2_HIGH))), f32x4.mul(n, k(LN2_LOW)));
}

/** 2^n for integer lanes -126 … 127. */
// @ts-ignore: decorator
@inline function power2(n: v128): v128 { return i32x4.shl(i32x4.add(n, ki(127)), 23); }

export function exp4(x: v128): v128 {
  // Beyond these bounds the result is 0 or inf anyway; min and max keep NaN.
  x = f32x4.min(f32x4.max(x, k(-105)), k(90));
  const n = f32x4.nearest(f32x4.mul(x, k(LOG2_E)));
  const y = f32x4.add(k(1), expm1Reduced(reduce(x, n)));
  // 2^n in two factors: n reaches -151 (subnormal results round once, in the last product) and 130 (inf).
  const whole = i32x4.trunc_sat_f32x4_s(n);
  const half = i32x4.shr_s(whole, 1);
  return f32x4.mul(f32x4.mul(y, power2(half)), power2(i32x4.sub(whole, half)));
}

/** exp(x) - 1 for x <= 0, without cancellation near 0; lanes above 0 are accurate up to about 40. */
export function expm14(x: v128): v128 {
  x = f32x4.min(f32x4.max(x, k(-40)), k(40));
  const n = f32x4.nearest(f32x4.mul(x, k(LOG2_E)));
  const scale = power2(i32x4.trunc_sat_f32x4_s(n));
  return mulAdd(expm1Reduced(reduce(x, n)), scale, f32x4.sub(scale, k(1)));
}

export function log4(x: v128): v128 {
  // Subnormal lanes are scaled by 2^23 first.
  const tiny = f32x4.lt(x, k(1.17549435e-38));
  const scaled = v128.bitselect(f32x4.mul(x, k(8388608)), x, tiny);
  // m in [sqrt(1/2), sqrt(2)): subtracting the bits of sqrt(1/2) puts the exponent's step there.
  const bits = i32x4.sub(scaled, ki(0x3f3504f3));
  const exponent = i32x4.sub(i32x4.shr_s(bits, 23), v128.and(tiny, ki(23)));
  const m = i32x4.add(v128.and(bits, ki(0x007fffff)), ki(0x3f3504f3));
  const f = f32x4.sub(m, k(1));
  const n = f32x4.convert_i32x4_s(exponent);
  let p = mulAdd(k(-0.07633802049), f, k(0.1275984862));
  p = mulAdd(p, f, k(-0.1315962789));
  p = mulAdd(p, f, k(0.1420194982));
  p = mulAdd(p, f, k(-0.1662342961));
  p = mulAdd(p, f, k(0.2000122136));
  p = mulAdd(p, f, k(-0.2500081903));
  p = mulAdd(p, f, k(0.3333333174));
  // log(x) = n*ln2 + f - f*f/2 + f*f*f*P(f), small terms first.
  const z = f32x4.mul(f, f);
  let y = mulAdd(n, k(LN2_LOW), f32x4.mul(f32x4.mul(z, f), p));
  y = f32x4.sub(y, f32x4.mul(z, k(0.5)));
  y = mulAdd(n, k(LN2_HIGH), f32x4.add(f, y));
  y = v128.bitselect(k(-Infinity), y, f32x4.eq(x, k(0)));
  // inf stays inf, NaN stays NaN, negative numbers give NaN.
  y = v128.bitselect(x, y, f32x4.eq(x, k(Infinity)));
  return v128.bitselect(y, k(NaN), f32x4.ge(x, k(0)));
}

/** log(1 + x) for x >= 0. */
export function log1p4(x: v128): v128 {
  // u is 1 + x rounded; the second term gives back what the rounding took.
  const u = f32x4.add(x, k(1));
  const lost = f32x4.sub(x, f32x4.sub(u, k(1)));
  return f32x4.add(log4(u), f32x4.div(lost, u));
}

export function tanh4(x: v128): v128 {
  const a = f32x4.abs(x);
  const z = f32x4.mul(x, x);
  let t = mulAdd(k(-0.005715509359), z, k(0.02064927638));
  t = mulAdd(t, z, k(-0.05374311749));
  t = mulAdd(t, z, k(0.1333148701));
  t = mulAdd(t, z, k(-0.3333328378));
  const small = mulAdd(f32x4.mul(x, z), t, x);
  const e = exp4(f32x4.add(a, a));
  const large = f32x4.sub(k(1), f32x4.div(k(2), f32x4.add(e, k(1))));
  const signed = v128.bitselect(x, large, ki(<i32>0x80000000));
  return v128.bitselect(small, signed, f32x4.lt(a, k(0.625)));
}

/** Adding it rounds |x| < 2^22 to a whole number, which the low bits then hold. */
const ROUNDER: f32 = 12582912; // 1.5 * 2^23
const ROUNDER_BITS: i32 = 0x4b400000;
const TINY: f32 = 5.421010862427522e-20; // 2^-64

/**
 * 1 / (1 + exp(-x)) with both sides times 2^-64, so that exp is a single product for every x whose result counts: above 43 it is
 * nothing beside 1, below -133 it is inf.
 */
export function sigmoid4(x: v128): v128 {
  const t = f32x4.min(f32x4.max(f32x4.neg(x), k(-43)), k(140));
  const rounded = mulAdd(t, k(LOG2_E), k(ROUNDER));
  const y = f32x4.add(k(1), expm1Reduced(reduce(t, f32x4.sub(rounded, k(ROUNDER)))));
  // 2^(n - 64), n from -62 on.
  const exponent = i32x4.min_s(i32x4.sub(rounded, ki(ROUNDER_BITS + 64 - 127)), ki(255));
  return f32x4.div(k(TINY), mulAdd(y, i32x4.shl(exponent, 23), k(TINY)));
}

export function softplus4(x: v128): v128 {
  return f32x4.add(f32x4.max(x, k(0)), log1p4(exp4(f32x4.neg(f32x4.abs(x)))));
}

/** ln(x) for positive finite x, in f64: 2*atanh(s) with |s| <= 0.1716. */
function log64(x: f64): f64 {
  const bits = reinterpret<i64>(x) - 0x3fe6a09e667f3bcd;
  const n = <f64>(bits >> 52);
  const m = reinterpret<f64>((bits & 0x000fffffffffffff) + 0x3fe6a09e667f3bcd);
  const s = (m - 1) / (m + 1), z = s * s;
  let p = 1.0 / 21;
  p = p * z + 1.0 / 19;
  p = p * z + 1.0 / 17;
  p = p * z + 1.0 / 15;
  p = p * z + 1.0 / 13;
  p = p * z + 1.0 / 11;
  p = p * z + 1.0 / 9;
  p = p * z + 1.0 / 7;
  p = p * z + 1.0 / 5;
  p = p * z + 1.0 / 3;
  return n * 0.6931471805599453 + 2 * (s + s * z * p);
}

/** exp(x) in f64, good enough for f32 results: Taylor to x^12 around the nearest multiple of ln 2. */
function exp64(x: f64): f64 {
  x = min<f64>(max<f64>(x, -700), 700);
  const n = nearest<f64>(x * 1.4426950408889634);
  const r = x - n * 0.6931471805599453;
  let p = 1.0 / 479001600;
  p = p * r + 1.0 / 39916800;
  p = p * r + 1.0 / 3628800;
  p = p * r + 1.0 / 362880;
  p = p * r + 1.0 / 40320;
  p = p * r + 1.0 / 5040;
  p = p * r + 1.0 / 720;
  p = p * r + 1.0 / 120;
  p = p * r + 1.0 / 24;
  p = p * r + 1.0 / 6;
  p = p * r + 0.5;
  p = p * r * r + r + 1;
  return p * reinterpret<f64>((<i64>n + 1023) << 52);
}

/** x to the power y with the special cases of JavaScript's Math.pow; computed in f64, rounded once. */
export function pow32(x: f32, y: f32): f32 {
  if (y == 0) return 1;
  if (x != x || y != y) return NaN;
  const size = abs<f32>(x);
  if (size == 1 && abs<f32>(y) == Infinity) return NaN;
  const integer = floor<f32>(y) == y;
  if (x < 0 && !integer && size != Infinity) return NaN;
  let r: f32;
  if (size == 0 || size == Infinity) r = (size == 0) == (y > 0) ? 0 : Infinity;
  else r = <f32>exp64(<f64>y * log64(<f64>size));
  // Odd integers have no fraction and an odd half; floats from 2^24 on are even.
  const odd = integer && abs<f32>(y) < 16777216 && (<i32>y & 1) == 1;
  return odd && reinterpret<i32>(x) < 0 ? -r : r;
}
