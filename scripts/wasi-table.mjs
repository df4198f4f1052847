// Writes the table of engines in docs/wasi.md: what tests/wasi found with every golden, and MobileNetV2's latency relative to Node 24.
// In: build/wasi-goldens.json, which `node scripts/run-tests.mjs wasi` leaves; ../shared. Out: the lines between the markers.
// Latency is the least of interleaved rounds of the program's own `bench`, as other work only adds: an engine's compiling is not in it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROUNDS = 2, RUNS = 40;
const models = { uint8: 'mobilenet_v2_1.0_224_quant.tflite', float32: 'mobilenet_v2_1.0_224_imagenet_f32.tflite' };
const results = JSON.parse(readFileSync('build/wasi-goldens.json', 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'kinglet-wasi-table-'));
process.on('exit', () => { rmSync(folder, { recursive: true }); });
for (const [kind, file] of Object.entries(models)) run(process.execPath, ['dist/cli.js', 'compile', `../shared/models/${file}`, '-o', join(folder, `${kind}.kgl`)]);

const best = new Map();
for (let round = 0; round < ROUNDS; round++) {
  for (const { engine, build, command: [file, ...words] } of results) {
    for (const kind of Object.keys(models)) {
      const out = run(file, [...words, '--dir', '.', resolve(`build/host/kinglet-cmd.${build}.wasm`), 'bench', `${kind}.kgl`, '--runs', `${RUNS}`, '--json'], folder);
      const { minMs, dot } = JSON.parse(out), key = `${engine} ${build} ${kind}`;
      best.set(key, { ms: Math.min(minMs, best.get(key)?.ms ?? Infinity), dot });
    }
  }
}

const base = results.find(({ engine, build }) => engine.startsWith('node v24.') && build === 'simd')?.engine;
const cell = (engine, build, kind) => {
  const { ms } = best.get(`${engine} ${build} ${kind}`), share = base ? ` (${(ms / best.get(`${base} simd ${kind}`).ms).toFixed(2)})` : '';
  return `${ms.toFixed(1)}${share}`;
};
const rows = results.map(({ engine, build, equal, cases }) => {
  const how = build === 'simd' ? 'equal' : 'equal / within tolerance';
  return `| ${engine} | ${build} | ${best.get(`${engine} ${build} uint8`).dot} | ${equal} of ${cases} ${how} | ${cell(engine, build, 'uint8')} | ${cell(engine, build, 'float32')} |`;
});
const when = new Date().toISOString().slice(0, 10);
const table = [
  `MobileNetV2 1.0/224, ms, and relative to Node 24 with simd128; least of ${ROUNDS} interleaved rounds of ${RUNS} runs, ${cpus().length}-core ${cpus()[0].model}, ${when}:`,
  '', '| engine | build | dot | goldens | uint8 | float32 |', '|---|---|---|---|---|---|', ...rows,
].join('\n');
const docs = readFileSync('docs/wasi.md', 'utf8'), marked = /(<!-- engines[^\n]*-->\n)[\s\S]*?(\n<!-- \/engines -->)/;
if (!marked.test(docs)) throw new Error('docs/wasi.md has lost its markers');
writeFileSync('docs/wasi.md', docs.replace(marked, (_, from, to) => `${from}${table}${to}`));
console.log(table);

function run(file, words, cwd) {
  const { status, stdout, stderr } = spawnSync(file, words, { cwd, encoding: 'utf8', env: { ...process.env, KINGLET_WAZERO_CACHE: resolve('build/wazero-cache') } });
  if (status !== 0) throw new Error(`${file} ended with status ${status}: ${stderr}`);
  return stdout;
}
