// Node's side: does one job read from stdin and prints the result as JSON, with the peak memory of this process.
// In: { job, urls } on stdin. Out: JSON on stdout.

import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { duel } from './duel.mjs';
import { solo } from './solo.mjs';
import { speedup } from './speedup.mjs';

const { job, urls } = JSON.parse(readFileSync(0, 'utf8'));
console.log = console.error; // engines may talk, stdout is the result
const open = async (url) => new Response(await readFile(fileURLToPath(url)));
const places = { ...urls, open };
const result = job.solo ? await alone(job.entrants[0]) : await (job.speedup ? speedup : duel)(job, places);

// Not resourceUsage().maxRSS: Linux lets a child inherit its parent's.
result.peakBytes = existsSync('/proc/self/status') ? Number(/^VmHWM:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) * 1024 : null;
process.stdout.write(JSON.stringify(result), () => process.exit(0));

async function alone(engine) {
  if (engine === 'nothing') return {};
  const { libraryOf, start } = await import(`./engines/${engine.split(' ')[0]}.mjs`);
  return solo(job, places, await import(libraryOf({ urls, fromPlan: job.fromPlan, where: 'node' })), start);
}
