// Every case of every golden through kinglet-cmd in every engine: as the host's API computes it, byte for byte; only the relaxed build's
// float32 may round differently.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { compile, loadModel } from '../../host/index.ts';
import { readNpy } from '../../host/npy.ts';
import type { TensorData } from '../../host/tensor.ts';
import { goldens, sharedBytes, sharedFolder, skipWithoutShared } from '../shared.ts';
import { tolerance } from '../tolerance.ts';
import { engines, programOf, root, runIn, type Build, type Engine } from './engines.ts';

const folder = mkdtempSync(join(tmpdir(), 'kinglet-wasi-goldens-'));
process.on('exit', () => { rmSync(folder, { recursive: true }); });

interface Case { readonly name: string; readonly words: readonly string[]; readonly outputs: readonly string[]; readonly want: readonly TensorData[] }
interface Network { readonly name: string; readonly cases: readonly Case[] }

/** Compiles every golden's model, copies inputs, and computes with the host's API what engines must give. */
async function prepare(): Promise<Network[]> {
  const networks: Network[] = [];
  for (const golden of goldens()) {
    const model = `${golden.name}.kgl`, plan = compile(sharedBytes(golden.modelFile)), cases: Case[] = [];
    writeFileSync(join(folder, model), plan);
    const host = await loadModel(plan, { kernels: 'simd128' });
    for (const name of golden.cases) {
      const files = host.inputs.map((_, i) => `${golden.name}.${name}.input_${i}.npy`), outputs = host.outputs.map((_, i) => `${golden.name}.${i}.out.npy`);
      const inputs = files.map((file, i) => {
        const bytes = readFileSync(join(sharedFolder, `goldens/${golden.name}/${name}.input_${i}.npy`));
        writeFileSync(join(folder, file), bytes);
        return readNpy(new Uint8Array(bytes)).data;
      });
      const words = ['run', model, ...files.flatMap((file, i) => ['--input', `${i}=${file}`]), ...outputs.flatMap((file, i) => ['--output', `${i}=${file}`])];
      cases.push({ name, words, outputs, want: (await host.run(inputs)).map((data) => data.slice()) });
    }
    host.dispose();
    networks.push({ name: golden.name, cases });
  }
  return networks;
}
const networks = skipWithoutShared ? [] : await prepare();

function compare(got: TensorData, want: TensorData, build: Build): void {
  if (build === 'simd' || !(want instanceof Float32Array)) {
    assert.deepEqual(got, want);
    return;
  }
  assert.equal(got.length, want.length);
  const largest = want.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  want.forEach((x, i) => { assert.ok(Math.abs(x - Number(got[i])) <= tolerance.network * largest, `element ${i}`); });
}

function check(engine: Engine, build: Build, { words, outputs, want }: Case): void {
  for (const file of outputs) rmSync(join(folder, file), { force: true });
  const { code, err } = runIn(engine, programOf(build), words, { folder });
  assert.equal(code, 0, err);
  outputs.forEach((file, i) => { compare(readNpy(new Uint8Array(readFileSync(join(folder, file)))).data, want[i], build); });
}

/** What scripts/wasi-table.mjs writes into docs/wasi.md. */
const results: { engine: string; build: Build; command: readonly string[]; equal: number; cases: number }[] = [];
after(() => { writeFileSync(join(root, 'build/wasi-goldens.json'), JSON.stringify(results)); });

for (const engine of engines) {
  describe(`goldens in ${engine.name}`, { skip: engine.skip || skipWithoutShared }, () => {
    for (const build of engine.builds) {
      const result = { engine: engine.name, build, command: engine.command, equal: 0, cases: 0 };
      if (!engine.skip) results.push(result);
      for (const { name, cases } of networks) {
        it(`${name} with ${build}: ${cases.length} cases`, () => {
          result.cases += cases.length;
          for (const one of cases) {
            check(engine, build, one);
            result.equal++;
          }
        });
      }
    }
  });
}
