// kinglet-cmd in real engines: the cat by its name however it comes, and every failure by its code.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { compile } from '../../host/index.ts';
import { sharedBytes, skipWithoutShared } from '../shared.ts';
import { engines, programOf, runIn, type Engine, type Setting } from './engines.ts';

const folder = mkdtempSync(join(tmpdir(), 'kinglet-wasi-'));
process.on('exit', () => { rmSync(folder, { recursive: true }); });

const model = 'person_detect.kgl';
if (!skipWithoutShared) {
  writeFileSync(join(folder, model), compile(sharedBytes('models/person_detect.tflite')));
  writeFileSync(join(folder, 'm.kgl'), compile(sharedBytes('models/mobilenet_v2_1.0_224_quant.tflite')));
  writeFileSync(join(folder, 'cat.bmp'), sharedBytes('images/cat.bmp'));
  writeFileSync(join(folder, 'labels.txt'), sharedBytes('images/imagenet_labels.txt'));
}

function checkFailures(engine: Engine): void {
  const program = programOf('simd');
  const plan = (): Uint8Array => new Uint8Array(readFileSync(join(folder, model)));
  const fails = (what: string, code: number, words: readonly string[], options: Omit<Setting, 'folder'> = {}): void => {
    it(`${what}: ${code}`, () => {
      const result = runIn(engine, program, words, { folder, ...options });
      assert.equal(result.code, code, result.err);
      const lines = result.err.trimEnd().split('\n');
      assert.equal(lines.length, 1, result.err);
      assert.match(lines[0], /^kinglet: /);
      assert.equal(result.out.length, 0);
    });
  };
  fails('no command', 64, []);
  fails('an unknown flag', 64, ['run', model, '--nix']);
  fails('an unknown command', 64, ['nix']);
  fails('a missing file', 66, ['inspect', 'missing.kgl']);
  fails('no preopen', 66, ['inspect', model], { dirs: [] });
  fails('a plan from an empty stdin', 65, ['inspect', '-']);
  fails('a truncated plan', 65, ['inspect', '-'], { input: plan().subarray(0, 100_000) });
  fails('a shortened header', 65, ['inspect', '-'], { input: plan().subarray(0, 100) });
  fails('a missing input', 65, ['run', model]);
  fails('a frame of the wrong size', 65, ['run', model, '--stream'], { input: new Uint8Array(100) });
  fails('a tensor of the wrong size', 65, ['run', model, '--input', '-'], { input: new Uint8Array(100) });
  for (const [at, bit] of [[16, 1], [33, 2], [60_000, 4], [200_000, 1]]) {
    fails(`bit ${bit} of byte ${at} flipped`, 65, ['inspect', '-'], { input: changed(plan(), at, bit) });
  }
  fails('an arena of 2 GiB more', 71, ['inspect', '-'], { input: changed(plan(), 19, 128) });
  it('too little memory: 71', () => {
    const small = join(folder, 'small.wasm');
    writeFileSync(small, withMostPages(new Uint8Array(readFileSync(program)), 4));
    const { code, err } = runIn(engine, small, ['inspect', model], { folder });
    assert.equal(code, 71, err);
    assert.match(err, /^kinglet: the engine gave no memory of \d+ MiB\n$/);
  });
}

function changed(bytes: Uint8Array, at: number, bit: number): Uint8Array {
  bytes[at] ^= bit;
  return bytes;
}

/** The module with another maximum of its memory: one of three bytes, 32768 pages, is known to be there. */
function withMostPages(module: Uint8Array, pages: number): Uint8Array {
  const maximum = [0x80, 0x80, 0x02], at = module.findIndex((byte, i) => byte === 5 && module[i + 2] === 1 && module[i + 3] === 1 && maximum.every((b, k) => module[i + 5 + k] === b));
  assert.ok(at > 0);
  module.set([pages | 128, 128, 0], at + 5);
  return module;
}

/** Every way that a picture can come: its bytes decide, not its way. */
function checkCat(engine: Engine): void {
  const photo = sharedBytes('images/cat.bmp'), words = ['classify', 'm.kgl', '-', '--labels', 'labels.txt'];
  const named = (text: string): string => text.replace('cat.bmp', '-');
  const plain = runIn(engine, programOf('simd'), ['classify', 'm.kgl', 'cat.bmp', '--labels', 'labels.txt'], { folder });
  it('names the cat in a file', () => {
    assert.equal(plain.code, 0, plain.err);
    assert.match(plain.out.toString().split('\n')[1], /286 {2}Egyptian cat$/);
  });
  const same = (what: string, setting: Omit<Setting, 'folder'>, more: readonly string[] = words): void => {
    it(`gives the same ${what}`, () => {
      const { code, out, err } = runIn(engine, programOf('simd'), more, { folder, ...setting });
      assert.equal(code, 0, err);
      assert.equal(named(out.toString()), named(plain.out.toString()));
    });
  };
  same('through stdin', { input: photo });
  same('through stdin byte by byte', { input: photo, chunk: 1 });
  same('through stdin 4 KiB at a time', { input: photo, chunk: 4096 });
  for (const [dir, prefix] of [['.', ''], ['.', './'], ['.', '/'], ['./', ''], [`${folder}::/`, ''], [`${folder}::/data`, '/data/'], [`${folder}::data`, './data/']]) {
    same(`with --dir ${dir.replace(folder, 'FOLDER')} and ${prefix}m.kgl`, { input: photo, dirs: [dir] }, ['classify', `${prefix}m.kgl`, '-', '--labels', `${prefix}labels.txt`]);
  }
}

for (const engine of engines) {
  describe(engine.name, { skip: engine.skip || skipWithoutShared }, () => {
    checkFailures(engine);
    if (!skipWithoutShared && !engine.skip) checkCat(engine);
    it('passes its own test', () => {
      for (const build of engine.builds) assert.equal(runIn(engine, programOf(build), ['selftest'], { folder }).code, 0);
    });
  });
}
