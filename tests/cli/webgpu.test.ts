// `inspect --backend webgpu`, which needs no GPU, and `bench --backend webgpu`: without Dawn, without a driver, and on Dawn with the
// SwiftShader that Chromium brings.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { dispatchTotals } from '../../host/cli/bench-webgpu.ts';
import { root } from '../repo/files.ts';
import { blazeface, kinglet, scratch } from './command.ts';

type Row = Readonly<Record<string, unknown>>;
const place = scratch();
const rows = (out: string): Row[] => out.trimEnd().split('\n').map((line) => JSON.parse(line) as Row);

test('inspect --backend webgpu lists dispatches, or the operators that the GPU lacks', () => {
  const { code, out, err } = kinglet('inspect', 'mobilenet_v2', '--backend', 'webgpu');
  assert.equal(code, 0, err);
  const [, count] = /^dispatches {10}(\d+) of \d+ kernels$/m.exec(out) ?? [];
  assert.ok(Number(count) > 0 && Number(count) <= 58, `${count ?? 'no'} dispatches`);
  assert.match(out, /^ *0 +stem 3x3 +conv2d /m);
  const lacking = kinglet('inspect', 'mobilenet_v1_0.25_128', '--int8', '--backend', 'webgpu');
  assert.equal(lacking.code, 0, lacking.err);
  assert.match(lacking.out, /^the GPU lacks \d+ of the network's operators; the whole network runs on wasm$/m);
  assert.match(lacking.out, /^conv2d +conv1 +it works on int8, the GPU on float32 alone$/m);
  assert.match(kinglet('inspect', 'alexnet', '--backend', 'webgpu').out, /too large for the GPU .* maxStorageBufferBindingSize is 128 MiB/);
});

test('inspect --backend webgpu --json: the same for programs', () => {
  const fit = rows(kinglet('inspect', blazeface, '--backend', 'webgpu', '--json').out);
  const dispatches = fit.filter(({ type }) => type === 'dispatch');
  assert.deepEqual(fit.at(-1), { type: 'total', backend: 'webgpu', runs: true, blockers: 0, limit: null, dispatches: dispatches.length });
  assert.ok(dispatches.length > 0 && dispatches.every(({ index, kernel, op, workgroups }, i) => index === i && kernel && op && Array.isArray(workgroups)));
  const unfit = rows(kinglet('inspect', 'mobilenet_v1_0.25_128', '--int8', '--backend', 'webgpu', '--json').out);
  assert.deepEqual([unfit.at(-1)?.runs, unfit.at(-1)?.dispatches, unfit.at(-1)?.blockers], [false, 0, unfit.length - 1]);
  const plan = place('face.kgl');
  assert.equal(kinglet('compile', blazeface, '-o', plan).code, 0);
  const refused = kinglet('inspect', plan, '--backend', 'webgpu');
  assert.deepEqual([refused.code, /a plan \(\.kgl\) has no graph/.test(refused.err)], [64, true]);
});

test('dispatches add up by kernel, the dearest first', () => {
  const one = { op: 'conv2d', name: 'x' };
  assert.deepEqual(dispatchTotals([{ ...one, kernel: 'a', ms: 1 }, { ...one, kernel: 'b', ms: 6 }, { ...one, kernel: 'a', ms: 3 }]), [
    { kernel: 'b', dispatches: 1, ms: 6 }, { kernel: 'a', dispatches: 2, ms: 4 },
  ]);
});

const chromium = '/usr/lib/chromium', driver = join(chromium, 'vk_swiftshader_icd.json');
const dawn = process.env.KINGLET_DAWN;
function onDawn(environment: NodeJS.ProcessEnv, ...words: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'build/host/cli/cli.js'), ...words],
    { encoding: 'utf8', timeout: 120_000, env: { ...process.env, KINGLET_DAWN: '', ...environment } });
  return { code: status, out: stdout, err: stderr };
}

test('bench --backend webgpu without Dawn says what is missing; auto goes on with wasm', (t) => {
  if ((globalThis as { navigator?: { gpu?: unknown } }).navigator?.gpu) t.skip('this Node has WebGPU');
  const missing = onDawn({ KINGLET_DAWN: place('nothing.js') }, 'bench', 'lenet5', '--backend', 'webgpu', '--runs', '1');
  assert.deepEqual([missing.code, /package webgpu cannot be loaded/.test(missing.err), /npm install webgpu/.test(missing.err)], [71, true, true]);
  const auto = onDawn({ KINGLET_DAWN: place('nothing.js') }, 'bench', blazeface, '--backend', 'auto', '--runs', '1', '--warmup', '1');
  assert.equal(auto.code, 0, auto.err);
  assert.match(auto.err, /^kinglet: wasm: there is no WebGPU here$/m);
});

const skip = !dawn ? 'KINGLET_DAWN is not set' : existsSync(driver) ? false : `there is no Vulkan driver at ${driver}`;
test('bench --backend webgpu on Dawn, for people and programs', { skip }, () => {
  const environment = { KINGLET_DAWN: dawn, LD_LIBRARY_PATH: chromium, VK_ICD_FILENAMES: driver };
  const people = onDawn(environment, 'bench', 'lenet5', '--backend', 'webgpu', '--runs', '2', '--warmup', '1', '--layers');
  assert.equal(people.code, 0, people.err);
  assert.match(people.out, /^network {4}[\d,]+ MACs, webgpu, \d+ dispatches, \d+ pipelines\nwhy {8}it was asked for$/m);
  assert.match(people.out, /^latency {4}p50 [\d.]+, .* 2 runs$/m);
  assert.match(people.out, /^ *# +kernel +op +name +ms$/m);
  const [bench] = rows(onDawn(environment, 'bench', 'lenet5', '--backend', 'webgpu', '--runs', '2', '--warmup', '1', '--json').out);
  assert.deepEqual([bench.backend, bench.answers, bench.runs], ['webgpu', 3, 2]);
  assert.ok(Number(bench.dispatches) > 0 && Number(bench.p50Ms) > 0);
  const auto = onDawn(environment, 'bench', 'lenet5', '--backend', 'auto', '--runs', '1', '--warmup', '1');
  assert.match(auto.err, /^kinglet: wasm: the network is small/m);
  const none = onDawn({ ...environment, VK_ICD_FILENAMES: place('none.json') }, 'bench', 'lenet5', '--backend', 'webgpu', '--runs', '1');
  assert.deepEqual([none.code, /WebGPU finds no adapter/.test(none.err)], [71, true], none.err);
});
