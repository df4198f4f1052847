// `npm run conformance`: the ONNX operator tests on every kernel set that this engine has. Out: a line for each case that does not
// pass, the cases in which no wasm kernel ran, and the counts. Exit code 1 when CORE is not complete.

import { namesIn, readCase, skipWithoutData, type ListName } from './case.ts';
import { kernelSets } from '../engines.ts';
import { runCase, worst, type Outcome } from './run-case.ts';

interface Count {
  readonly good: number;
  readonly total: number;
  /** Good without a single step. */
  readonly idle: readonly string[];
}

async function runList(list: ListName, isGood: (status: Outcome['status']) => boolean): Promise<Count> {
  const idle: string[] = [];
  const names = namesIn(list);
  let good = 0;
  for (const name of names) {
    const outcomes = await runCase(readCase(name));
    const { status, kernels, message } = worst(outcomes);
    if (!isGood(status)) console.log(`${list} ${name}: ${status} on ${kernels}: ${message}`);
    else good++;
    if (isGood(status) && outcomes.get('simd128')?.steps === 0) idle.push(name);
  }
  return { good, total: names.length, idle };
}

if (skipWithoutData) {
  console.log(`skipped: ${skipWithoutData}`);
  process.exit(1);
}
const passed = (status: Outcome['status']): boolean => status === 'passed';
const core = await runList('core', passed);
const wide = await runList('wide', passed);
const out = await runList('out', (status) => status === 'passed' || status === 'refused');
console.log(`\non ${kernelSets().join(', ')}, Node ${process.versions.node}`);
console.log(`${core.good - core.idle.length} CORE cases ran a wasm kernel; these have no elements: ${core.idle.join(' ')}`);
console.log(`OUT ${out.good}/${out.total} refused with a typed error, or right`);
console.log(`CORE ${core.good}/${core.total}`);
console.log(`WIDE ${wide.good}/${wide.total}`);
process.exit(core.good === core.total ? 0 : 1);
