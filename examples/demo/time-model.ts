// How long one inference takes. In: a loaded model. Out: the median and the fastest of many runs. Must not know where it came from.

import type { Model, TensorData } from '../../host/index.ts';
import type { Timing } from './calls.ts';

const LEAST_RUNS = 5;
/** The optimising compiler works beside the first runs. */
const WARM_UP_SHARE = 0.4;

/** Warms up for a part of `forMs`, then times runs until it is over, at least LEAST_RUNS. Copies of what the inputs hold go in: any numbers take as long. */
export async function timeModel(model: Model, forMs: number): Promise<Timing> {
  const inputs = model.inputs.map((_, i) => model.input(i).slice() as TensorData);
  const warm = performance.now() + WARM_UP_SHARE * forMs;
  do await model.run(inputs); while (performance.now() < warm);
  const times: number[] = [];
  const end = performance.now() + (1 - WARM_UP_SHARE) * forMs;
  while (times.length < LEAST_RUNS || performance.now() < end) {
    const started = performance.now();
    await model.run(inputs);
    times.push(performance.now() - started);
  }
  times.sort((a, b) => a - b);
  return { medianMs: times[times.length >> 1], fastestMs: times[0], runs: times.length, stats: model.stats };
}
