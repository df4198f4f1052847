// Time. In: nothing. Out: milliseconds since some moment.

import { clock_time_get } from "./sys.ts";

const MONOTONIC = 1;
const time: usize = memory.data(8, 8);

export function now(): f64 {
  clock_time_get(MONOTONIC, 1, time);
  return <f64>load<u64>(time) / 1e6;
}
