// Prints the bytes of everything in dist/ that a page may download, raw and gzipped, and checks the promised limits.
// In: dist/ from `npm run build`. Out: a table; exit code 1 when a limit is broken.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const KB = 1000;
const files = readdirSync('dist').filter((name) => /\.(js|wasm)$/.test(name)).sort();
const size = new Map(files.map((name) => {
  const bytes = readFileSync(join('dist', name));
  return [name, { raw: bytes.length, gzipped: gzipSync(bytes, { level: 9 }).length }];
}));

/** An entry and every chunk that it imports statically. */
function withChunks(entry, seen = new Set()) {
  if (seen.has(entry)) return seen;
  seen.add(entry);
  const code = readFileSync(join('dist', entry), 'utf8');
  for (const [, chunk] of code.matchAll(/(?:from|import)\s*["']\.\/([\w.-]+\.js)["']/g)) withChunks(chunk, seen);
  return seen;
}
const sum = (names) => [...names].reduce((total, name) => ({ raw: total.raw + size.get(name).raw, gzipped: total.gzipped + size.get(name).gzipped }), { raw: 0, gzipped: 0 });

/** An entry with all that it needs at run time, packages too, in one minified file: what an application's own bundler would ship. */
async function bundled(entry) {
  const { outputFiles: [{ contents }] } = await build({
    entryPoints: [join('dist', entry)], bundle: true, minify: true, format: 'esm', write: false, logLevel: 'error', external: ['fast-png', 'jpeg-js'],
  });
  return { raw: contents.length, gzipped: gzipSync(contents, { level: 9 }).length };
}
const plus = (a, b) => ({ raw: a.raw + b.raw, gzipped: a.gzipped + b.gzipped });

const loader = withChunks('run.js');
const row = (name, { raw, gzipped }, note = '') => console.log(`${name.padEnd(38)}${String(raw).padStart(9)}${String(gzipped).padStart(9)}  ${note}`);
let broken = 0;
function limit(name, bytes, most) {
  const holds = bytes.gzipped <= most;
  if (!holds) broken++;
  row(name, bytes, `${holds ? 'holds' : 'TOO LARGE'}: at most ${most / KB} KB gzipped`);
}

console.log(`${'dist/'.padEnd(38)}${'bytes'.padStart(9)}${'gzipped'.padStart(9)}`);
for (const [name, bytes] of size) row(name, bytes);
console.log();
const executors = files.filter((name) => name.endsWith('.wasm') && !/-(cmd|embed)\./.test(name));
const expected = ['kinglet-threads.relaxed.wasm', 'kinglet-threads.simd.wasm', 'kinglet.relaxed.wasm', 'kinglet.simd.wasm'];
if (executors.join() !== expected.join()) {
  console.error(`expected ${expected.join(', ')}, found ${executors.join(', ')}`);
  broken++;
}
for (const name of executors) limit(name, size.get(name), 40 * KB);
limit(`plan loader (${[...loader].join(', ')})`.slice(0, 37), sum(loader), 10 * KB);
const relaxed = size.get('kinglet.relaxed.wasm');
limit('a page with plans: loader + relaxed', plus(sum(loader), relaxed), 50 * KB);
row('the same with threads', sum([...loader, 'chunk-join-team.js', 'kinglet-worker.js', 'kinglet-threads.relaxed.wasm']), 'where they are asked for');
for (const entry of ['onnx', 'tflite', 'index']) row(`${entry}.js bundled + relaxed`, plus(await bundled(`${entry}.js`), relaxed), 'with pbf and flatbuffers where they are used');
for (const [name, most] of [['kinglet-cmd.simd', 90], ['kinglet-cmd.relaxed', 90], ['kinglet-embed.simd', 80], ['kinglet-embed.relaxed', 80]]) {
  const bytes = size.get(`${name}.wasm`), holds = bytes.raw <= most * KB;
  if (!holds) broken++;
  row(`${name}.wasm`, bytes, `${holds ? 'holds' : 'TOO LARGE'}: at most ${most} KB as it is`);
}
row('inline.js', size.get('inline.js'), 'kinglet/run and both executors');
process.exit(broken > 0 ? 1 : 0);
