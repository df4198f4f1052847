// Chromium with SwiftShader's WebGPU and the page that runs networks on it. In: nothing. Out: a page, and what closes it all.
// Default limits only; the flags are Chromium's own for GPUs in software.

import type { Browser, Page } from 'playwright-core';
import { launchChromium, openPage, swiftshader } from '../browser/chromium.ts';
import { servePages } from '../browser/bundle-page.ts';
import type { Site } from '../browser/site.ts';
import { sharedFolder } from '../shared.ts';

export interface GpuPage {
  readonly page: Page;
  readonly site: Site;
  close(): Promise<void>;
}

/** `flags`: Chromium's, with SwiftShader for WebGPU. */
export async function openGpuPage(flags: readonly string[] = swiftshader): Promise<GpuPage> {
  const site = await servePages(['../../webgpu/page/gpu-page'], { '/shared/': sharedFolder });
  const browser: Browser = await launchChromium(...flags);
  const page = await openPage(browser, site.page('/gpu-page.js'));
  page.setDefaultTimeout(120_000);
  return {
    page, site,
    async close() {
      await browser.close();
      await site.close();
    },
  };
}
