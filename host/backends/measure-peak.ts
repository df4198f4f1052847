// The peak that a model's kernels could reach: the same instructions with operands in registers only.
// In: an executor and the plan's kernels. Out: 1e9 operations a second, measured now. Must not touch a plan's memory.

import type { Peak } from '../model.ts';
import type { PlanInfo } from '../plan/decode.ts';
import type { Executor } from './engine.ts';

/** The smallest step of the clock: browsers round it. */
function clockStep(): number {
  const start = performance.now();
  let now = start;
  while (now === start) now = performance.now();
  return now - start;
}

const PEAK_MS = 100;
/** Short bursts fit between the interruptions of a busy machine; shorter ones would be rounded by the clock. */
const BURST_MS = 0.5;
const BURST_CLOCK_STEPS = 40;

/** Best of many bursts, the later of which run in the optimising compiler's code. */
export function measurePeak(executor: Executor, info: PlanInfo): Peak {
  const kind = info.steps.some((s) => s.kernel.startsWith('qs8_')) ? 'int8' : 'float32';
  const perIteration = kind === 'int8' ? executor.peakI8Operations() : executor.peakF32Operations();
  const enough = Math.max(BURST_MS, BURST_CLOCK_STEPS * clockStep());
  let iterations = 1 << 12;
  let best = 0;
  for (const end = performance.now() + PEAK_MS; performance.now() < end;) {
    const start = performance.now();
    if (kind === 'int8') executor.peakI8(iterations, 3, 5);
    else executor.peakF32(iterations, 0.5, 0.25);
    const ms = performance.now() - start;
    if (ms < enough) iterations *= 2;
    else best = Math.max(best, (iterations * perIteration) / ms / 1e6);
  }
  return { gflops: best, kind };
}
