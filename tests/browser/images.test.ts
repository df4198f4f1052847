// Pictures in a real page: every source gives Node's bytes, every mistake its code and a hint; in a worker; under a strict policy.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { toTensor } from '../../host/image/tensor.ts';
import { pattern, png } from '../image/pictures.ts';
import { launchChromium, openPage, skipWithoutChromium } from './chromium.ts';
import { servePages } from './bundle-page.ts';
import type { Answer } from './page/images.ts';
import type { Site } from './site.ts';

const width = 37, height = 23, rgb = pattern(width, height);
const picture = { width, height, data: Array.from({ length: width * height * 4 }, (_, i) => (i % 4 === 3 ? 255 : rgb[(i >> 2) * 3 + (i % 4)])) };
const input = { name: 'x', dtype: 'uint8', shape: [1, 16, 20, 3], layout: null, quantization: null };
const expected = [...toTensor({ width, height, data: Uint8Array.from(picture.data) }, input)];

describe('pictures in a page', { skip: skipWithoutChromium, timeout: 60_000 }, () => {
  let browser: Browser, site: Site;
  before(async () => {
    [site, browser] = await Promise.all([servePages(['images', 'image-worker']), launchChromium()]);
    site.files.set('/foreign.png', png(1, 1, 8, 2, [Uint8Array.of(1, 2, 3)]));
  });
  after(async () => {
    await browser.close();
    await site.close();
  });
  const open = (csp?: 'wasm' | 'none'): Promise<Page> => openPage(browser, site.page('/images.js', csp ? { csp } : {}));

  it('everything that can be drawn gives the same bytes as in Node', async () => {
    const { video, webp, ...lossless } = await (await open()).evaluate((given) => kingletImages.sources(given), picture);
    for (const [kind, answer] of Object.entries(lossless)) assert.deepEqual(answer, expected, kind);
    assert.equal(Object.keys(lossless).length, 7);
    // Compressed on the way: as large, and no error.
    for (const [kind, answer] of Object.entries({ video, webp })) assert.ok(Array.isArray(answer) && answer.length === expected.length, `${kind}: ${JSON.stringify(answer)}`);
  });

  it('what is not ready, gone or of another site says so', async () => {
    const { 'the same site afterwards': fine, ...mistakes } = await (await open()).evaluate((address) => kingletImages.mistakes(address), `${site.origin.replace('127.0.0.1', 'localhost')}/foreign.png`);
    const said: Record<string, RegExp> = {
      loading: /not loaded/, 'a bitmap that was closed': /bitmap was closed/, 'a frame that was closed': /frame was closed/, 'a canvas of 0x150': /0x150/,
      'a video without a picture': /no picture yet/, 'another site': /another site/, 'no picture': /not a picture/, 'a file that nobody decodes': /can decode/,
    };
    assert.deepEqual(Object.keys(mistakes).sort(), Object.keys(said).sort());
    for (const [name, answer] of Object.entries(mistakes)) {
      assert.ok('code' in answer, `${name} worked`);
      assert.equal(answer.code, 'ERR_IMAGE', `${name}: ${answer.message}`);
      assert.match(answer.message, said[name], name);
      assert.match(answer.hint, /\.$/, name);
    }
    assert.deepEqual(fine, Array.from({ length: expected.length }, (_, i) => 1 + (i % 3)));
  });

  it('in a module worker', async () => {
    const answers = await (await open()).evaluate((given) => kingletImages.worker(given), picture);
    assert.deepEqual(answers, { ImageData: expected, OffscreenCanvas: expected, ImageBitmap: expected });
  });

  it('with wasm-unsafe-eval and nothing else allowed, and a typed error without it', async () => {
    const raw = async (csp: 'wasm' | 'none'): Promise<Answer> => (await open(csp)).evaluate((given) => kingletImages.raw(given), picture);
    assert.deepEqual(await raw('wasm'), expected);
    const refused = await raw('none');
    assert.ok('code' in refused && refused.code === 'ERR_ENGINE' && refused.hint.includes('wasm-unsafe-eval'), JSON.stringify(refused));
  });
});
