// Every golden of ../shared in a page of Chromium, through the package as it is built: relaxed SIMD and simd128, every thread count.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { goldens, skipWithoutShared } from '../shared.ts';
import { launchChromium, openPage, skipWithoutChromium } from './chromium.ts';
import { jobOf, judge, serveGoldens } from './golden-site.ts';
import type { Site } from './site.ts';

const threadCounts = [1];

describe('in an isolated page', { skip: skipWithoutChromium || skipWithoutShared }, () => {
  let browser: Browser, site: Site, page: Page;
  before(async () => {
    [site, browser] = await Promise.all([serveGoldens('page'), launchChromium()]);
    page = await openPage(browser, site.page('/page.js', { isolated: true }));
    assert.equal(await page.evaluate(() => crossOriginIsolated), true);
  });
  after(async () => {
    await browser.close();
    await site.close();
  });
  for (const golden of goldens()) {
    for (const kernels of ['relaxed', 'simd128'] as const) {
      for (const threads of threadCounts) {
        it(`${golden.name} with ${kernels}, threads: ${threads}`, async () => {
          const answer = await page.evaluate((job) => kingletPage.golden(job), jobOf(golden, { kernels }));
          assert.equal(answer.stats.kernels, kernels);
          assert.equal(answer.stats.threads, threads);
          judge(golden, answer);
        });
      }
    }
  }
});
