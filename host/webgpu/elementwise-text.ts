// The elementwise functions of ops/unary.ts and ops/binary.ts as WGSL expressions, for one float and for vectors of four.
// In: a kind and expressions. Out: an expression. Where a real function's pieces would overflow they are bounded so that the result is
// the same: WGSL may assume that there are no infinities. Must not know where operands come from.

import type { BinaryKind } from '../ops/binary.ts';
import type { UnaryKind } from '../ops/unary.ts';

export type WgslType = 'f32' | 'vec4f';

/** exp(88) is just below the largest float. */
const EXP_LIMIT = '88.0';

const unaries: Readonly<Record<UnaryKind, (x: string, p0: string, p1: string, type: WgslType) => string>> = {
  clamp: (x, low, high, type) => `clamp(${x}, ${type}(${low}), ${type}(${high}))`,
  leakyRelu: (x, slope, _, type) => `select(${slope} * ${x}, ${x}, ${x} >= ${type}(0.0))`,
  sigmoid: (x, _0, _1, type) => `(1.0 / (1.0 + exp(min(-${x}, ${type}(${EXP_LIMIT})))))`,
  tanh: (x, _0, _1, type) => `tanh(clamp(${x}, ${type}(-15.0), ${type}(15.0)))`,
  hardSigmoid: (x, alpha, beta, type) => `clamp(${alpha} * ${x} + ${beta}, ${type}(0.0), ${type}(1.0))`,
  hardSwish: (x, _0, _1, type) => `(${x} * clamp(${x} / 6.0 + 0.5, ${type}(0.0), ${type}(1.0)))`,
  swish: (x, _0, _1, type) => `(${x} / (1.0 + exp(min(-${x}, ${type}(${EXP_LIMIT})))))`,
  elu: (x, alpha, _, type) => `select(${alpha} * (exp(min(${x}, ${type}(0.0))) - 1.0), ${x}, ${x} >= ${type}(0.0))`,
  softplus: (x, _0, _1, type) => `(max(${x}, ${type}(0.0)) + log(1.0 + exp(-abs(${x}))))`,
  exp: (x) => `exp(${x})`,
  log: (x) => `log(${x})`,
  sqrt: (x) => `sqrt(${x})`,
  neg: (x) => `(-${x})`,
  abs: (x) => `abs(${x})`,
  rsqrt: (x) => `inverseSqrt(${x})`,
  floor: (x) => `floor(${x})`,
  ceil: (x) => `ceil(${x})`,
  round: (x) => `round(${x})`,
  square: (x) => `(${x} * ${x})`,
};

/** Zero, one or a choice; `a` and `b` are names, not expressions, because some kinds use them twice. */
const binaries: Readonly<Record<BinaryKind, (a: string, b: string, type: WgslType) => string>> = {
  add: (a, b) => `(${a} + ${b})`,
  sub: (a, b) => `(${a} - ${b})`,
  mul: (a, b) => `(${a} * ${b})`,
  div: (a, b) => `(${a} / ${b})`,
  maximum: (a, b) => `max(${a}, ${b})`,
  minimum: (a, b) => `min(${a}, ${b})`,
  pow: (a, b) => `power(${a}, ${b})`,
  prelu: (a, b, type) => `select(${a} * ${b}, ${a}, ${a} >= ${type}(0.0))`,
  floorDiv: (a, b) => `floor(${a} / ${b})`,
  squaredDifference: (a, b) => `((${a} - ${b}) * (${a} - ${b}))`,
  less: (a, b, type) => `select(${type}(0.0), ${type}(1.0), ${a} < ${b})`,
  equal: (a, b, type) => `select(${type}(0.0), ${type}(1.0), ${a} == ${b})`,
  keep: (a, b, type) => `select(${b}, ${type}(0.0), ${a} == ${type}(0.0))`,
};

/** `x`: a name. `p0`, `p1`: names of floats. */
export function unaryText(kind: UnaryKind, x: string, type: WgslType, p0 = 'p.p0', p1 = 'p.p1'): string {
  return unaries[kind](x, p0, p1, type);
}
/** `a`, `b`: names. */
export function binaryText(kind: BinaryKind, a: string, b: string, type: WgslType): string {
  return binaries[kind](a, b, type);
}

/** WGSL's pow knows no negative bases: whole exponents keep or drop the sign, others give no number, as the definition says. */
export function powerText(type: WgslType): string {
  return `fn power(a: ${type}, b: ${type}) -> ${type} {
  let size = pow(abs(a), b);
  let odd = abs(b - 2.0 * floor(b / 2.0)) == ${type}(1.0);
  let negative = select(size, -size, odd);
  return select(size, negative, a < ${type}(0.0));
}`;
}

/** Infinite bounds as the largest floats. */
export function bound(value: number): { readonly f32: number } {
  const largest = 3.4028234663852886e38;
  return { f32: Math.min(largest, Math.max(-largest, value)) };
}

/** A clamp as text that does only what it must: nothing, one side or both. `low`, `high`: names of floats. */
export function clampText(x: string, { min, max }: { readonly min: number; readonly max: number }, type: WgslType, [low, high]: readonly [string, string]): string {
  const above = min === -Infinity ? x : `max(${x}, ${type}(${low}))`;
  return max === Infinity ? above : `min(${above}, ${type}(${high}))`;
}
