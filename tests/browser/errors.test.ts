// What a page meets that is deployed wrongly or calls wrongly: every mistake gives its documented code and a hint, or works.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { networkPlan } from '../../models/zoo.ts';
import { root } from '../repo/files.ts';
import { launchChromium, openPage, skipWithoutChromium } from './chromium.ts';
import { servePages } from './bundle-page.ts';
import type { Served, Site } from './site.ts';

const wasm = new Uint8Array(readFileSync(`${root}/dist/kinglet.relaxed.wasm`));
/** An executor of another version: a module that imports env.memory and whose abiVersion() says 9999. */
const stale = Uint8Array.of(
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 2, 15, 1, 3, 101, 110, 118, 6, 109, 101, 109, 111, 114, 121, 2, 0, 1, 3, 2, 1, 0,
  7, 14, 1, 10, 97, 98, 105, 86, 101, 114, 115, 105, 111, 110, 0, 0, 10, 8, 1, 6, 0, 65, 143, 206, 0, 11,
);
/** A module that wants something that this kinglet does not give. */
const foreign = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 2, 7, 1, 1, 97, 1, 98, 0, 0);
const html = new TextEncoder().encode('<!doctype html><title>My application</title>');

function serve(type: string, bytes: Uint8Array, contentLength = bytes.length): Served {
  return (_, response) => {
    response.writeHead(200, { 'Content-Type': type, 'Content-Length': contentLength });
    if (contentLength === bytes.length) response.end(bytes);
    else response.write(bytes, () => { response.destroy(); });
  };
}

interface Outcome { readonly code: string; readonly message: string; readonly hint: string }

/** Loads /plan with kinglet; 'works' when an inference gives an output. */
function attempt(page: Page): Promise<Outcome | 'works'> {
  return page.evaluate(async () => {
    const { KingletError, loadPlan } = kingletPage.kinglet;
    try {
      const model = await loadPlan('/plan');
      const [output] = await model.run(new Float32Array(28 * 28));
      return output?.length === 10 ? 'works' : { code: 'no output', message: '', hint: '' };
    } catch (error) {
      if (!(error instanceof KingletError)) return { code: 'untyped', message: String(error), hint: '' };
      const { code, message, hint } = error;
      return { code, message, hint };
    }
  });
}

describe('a page that meets a mistake', { skip: skipWithoutChromium, timeout: 120_000 }, () => {
  let browser: Browser, site: Site;
  before(async () => {
    [site, browser] = await Promise.all([servePages(['page']), launchChromium()]);
    site.files.set('/plan', await networkPlan('lenet5', { classes: 10 }));
  });
  after(async () => {
    await browser.close();
    await site.close();
  });

  async function expect(address: string, want: 'works' | { code: string; message: RegExp; hint: RegExp }, prepare?: string): Promise<void> {
    const page = await openPage(browser, address, prepare);
    const outcome = await attempt(page);
    await page.context().close();
    if (want === 'works' || outcome === 'works') {
      assert.deepEqual(outcome, want);
      return;
    }
    assert.equal(outcome.code, want.code, outcome.message);
    assert.match(outcome.message, want.message);
    assert.match(outcome.hint, want.hint);
  }

  const deploy = /\.wasm files of kinglet's dist\/ beside its JavaScript/;
  const files: readonly { readonly name: string; readonly served: Served | null; readonly want: Parameters<typeof expect>[1] }[] = [
    { name: 'a wrong MIME type works', served: serve('application/octet-stream', wasm), want: 'works' },
    { name: 'a MIME type with parameters works', served: serve('application/wasm; charset=utf-8', wasm), want: 'works' },
    { name: 'no wasm file', served: (_, response) => { response.writeHead(404).end('not found'); }, want: { code: 'ERR_WASM_FILE', message: /kinglet\.relaxed\.wasm.*404/, hint: deploy } },
    { name: 'a server that answers with its page', served: serve('text/html', html), want: { code: 'ERR_WASM_FILE', message: /a web page came/, hint: deploy } },
    { name: 'a page that claims to be wasm', served: serve('application/wasm', html), want: { code: 'ERR_WASM_FILE', message: /refuses the \.wasm file/, hint: deploy } },
    { name: 'a wasm file that was cut off', served: serve('application/wasm', wasm.subarray(0, 20_000)), want: { code: 'ERR_WASM_FILE', message: /cut off/, hint: deploy } },
    { name: 'a download that breaks off', served: serve('application/wasm', wasm.subarray(0, 20_000), wasm.length), want: { code: 'ERR_WASM_FILE', message: /./, hint: deploy } },
    { name: 'the same without a MIME type', served: serve('application/octet-stream', wasm.subarray(0, 20_000), wasm.length), want: { code: 'ERR_WASM_FILE', message: /did not arrive/, hint: deploy } },
    { name: 'an empty file', served: serve('application/octet-stream', new Uint8Array()), want: { code: 'ERR_WASM_FILE', message: /an empty file/, hint: deploy } },
    { name: 'stale wasm of another version', served: serve('application/wasm', stale), want: { code: 'ERR_WASM_VERSION', message: /another plan version/, hint: /Deploy both again/ } },
    { name: 'wasm of something else', served: serve('application/wasm', foreign), want: { code: 'ERR_WASM_VERSION', message: /does not fit/, hint: /Deploy both again/ } },
  ];
  for (const { name, served, want } of files) {
    it(name, async () => {
      if (served) site.files.set('/kinglet.relaxed.wasm', served);
      await expect(site.page('/page.js'), want);
      site.files.delete('/kinglet.relaxed.wasm');
    });
  }

  it('a failed download is tried again by the next load', async () => {
    site.files.set('/kinglet.relaxed.wasm', serve('text/html', html));
    const page = await openPage(browser, site.page('/page.js'));
    assert.notEqual(await attempt(page), 'works');
    site.files.delete('/kinglet.relaxed.wasm');
    assert.equal(await attempt(page), 'works');
    await page.context().close();
  });
  it('a policy without wasm-unsafe-eval', () => expect(site.page('/page.js', { csp: 'none' }), {
    code: 'ERR_ENGINE', message: /Content-Security-Policy/, hint: /wasm-unsafe-eval/,
  }));
  it('a browser without WebAssembly', () => expect(site.page('/page.js'), { code: 'ERR_ENGINE', message: /no WebAssembly$/, hint: /browser of 2021/ }, 'delete globalThis.WebAssembly'));
  it('a browser without WebAssembly SIMD', { skip: process.arch === 'x64' ? false : 'V8 can only be told so on x64' }, async () => {
    const old = await launchChromium('--js-flags=--no-enable-sse4-1');
    const page = await openPage(old, site.page('/page.js'));
    site.log.length = 0;
    const outcome = await attempt(page);
    assert.ok(outcome !== 'works');
    assert.match(`${outcome.code} ${outcome.message}`, /^ERR_ENGINE .*SIMD/);
    assert.deepEqual(site.log, [], 'nothing was downloaded for it');
    await old.close();
  });

  it('calls that cannot be right', async () => {
    const page = await openPage(browser, site.page('/page.js'));
    const codes = await page.evaluate(async () => {
      const { KingletError, loadPlan } = kingletPage.kinglet;
      const code = async (act: () => unknown): Promise<string> => {
        try {
          await act();
          return 'works';
        } catch (error) {
          return error instanceof KingletError ? error.code : String(error);
        }
      };
      const model = await loadPlan('/plan');
      const zeros = new Float32Array(28 * 28);
      const gone = new Float32Array(28 * 28);
      structuredClone(gone, { transfer: [gone.buffer] });
      const [one, two] = await Promise.all([model.run(zeros), model.run(zeros.map((_, i) => i % 7))]);
      const [again] = await model.run(zeros);
      const all = {
        twoAtOnce: one[0]?.join() === again?.join() && one[0]?.join() !== two[0]?.join(),
        detached: await code(() => model.run(gone)),
        short: await code(() => model.run(zeros.subarray(1))),
        missing: await code(() => loadPlan('/no-such-plan')),
        afterDispose: '', disposeTwice: '',
      };
      model.dispose();
      all.afterDispose = await code(() => model.run(zeros));
      all.disposeTwice = await code(() => { model.dispose(); });
      return all;
    });
    assert.deepEqual(codes, { twoAtOnce: true, detached: 'ERR_INPUT', short: 'ERR_INPUT', missing: 'ERR_FILE', afterDispose: 'ERR_DISPOSED', disposeTwice: 'works' });
    await page.context().close();
  });
});
