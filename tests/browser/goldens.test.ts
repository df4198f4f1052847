// Every golden of ../shared in Chromium, through the package as it is built: relaxed SIMD and simd128 with every thread count in an
// isolated page, and with what kinglet chooses itself wherever a page may have it run.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { goldens, skipWithoutShared } from '../shared.ts';
import { launchChromium, openPage, skipWithoutChromium } from './chromium.ts';
import { jobOf, judge, serveGoldens } from './golden-site.ts';
import type { Place } from './page/page.ts';
import type { Site } from './site.ts';

const skip = skipWithoutChromium || skipWithoutShared;
const threadCounts = [1, 2];

let browser: Browser, site: Site;
before(async () => {
  if (!skip) [site, browser] = await Promise.all([serveGoldens('page', 'worker'), launchChromium()]);
});
after(async () => {
  if (skip) return;
  await browser.close();
  await site.close();
});

describe('in an isolated page', { skip, timeout: 120_000 }, () => {
  let page: Page;
  before(async () => {
    page = await openPage(browser, site.page('/page.js', { isolated: true }));
    assert.equal(await page.evaluate(() => crossOriginIsolated), true);
  });
  after(() => page.context().close());
  for (const golden of goldens()) {
    for (const kernels of ['relaxed', 'simd128'] as const) {
      for (const threads of threadCounts) {
        it(`${golden.name} with ${kernels}, threads: ${threads}`, async () => {
          const answer = await page.evaluate((job) => kingletPage.golden(job), jobOf(golden, { kernels, threads }));
          assert.equal(answer.stats.kernels, kernels);
          assert.equal(answer.stats.threads, threads);
          judge(golden, answer);
        });
      }
    }
  }
});

const surroundings: readonly { readonly name: string; readonly place: Place; readonly csp?: 'wasm' }[] = [
  { name: 'in a page without COOP and COEP', place: 'page' },
  { name: 'under a CSP of script-src \'self\' \'wasm-unsafe-eval\'', place: 'page', csp: 'wasm' },
  { name: 'in a module worker', place: 'worker' },
  { name: 'in a service worker', place: 'service worker' },
  { name: 'with kinglet/inline under that CSP', place: 'inline', csp: 'wasm' },
];
for (const { name, place, csp } of surroundings) {
  describe(name, { skip, timeout: 120_000 }, () => {
    let page: Page;
    before(async () => {
      page = await openPage(browser, site.page('/page.js', csp ? { csp } : {}));
      assert.equal(await page.evaluate(() => crossOriginIsolated), false);
    });
    after(() => page.context().close());
    for (const golden of goldens()) {
      it(golden.name, async () => {
        site.log.length = 0;
        const job = jobOf(golden, { threads: 'auto' }, place === 'inline' ? 'plans' : 'models');
        const answer = await page.evaluate(([work, where]) => kingletPage.golden(work, where), [job, place] as const);
        assert.equal(answer.stats.kernels, 'relaxed');
        assert.equal(answer.stats.threads, 1);
        assert.equal(answer.notices.length, 1);
        assert.match(answer.notices[0] ?? '', /^one thread: (the page is not cross-origin isolated|kinglet\/inline has no workers|workers cannot be started from here)/);
        judge(golden, answer);
        if (place !== 'inline') return;
        const asked = site.log.filter((path) => path !== '/kinglet/inline.js'); // once, before the first golden
        assert.deepEqual(asked, [job.model, ...job.cases.flat()], 'nothing but the plan and its inputs is asked for');
      });
    }
  });
}
