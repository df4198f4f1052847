// A soak: many inferences of one model in one process; memory before and after.
// In: argv: dist folder URL, model path, number of runs. Needs --expose-gc. Out: JSON on stdout, progress on stderr.

import { readFile } from 'node:fs/promises';
import { makeInputs } from './inputs.mjs';

const [dist, file, runs] = process.argv.slice(2);
const { loadModel } = await import(`${dist}index.js`);
const model = await loadModel(new Uint8Array(await readFile(file)));
const inputs = makeInputs(model.inputs);

const settle = async () => {
  for (let i = 0; i < 4; i++) {
    globalThis.gc();
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heapUsed, external };
};
const SETTLING = Math.min(20000, Number(runs) / 10);
for (let i = 0; i < SETTLING; i++) await model.run(inputs);
const before = await settle();
const expected = (await model.run(inputs)).map((data) => data.join()).join(';');
const start = performance.now();
for (let i = 0; i < Number(runs); i++) {
  await model.run(inputs);
  if (i % 100000 === 0) process.stderr.write(`  soak ${i}\r`);
}
const seconds = (performance.now() - start) / 1000;
const after = await settle();
const same = (await model.run(inputs)).map((data) => data.join()).join(';') === expected;
console.log(JSON.stringify({ runs: Number(runs), seconds, before, after, same }));
