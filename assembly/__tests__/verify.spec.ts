// The verifier's arithmetic: limits hold at their edges, and one failure is never forgotten.

import { BAD_OPERAND, BAD_READ, BAD_WRITE, OK, SLACK_BYTES } from "../abi";
import { addWork, beginVerify, failure, inRange, nestSpan, reads, readsConstant, times, totalWork, writes } from "../verify";

const ARENA_BYTES: u32 = 1000;
const PLAN_BYTES: u32 = 640;
const WEIGHTS_AT: u32 = 512;
const ARENA_TO: i32 = 640 + 1000 - 64;

function begin(): void { beginVerify(0, WEIGHTS_AT, PLAN_BYTES, ARENA_BYTES); }

describe("verify", () => {
  test("reads: weights or arena, never across, never steps", () => {
    begin(); reads(512, 128); expect<i32>(failure()).toBe(OK);
    begin(); reads(640, 1000 - SLACK_BYTES); expect<i32>(failure()).toBe(OK);
    begin(); reads(511, 1); expect<i32>(failure()).toBe(BAD_READ);
    begin(); reads(600, 100); expect<i32>(failure()).toBe(BAD_READ);
    begin(); reads(ARENA_TO, 1); expect<i32>(failure()).toBe(BAD_READ);
    begin(); reads(-8, 4); expect<i32>(failure()).toBe(BAD_READ);
    begin(); reads(640, -1); expect<i32>(failure()).toBe(BAD_READ);
  });

  test("writes: the arena without its slack", () => {
    begin(); writes(640, ARENA_TO - 640); expect<i32>(failure()).toBe(OK);
    begin(); writes(639, 1); expect<i32>(failure()).toBe(BAD_WRITE);
    begin(); writes(ARENA_TO - 3, 4); expect<i32>(failure()).toBe(BAD_WRITE);
    begin(); writes(512, 4); expect<i32>(failure()).toBe(BAD_WRITE);
  });

  test("constants live in the weights only", () => {
    begin(); expect<bool>(readsConstant(512, 128)).toBe(true);
    begin(); expect<bool>(readsConstant(640, 4)).toBe(false);
  });

  test("products stop at 2^40", () => {
    begin(); expect<i64>(times(1 << 20, 1 << 20)).toBe(1 << 40); expect<i32>(failure()).toBe(OK);
    begin(); times((1 << 20) + 1, 1 << 20); expect<i32>(failure()).toBe(BAD_OPERAND);
    begin(); times(1 << 62, 1 << 62); expect<i32>(failure()).toBe(BAD_OPERAND);
    begin(); expect<i64>(times(0, 1 << 62)).toBe(0); expect<i32>(failure()).toBe(OK);
  });

  test("operands in range, spans and work", () => {
    const step = heap.alloc(64);
    store<i32>(step, 3); store<i32>(step + 4, 5); store<i32>(step + 8, 100); store<i32>(step + 12, 7);
    begin(); expect<i64>(inRange(step, 4, 1, 5)).toBe(5); expect<i32>(failure()).toBe(OK);
    expect<i64>(nestSpan(step, 0, 8, 2)).toBe(1 + 2 * 100 + 4 * 7);
    expect<i64>(inRange(step, 4, 6, 9)).toBe(6); expect<i32>(failure()).toBe(BAD_OPERAND);
    reads(0, 1); expect<i32>(failure()).toBe(BAD_OPERAND);
    addWork(5); addWork(6); expect<f64>(totalWork()).toBe(11);
    heap.free(step);
  });
});
