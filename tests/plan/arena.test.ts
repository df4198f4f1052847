// The arena planner on seeded random lifetimes: regions alive together never overlap, and no plan is below the live sum.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { planArena, type Lifetime } from '../../host/plan/arena.ts';
import { random, randomInt } from '../random.ts';

function randomLifetimes(seed: number): { lifetimes: Lifetime[]; steps: number } {
  const next = random(seed);
  const steps = 1 + randomInt(next, 60);
  const lifetimes = Array.from({ length: 1 + randomInt(next, 80) }, () => {
    const first = randomInt(next, steps + 1) - 1;
    return { bytes: randomInt(next, 5000), first, last: Math.min(steps, first + randomInt(next, 8)) };
  });
  return { lifetimes, steps };
}

for (let seed = 1; seed <= 200; seed++) {
  it(`keeps live regions apart (seed ${seed})`, () => {
    const { lifetimes, steps } = randomLifetimes(seed);
    const { offsets, arenaBytes, liveBytes } = planArena(lifetimes, steps);
    lifetimes.forEach((a, i) => {
      assert.equal(offsets[i] % 64, 0);
      assert.ok(offsets[i] + a.bytes <= arenaBytes);
      lifetimes.slice(0, i).forEach((b, j) => {
        const together = a.first <= b.last && b.first <= a.last && a.bytes > 0 && b.bytes > 0;
        const apart = offsets[i] + a.bytes <= offsets[j] || offsets[j] + b.bytes <= offsets[i];
        assert.ok(!together || apart, `regions ${i} and ${j} overlap`);
      });
    });
    const live = Array.from({ length: steps + 2 }, (_, s) => lifetimes.reduce((sum, l) => sum + (l.first <= s - 1 && s - 1 <= l.last ? l.bytes : 0), 0));
    assert.equal(liveBytes, Math.max(...live));
    assert.ok(arenaBytes >= liveBytes);
  });
}

it('finds the tight plan of a chain', () => {
  const chain = Array.from({ length: 20 }, (_, i) => ({ bytes: 640 * (1 + (i % 5)), first: i - 1, last: i }));
  const { arenaBytes, liveBytes } = planArena(chain, 20);
  assert.equal(arenaBytes, liveBytes);
});

it('plans nothing for nothing', () => {
  assert.deepEqual(planArena([], 0), { offsets: [], arenaBytes: 0, liveBytes: 0 });
});
