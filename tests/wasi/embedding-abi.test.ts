// kinglet-embed's ABI in each engine: the host API's bytes for every golden, memory that 100,000 runs leave alone, and hostile callers, who get
// codes and never a trap.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { compile, loadModel } from '../../host/index.ts';
import { readNpy } from '../../host/npy.ts';
import type { TensorData } from '../../host/tensor.ts';
import { bundle } from '../../host/bundle/bundle.ts';
import { openProgram } from '../../host/program-files.ts';
import { damaged } from '../fuzz/attack.ts';
import { randomCuts, randomFlips } from '../fuzz/damages.ts';
import { goldens, sharedBytes, skipWithoutShared, type Golden } from '../shared.ts';
import { embedHosts, type EmbedHost } from './embed-hosts.ts';
import { root } from './engines.ts';

const file = join(root, 'build/host/kinglet-embed.simd.wasm');
const USAGE = -64, DATA = -65, RESOURCE = -71, OWN = 1;
/** No model has one of these at the start; addresses that no block has. */
const noHandles = [-(2 ** 31), -1, 0, 1, 64, 65, 2 ** 31 - 1], nowhere = [-(2 ** 31), -64, -1, 2 ** 31 - 64];
const bytesOf = (data: TensorData): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

async function put(host: EmbedHost, bytes: Uint8Array): Promise<number> {
  const address = await host.call('kgl_alloc', bytes.length);
  assert.ok(address > 0);
  await host.write(address, bytes);
  return address;
}
async function load(host: EmbedHost, plan: Uint8Array): Promise<number> {
  const h = await host.call('kgl_load', await put(host, plan), plan.length, OWN);
  assert.ok(h > 0, `kgl_load answers ${h}`);
  return h;
}
/** Address and length of a tensor. */
async function tensor(host: EmbedHost, name: 'kgl_input' | 'kgl_output', h: number, i = 0): Promise<[number, number]> {
  const descriptor = await host.read(await host.call(name, h, i), 96);
  const [address, length] = new Uint32Array(descriptor.buffer, descriptor.byteOffset, 24);
  return [address, length];
}
async function sentence(host: EmbedHost): Promise<string> {
  const to = await host.call('kgl_alloc', 512);
  const text = Buffer.from(await host.read(to, await host.call('kgl_error', to, 512))).toString();
  await host.call('kgl_free', to);
  return text;
}

/** Everything that takes a handle, with arguments that are right otherwise. */
async function refusesHandle(host: EmbedHost, h: number, scratch: number): Promise<void> {
  for (const [name, ...words] of [['kgl_run'], ['kgl_unload'], ['kgl_step', 1], ['kgl_count', 0], ['kgl_stat', 0], ['kgl_topk', 0, 1, scratch], ['kgl_preprocess', 0, scratch, 8, 8, 24, 3]] as [string, ...number[]][]) {
    assert.equal(await host.call(name, h, ...words), USAGE, `${name} ${h}`);
  }
  for (const name of ['kgl_input', 'kgl_output']) assert.equal(await host.call(name, h, 0), 0, `${name} ${h}`);
}

interface Case { readonly name: string; readonly plan: Uint8Array; readonly inputs: readonly TensorData[]; readonly want: readonly Uint8Array[] }

async function caseOf({ name, modelFile, cases }: Golden): Promise<Case> {
  const plan = compile(sharedBytes(modelFile)), model = await loadModel(plan, { kernels: 'simd128' });
  const inputs = model.inputs.map((_, i) => readNpy(sharedBytes(`goldens/${name}/${cases[0]}.input_${i}.npy`)).data);
  const want = (await model.run(inputs)).map((data) => bytesOf(data).slice());
  model.dispose();
  return { name, plan, inputs, want };
}
const cases: Case[] = [];
for (const golden of goldens()) cases.push(await caseOf(golden));

async function checkGolden(host: EmbedHost, { name, plan, inputs, want }: Case): Promise<void> {
  const h = await load(host, plan), pages = await host.pages();
  for (const run of ['kgl_run', 'kgl_step']) {
    for (const [i, data] of inputs.entries()) await host.write((await tensor(host, 'kgl_input', h, i))[0], bytesOf(data));
    if (run === 'kgl_run') assert.equal(await host.call(run, h), 0);
    else while (await host.call(run, h, 3) > 0);
    for (const [i, bytes] of want.entries()) assert.deepEqual(await host.read(...await tensor(host, 'kgl_output', h, i)), bytes, `${name} ${run}`);
  }
  assert.equal(await host.pages(), pages);
  assert.equal(await host.call('kgl_unload', h), 0);
}

async function checkManyRuns(host: EmbedHost, modelFile: string, count: number): Promise<void> {
  const h = await load(host, compile(sharedBytes(modelFile))), pages = await host.pages();
  assert.equal(await host.call('kgl_run', h), 0);
  const [address, length] = await tensor(host, 'kgl_output', h), first = await host.read(address, length);
  assert.equal(await host.repeat(count, 'kgl_run', h), 0);
  assert.equal(await host.pages(), pages);
  assert.deepEqual(await tensor(host, 'kgl_output', h), [address, length]);
  assert.deepEqual(await host.read(address, length), first);
}

async function checkHostilePlans(host: EmbedHost, plan: Uint8Array): Promise<void> {
  const room = await put(host, plan), loads = async (bytes: Uint8Array, length = bytes.length): Promise<number> => {
    await host.write(room, bytes);
    const h = await host.call('kgl_load', room, length, 0);
    if (h > 0) assert.equal(await host.call('kgl_unload', h), 0);
    return h;
  };
  for (const { cut = 0 } of [...randomCuts(1, 40, plan.length), { cut: 0 }, { cut: 1 }, { cut: 7 }, { cut: 64 }]) assert.equal(await loads(plan, cut), DATA, `cut at ${cut}`);
  assert.equal(await loads(plan, plan.length + 64), DATA);
  for (const damage of randomFlips(2, 40, plan.length)) assert.equal(await loads(damaged(plan, damage)), DATA, JSON.stringify(damage));
  assert.equal(await sentence(host), 'the checksum does not match: the plan was damaged on its way');
  // With a right checksum the verifier decides; what it lets through runs.
  for (const damage of randomFlips(3, 100, Math.min(plan.length, 8192), true)) {
    await host.write(room, damaged(plan, damage));
    const h = await host.call('kgl_load', room, plan.length, 0);
    assert.ok(h > 0 || h === DATA || h === RESOURCE, `${JSON.stringify(damage)} gives ${h}`);
    if (h > 0) assert.deepEqual([await host.call('kgl_run', h), await host.call('kgl_unload', h)], [0, 0]);
  }
  assert.ok(await loads(plan) > 0);
}

/** What is wrong but for the handle; `end` is the memory's size. */
async function checkHostileWords(host: EmbedHost, h: number, scratch: number): Promise<void> {
  const end = await host.pages() * 65536, refused = async (name: string, ...words: number[]): Promise<void> => {
    assert.equal(await host.call(name, ...words), USAGE, `${name} ${words.join(' ')}`);
  };
  for (const i of [-(2 ** 31), -1, 1, 2 ** 31 - 1]) {
    for (const name of ['kgl_input', 'kgl_output']) assert.equal(await host.call(name, h, i), 0, `${name} ${i}`);
    await refused('kgl_topk', h, i, 1, scratch);
    await refused('kgl_preprocess', h, i, scratch, 8, 8, 24, 3);
  }
  for (const what of [-1, 4, 2 ** 31 - 1]) {
    await refused('kgl_count', h, what);
    await refused('kgl_stat', h, what);
  }
  for (const address of [...nowhere, end - 4]) {
    await refused('kgl_topk', h, 0, 1, address);
    await refused('kgl_preprocess', h, 0, address, 8, 8, 24, 3);
    await refused('kgl_load', address, 4096, OWN);
    await refused('kgl_error', address, 8);
  }
  await refused('kgl_topk', h, 0, -1, scratch);
  for (const format of [-1, 0, 5, 255, 11 << 8 | 3, 255 << 8 | 3, 5 << 16 | 3, -(2 ** 31)]) await refused('kgl_preprocess', h, 0, scratch, 8, 8, 24, format);
  for (const rowBytes of [0, 23, -1]) await refused('kgl_preprocess', h, 0, scratch, 8, 8, rowBytes, 3);
  for (const [width, height] of [[0, 8], [8, 0], [-1, 8], [8, -(2 ** 31)], [65536, 65536], [2 ** 31 - 1, 2 ** 31 - 1]]) {
    assert.equal(await host.call('kgl_preprocess', h, 0, scratch, width, height, -1, 3), DATA, `${width}x${height}`);
  }
  for (const bytes of [-1, -(2 ** 16)]) assert.equal(await host.call('kgl_alloc', bytes), 0);
  for (const address of [...nowhere, 0, 1, 64, 12_345, scratch + 64, end]) await host.call('kgl_free', address);
}

for (const { name, skip, open } of embedHosts) {
  describe(`kinglet-embed in ${name}`, { skip: skipWithoutShared || skip }, () => {
    it('gives the host API\'s bytes for every golden, in one call and step by step, model after model in one memory', async () => {
      const host = await open(file);
      await host.call('_initialize');
      for (const one of cases) await checkGolden(host, one);
      await host.close();
    });
    it('leaves memory alone over 100,000 runs', async () => {
      const host = await open(file);
      await host.call('_initialize');
      await checkManyRuns(host, 'models/mlperf_tiny_ad01_int8.tflite', 100_000);
      await host.close();
    });
    it('answers hostile plans with codes (seeds 1 to 3)', async () => {
      const host = await open(file);
      await host.call('_initialize');
      await checkHostilePlans(host, compile(sharedBytes('models/mlperf_tiny_kws_ref_model.tflite')));
      await host.close();
    });
    it('answers hostile handles, numbers and addresses with codes', async () => {
      const host = await open(file), plan = compile(sharedBytes('models/person_detect.tflite'));
      const scratch = await host.call('kgl_alloc', 4096); // before _initialize
      for (const h of noHandles) await refusesHandle(host, h, scratch);
      assert.equal(await host.call('kgl_load', 0, 0, 0), USAGE);
      assert.equal(await sentence(host), 'no plan is given');
      await host.call('_initialize');
      const h = await load(host, plan);
      for (const other of noHandles.filter((n) => n !== h)) await refusesHandle(host, other, scratch);
      await host.call('kgl_run', h);
      const output = await tensor(host, 'kgl_output', h), first = await host.read(...output);
      await checkHostileWords(host, h, scratch);
      await host.call('_initialize'); // once more
      assert.equal(await host.call('kgl_run', h), 0);
      assert.deepEqual(await tensor(host, 'kgl_output', h), output);
      assert.deepEqual(await host.read(...output), first);
      assert.deepEqual([await host.call('kgl_unload', h), await host.call('kgl_unload', h)], [0, USAGE]);
      await host.close();
    });
    it('keeps the block of a loaded plan from being freed or loaded once more', async () => {
      const host = await open(file), plan = compile(sharedBytes('models/mlperf_tiny_kws_ref_model.tflite'));
      await host.call('_initialize');
      const block = await put(host, plan), h = await host.call('kgl_load', block, plan.length, OWN);
      assert.equal(await host.call('kgl_run', h), 0);
      const output = await tensor(host, 'kgl_output', h), first = await host.read(...output);
      assert.equal(await host.call('kgl_load', block, plan.length, OWN), USAGE);
      await host.call('kgl_free', block);
      await host.write(await host.call('kgl_alloc', plan.length), new Uint8Array(plan.length).fill(255));
      assert.equal(await host.call('kgl_run', h), 0);
      assert.deepEqual(await host.read(...output), first);
      await host.close();
    });
    it('loads 64 models and no more', async () => {
      const host = await open(file), plan = compile(sharedBytes('models/mlperf_tiny_kws_ref_model.tflite'));
      await host.call('_initialize');
      for (let h = 1; h <= 64; h++) assert.equal(await load(host, plan), h);
      assert.equal(await host.call('kgl_load', await put(host, plan), plan.length, OWN), RESOURCE);
      assert.equal(await sentence(host), '64 models are loaded: unload one first');
      assert.equal(await host.call('kgl_unload', 17), 0);
      assert.equal(await load(host, plan), 17);
      await host.close();
    });
    it('runs a bundle, whatever is called before it and twice', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'kinglet-embed-')), net = join(folder, 'net.wasm');
      const plan = compile(sharedBytes('models/mlperf_tiny_kws_ref_model.tflite')), { bytes, slot } = await openProgram('embed', 'simd');
      writeFileSync(net, bundle(bytes, slot, plan));
      const host = await open(net), plain = await open(file);
      await put(host, new Uint8Array(2 ** 20).fill(255)); // before _initialize
      for (let i = 0; i < 2; i++) {
        await host.call('_initialize');
        await put(host, new Uint8Array(2 ** 20).fill(255));
      }
      const h = await host.call('kgl_load', 0, 0, 0), p = await load(plain, plan);
      assert.ok(h > 0, await sentence(host));
      assert.equal(await host.call('kgl_load', 0, 0, 0), USAGE);
      assert.deepEqual([await host.call('kgl_run', h), await plain.call('kgl_run', p)], [0, 0]);
      assert.deepEqual(await host.read(...await tensor(host, 'kgl_output', h)), await plain.read(...await tensor(plain, 'kgl_output', p)));
      await host.close();
      await plain.close();
      rmSync(folder, { recursive: true });
    });
  });
}

it('kinglet-embed imports nothing', async () => {
  assert.deepEqual(WebAssembly.Module.imports(await WebAssembly.compile(readFileSync(file))), []);
});
