// Every golden on 2 and 3 threads: the bytes of one thread, float32 too, since no split changes the order of a sum.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compile, loadPlan } from '../../host/index.ts';
import { kernelSets } from '../engines.ts';
import { tensors } from '../models/golden-answers.ts';
import { goldens, sharedBytes, skipWithoutShared } from '../shared.ts';

for (const golden of goldens()) {
  describe(golden.name, { skip: skipWithoutShared }, () => {
    const plan = compile(sharedBytes(golden.modelFile));
    for (const kernels of kernelSets().filter((set) => set !== 'reference')) {
      it(`gives the bytes of one thread with ${kernels}`, async () => {
        const one = await loadPlan(plan, { kernels, warmup: false });
        const teams = [await loadPlan(plan, { kernels, threads: 2, warmup: false }), await loadPlan(plan, { kernels, threads: 3, warmup: false })];
        assert.deepEqual(teams.map(({ stats }) => stats.threads), [2, 3]);
        for (const name of golden.cases) {
          const inputs = tensors(golden, name, 'input').map(({ data }) => data);
          const expected = await one.run(inputs);
          for (const team of teams) assert.deepEqual(await team.run(inputs), expected);
        }
        for (const model of [one, ...teams]) model.dispose();
      });
    }
  });
}
