// The packed package in an empty folder, as a stranger installs it: the JS API, the command, the types. No network: npm installs
// the tarball and, from this checkout, the packages that it depends on.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { writeNpy } from '../../host/npy.ts';
import { blazeface } from '../cli/command.ts';
import { read, root } from '../repo/files.ts';
import { sharedFolder, skipWithoutShared } from '../shared.ts';
import { executeIn, installPackage, succeedIn, type Ended } from './install-package.ts';

const folder = mkdtempSync(join(tmpdir(), 'kinglet-pack-'));
after(() => { rmSync(folder, { recursive: true, force: true }); });

const execute = (program: string, words: readonly string[]): Ended => executeIn(folder, program, words);
const succeed = (program: string, ...words: string[]): string => succeedIn(folder, program, words);
const kinglet = (...words: string[]): string => succeed('npx', '--no-install', 'kinglet', ...words);

before(() => { installPackage(folder); });

test('the package holds what it needs and nothing else', () => {
  const installed = (readdirSync(join(folder, 'node_modules', 'kinglet'), { recursive: true }) as string[]).map((name) => name.replaceAll('\\', '/'));
  for (const name of ['LICENSE', 'README.md', 'dist/cli.js', 'dist/kinglet.simd.wasm', 'dist/kinglet.relaxed.wasm', 'dist/types/host/index.d.ts', 'dist/types/models/zoo.d.ts']) {
    assert.ok(installed.includes(name), name);
  }
  assert.deepEqual(installed.filter((name) => /\.(test\.|tflite$|onnx$|npy$)|^(tests|host|assembly|build)\//.test(name)), []);
});

const consumer = `
import { readFile, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { KingletError, compile, loadModel } from 'kinglet';
import { compile as pureCompile } from 'kinglet/compile';
import { loadPlan } from 'kinglet/run';
import { decodeImage, presets, toTensor } from 'kinglet/image';
import { detector } from 'kinglet/tasks';
import { networkNames, networkPlan } from 'kinglet/models';

const [path, photo] = process.argv.slice(2);
const bytes = await readFile(path);
const sources = [path, pathToFileURL(path), new Uint8Array(bytes), bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length), new Response(bytes)];
const models = [];
for (const source of sources) models.push(await loadModel(source));
const plan = compile(bytes);
models.push(await loadModel(plan), await loadPlan(pureCompile(bytes)));

const [model] = models;
const picture = await decodeImage(await readFile(photo));
const data = toTensor(picture, model.inputs[0]);
const wanted = await model.run([data]);
const same = (outputs) => outputs.every((y, i) => Buffer.from(y.buffer, y.byteOffset, y.byteLength).equals(Buffer.from(wanted[i].buffer, wanted[i].byteOffset, wanted[i].byteLength)));
const answers = [];
for (const each of models) answers.push(same(await each.run([data])));
answers.push(same(await model.run({ [model.inputs[0].name]: data })), same(model.runSync([data])));
model.input(0).fill(0);
answers.push(!same(model.runSync()));
model.input(0).set(data);
answers.push(same(model.runSync()));
const both = await Promise.all([model.run([data]), model.run([data])]);
answers.push(both.every(same));

const codes = [];
const code = async (act) => { try { await act(); codes.push('nothing'); } catch (error) { codes.push(error instanceof KingletError ? error.code : String(error)); } };
const network = await loadPlan(await networkPlan('lenet5', { classes: 3 }));
answers.push(network.outputs[0].shape.join() === '1,3', networkNames.includes('mobilenet_v2'));
network.dispose();
await code(() => loadModel(path, { signal: AbortSignal.abort() }));
await code(() => loadModel(new TextEncoder().encode('<html>')));
await code(() => model.run([new Float32Array(3)]));
const faces = (await detector(model, { closeUps: true }).detect(picture)).length;
models[1][Symbol.dispose]();
await code(() => models[1].run([data]));
for (const each of models) each.dispose();
await code(() => model.runSync([data]));
console.log(JSON.stringify({ answers, codes, faces, presets: Object.keys(presets).length, dtype: model.inputs[0].dtype, kernels: model.stats.kernels }));
`;
const photo = join(root, 'node_modules', '@vladmandic', 'face-api', 'demo', 'sample6.jpg');

test('the JS API from every source, as documented', () => {
  writeFileSync(join(folder, 'consumer.js'), consumer);
  const { answers, codes, faces, presets, dtype, kernels } = JSON.parse(succeed(process.execPath, 'consumer.js', blazeface, photo)) as {
    answers: boolean[]; codes: string[]; faces: number; presets: number; dtype: string; kernels: string;
  };
  assert.deepEqual(answers, new Array(14).fill(true));
  assert.deepEqual(codes, ['ERR_ABORTED', 'ERR_MODEL_FORMAT', 'ERR_INPUT', 'ERR_DISPOSED', 'ERR_DISPOSED']);
  assert.equal(faces, 4);
  assert.ok(presets > 0);
  assert.equal(dtype, 'float32');
  assert.match(kernels, /^(simd128|relaxed)$/);
});

const entries = `
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import * as onnx from 'kinglet/onnx';
import * as tflite from 'kinglet/tflite';
import * as inline from 'kinglet/inline';
import { networkPlan } from 'kinglet/models';
const bytes = await readFile(process.argv[2]);
const refused = await onnx.loadModel(bytes).catch((error) => error.code + ': ' + error.hint);
const zeros = new Float32Array(128 * 128 * 3);
const [models, answers] = [[await tflite.loadModel(bytes), await inline.loadPlan(tflite.compile(bytes))], []];
for (const model of models) answers.push(await model.run(zeros));
const wasm = ['kinglet/wasm/kinglet.simd.wasm', 'kinglet/kinglet.simd.wasm'].map((name) => fileURLToPath(import.meta.resolve(name)));
const custom = await onnx.loadPlan(await networkPlan('lenet5'), { wasm: await readFile(wasm[0]) });
console.log(JSON.stringify({
  refused, same: Buffer.from(answers[0][0].buffer).equals(Buffer.from(answers[1][0].buffer)), onePath: wasm[0] === wasm[1], kernels: custom.stats.kernels,
}));
`;

test('the entries with one importer and the one with the executors inside', () => {
  writeFileSync(join(folder, 'entries.js'), entries);
  const { refused, ...facts } = JSON.parse(succeed(process.execPath, 'entries.js', blazeface)) as { refused: string; same: boolean; onePath: boolean; kernels: string };
  assert.match(refused, /^ERR_MODEL_FORMAT: .*"kinglet\/tflite"/);
  assert.deepEqual(facts, { same: true, onePath: true, kernels: 'simd128' });
});

test('the types of every entry point, for a strict compiler', () => {
  writeFileSync(join(folder, 'typed.ts'), `
import { loadModel, type Model, type TensorData } from 'kinglet';
import { compile } from 'kinglet/compile';
import { loadPlan } from 'kinglet/run';
import { decodeImage, presets, toTensor, type Picture } from 'kinglet/image';
import { classifier, detector, type Classification, type Detection } from 'kinglet/tasks';
import { networkNames, networkPlan, type ZooOptions } from 'kinglet/models';
import { loadModel as loadOnnx, compile as compileOnnx } from 'kinglet/onnx';
import { loadModel as loadTflite, type ModelOptions } from 'kinglet/tflite';
import { loadPlan as loadInline, KingletError } from 'kinglet/inline';
export const loaders: readonly ((bytes: Uint8Array, options: ModelOptions) => Promise<Model>)[] = [loadOnnx, loadTflite];
export const inline: Promise<Model> = loadInline(compileOnnx(new Uint8Array()), { signal: AbortSignal.abort(new KingletError('ERR_ABORTED', 'x')) });
export async function all(bytes: Uint8Array): Promise<readonly Detection[]> {
  const model: Model = await loadModel(bytes, { warmup: false, kernels: 'simd128' });
  const plan: Uint8Array = compile(bytes);
  const zoo: ZooOptions = { size: [96, 128], int8: true };
  await loadPlan(await networkPlan(networkNames[0] ?? 'alexnet', zoo));
  await loadPlan(plan);
  const picture: Picture = await decodeImage(bytes);
  const [first]: readonly TensorData[] = await model.run([toTensor(picture, model.inputs[0]!)]);
  console.log(first?.length, model.stats.arenaBytes, presets);
  // @ts-expect-error: not an option
  await loadModel(bytes, { wings: 2 });
  model.dispose();
  const found: readonly Classification[] = await classifier(model, { top: 3 }).classify(picture);
  return found.length > 0 ? detector(model).detect(picture) : [];
}
`);
  const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2023,dom,esnext.disposable', '--typeRoots', 'none', 'typed.ts'];
  const { code, out } = execute(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), ...flags]);
  assert.equal(code, 0, out);
});

test('the command through npx', () => {
  const x = Float32Array.from({ length: 128 * 128 * 3 }, (_, i) => Math.sin(i));
  writeFileSync(join(folder, 'x.npy'), writeNpy({ dtype: 'float32', shape: [1, 128, 128, 3], data: x }));
  const { version } = JSON.parse(read('package.json')) as { version: string };
  assert.equal(kinglet('--version'), `${version}\n`);
  assert.match(kinglet('--help'), /classify[^]*inspect[^]*compile/);
  kinglet('run', blazeface, '--input', '0=x.npy', '--output', '0=direct.npy');
  kinglet('compile', blazeface, '-o', 'model.kgl');
  kinglet('run', 'model.kgl', '--input', 'input=x.npy', '--output', 'regressors=planned.npy', '--kernels', 'simd128');
  assert.equal(readFileSync(join(folder, 'planned.npy')).length, readFileSync(join(folder, 'direct.npy')).length);
  const total = kinglet('inspect', 'model.kgl', '--json').trimEnd().split('\n').map((line) => JSON.parse(line) as { type: string; macs?: number });
  assert.ok((total.find(({ type }) => type === 'total')?.macs ?? 0) > 1e7);
  assert.equal(execute('npx', ['--no-install', 'kinglet', 'run', 'missing.onnx']).code, 66);
});

test('npx kinglet classify names the cat', { skip: skipWithoutShared }, () => {
  const model = `${sharedFolder}models/mobilenet_v2_1.0_224_quant.tflite`;
  const line = kinglet('classify', model, `${sharedFolder}images/cat.bmp`, '--labels', `${sharedFolder}images/imagenet_labels.txt`);
  assert.match(line, /286.*Egyptian cat/, basename(model));
});
