// The habits of CONTRIBUTING.md that a machine can check.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { errorTable } from '../../host/error.ts';
import { version } from '../../host/version.ts';
import { filesUnder, opcodeNames, read, root } from './files.ts';

const files = filesUnder();
const sources = files.filter((file) => /^(host|assembly|tests|scripts|examples|bench|models)\/.*\.(ts|mjs)$/.test(file));

test('no file has a name that says nothing', () => {
  assert.deepEqual(files.filter((file) => /(^|\/)(utils?|helpers?|common|misc|manager)(\.|\/|$)/.test(file)), []);
});

test('every source file opens by saying what it is', () => {
  const silent = sources.filter((file) => !/^(#!.*\n)?(\/\/|\/\*)/.test(read(file)));
  assert.deepEqual(silent, []);
});

test('files stay readable: host at most 300 lines, kernels at most 400', () => {
  const long = sources.filter((file) => {
    const limit = file.startsWith('host/') ? 300 : file.startsWith('assembly/kernels/') ? 400 : Infinity;
    return read(file).split('\n').length - 1 > limit;
  });
  assert.deepEqual(long, []);
});

test('nothing is left for later', () => {
  const marker = new RegExp(`\\b(${['TO', 'FIX'].map((a) => a + (a === 'TO' ? 'DO' : 'ME')).join('|')})\\b`);
  assert.deepEqual(sources.filter((file) => marker.test(read(file))), []);
});

test('links between documents lead somewhere', () => {
  const broken = files.filter((file) => file.endsWith('.md')).flatMap((file) => (
    [...read(file).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, link]) => link)
      .filter((link) => !/^[a-z]+:/.test(link) && !existsSync(join(root, dirname(file), link)))
      .map((link) => `${file}: ${link}`)));
  assert.deepEqual(broken, []);
});

for (const [document, script] of [['supported-ops', 'gen-supported-ops'], ['errors', 'gen-errors']] as const) {
  test(`docs/${document}.md is fresh`, () => {
    const { status, stderr } = spawnSync(process.execPath, [`scripts/${script}.mjs`, '--check'], { cwd: root, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  });
}

test('docs/plan-format.md names the contract\'s version and every opcode', () => {
  const text = read('docs/plan-format.md'), abi = read('assembly/abi.ts');
  const missing = opcodeNames().map((name) => name.toLowerCase()).filter((name) => !text.includes(name));
  assert.deepEqual(missing, []);
  assert.ok(text.includes(`version ${/ABI_VERSION = (\d+)/.exec(abi)?.[1] ?? '?'}`));
});

test('the command and the package agree on the version', () => {
  assert.equal((JSON.parse(read('package.json')) as { version: string }).version, version);
});

test('exit codes are ones that every engine passes on', () => {
  for (const { exit, hint } of Object.values(errorTable)) assert.ok(exit >= 64 && exit < 126 && hint.endsWith('.'));
});
