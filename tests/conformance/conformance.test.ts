// The ONNX operator tests (Debian's libonnx-testdata) on every kernel set: CORE passes, WIDE passes but for the names of
// not-passing.txt, OUT is refused with a typed error or right. `npm run conformance` prints the same with all messages.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { kernelSets } from '../engines.ts';
import { namesIn, notPassing, readCase, skipWithoutData, type ListName } from './case.ts';
import { runCase, worst, type Outcomes } from './run-case.ts';

/** Cases whose plan has steps, of those that pass CORE: the rest would prove nothing about kernels. */
const LEAST_WITH_KERNELS = 390;
/** What passes now: whoever makes more pass raises it, nobody lowers it. The project promised 150. */
const LEAST_WIDE = 209;

async function outcomesOf(list: ListName): Promise<Map<string, Outcomes>> {
  const outcomes = new Map<string, Outcomes>();
  for (const name of namesIn(list)) outcomes.set(name, await runCase(readCase(name)));
  return outcomes;
}
const lines = (outcomes: Map<string, Outcomes>, isListed: (name: string, outcome: ReturnType<typeof worst>) => boolean): string[] =>
  [...outcomes].flatMap(([name, all]) => {
    const outcome = worst(all);
    return isListed(name, outcome) ? [`${name} ${outcome.status} on ${outcome.kernels}: ${outcome.message}`] : [];
  });

describe(`ONNX operator tests on ${kernelSets().join(', ')}`, { skip: skipWithoutData }, () => {
  const excused = new Set(notPassing().flatMap(({ names }) => names));

  it('the lists hold as many names as the project promised', () => {
    assert.deepEqual((['core', 'wide', 'out'] as const).map((list) => new Set(namesIn(list)).size), [449, 418, 205]);
    const known = new Set([...namesIn('core'), ...namesIn('wide')]);
    assert.deepEqual([...excused].filter((name) => !known.has(name)), []);
  });

  it('CORE passes', async () => {
    const outcomes = await outcomesOf('core');
    assert.deepEqual(lines(outcomes, (name, { status }) => (status === 'passed') === excused.has(name)), []);
    const withKernels = [...outcomes.values()].filter((all) => worst(all).status === 'passed' && (all.get('simd128')?.steps ?? 0) > 0).length;
    assert.ok(withKernels >= LEAST_WITH_KERNELS, `only ${withKernels} cases ran a wasm kernel`);
  });

  it('WIDE passes but for the names in not-passing.txt, which all fail', async () => {
    const outcomes = await outcomesOf('wide');
    assert.deepEqual(lines(outcomes, (name, { status }) => (status === 'passed') === excused.has(name)), []);
    assert.ok(outcomes.size - namesIn('wide').filter((name) => excused.has(name)).length >= LEAST_WIDE);
  });

  it('OUT is refused with a typed error, or right', async () => {
    assert.deepEqual(lines(await outcomesOf('out'), (_, { status }) => status === 'wrong' || status === 'crashed'), []);
  });
});
