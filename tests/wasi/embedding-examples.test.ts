// The hosts of examples/embedding/, one language each: the bytes of the host API, which tests/models/ compares with goldens, and the five best of
// them, with files and with a bundle.
//   KINGLET_WASMTIME_PYTHON  a python that has the package wasmtime
//   KINGLET_EMBEDDING        the folder of the programs that .ci/run builds: go, rust, c

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { decodeImage } from '../../host/image/decode.ts';
import { toTensor } from '../../host/image/index.ts';
import { compile, loadModel } from '../../host/index.ts';
import { readNpy } from '../../host/npy.ts';
import { kinglet } from '../cli/command.ts';
import { sharedBytes, skipWithoutShared } from '../shared.ts';
import { root } from './engines.ts';

const python = process.env['KINGLET_WASMTIME_PYTHON'], programs = process.env['KINGLET_EMBEDDING'];
const hosts = [
  { name: 'Python', command: [python ?? '', join(root, 'examples/embedding/python/classify.py')], skip: python ? false : 'KINGLET_WASMTIME_PYTHON is not set' },
  ...['go', 'rust', 'c'].map((name) => {
    const program = join(programs ?? '', name);
    return { name, command: [program], skip: programs && existsSync(program) ? false : `KINGLET_EMBEDDING holds no program ${name}` };
  }),
];

const folder = mkdtempSync(join(tmpdir(), 'kinglet-embedding-'));
process.on('exit', () => { rmSync(folder, { recursive: true }); });
const module = join(root, 'build/host/kinglet-embed.simd.wasm');
const bytesOf = (data: ArrayBufferView): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

interface Case { readonly plan: string; readonly input: string; readonly bytes: Uint8Array; readonly lines: string }
const cases: Case[] = [];

/** What kgl_topk should say: falling scores, rising indices where they are equal. */
function bestOf(data: ArrayLike<number>, { scale, zeroPoint } = { scale: 1, zeroPoint: 0 }): string {
  const scores = Array.from(data, (value, index) => ({ index, score: (value - zeroPoint) * scale }));
  return scores.sort((a, b) => b.score - a.score || a.index - b.index).slice(0, 5).map(({ index, score }) => `${index} ${score.toFixed(4)}\n`).join('');
}

async function addCases(file: string): Promise<void> {
  const picture = await decodeImage(sharedBytes('images/cat.bmp'));
  const compiled = compile(sharedBytes(`models/${file}.tflite`)), plan = `${file}.kgl`;
  writeFileSync(join(folder, plan), compiled);
  writeFileSync(join(folder, 'cat.ppm'), Buffer.concat([Buffer.from(`P6\n${picture.width} ${picture.height}\n255\n`), bytesOf(picture.data)]));
  const model = await loadModel(compiled, { kernels: 'simd128' });
  const golden = existsSync(join(root, `../shared/goldens/${file}`)) ? file : `${file}.tflite`;
  const tensor = readNpy(sharedBytes(`goldens/${golden}/cat.input_0.npy`)).data;
  writeFileSync(join(folder, `${file}.raw`), bytesOf(tensor));
  for (const { input, data } of [{ input: 'cat.ppm', data: toTensor(picture, model.inputs[0]) }, { input: `${file}.raw`, data: tensor }]) {
    const [answer] = await model.run([data]);
    cases.push({ plan, input, bytes: bytesOf(answer).slice(), lines: bestOf(answer as Uint8Array | Float32Array, model.outputs[0].quantization ?? undefined) });
  }
  model.dispose();
}

describe('kinglet-embed inside', { skip: skipWithoutShared }, () => {
  before(async () => {
    for (const file of ['mobilenet_v2_1.0_224_quant', 'mobilenet_v2_1.0_224_imagenet_f32']) await addCases(file);
    assert.match(cases[0].lines, /^286 0\.7891\n/); // the Egyptian cat
  });
  for (const { name, command: [program, ...first], skip } of hosts) {
    const classify = (...words: string[]): { status: number | null; stdout: string; stderr: string } =>
      spawnSync(program, [...first, ...words], { cwd: folder, encoding: 'utf8', timeout: 120_000 });

    it(`${name} gives the host API's bytes and the best of them`, { skip }, () => {
      for (const { plan, input, bytes, lines } of cases) {
        const { status, stdout, stderr } = classify(module, plan, input, 'out.bin');
        assert.equal(status, 0, stderr);
        assert.equal(stdout, lines, `${plan} ${input}`);
        assert.deepEqual(new Uint8Array(readFileSync(join(folder, 'out.bin'))), bytes, `${plan} ${input}`);
      }
    });
    it(`${name} runs a bundle without a plan`, { skip }, () => {
      const { code, err } = kinglet('bundle', join(folder, cases[0].plan), '--embed', '-o', join(folder, 'net.wasm'));
      assert.equal(code, 0, err);
      const { status, stdout, stderr: why } = classify('net.wasm', '-', 'cat.ppm', 'out.bin');
      assert.equal(status, 0, why);
      assert.equal(stdout, cases[0].lines);
      assert.deepEqual(new Uint8Array(readFileSync(join(folder, 'out.bin'))), cases[0].bytes);
    });
    it(`${name} prints kinglet's sentence about a damaged plan`, { skip }, () => {
      const plan = readFileSync(join(folder, cases[0].plan));
      plan[5000] ^= 1;
      writeFileSync(join(folder, 'damaged.kgl'), plan);
      const { status, stdout, stderr } = classify(module, 'damaged.kgl', 'cat.ppm');
      assert.deepEqual([status, stdout, stderr], [1, '', 'classify: the checksum does not match: the plan was damaged on its way\n']);
    });
  }
});
