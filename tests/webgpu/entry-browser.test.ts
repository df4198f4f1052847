// kinglet/webgpu from the package in Chromium with SwiftShader: forced, chosen, with a device that is destroyed before, in and after a run.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { networkPlan } from '../../models/zoo.ts';
import { servePages } from '../browser/bundle-page.ts';
import { launchChromium, openPage, skipWithoutChromium, swiftshader } from '../browser/chromium.ts';
import type { Site } from '../browser/site.ts';
import { blazeface } from '../cli/command.ts';
import { tolerance } from '../tolerance.ts';

describe('kinglet/webgpu in a page', { skip: skipWithoutChromium, timeout: 180_000 }, () => {
  let browser: Browser, site: Site, page: Page;
  before(async () => {
    [site, browser] = await Promise.all([servePages(['../../webgpu/page/entry-page']), launchChromium(...swiftshader)]);
    site.files.set('/face', readFileSync(blazeface));
    site.files.set('/plan', await networkPlan('lenet5'));
    page = await openPage(browser, site.page('/entry-page.js'));
    page.setDefaultTimeout(60_000);
  });
  after(async () => {
    await browser?.close();
    await site?.close();
  });

  it('answers on the GPU as wasm does, and says so', async () => {
    const facts = await page.evaluate(async () => {
      const input = Float32Array.from({ length: 128 * 128 * 3 }, (_, i) => Math.sin(i));
      const onGpu = await kingletWebgpu.loadModel('/face', { backend: 'webgpu' }), onWasm = await kingletWebgpu.loadModel('/face', { backend: 'wasm' });
      const got = await onGpu.run(input), want = await onWasm.run(input);
      const apart = want.map((data, o) => {
        const largest = Math.max(...Array.from(data as Float32Array, Math.abs));
        return Math.max(...Array.from(data as Float32Array, (v, i) => Math.abs(v - Number(got[o][i])))) / largest;
      });
      const times = await kingletWebgpu.profileDispatches(onGpu), sync = onGpu.runSync(input), same = sync.every((data, o) => data.every((v: number | bigint, i: number) => v === want[o][i]));
      const { backend, backendReason, gpu } = onGpu.stats;
      const other = { backend: onWasm.stats.backend, reason: onWasm.stats.backendReason, times: await kingletWebgpu.profileDispatches(onWasm) };
      onGpu.dispose();
      onWasm.dispose();
      return { apart, times: times?.length, same, backend, backendReason, gpu, other };
    });
    assert.ok(facts.apart.length === 2 && facts.apart.every((share) => share <= tolerance.gpuNetwork), facts.apart.join());
    assert.deepEqual([facts.backend, facts.backendReason, facts.gpu?.answers], ['webgpu', 'it was asked for', 1]);
    assert.ok((facts.gpu?.dispatches ?? 0) > 0 && (facts.times === undefined || facts.times === facts.gpu?.dispatches));
    assert.ok(facts.same, 'runSync() computes on wasm');
    assert.deepEqual(facts.other, { backend: 'wasm', reason: 'it was asked for', times: null });
  });

  it('auto: each refusal as far as this browser has it', async () => {
    const reasons = await page.evaluate(async () => {
      const said: string[] = [];
      for (const [source, options] of [['/face', {}], ['/plan', {}], ['/plan', { backend: 'webgpu' }]] as const) {
        try {
          const model = await kingletWebgpu.loadModel(source, options);
          said.push(`${model.stats.backend}: ${model.stats.backendReason ?? ''}`);
          model.dispose();
        } catch (error) {
          said.push(error instanceof kingletWebgpu.KingletError ? error.code : String(error));
        }
      }
      return said;
    });
    assert.match(reasons[0], /^wasm: the network is small/);
    assert.deepEqual(reasons.slice(1), ['wasm: a plan (.kgl) has no graph to compile for the GPU', 'ERR_USAGE']);
  });

  it('a device destroyed before, in and after a run costs nobody an answer; the third within a minute is the last', async () => {
    const facts = await page.evaluate(async () => {
      const input = Float32Array.from({ length: 128 * 128 * 3 }, (_, i) => Math.sin(i)), notices: string[] = [];
      gpuDevices.length = 0;
      const model = await kingletWebgpu.loadModel('/face', { backend: 'webgpu', onNotice: (text) => notices.push(text) });
      const want = Array.from((await kingletWebgpu.loadModel('/face', { backend: 'wasm' }).then((wasm) => wasm.run(input)))[0], Number);
      const log: (readonly [string, number])[] = [];
      const run = async (when: string): Promise<void> => {
        const [data] = await model.run(input);
        log.push([`${when} ${model.stats.backend}`, Math.max(...want.map((v, i) => Math.abs(v - Number(data[i])))) / Math.max(...want.map(Math.abs))]);
      };
      const rebuilt = async (): Promise<void> => {
        const until = performance.now() + 30_000;
        while (model.stats.backend !== 'webgpu' && performance.now() < until) await new Promise((resolve) => { setTimeout(resolve, 20); });
      };
      await run('first');
      const running = run('in');
      setTimeout(() => { gpuDevices[0].destroy(); }, 5); // the run takes longer here
      await running;
      await rebuilt();
      await run('again');
      gpuDevices[1].destroy();
      await run('before');
      await rebuilt();
      await run('after');
      gpuDevices[2].destroy();
      await run('last');
      await run('later');
      const reason = model.stats.backendReason;
      model.dispose();
      return { log, devices: gpuDevices.length, notices, reason };
    });
    assert.deepEqual(facts.log.map(([what]) => what), ['first webgpu', 'in wasm', 'again webgpu', 'before wasm', 'after webgpu', 'last wasm', 'later wasm']);
    assert.ok(facts.log.every(([, apart]) => apart <= tolerance.gpuNetwork), JSON.stringify(facts.log));
    assert.equal(facts.devices, 3);
    assert.equal(facts.notices.length, 3);
    assert.match(facts.reason ?? '', /lost.*built again 2 times within a minute/);
  });
});
