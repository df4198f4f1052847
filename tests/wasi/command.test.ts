// kinglet-cmd in real engines: every golden as the host's API computes it, the cat by its name, and every failure by its code.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { compile, loadModel } from '../../host/index.ts';
import { readNpy } from '../../host/npy.ts';
import type { TensorData } from '../../host/tensor.ts';
import { goldens, sharedBytes, sharedFolder, skipWithoutShared } from '../shared.ts';
import { tolerance } from '../tolerance.ts';
import { engines, programOf, runIn, type Build, type Engine } from './engines.ts';

const folder = mkdtempSync(join(tmpdir(), 'kinglet-wasi-'));
process.on('exit', () => { rmSync(folder, { recursive: true }); });

interface Case { readonly model: string; readonly words: readonly string[]; readonly outputs: readonly string[]; readonly want: readonly TensorData[] }
const cases: Case[] = [];

/** Compiles every golden's model, copies inputs, and computes with the host's API what engines must give. */
async function prepare(): Promise<void> {
  for (const golden of goldens()) {
    const model = `${golden.name}.kgl`, plan = compile(sharedBytes(golden.modelFile));
    writeFileSync(join(folder, model), plan);
    const host = await loadModel(plan, { kernels: 'simd128' });
    const [name] = golden.cases, files = host.inputs.map((_, i) => `goldens/${golden.name}/${name}.input_${i}.npy`);
    const inputs = files.map((file, i) => {
      writeFileSync(join(folder, `${golden.name}.${i}.npy`), readFileSync(join(sharedFolder, file)));
      return readNpy(sharedBytes(file)).data;
    });
    const outputs = host.outputs.map((_, i) => `${golden.name}.out${i}.npy`);
    cases.push({
      model, outputs, want: await host.run(inputs),
      words: ['run', model, ...files.flatMap((_, i) => ['--input', `${i}=${golden.name}.${i}.npy`]), ...outputs.flatMap((file, i) => ['--output', `${i}=${file}`])],
    });
  }
}
if (!skipWithoutShared) await prepare();

/** Byte for byte; only the relaxed build's float32 may round differently. */
function compare(got: TensorData, want: TensorData, build: Build): void {
  if (build === 'simd' || !(want instanceof Float32Array)) {
    assert.deepEqual(got, want);
    return;
  }
  const largest = want.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  want.forEach((x, i) => { assert.ok(Math.abs(x - Number(got[i])) <= tolerance.network * largest, `element ${i}`); });
}

function checkGoldens(engine: Engine, build: Build): void {
  for (const { model, words, outputs, want } of cases) {
    it(`${model} with ${build}`, () => {
      const { code, err } = runIn(engine, programOf(build), words, { folder });
      assert.equal(code, 0, err);
      outputs.forEach((file, i) => { compare(readNpy(new Uint8Array(readFileSync(join(folder, file)))).data, want[i], build); });
    });
  }
}

function checkFailures(engine: Engine): void {
  const program = programOf('simd'), model = 'person_detect.kgl';
  const plan = (): Uint8Array => new Uint8Array(readFileSync(join(folder, model)));
  const fails = (what: string, code: number, words: readonly string[], options: { dirs?: readonly string[]; input?: Uint8Array } = {}): void => {
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

for (const engine of engines) {
  describe(engine.name, { skip: engine.skip || skipWithoutShared }, () => {
    for (const build of engine.builds) checkGoldens(engine, build);
    checkFailures(engine);
    it('names the cat, through files and through stdin', () => {
      writeFileSync(join(folder, 'cat.bmp'), sharedBytes('images/cat.bmp'));
      writeFileSync(join(folder, 'labels.txt'), sharedBytes('images/imagenet_labels.txt'));
      const words = ['classify', 'mobilenet_v2_1.0_224_quant.kgl'];
      const file = runIn(engine, programOf('simd'), [...words, 'cat.bmp', '--labels', 'labels.txt'], { folder });
      const pipe = runIn(engine, programOf('simd'), [...words, '-', '--labels', './labels.txt'], { folder, input: sharedBytes('images/cat.bmp') });
      assert.match(file.out.toString().split('\n')[1], /286 {2}Egyptian cat$/);
      assert.equal(pipe.out.toString(), file.out.toString().replace('cat.bmp', '-'));
    });
    it('passes its own test', () => {
      for (const build of engine.builds) assert.equal(runIn(engine, programOf(build), ['selftest'], { folder }).code, 0);
    });
  });
}
