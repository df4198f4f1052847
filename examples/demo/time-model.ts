// How long one inference takes. In: a loaded model. Out: the median and the fastest of many runs. Must not know where it came from.

import type { Model } from '../../host/index.ts';
import type { Timing } from './calls.ts';

const LEAST_RUNS = 5;
/** The optimising compiler works beside the first runs. */
const WARM_UP_SHARE = 0.4;

/** Warms up for a part of `forMs`, then times runs until it is over, at least LEAST_RUNS. Zeros go in: the arithmetic takes as long for any numbers. */
export function timeModel(model: Model, forMs: number): Timing {
  const warm = performance.now() + WARM_UP_SHARE * forMs;
  do model.runSync(); while (performance.now() < warm);
  const times: number[] = [];
  const end = performance.now() + (1 - WARM_UP_SHARE) * forMs;
  while (times.length < LEAST_RUNS || performance.now() < end) {
    const started = performance.now();
    model.runSync();
    times.push(performance.now() - started);
  }
  times.sort((a, b) => a - b);
  return { medianMs: times[times.length >> 1], fastestMs: times[0], runs: times.length, stats: model.stats };
}
