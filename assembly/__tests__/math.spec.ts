// The elementary functions of math.ts against the f64 standard library, in units in the last place, and their special values.

import { exp4, expm14, log1p4, log4, pow32, sigmoid4, softplus4, tanh4 } from "../math";

const EXP: i32 = 0, EXPM1: i32 = 1, LOG: i32 = 2, LOG1P: i32 = 3, TANH: i32 = 4, SIGMOID: i32 = 5, SOFTPLUS: i32 = 6;

function ours(kind: i32, x: f32): f32 {
  const v = f32x4.splat(x);
  let y = v;
  if (kind == EXP) y = exp4(v);
  else if (kind == EXPM1) y = expm14(v);
  else if (kind == LOG) y = log4(v);
  else if (kind == LOG1P) y = log1p4(v);
  else if (kind == TANH) y = tanh4(v);
  else if (kind == SIGMOID) y = sigmoid4(v);
  else y = softplus4(v);
  return f32x4.extract_lane(y, 0);
}

function real(kind: i32, x: f32): f32 {
  const v = <f64>x;
  if (kind == EXP) return <f32>Math.exp(v);
  if (kind == EXPM1) return <f32>Math.expm1(v);
  if (kind == LOG) return <f32>Math.log(v);
  if (kind == LOG1P) return <f32>Math.log1p(v);
  if (kind == TANH) return <f32>Math.tanh(v);
  if (kind == SIGMOID) return <f32>(1 / (1 + Math.exp(-v)));
  return <f32>(Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v))));
}

/** Position of a float in the order of all floats. */
function rank(x: f32): i64 {
  const bits = reinterpret<i32>(x);
  return bits < 0 ? -<i64>(bits & 0x7fffffff) : <i64>bits;
}

/** Largest distance over evenly spaced bit patterns of both signs between `low` and `high` in size. */
function worst(kind: i32, low: f32, high: f32, negative: bool): i64 {
  let most: i64 = 0;
  const from = reinterpret<i32>(low), to = reinterpret<i32>(high);
  for (let bits = from; bits <= to; bits += 9973) {
    const x = reinterpret<f32>(negative ? bits | <i32>0x80000000 : bits);
    const distance = rank(ours(kind, x)) - rank(real(kind, x));
    const size = distance < 0 ? -distance : distance;
    if (size > most) most = size;
  }
  return most;
}

describe("elementary functions", () => {
  it("stay within two units in the last place", () => {
    expect(worst(EXP, 0, 120, false)).toBeLessThanOrEqual(1);
    expect(worst(EXP, 0, 120, true)).toBeLessThanOrEqual(1);
    expect(worst(EXPM1, 0, 120, true)).toBeLessThanOrEqual(2);
    expect(worst(LOG, 0, f32.MAX_VALUE, false)).toBeLessThanOrEqual(1);
    expect(worst(LOG1P, 0, 1000000, false)).toBeLessThanOrEqual(2);
    expect(worst(TANH, 0, 100, false)).toBeLessThanOrEqual(2);
    expect(worst(TANH, 0, 100, true)).toBeLessThanOrEqual(2);
    expect(worst(SIGMOID, 0, 200, false)).toBeLessThanOrEqual(2);
    expect(worst(SIGMOID, 0, 200, true)).toBeLessThanOrEqual(2);
    expect(worst(SOFTPLUS, 0, 200, false)).toBeLessThanOrEqual(2);
    expect(worst(SOFTPLUS, 0, 80, true)).toBeLessThanOrEqual(2);
  });

  it("have the right limits", () => {
    expect(ours(EXP, -Infinity)).toBe(0);
    expect(ours(EXP, -200)).toBe(0);
    expect(ours(EXP, 100)).toBe(Infinity);
    expect(ours(EXP, Infinity)).toBe(Infinity);
    expect(ours(EXPM1, -Infinity)).toBe(-1);
    expect(ours(LOG, 0)).toBe(-Infinity);
    expect(ours(LOG, Infinity)).toBe(Infinity);
    expect(isNaN(ours(LOG, -1))).toBe(true);
    expect(isNaN(ours(LOG, -Infinity))).toBe(true);
    expect(ours(TANH, Infinity)).toBe(1);
    expect(ours(TANH, -Infinity)).toBe(-1);
    expect(ours(SIGMOID, Infinity)).toBe(1);
    expect(ours(SIGMOID, -Infinity)).toBe(0);
    expect(ours(SOFTPLUS, Infinity)).toBe(Infinity);
    expect(ours(SOFTPLUS, -Infinity)).toBe(0);
  });

  it("keep NaN", () => {
    for (let kind = EXP; kind <= SOFTPLUS; kind++) expect(isNaN(ours(kind, NaN))).toBe(true);
    expect(isNaN(pow32(NaN, 2))).toBe(true);
    expect(isNaN(pow32(2, NaN))).toBe(true);
  });

  it("raise to powers like JavaScript", () => {
    expect(pow32(2, 10)).toBe(1024);
    expect(pow32(-2, 3)).toBe(-8);
    expect(pow32(-2, 2)).toBe(4);
    expect(isNaN(pow32(-2, 0.5))).toBe(true);
    expect(pow32(NaN, 0)).toBe(1);
    expect(pow32(0, -1)).toBe(Infinity);
    expect(pow32(0, 2)).toBe(0);
    expect(pow32(-Infinity, 3)).toBe(-Infinity);
    expect(pow32(-Infinity, 0.5)).toBe(Infinity);
    expect(pow32(10, 39)).toBe(Infinity);
    expect(pow32(0.5, Infinity)).toBe(0);
    expect(isNaN(pow32(1, Infinity))).toBe(true);
    expect(reinterpret<i32>(pow32(-0.0, 3))).toBe(<i32>0x80000000);
  });
});
