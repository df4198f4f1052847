// Summarises outcomes: fails on a wrong one, prints codes and the slowest case.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Damage, Outcome } from './attack.ts';

export function assertHarmless(t: TestContext, outcomes: readonly Outcome[], damages: readonly Damage[]): void {
  assert.equal(outcomes.length, damages.length);
  const codes = new Map<string, number>();
  for (const { result, wrong, index } of outcomes) {
    assert.ok(!wrong, `case ${index} ${JSON.stringify(damages[index])}: ${result}`);
    codes.set(result, (codes.get(result) ?? 0) + 1);
  }
  const slowest = outcomes.reduce((a, b) => (b.ms > a.ms ? b : a));
  t.diagnostic(`${outcomes.length} cases: ${[...codes].map(([code, n]) => `${code} ${n}`).join(', ')}; `
    + `slowest ${slowest.ms.toFixed(0)} ms (${JSON.stringify(damages[slowest.index])}, ${slowest.result})`);
}
