// Importing the package is safe anywhere: on a server that renders pages, in workers, where globals are missing or forbidden.
// Each entry is evaluated in a realm that has what the language defines and nothing else; reading any other global is noted.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { read, root } from '../repo/files.ts';

const browsers = 'window self document location navigator Worker SharedWorker importScripts localStorage indexedDB Image OffscreenCanvas crossOriginIsolated';

/** Modules of a realm of their own need a flag of Node's. Text coding is allowed: every engine has it, and pbf makes a decoder. */
const script = `
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import vm from 'node:vm';

const [entry, packages] = process.argv.slice(1);
const touched = new Set();
const realm = { TextDecoder, TextEncoder };
for (const name of [...Object.getOwnPropertyNames(globalThis), ...'${browsers}'.split(' ')]) {
  if (name in realm || vm.runInNewContext('typeof ' + name) !== 'undefined' && name !== 'WebAssembly') continue;
  Object.defineProperty(realm, name, { get() { touched.add(name); return undefined; } });
}
const context = vm.createContext(realm);
const places = { pbf: 'pbf/index.js', flatbuffers: 'flatbuffers/mjs/flatbuffers.js' };
const modules = new Map();
function open(specifier, { identifier }) {
  const at = specifier.startsWith('.') ? join(dirname(identifier), specifier) : join(packages, places[specifier] ?? specifier);
  if (!modules.has(at)) modules.set(at, new vm.SourceTextModule(readFileSync(at, 'utf8'), { context, identifier: at, initializeImportMeta: (meta) => { meta.url = 'https://example.test/x.js'; } }));
  return modules.get(at);
}
const module = open('./' + entry.split('/').pop(), { identifier: entry });
await module.link(open);
await module.evaluate();
console.log(JSON.stringify({ touched: [...touched].sort(), exports: Object.keys(module.namespace).length }));
`;

function importAlone(file: string): { touched: string[]; exports: number } {
  const words = ['--experimental-vm-modules', '--no-warnings', '--input-type=module', '-e', script, file, join(root, 'node_modules')];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as { touched: string[]; exports: number };
}

const { exports: entries } = JSON.parse(read('package.json')) as { exports: Record<string, string | { default: string }> };
for (const [name, entry] of Object.entries(entries)) {
  if (typeof entry === 'string') continue;
  test(`importing ${name.replace('.', 'kinglet')} touches no global`, () => {
    const { touched, exports } = importAlone(join(root, entry.default));
    assert.ok(exports > 0);
    assert.deepEqual(touched, []);
  });
}

test('a module that looks for globals is noticed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kinglet-globals-'));
  const file = join(folder, 'module.js');
  writeFileSync(file, 'export const inPage = typeof document !== "undefined"; export const memory = WebAssembly?.Memory;');
  assert.deepEqual(importAlone(file), { touched: ['WebAssembly', 'document'], exports: 2 });
  rmSync(folder, { recursive: true });
});
