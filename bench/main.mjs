// `npm run bench`: kinglet and its rivals on the same models and the same machine.
// In: argv. Out: a table on stdout, bench/results/<date>.md and .json, progress on stderr.

import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { inFreshBrowser } from './browser.mjs';
import { bundlePage } from './bundle.mjs';
import { coldBounds, LEAST_PEAK_SPEEDUP, models as catalogue, soakModels } from './catalogue.mjs';
import { exportOnnx } from './export-onnx.mjs';
import { makeReport } from './report.mjs';
import { serve } from './server.mjs';
import { describe, setUp } from './setup.mjs';

const usage = `npm run bench -- [options]
  --quick          the MobileNets only, few rounds: about two minutes, writes no result file
  --only TEXT      models whose name contains TEXT
  --parts LIST     of: time, threads, cold, soak (default: all; --quick: time, cold)
  --rounds N       turns of every engine (default 30, --quick 10)
  --patience S     seconds to wait before each section for other work on the machine to end (default 15)
  --profiles N     fresh profiles for each cold start, at most (default: 10 where a bound is checked)
  --webgpu NAME    kinglet on a GPU too, in the browser: hardware, or swiftshader; adds the part gpu-soak
  --soak N         inferences of the soak (default 1000000)
  --continue       take what is not measured now from today's result file
  --no-write       leave bench/results alone`;

const say = (text) => process.stderr.write(`${text}\n`);
const { values: args } = parseArgs({ options: {
  quick: { type: 'boolean' }, only: { type: 'string' }, parts: { type: 'string' }, rounds: { type: 'string' }, patience: { type: 'string' }, profiles: { type: 'string' }, soak: { type: 'string' }, webgpu: { type: 'string' },
  continue: { type: 'boolean' }, 'no-write': { type: 'boolean' }, help: { type: 'boolean' },
} });
if (args.help) { console.log(usage); process.exit(0); }

const parts = new Set((args.parts ?? `${args.quick ? 'time,cold' : 'time,threads,cold,soak'}${args.webgpu ? ',gpu-soak' : ''}`).split(','));
const rounds = Number(args.rounds ?? (args.quick ? 10 : 30));
const wanted = catalogue.filter((model) => (args.only ? model.id.includes(args.only) || model.file.includes(args.only) : !args.quick || model.quick));
if (wanted.length === 0) { say(`no model is called "${args.only}"`); process.exit(64); }

const KINGLET = ['kinglet relaxed', 'kinglet simd128'];
const place = await setUp(wanted, say);
const server = await serve({
  '/bench/': place.here, '/kinglet/': place.dist, '/plans/': place.plans, '/models/': place.modelsFolder, '/zoo/': place.zoo, '/rivals/': place.rivals,
  '/packages/': join(place.root, 'node_modules'), '/': place.dist,
});

const facts = { ...describe(place), parts: {}, busy: [], emptyPeakBytes: {} };

const inPage = async (job) => {
  if (!place.executablePath) return { failed: 'no Chromium found; set CHROMIUM to its path', entrants: [] };
  const page = job.solo ? await pageOf(job) : {};
  const { url, result, files } = server.post({ where: 'chromium', ...job }, page);
  const value = await inFreshBrowser({ chromium: place.chromium, executablePath: place.executablePath, url, result, gpu: args.webgpu, seconds: job.seconds });
  return { ...value, files: [...files, ...page.files ?? []] };
};
const wasmOf = {
  'kinglet relaxed': '/kinglet.relaxed.wasm', 'kinglet simd128': '/kinglet.simd.wasm', ort: '/rivals/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm',
  litert: '/rivals/@litertjs/core/wasm/litert_wasm_internal.wasm',
};
const bundles = new Map();
/** A page for one engine: its script, what it asks for at once, the files that the script is made of. */
async function pageOf({ entrants: [engine], fromPlan, plan, model }) {
  if (engine === 'nothing') return { script: "import { report } from '/bench/report-to-server.mjs'; report(() => ({}));" };
  const key = `${engine} ${fromPlan}`;
  if (!bundles.has(key)) bundles.set(key, await bundlePage({ engine, fromPlan, ...place }));
  const { code, files } = bundles.get(key);
  return { script: code, files, model: fromPlan ? plan : model, fetches: [wasmOf[engine]].filter(Boolean) };
}
const inNode = (job) => runNode([join(place.here, 'node-side.mjs')], JSON.stringify({
  job: { where: 'node', ...job }, urls: { kinglet: `${pathToFileURL(place.dist)}/`, rivals: `${pathToFileURL(place.rivals)}/` },
}));
/** A Node process whose stdout is one JSON document. */
function runNode(argv, stdin) {
  return new Promise((resolve) => {
    // A file, not a pipe: an engine that writes more warnings than a pipe holds would fail with EAGAIN.
    const errors = join(place.work, 'stderr.txt');
    const stderr = openSync(errors, 'w');
    const child = spawn(place.node, argv, { stdio: ['pipe', 'pipe', stderr], cwd: place.work });
    closeSync(stderr);
    let out = '';
    child.stdout.on('data', (text) => { out += text; });
    child.on('error', (error) => { resolve({ failed: error.message }); });
    child.on('close', () => {
      try { resolve(JSON.parse(out)); } catch { resolve({ failed: readFileSync(errors, 'utf8').trim().split('\n').slice(-3).join(' ') || 'no output' }); }
    });
    child.stdin.end(stdin);
  });
}
const jobOf = (model, where) => ({
  inputs: model.inputs,
  model: where === 'node' ? pathToFileURL(join(model.zoo ? place.zoo : place.modelsFolder, model.file)).href : `/${model.zoo ? 'zoo' : 'models'}/${model.file}`,
  plan: where === 'node' ? pathToFileURL(join(place.plans, `${model.file}.kgl`)).href : `/plans/${model.file}.kgl`,
});
const run = { chromium: inPage, node: inNode };
/** Failures of a whole page or process count for each of its engines. */
const entrantsOf = (result, engines) => (result.entrants?.length ? result.entrants : engines.map((engine) => ({ engine, failed: result.failed ?? 'no result' })));

/** Code that a page downloads: everything it asked for but models, plans and the bench itself. */
function codeSize(files) {
  const code = files.filter((file) => ![place.here, place.plans, place.zoo, place.modelsFolder].some((folder) => file.startsWith(folder)) || file.startsWith(place.rivals));
  return code.reduce((total, file) => total + gzipSync(readFileSync(file), { level: 9 }).length, 0);
}

/** Waits a while for other work to end; says how busy the machine was when it gave up or went on. */
async function quiet() {
  const end = Date.now() + 1000 * Number(args.patience ?? 15);
  for (;;) {
    const before = cpus();
    await new Promise((resolve) => { setTimeout(resolve, 500); });
    const after = cpus();
    let idle = 0, all = 0;
    after.forEach(({ times }, i) => {
      for (const [kind, ticks] of Object.entries(times)) {
        all += ticks - before[i].times[kind];
        if (kind === 'idle') idle += ticks - before[i].times[kind];
      }
    });
    const busy = all > 0 ? 1 - idle / all : 0;
    if (busy < 0.15 || Date.now() > end) {
      facts.busy.push(busy);
      return `machine ${(100 * busy).toFixed(0)} % busy with other work`;
    }
  }
}

async function timePart() {
  const rows = [];
  for (const model of place.models) {
    for (const where of ['chromium', 'node']) {
      const engines = [...KINGLET, ...(args.webgpu && where === 'chromium' ? ['kinglet-webgpu'] : []), ...model[where]];
      const busy = await quiet();
      say(`time   ${model.id} in ${where}: ${engines.join(', ')} (${busy})`);
      const result = await run[where]({ ...jobOf(model, where), entrants: engines, rounds, blockMs: 80 });
      for (const entrant of entrantsOf(result, engines)) rows.push({ model: model.id, where, threads: 1, ...entrant });
    }
  }
  return rows;
}

/** kinglet with one and two threads in turns with its rivals' two, and with the register-only peak of one and two. */
async function threadsPart() {
  const rows = [];
  for (const model of place.models) {
    const int8 = model.inputs.some(({ dtype }) => dtype !== 'float32');
    for (const where of model.twoThreads ? ['chromium', 'node'] : ['chromium']) {
      const rivals = where === 'chromium' ? model.chromium : [];
      say(`threads ${model.id} in ${where}: kinglet${rivals.map((name) => `, ${name}`).join('')}, two threads (${await quiet()})`);
      const result = await run[where]({ ...jobOf(model, where), speedup: true, engine: KINGLET[0], entrants: [], rivals, rounds: model.twoThreads ? rounds : 2, leastPeak: LEAST_PEAK_SPEEDUP, int8 });
      for (const entrant of entrantsOf(result, [KINGLET[0], ...rivals])) if (entrant.failed !== undefined || entrant.threads > 1) rows.push({ model: model.id, where, threads: 2, ...entrant, ...speedupsOf(entrant, result) });
    }
  }
  return rows;
}
/** Per window: one thread's time divided by two threads'. */
function speedupsOf({ engine, blocks }, { entrants }) {
  const one = entrants?.find((row) => row.engine === engine && row.threads === 1);
  return one?.blocks && blocks ? { speedups: blocks.map((ms, window) => one.blocks[window] / ms) } : {};
}

/** Fresh profiles and fresh processes: first result, peak memory, download. Engines take turns here too. */
async function coldPart() {
  const rows = new Map();
  const add = (key, fields, result) => {
    const row = rows.get(key) ?? { ...fields, firstMs: [], scriptMs: [], peakBytes: [] };
    rows.set(key, row);
    if (result.failed !== undefined) { row.failed = result.failed; return; }
    row.firstMs.push(result.firstMs);
    if (result.scriptMs !== undefined) row.scriptMs.push(result.scriptMs);
    if (result.peakBytes !== null) row.peakBytes.push(result.peakBytes);
    if (result.files) row.codeBytes = codeSize(result.files);
  };
  for (const model of place.models) {
    const profiles = Math.min(model.coldProfiles, Number(args.profiles ?? (args.quick ? 3 : 10)));
    for (const where of args.quick ? ['chromium'] : ['chromium', 'node']) {
      if (model[where].length === 0) continue;
      const variants = [
        { engine: KINGLET[0], fromPlan: true }, { engine: KINGLET[0], fromPlan: false }, { engine: KINGLET[1], fromPlan: true },
        ...model[where].map((engine) => ({ engine, fromPlan: false })),
        ...(where === 'chromium' && coldBounds.some((bound) => bound.model === model.id) ? [{ engine: 'transfer', fromPlan: true }] : []),
      ].filter(({ engine, fromPlan }) => !args.quick || engine !== 'kinglet simd128');
      const times = where === 'node' ? Math.min(3, profiles) : profiles;
      say(`cold   ${model.id} in ${where}: ${variants.length} variants, ${times} times each (${await quiet()})`);
      for (let i = 0; i < times; i++) {
        for (const { engine, fromPlan } of variants) {
          const result = await run[where]({ ...jobOf(model, where), solo: true, entrants: [engine], fromPlan, rounds: 20 });
          add(`${model.id}|${where}|${engine}|${fromPlan}`, { model: model.id, where, engine, fromPlan }, result);
        }
      }
    }
  }
  for (const where of ['chromium', 'node']) {
    const result = await run[where]({ solo: true, entrants: ['nothing'], inputs: [] });
    facts.emptyPeakBytes[where] = result.peakBytes;
  }
  return [...rows.values()];
}

async function soakPart() {
  const rows = [];
  for (const file of soakModels) {
    const runs = Number(args.soak ?? 1e6);
    say(`soak   ${file}: ${runs} inferences`);
    const result = await runNode(['--expose-gc', join(place.here, 'soak.mjs'), `${pathToFileURL(place.dist)}/`, join(place.modelsFolder, file), String(runs)], '');
    rows.push({ file, ...result });
  }
  return rows;
}

/** A 3x3 and a 1x1 convolution of a picture of 8 by 8: what is soaked is the way to the GPU and back. */
async function twoLayers() {
  const [{ Builder }, { conv2d }, { noise }] = await Promise.all(['host/graph/builder', 'host/ops/conv2d', 'models/random']
    .map((name) => import(pathToFileURL(join(place.root, 'build', `${name}.js`)).href)));
  const b = new Builder();
  const plain = { strides: [1, 1], dilations: [1, 1], groups: 1, min: -Infinity, max: Infinity };
  const x = b.input('x', { dtype: 'float32', shape: [1, 8, 8, 3] });
  const y = b.add(conv2d, { ...plain, pads: [1, 1, 1, 1] }, [x, b.constant(noise(1, [3, 3, 3, 8])), b.constant(noise(2, [8]))]);
  b.output(b.add(conv2d, { ...plain, pads: [0, 0, 0, 0] }, [y, b.constant(noise(3, [1, 1, 8, 8])), b.constant(noise(4, [8]))]), 'y');
  return b.graph;
}

/** Not on a million inferences: a software adapter needs milliseconds for each. */
async function gpuSoakPart() {
  const runs = Number(args.soak ?? 5e4), file = 'two-layers.onnx';
  const graph = await twoLayers();
  const inputs = graph.inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
  writeFileSync(join(place.zoo, file), exportOnnx(graph));
  say(`soak   ${file} on ${args.webgpu}: ${runs} inferences`);
  return [{ file, adapter: args.webgpu, ...await inPage({ model: `/zoo/${file}`, inputs, soak: true, runs, seconds: 1800, entrants: [] }) }];
}

const writes = !args.quick && (!args.only || args.continue) && !args['no-write'];
const resultName = join(place.here, 'results', facts.date.slice(0, 10));
const earlier = args.continue && existsSync(`${resultName}.json`) ? JSON.parse(readFileSync(`${resultName}.json`, 'utf8')) : null;
const measured = {
  facts, models: place.models.map(({ id, file, fileBytes, planBytes }) => ({ id, file, fileBytes, planBytes })), time: [], threads: [], cold: [], soak: [], 'gpu-soak': [],
};
if (earlier) {
  facts.parts = earlier.facts.parts;
  facts.emptyPeakBytes = earlier.facts.emptyPeakBytes;
  for (const name of ['time', 'threads', 'cold', 'soak', 'gpu-soak']) measured[name] = earlier[name] ?? [];
  if (args.only) measured.models = earlier.models;
}
/** What is measured now replaces what was known of the same models. */
function merged(known, fresh) {
  if (!args.only) return fresh;
  const place = ({ model }) => catalogue.findIndex(({ id }) => id === model);
  return [...known.filter((row) => !fresh.some(({ model }) => model === row.model)), ...fresh].sort((a, b) => place(a) - place(b));
}
const measures = { time: timePart, threads: threadsPart, cold: coldPart, soak: soakPart, 'gpu-soak': gpuSoakPart };
for (const name of Object.keys(measures).filter((known) => parts.has(known))) {
  facts.busy = [];
  const from = { at: new Date().toISOString(), commit: facts.commit, command: facts.command, loadBefore: loadavg()[0] };
  measured[name] = merged(measured[name], await measures[name]());
  facts.parts[args.only ? `${name} of ${args.only}` : name] = { ...from, loadAfter: loadavg()[0], busy: facts.busy };
  delete facts.busy;
  if (writes) write(); // what was measured so far is not lost when a later part is cut off
}
await server.close();
if (writes) write();
console.log(makeReport(measured));

function write() {
  mkdirSync(join(place.here, 'results'), { recursive: true });
  writeFileSync(`${resultName}.md`, `${makeReport(measured)}\n`);
  writeFileSync(`${resultName}.json`, `${JSON.stringify(measured, (_, value) => (typeof value === 'number' ? Number(value.toPrecision(6)) : value))}\n`);
  say(`written: ${resultName}.md and .json`);
}
