// The command's parts that need no model: options, bindings, names, printing, files.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { bind } from '../../host/cli/bindings.ts';
import { readBytes, writeWhole } from '../../host/cli/files.ts';
import { parseCount, parseShape } from '../../host/cli/options.ts';
import { dumpName } from '../../host/cli/run.ts';
import { grouped, printable } from '../../host/cli/text.ts';
import { KingletError } from '../../host/error.ts';
import type { IoInfo } from '../../host/model.ts';
import { scratch } from './command.ts';

const io = (name: string): IoInfo => ({ name, dtype: 'float32', shape: [1], layout: null, quantization: null });
const place = scratch();

test('inputs are bound by index or name, whatever signs the name holds', () => {
  const infos = [io('x=1'), io('7'), io('input.1')];
  assert.deepEqual([...bind('--input', ['x=1=a=b.npy', '1=c.npy', 'input.1=d'], infos)], [[0, 'a=b.npy'], [1, 'c.npy'], [2, 'd']]);
  assert.deepEqual([...bind('--input', ['7=e.npy'], infos)], [[1, 'e.npy']]);
  assert.deepEqual([...bind('--output', [], infos)], []);
  for (const words of [['3=a'], ['y=a'], ['0='], ['=a'], ['a.npy'], ['0=a', 'x=1=b']]) {
    assert.throws(() => bind('--input', words, infos), (e) => e instanceof KingletError && e.code === 'ERR_USAGE', words.join(' '));
  }
});

test('shapes and counts', () => {
  assert.deepEqual({ ...parseShape('b=2', parseShape('a=b=1x3x224x224')) }, { 'a=b': [1, 3, 224, 224], b: [2] });
  assert.deepEqual(Object.keys(parseShape('__proto__=1')), ['__proto__']);
  for (const word of ['a', '=1x2', 'a=', 'a=0x1', 'a=1x', 'a=-1', 'a=1e3']) assert.throws(() => parseShape(word), word);
  assert.equal(parseCount('50'), 50);
  for (const word of ['0', '-1', '1.5', 'ten', '1e9', '99999999']) assert.throws(() => parseCount(word), word);
});

test('names from models cannot choose a path or steer a terminal', () => {
  assert.equal(dumpName(7, '../../etc/passwd'), '0007-.._.._etc_passwd.npy');
  assert.equal(dumpName(12, 'a\u0000b/c\\d:e'), '0012-a_b_c_d_e.npy');
  assert.ok(dumpName(0, 'x'.repeat(5000)).length < 120);
  assert.equal(printable('a\u001b[31mb\u009b31m\u202ec\nd'), 'a?[31mb?31m?c?d');
  assert.equal(printable('x'.repeat(100)).length, 60);
  assert.deepEqual([0, 999, 1000, 1234567].map(grouped), ['0', '999', '1,000', '1,234,567']);
});

test('files are written whole, into new folders, over old ones, and never leave a temporary behind', async () => {
  const file = place('new/folder/y.npy');
  await writeWhole(file, Uint8Array.of(1, 2));
  await writeWhole(file, Uint8Array.of(3));
  assert.deepEqual([...readFileSync(file)], [3]);
  assert.deepEqual(readdirSync(dirname(file)), ['y.npy']);
  await writeWhole('/dev/null', Uint8Array.of(1)).catch((e: unknown) => { assert.ok(e instanceof KingletError); });
  const target = place('target'), link = place('link');
  writeFileSync(target, 'old');
  symlinkSync(target, link);
  await writeWhole(link, Uint8Array.of(65));
  assert.equal(readFileSync(target, 'utf8'), 'A', 'a link is written through, not replaced');
});

test('what the file system refuses becomes a sentence', async () => {
  const refused = (work: Promise<unknown>, say: RegExp): Promise<void> => assert.rejects(work, (e) => e instanceof KingletError && e.code === 'ERR_FILE' && say.test(e.message));
  await refused(readBytes(place('missing')), /there is no such file/);
  await refused(readBytes(dirname(place('x'))), /it is a folder/);
  writeFileSync(place('plain'), '');
  await refused(writeWhole(place('plain/y.npy'), new Uint8Array(1)), /cannot write/);
});
