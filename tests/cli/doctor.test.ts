// `kinglet doctor`: this machine, and pages on the loopback address that serve kinglet well or badly.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type OutgoingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { ABI_VERSION } from '../../assembly/abi.ts';
import type { Finding } from '../../host/doctor/finding.ts';
import { examineSite } from '../../host/doctor/site.ts';
import { abiVersionOf } from '../../host/doctor/wasm-file.ts';
import { KingletError } from '../../host/error.ts';
import { kinglet } from './command.ts';

const built = (name: string): Uint8Array => new Uint8Array(readFileSync(fileURLToPath(new URL(`../../host/${name}`, import.meta.url))));
const [simd, relaxed] = [built('kinglet.simd.wasm'), built('kinglet.relaxed.wasm')];

interface Answer { readonly status?: number; readonly headers?: OutgoingHttpHeaders; readonly body: Uint8Array | string }
const html = { 'Content-Type': 'text/html' }, script = { 'Content-Type': 'text/javascript' };
const good = { 'Content-Type': 'application/wasm', 'Content-Encoding': 'gzip', ETag: '"1"', 'Cache-Control': 'no-cache' };
const isolated = { ...html, 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
const app = "new Worker(new URL('./kinglet-worker.js', import.meta.url)); const simd = () => new URL('./kinglet.simd.wasm', import.meta.url), relaxed = () => new URL('./kinglet.relaxed.wasm', import.meta.url)";
/** Everything right: a page, its script, a chunk of that, and both files. */
const rightSite: Record<string, Answer> = {
  '/app/': { headers: { ...isolated, 'Content-Security-Policy': "script-src 'self' 'wasm-unsafe-eval'" }, body: '<!doctype html><script type="module" src="main.js"></script>' },
  '/app/main.js': { headers: script, body: "import './chunk-run.js';" },
  '/app/chunk-run.js': { headers: script, body: app },
  '/app/kinglet-worker.js': { headers: { ...script, 'Cross-Origin-Embedder-Policy': 'require-corp' }, body: 'onmessage = null' },
  '/app/kinglet.simd.wasm': { headers: good, body: gzipSync(simd) },
  '/app/kinglet.relaxed.wasm': { headers: good, body: gzipSync(relaxed) },
};

let site: Record<string, Answer> = {};
const asked: string[] = [];
const server = createServer((request, response) => {
  const path = request.url ?? '';
  asked.push(path);
  const { status = 200, headers = {}, body } = site[path] ?? { status: 404, body: 'nothing here' };
  response.writeHead(status, headers).end(body);
});
let origin = '';
before(async () => {
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => { server.close(); server.closeAllConnections(); });

async function examine(answers: Record<string, Answer>, path = '/app/'): Promise<Finding[]> {
  site = answers;
  asked.length = 0;
  return examineSite(new URL(path, origin));
}
const without = (findings: readonly Finding[], level: Finding['level']): Finding[] => findings.filter((finding) => finding.level !== level);

test('a site that is right has no warning', async () => {
  const findings = await examine(rightSite);
  assert.deepEqual(without(findings, 'ok'), []);
  assert.equal(findings.filter(({ what }) => what.includes(`plan version ${ABI_VERSION}`)).length, 2);
  assert.deepEqual([...asked].sort(), Object.keys(rightSite).sort(), 'each file is asked for once');
});

test('a folder and a script are as good as the page', async () => {
  const folder = { '/lib/kinglet.simd.wasm': { headers: good, body: gzipSync(simd) }, '/lib/kinglet.relaxed.wasm': { headers: good, body: gzipSync(relaxed) } };
  assert.deepEqual(without(await examine(folder, '/lib/'), 'ok'), []);
  assert.deepEqual(without(await examine(rightSite, '/app/main.js'), 'ok'), []);
});

test('names with a bundler\'s hash and absolute paths are found', async () => {
  const body = 'const u=new URL("/assets/kinglet.relaxed-D3adB33f.wasm",import.meta.url).href';
  const long = { ...good, 'Cache-Control': 'max-age=31536000, immutable' };
  const findings = await examine({ '/app/': { headers: isolated, body: '<script type=module src=/assets/index.js></script>' }, '/assets/index.js': { headers: script, body }, '/assets/kinglet.relaxed-D3adB33f.wasm': { headers: long, body: gzipSync(relaxed) } });
  assert.deepEqual(without(findings, 'ok'), []);
});

const mistakes: readonly { readonly name: string; readonly change: Record<string, Answer>; readonly level: 'warning' | 'error'; readonly want: RegExp }[] = [
  { name: 'no isolation', change: { '/app/': { headers: html, body: rightSite['/app/']?.body ?? '' } }, level: 'warning', want: /COOP is missing, COEP is missing.*Cross-Origin-Opener-Policy/ },
  { name: 'a policy without WebAssembly', change: { '/app/': { headers: { ...isolated, 'Content-Security-Policy': "default-src 'self'" }, body: rightSite['/app/']?.body ?? '' } }, level: 'error', want: /CSP.*forbids WebAssembly.*wasm-unsafe-eval/ },
  { name: 'such a policy in the page', change: { '/app/': { headers: isolated, body: `<meta http-equiv="Content-Security-Policy" content="script-src 'self'">${String(rightSite['/app/']?.body)}` } }, level: 'error', want: /CSP.*forbids WebAssembly/ },
  { name: 'a policy that forbids fetching', change: { '/app/': { headers: { ...isolated, 'Content-Security-Policy': "script-src 'self' 'wasm-unsafe-eval'; connect-src 'none'" }, body: rightSite['/app/']?.body ?? '' } }, level: 'error', want: /connect-src forbids.*kinglet\/inline/ },
  { name: 'a worker that an isolated page does not start', change: { '/app/kinglet-worker.js': { headers: script, body: '' } }, level: 'error', want: /kinglet-worker\.js: lacks Cross-Origin-Embedder-Policy/ },
  { name: 'a missing worker', change: { '/app/kinglet-worker.js': { status: 404, body: '' } }, level: 'warning', want: /kinglet-worker\.js: cannot be fetched \(404\): networks run on one thread/ },
  { name: 'a missing file', change: { '/app/kinglet.simd.wasm': { status: 404, headers: html, body: 'no' } }, level: 'error', want: /simd\.wasm.*answers 404.*Serve the \.wasm files/ },
  { name: 'a page instead of the file', change: { '/app/kinglet.simd.wasm': { headers: html, body: '<!doctype html>' } }, level: 'error', want: /something else comes instead/ },
  { name: 'half a file', change: { '/app/kinglet.simd.wasm': { headers: good, body: gzipSync(simd.subarray(0, 300)) } }, level: 'error', want: /cut off/ },
  { name: 'a wrong type', change: { '/app/kinglet.simd.wasm': { headers: { ...good, 'Content-Type': 'text/plain' }, body: gzipSync(simd) } }, level: 'warning', want: /text\/plain.*application\/wasm/ },
  { name: 'no compression', change: { '/app/kinglet.simd.wasm': { headers: { ...good, 'Content-Encoding': 'identity' }, body: simd } }, level: 'warning', want: /uncompressed.*gzip or brotli/ },
  { name: 'a year of caching under a fixed name', change: { '/app/kinglet.simd.wasm': { headers: { ...good, 'Cache-Control': 'max-age=31536000' }, body: gzipSync(simd) } }, level: 'warning', want: /365 days.*may get the old file/ },
  { name: 'no caching at all', change: { '/app/kinglet.simd.wasm': { headers: { ...good, 'Cache-Control': 'no-store' }, body: gzipSync(simd) } }, level: 'warning', want: /no-store/ },
  { name: 'a script without kinglet', change: { '/app/chunk-run.js': { headers: script, body: 'export {}' }, '/app/kinglet.simd.wasm': { status: 404, body: '' }, '/app/kinglet.relaxed.wasm': { status: 404, body: '' } }, level: 'error', want: /404/ },
];
for (const { name, change, level, want } of mistakes) {
  test(`noticed: ${name}`, async () => {
    const wrong = without(await examine({ ...rightSite, ...change }), 'ok');
    assert.ok(wrong.length > 0);
    for (const finding of wrong) assert.equal(finding.level, level);
    assert.match(wrong.map(({ topic, what, advice }) => `${topic}: ${what}. ${advice ?? ''}`).join('\n'), want);
  });
}

test('the version of another build is read from the file', () => {
  assert.equal(abiVersionOf(simd), ABI_VERSION);
  assert.equal(abiVersionOf(relaxed), ABI_VERSION);
  for (let length = 0; length < simd.length; length += 997) assert.equal(abiVersionOf(simd.subarray(0, length)), null, `cut at ${length}`);
  for (let at = 8; at < 400; at++) {
    const damaged = simd.slice();
    damaged[at] = 0xff;
    abiVersionOf(damaged); // whatever it says, it says it
  }
});

test('inline kinglet is recognised', async () => {
  const body = `const files={simd:"${gzipSync(relaxed).toString('base64')}"}`;
  const findings = await examine({ '/app/x.js': { headers: script, body } }, '/app/x.js');
  assert.deepEqual(findings.map(({ level, what }) => [level, what]), [['ok', 'embedded in a script: nothing else is fetched']]);
});

test('a server without end or with endless scripts is left at the bounds', async () => {
  site = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`/${i}.js`, { headers: script, body: `import "./${i + 1}.js";` }]));
  asked.length = 0;
  await examineSite(new URL('/0.js', origin), { bytes: 1000, requests: 10, milliseconds: 10_000 });
  assert.equal(asked.length, 10);
  const endless = createServer((_, response) => { response.writeHead(200, html).write('x'); });
  await new Promise<void>((resolve) => { endless.listen(0, '127.0.0.1', resolve); });
  const address = new URL(`http://127.0.0.1:${(endless.address() as AddressInfo).port}/`);
  await assert.rejects(examineSite(address, { bytes: 1000, requests: 10, milliseconds: 300 }), (error) => error instanceof KingletError && error.code === 'ERR_FILE');
  endless.closeAllConnections();
  endless.close();
});

/** Not spawnSync: this process is the server. */
function doctor(...words: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('../../host/cli/cli.js', import.meta.url)), 'doctor', ...words]);
  let out = '', err = '';
  child.stdout.on('data', (text: Buffer) => { out += text.toString(); });
  child.stderr.on('data', (text: Buffer) => { err += text.toString(); });
  return new Promise((resolve) => { child.on('close', (code) => { resolve({ code, out, err }); }); });
}

test('the command: exit codes and JSON', async () => {
  site = rightSite;
  const right = await doctor(`${origin}/app/`, '--json');
  assert.equal(right.code, 0, right.err);
  for (const line of right.out.trimEnd().split('\n')) assert.equal((JSON.parse(line) as Finding).level, 'ok');
  site = { ...rightSite, '/app/kinglet.relaxed.wasm': { status: 404, body: '' } };
  const wrong = await doctor(`${origin}/app/`);
  assert.equal(wrong.code, 69);
  assert.match(wrong.out, /^error {4}\/app\/kinglet\.relaxed\.wasm: the server answers 404\n {9}Serve/m);
  assert.equal((await doctor('http://127.0.0.1:9/')).code, 66);
  assert.equal((await doctor('nowhere')).code, 64);
});

test('this machine', () => {
  const { code, out, err } = kinglet('doctor', '--json');
  assert.equal(code, 0, err);
  const findings = out.trimEnd().split('\n').map((line) => JSON.parse(line) as Finding);
  const topics = findings.map(({ topic }) => topic);
  for (const topic of ['engine', 'cores', 'kinglet.simd.wasm', 'kinglet.relaxed.wasm', 'kinglet-threads.simd.wasm', 'kinglet-threads.relaxed.wasm', 'SIMD', 'relaxed SIMD', 'threads', 'peak float32', 'peak int8']) assert.ok(topics.includes(topic), topic);
  assert.match(findings.find(({ topic }) => topic === 'engine')?.what ?? '', new RegExp(`Node ${process.versions.node.replaceAll('.', '\\.')}`));
});
