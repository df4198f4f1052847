// The browser that tests drive: the distribution's Chromium, or the one that CHROMIUM names.
// In: nothing. Out: a browser, or one visible line that says why the tests are skipped.

import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';

const path = process.env.CHROMIUM ?? '/usr/bin/chromium';
/** False: not skipped. A string: why node:test skips. */
export const skipWithoutChromium: false | string = existsSync(path) ? false : `there is no browser at ${path}; set CHROMIUM`;

/** WebGPU computed by Chromium's own software, wherever it runs. */
export const swiftshader = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'] as const;

/** The same with all of the browser's graphics in that software, through which frames of videos reach shaders. */
export const swiftshaderThroughout = [...swiftshader, '--enable-features=Vulkan', '--use-vulkan=swiftshader', '--use-angle=swiftshader'] as const;

/** Root may start Chromium only without its sandbox, as CI does; the tests load nothing but their own pages. */
export function launchChromium(...flags: readonly string[]): Promise<Browser> {
  const graphics = flags.includes('--use-angle=swiftshader') ? [] : ['--disable-gpu'];
  const args = [...graphics, '--disable-background-networking', '--disable-component-update', '--no-first-run', ...flags];
  return chromium.launch({ executablePath: path, headless: true, args: process.getuid?.() === 0 ? [...args, '--no-sandbox'] : args });
}

/** A page of a profile of its own, in which the script `prepare` runs first; what it complains about fails whoever waits for it. */
export async function openPage(browser: Browser, address: string, prepare?: string): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  if (prepare) await page.addInitScript(prepare);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => { if (message.type() === 'error') complaints.push(message.text()); });
  await page.goto(address);
  await page.waitForFunction(() => 'kingletPage' in globalThis, null, { timeout: 20_000 }).catch((cause: unknown) => {
    throw new Error(`the page did not start: ${complaints.join('; ') || 'it said nothing'}`, { cause });
  });
  return page;
}
