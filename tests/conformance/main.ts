// `npm run conformance`: the ONNX operator tests on every kernel set that this engine has. Out: a line for each case that does not
// pass, the cases in which no wasm kernel ran, and the counts. Exit code 1 when CORE is not complete.

import { namesIn, readCase, skipWithoutData, type ListName } from './case.ts';
import { kernelSets } from '../engines.ts';
import { runCase, worst } from './run-case.ts';

interface Count { readonly passed: number; readonly total: number; readonly idle: readonly string[] }

async function runList(list: ListName): Promise<Count> {
  let passed = 0;
  const idle: string[] = [];
  const names = namesIn(list);
  for (const name of names) {
    const outcomes = await runCase(readCase(name));
    const { status, kernels, message } = worst(outcomes);
    if (status === 'passed') passed++;
    else console.log(`${list} ${name}: ${status} on ${kernels}: ${message}`);
    if (status === 'passed' && outcomes.get('simd128')?.steps === 0) idle.push(name);
  }
  return { passed, total: names.length, idle };
}

if (skipWithoutData) {
  console.log(`skipped: ${skipWithoutData}`);
  process.exit(1);
}
const core = await runList('core');
const wide = await runList('wide');
console.log(`\non ${kernelSets().join(', ')}, Node ${process.versions.node}`);
console.log(`${core.passed - core.idle.length} CORE cases ran a wasm kernel; not these, which are constants: ${core.idle.join(' ')}`);
console.log(`CORE ${core.passed}/${core.total}`);
console.log(`WIDE ${wide.passed}/${wide.total}`);
process.exit(core.passed === core.total ? 0 : 1);
