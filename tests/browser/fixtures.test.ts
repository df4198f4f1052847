// The packed package as applications use it: unbundled from a static server, and bundled by rollup, Vite and esbuild. Each is built
// here from tests/fixtures/, opened in Chromium and must find its wasm file and give golden answers.

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { compile } from '../../host/index.ts';
import type { TensorData } from '../../host/tensor.ts';
import { installPackage, succeedIn } from '../env/install-package.ts';
import { checkAnswer, tensors } from '../models/golden-answers.ts';
import { root } from '../repo/files.ts';
import { roundScales } from '../round-scales.ts';
import { goldens, sharedBytes, skipWithoutShared, type Golden } from '../shared.ts';
import { launchChromium, skipWithoutChromium } from './chromium.ts';
import { serveSite, type Site } from './site.ts';

/** How each application is built, and what is then served. */
const fixtures = [
  { name: 'static', command: null, served: '.' },
  { name: 'rollup', command: [process.execPath, join(root, 'node_modules/rollup/dist/bin/rollup'), '-c', '--silent'], served: 'dist' },
  { name: 'vite', command: [process.execPath, join(root, 'node_modules/vite/bin/vite.js'), 'build', '--logLevel', 'warn'], served: 'dist' },
  { name: 'esbuild', command: [process.execPath, 'build.mjs'], served: 'dist' },
] as const;

interface Answer { readonly threads: number; readonly steps: readonly { readonly op: string }[]; readonly outputs: readonly TensorData[] }
declare global { var answers: readonly Answer[] | undefined, failure: string | undefined }

const skip = skipWithoutChromium || skipWithoutShared;
const golden = (name: string): Golden => goldens().find((each) => each.name === name) ?? assert.fail(name);

describe('an application with the packed package', { skip, timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'kinglet-fixtures-'));
  let browser: Browser;
  before(async () => {
    installPackage(folder);
    symlinkSync(join(root, 'node_modules', 'esbuild'), join(folder, 'node_modules', 'esbuild')); // build.mjs imports it
    browser = await launchChromium();
  });
  after(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function serveModels(site: Site, tflite: Golden, onnx: Golden): void {
    site.files.set('/model.tflite', roundScales(sharedBytes(tflite.modelFile), 6).bytes);
    site.files.set('/model.onnx', sharedBytes(onnx.modelFile));
    site.files.set('/model.kgl', compile(sharedBytes(onnx.modelFile)));
    for (const [name, { data }] of [['tflite', tensors(tflite, tflite.cases[0] ?? '', 'input')[0]], ['onnx', tensors(onnx, onnx.cases[0] ?? '', 'input')[0]]] as const) {
      site.files.set(`/${name}-input.bin`, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
  }

  for (const { name, command, served } of fixtures) {
    it(name === 'static' ? 'from a static server' : `behind ${name}`, async () => {
      const place = join(folder, name);
      cpSync(join(root, 'tests', 'fixtures', name), place, { recursive: true });
      cpSync(join(root, 'tests', 'fixtures', 'application.js'), join(place, 'application.js'));
      if (command) succeedIn(place, command[0], command.slice(1));
      const site = await serveSite({ '/node_modules/': join(folder, 'node_modules'), '/': join(place, served) });
      const [tflite, onnx] = [golden('person_detect'), golden('qdq_shuffle_int8')];
      serveModels(site, tflite, onnx);
      const page = await (await browser.newContext()).newPage();
      await page.goto(`${site.origin}/index.html`);
      await page.waitForFunction(() => globalThis.answers ?? globalThis.failure, null, { timeout: 20_000 });
      const { answers, failure } = await page.evaluate(() => ({ answers: globalThis.answers ?? [], failure: globalThis.failure }));
      await page.context().close();
      await site.close();
      assert.equal(failure, undefined);
      [tflite, onnx, onnx, onnx].forEach((each, i) => { checkAnswer(each, each.cases[0] ?? '', 'exact', answers[i]?.outputs ?? [], answers[i]?.steps ?? []); });
      assert.deepEqual(answers.map(({ threads }) => threads), [1, 1, 1, 2]);
      const wasm = site.log.filter((path) => path.endsWith('.wasm'));
      assert.equal(wasm.length, 2, `one executor serves both entries, another the threads: ${wasm.join(', ')}`);
      assert.match(wasm[0] ?? '', /kinglet\.relaxed[\w.-]*\.wasm$/);
      assert.match(wasm[1] ?? '', /kinglet-threads\.relaxed[\w.-]*\.wasm$/);
    });
  }
});
