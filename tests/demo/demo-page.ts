// The demo in a browser: built once, served on the loopback address, each test with a page of its own profile.
// In: a browser. Out: pages, and what they complained about.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { root } from '../repo/files.ts';

export interface Served {
  readonly url: string;
  readonly stop: () => Promise<void>;
}
interface Serving {
  serveDemo(options?: { readonly isolated?: boolean; readonly folder?: string }): Promise<Served>;
}
interface Building {
  readonly folder: string;
  buildDemo(): Promise<void>;
}
const scriptOf = async (name: string): Promise<unknown> => import(pathToFileURL(join(root, 'examples', 'demo', name)).href);

/** Resolves to the folder of static files. */
export async function buildDemo(): Promise<string> {
  const building = await scriptOf('build.mjs') as Building;
  await building.buildDemo();
  return building.folder;
}

export async function serveDemo(options: Parameters<Serving['serveDemo']>[0] = {}): Promise<Served> {
  return (await scriptOf('serve.mjs') as Serving).serveDemo(options);
}

export interface DemoPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors and warnings of the console, exceptions, and what the policy forbade. */
  readonly complaints: string[];
}

export async function openDemo(browser: Browser, url: string, options: BrowserContextOptions = {}, prepare?: string): Promise<DemoPage> {
  const context = await browser.newContext({ viewport: { width: 1000, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => { if (['error', 'warning'].includes(message.type())) complaints.push(message.text()); });
  if (prepare) await page.addInitScript(prepare);
  await page.goto(url);
  return { page, context, complaints };
}

/** Waits until an element's text matches, and returns it. */
export async function textOnce(page: Page, selector: string, pattern: RegExp): Promise<string> {
  const locator = page.locator(selector).filter({ hasText: pattern });
  await locator.waitFor();
  return await locator.textContent() ?? '';
}

/** Files dropped on the page, as from the system's file manager. */
export async function dropFiles(page: Page, files: readonly { readonly name: string; readonly type: string; readonly bytes: Uint8Array }[]): Promise<void> {
  const data = files.map(({ name, type, bytes }) => ({ name, type, base64: Buffer.from(bytes).toString('base64') }));
  const transfer = await page.evaluateHandle((list) => {
    const carried = new DataTransfer();
    for (const { name, type, base64 } of list) carried.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name, { type }));
    return carried;
  }, data);
  await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
}
