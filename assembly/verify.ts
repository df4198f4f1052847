// Plan verification: the vocabulary with which every kernel file states what its step reads, writes and costs.
// In: operands of a step (hostile numbers). Out: the first failure's code, and the plan's total work.
// A plan that passed cannot make any kernel touch a byte outside its own weights (read) and arena (read, write).
// Must not know any opcode: each kernel file has its own `verify…` beside the kernel it describes.

import { BAD_OPERAND, BAD_READ, BAD_TABLE, BAD_WRITE, NEST_RANK, OK, SLACK_BYTES } from "./abi.ts";

let code: i32 = 0; // OK; a literal, because an imported constant would need a start function
let planBase: usize = 0;
let readFrom: i64 = 0; // the weights section; steps and strings are never data
let arenaFrom: i64 = 0;
let arenaTo: i64 = 0; // without the slack
let work: f64 = 0;

/** Upper bound of any dim, stride product or span, so that i64 sums of a few of them cannot wrap. */
const LIMIT: i64 = 1 << 40;

export function beginVerify(base: usize, weightsAt: u32, planBytes: u32, arenaBytes: u32): void {
  code = OK;
  planBase = base;
  readFrom = <i64>weightsAt;
  arenaFrom = <i64>planBytes;
  arenaTo = <i64>planBytes + <i64>arenaBytes - SLACK_BYTES;
  work = 0;
}

export function failure(): i32 { return code; }
export function totalWork(): f64 { return work; }

/** Operand `at` of the step as i32. */
// @ts-ignore: decorator
@inline export function word(step: usize, at: usize): i32 { return load<i32>(step + at); }

export function require(ok: bool): void { if (!ok && code == OK) code = BAD_OPERAND; }
export function requireTable(ok: bool): void { if (!ok && code == OK) code = BAD_TABLE; }

/** Checks low <= operand <= high and returns it. On failure returns `low`, so that later arithmetic stays small. */
export function inRange(step: usize, at: usize, low: i32, high: i32): i64 {
  const v = word(step, at);
  if (v < low || v > high) { require(false); return <i64>low; }
  return <i64>v;
}
/** A dim or count: 1 … 2^31-1. */
export function positive(step: usize, at: usize): i64 { return inRange(step, at, 1, i32.MAX_VALUE); }
/** A stride: 0 … 2^31-1. */
export function stride(step: usize, at: usize): i64 { return inRange(step, at, 0, i32.MAX_VALUE); }

/** a*b of non-negative numbers, refused above 2^40. */
export function times(a: i64, b: i64): i64 {
  if (a == 0 || b == 0) return 0;
  if (a > LIMIT || b > LIMIT || <f64>a * <f64>b > <f64>LIMIT) { require(false); return 1; }
  return a * b;
}

/** [address, address + bytes) lies in the weights or in the arena; kernels may load up to SLACK_BYTES further. */
export function reads(address: i32, bytes: i64): void {
  const from = <i64>address, to = from + bytes;
  const inWeights = from >= readFrom && to <= arenaFrom;
  const inArena = from >= arenaFrom && to <= arenaTo;
  if (bytes < 0 || bytes > LIMIT || !(inWeights || inArena)) { if (code == OK) code = BAD_READ; }
}
/** [address, address + bytes) lies in the weights, where nothing is ever written: for tables that verify reads itself. */
export function readsConstant(address: i32, bytes: i64): bool {
  const from = <i64>address;
  const ok = bytes >= 0 && bytes <= LIMIT && from >= readFrom && from + bytes <= arenaFrom;
  if (!ok && code == OK) code = BAD_READ;
  return ok;
}
/** [address, address + bytes) lies in the arena. */
export function writes(address: i32, bytes: i64): void {
  const from = <i64>address;
  if (bytes < 0 || bytes > LIMIT || from < arenaFrom || from + bytes > arenaTo) { if (code == OK) code = BAD_WRITE; }
}
/** Memory address of a plan address. Only after readsConstant() said yes may verify load from it. */
// @ts-ignore: decorator
@inline export function at(address: i32): usize { return planBase + <usize>address; }

/** Checks `rank` dims at dimsAt; returns their product. */
export function nestCount(step: usize, dimsAt: usize, rank: i32 = NEST_RANK): i64 {
  let count: i64 = 1;
  for (let i = 0; i < rank; i++) count = times(count, positive(step, dimsAt + <usize>(i << 2)));
  return count;
}
/** Elements from the first to the last one a nest touches, with non-negative strides: 1 + sum (dim-1)*stride. */
export function nestSpan(step: usize, dimsAt: usize, stridesAt: usize, rank: i32 = NEST_RANK): i64 {
  let span: i64 = 1;
  for (let i = 0; i < rank; i++) {
    const o = <usize>(i << 2);
    span += times(positive(step, dimsAt + o) - 1, stride(step, stridesAt + o));
  }
  return span;
}

/** Adds inner-loop iterations, the unit of HEADER_WORK. */
export function addWork(n: i64): void { work += <f64>n; }
