// The demo as people meet it, in headless Chromium: faces, dropped files, camera, benchmark, keyboard, without a network, on a phone.

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { decodeImage } from '../../host/image/index.ts';
import { launchChromium, skipWithoutChromium, swiftshader } from '../browser/chromium.ts';
import { sharedFolder, skipWithoutShared } from '../shared.ts';
import { buildDemo, dropFiles, openDemo, serveDemo, textOnce, type DemoPage, type Served } from './demo-page.ts';
import { filmOf } from './film.ts';

const shared = (path: string): Uint8Array => readFileSync(`${sharedFolder}${path}`);
const octets = 'application/octet-stream';
/** Centres of the sample's faces in shares of width and height, read off the photo. */
const centres = [[0.83, 0.29], [0.19, 0.41], [0.67, 0.32], [0.39, 0.32]];

/** Pixels in the colour of boxes, in shares of the overlay's width and height. */
function paintedAt(page: Page): Promise<[number, number][]> {
  return page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('#faces [data-overlay]');
    const { data, width, height } = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [], width: 1, height: 1 };
    const found: [number, number][] = [];
    for (let i = 0; i < width * height; i++) {
      if (data[4 * i] === 255 && data[4 * i + 1] === 198 && data[4 * i + 2] === 26) found.push([(i % width) / width, Math.floor(i / width) / height]);
    }
    return found;
  });
}

describe('the demo', { skip: skipWithoutChromium }, () => {
  const films = mkdtempSync(join(tmpdir(), 'kinglet-film-'));
  let browser: Browser, folder: string, served: Served;
  before(async () => {
    folder = await buildDemo();
    const film = join(films, 'sample.y4m');
    writeFileSync(film, filmOf(await decodeImage(readFileSync(join(folder, 'sample.jpg'))), 960));
    [served, browser] = await Promise.all([serveDemo(), launchChromium(
      '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', `--use-file-for-fake-video-capture=${film}`)]);
  });
  after(async () => {
    await browser?.close();
    await served?.stop();
    rmSync(films, { recursive: true });
  });

  /** Opens a page, uses it, and fails when it complained. */
  async function visit(hash: string, use: (demo: DemoPage) => Promise<void>, options: Parameters<typeof openDemo>[2] = {}, prepare?: string): Promise<void> {
    const demo = await openDemo(browser, `${served.url}${hash}`, options, prepare);
    await use(demo);
    assert.deepEqual(demo.complaints, []);
    await demo.context.close();
  }

  it('finds the four faces of the sample where they are, under its policy', () => visit('', async ({ page }) => {
    await textOnce(page, '#faces [data-headline]', /^4 faces$/);
    assert.equal(await page.locator('#faces [data-list] li').count(), 4);
    // At this size the photo fills the stage: shares of one are shares of the other.
    await page.setViewportSize({ width: 390, height: 1600 });
    await page.waitForFunction(() => (document.querySelector('#faces [data-overlay]')?.clientWidth ?? 1000) < 390);
    const painted = await paintedAt(page);
    for (const [x, y] of centres) {
      const near = painted.filter(([px, py]) => Math.abs(px - x) < 0.1 && Math.abs(py - y) < 0.12);
      assert.ok(near.length > 100, `a box around ${x}, ${y}`);
    }
    const elsewhere = painted.filter(([px, py]) => !centres.some(([x, y]) => Math.abs(px - x) < 0.1 && Math.abs(py - y) < 0.12));
    assert.equal(elsewhere.length, 0);
    assert.equal(await page.evaluate(() => crossOriginIsolated), true);
    // The policy holds: later, because what a debugger evaluates is exempt.
    const evaluated = await page.evaluate(() => new Promise((resolve) => {
      setTimeout(() => {
        try {
          resolve((0, eval)('1'));
        } catch (error) {
          resolve(error instanceof Error ? error.name : '');
        }
      });
    }));
    assert.equal(evaluated, 'EvalError');
  }));

  it('classifies a dropped photo with a dropped model and its labels', { skip: skipWithoutShared }, () => visit('', async ({ page }) => {
    await dropFiles(page, [
      { name: 'mobilenet.tflite', type: '', bytes: shared('models/mobilenet_v2_1.0_224_quant.tflite') },
      { name: 'labels.txt', type: 'text/plain', bytes: shared('images/imagenet_labels.txt') },
      { name: 'cat.bmp', type: 'image/bmp', bytes: shared('images/cat.bmp') },
    ]);
    await textOnce(page, '#network [data-headline]', /^Egyptian cat$/);
    await page.locator('#network [data-zoo] option[value="mobilenet_v2 int8"]').waitFor({ state: 'attached' });
    assert.equal(await page.locator('#network [data-list] li').count(), 5);
    assert.equal(await page.getAttribute('#tab-network', 'aria-selected'), 'true');
    await page.click('#network summary');
    await page.locator('#network [data-table] tbody tr').first().waitFor();
    assert.ok(await page.locator('#network [data-table] tbody tr').count() > 60);
    await page.selectOption('#network [data-fit]', 'pad');
    await textOnce(page, '#network [data-headline]', /cat/);
    // Labels of one network do not name what the next one sees.
    await page.setInputFiles('#network [data-model]', `${sharedFolder}models/nanodet_plus_m_320.onnx`);
    await textOnce(page, '#network [data-headline]', /^cat$/);
    assert.match(await page.locator('#network [data-list]').innerText(), /^cat\s+\d\d/);
  }));

  it('says why a damaged model cannot be used, and goes on', () => visit('#/network', async ({ page }) => {
    await page.click('#network [data-sample]');
    await dropFiles(page, [{ name: 'page.tflite', type: octets, bytes: new TextEncoder().encode('<!doctype html><img src=x onerror=alert(1)>') }]);
    const said = await textOnce(page, '#network [data-trouble]', /HTML page/);
    assert.match(said, /ERR_MODEL_FORMAT/);
    const network = readFileSync(join(folder, 'face_detection_short_range.tflite'));
    await dropFiles(page, [{ name: 'half.tflite', type: octets, bytes: network.subarray(0, network.length / 2) }]);
    await textOnce(page, '#network [data-trouble]', /ERR_MODEL_(FORMAT|INVALID)/);
    await dropFiles(page, [{ name: 'notes.png', type: 'image/png', bytes: new TextEncoder().encode('no picture') }]);
    await textOnce(page, '#network [data-viewer-trouble]', /cannot read the picture/);
    await dropFiles(page, [{ name: 'whole.tflite', type: octets, bytes: network }]);
    await textOnce(page, '#network [data-headline]', /^4 faces$/);
    assert.equal(await page.locator('#network [data-trouble]').isVisible(), false);
  }));

  it('shows a network of the zoo and says that its weights are random', () => visit('#/network', async ({ page }) => {
    await page.click('#network [data-sample]');
    await page.selectOption('#network [data-zoo]', 'mobilenet_v1_0.25_128 int8');
    await textOnce(page, '#network [data-headline]', /^class \d+$/);
    assert.equal(await page.locator('#network [data-random]').isVisible(), true);
    assert.match(await page.locator('#network [data-facts]').innerText(), /1×128×128×3/);
  }));

  it('says what computes and why, and what is missing where there is no GPU', () => visit('#/network', async ({ page }) => {
    await page.click('#network [data-sample]');
    await page.selectOption('#network [data-zoo]', 'mobilenet_v1_0.25_128');
    await textOnce(page, '#network [data-runs-on]', /^Runs on WebAssembly: the network is small: 13\.6 of at least 60 million/);
    await textOnce(page, '#network [data-headline]', /^class \d+$/);
    await page.selectOption('#network [data-backend]', 'wasm');
    await textOnce(page, '#network [data-runs-on]', /^Runs on WebAssembly: it was asked for\.$/);
    await page.selectOption('#network [data-backend]', 'webgpu');
    assert.match(await textOnce(page, '#network [data-trouble]', /ERR_DEVICE/), /WebGPU/);
    await page.selectOption('#network [data-backend]', 'auto');
    await textOnce(page, '#network [data-headline]', /^class \d+$/);
  }));

  it('computes the same by WebGPU and by WebAssembly, and says which', async () => {
    const withGpu = await launchChromium(...swiftshader);
    const { page, context, complaints } = await openDemo(withGpu, `${served.url}#/network`);
    await page.click('#network [data-sample]');
    await page.selectOption('#network [data-backend]', 'webgpu');
    await page.selectOption('#network [data-zoo]', 'mobilenet_v1_0.25_128');
    await textOnce(page, '#network [data-runs-on]', /^Runs on WebGPU: it was asked for\.$/);
    const onGpu = await textOnce(page, '#network [data-headline]', /^class \d+$/);
    assert.match(await page.locator('#network [data-facts]').innerText(), /\d+\s+dispatches/);
    await page.selectOption('#network [data-backend]', 'auto');
    await textOnce(page, '#network [data-runs-on]', /^Runs on WebAssembly: the network is small/);
    assert.equal(await textOnce(page, '#network [data-headline]', /^class \d+$/), onGpu);
    await page.selectOption('#network [data-zoo]', 'mobilenet_v2');
    await textOnce(page, '#network [data-runs-on]', /^Runs on WebAssembly: the adapter \(google swiftshader\) is software\.$/);
    await page.selectOption('#network [data-backend]', 'webgpu');
    await page.selectOption('#network [data-zoo]', 'mobilenet_v1_0.25_128 int8');
    await textOnce(page, '#network [data-trouble]', /int8, the GPU on float32 alone/);
    assert.deepEqual(complaints, []);
    await context.close();
    await withGpu.close();
  });

  it('measures, and what it copies can be read by people and programs', () => visit('#/benchmark', async ({ page }) => {
    for (const box of (await page.locator('#benchmark input[name=network]:checked').all()).reverse()) await box.uncheck();
    await page.check('#benchmark input[value=lenet5]');
    const threads = await page.locator('#benchmark input[name=threads]:checked').count();
    assert.equal(threads > 1, await page.evaluate(() => navigator.hardwareConcurrency > 1), 'an isolated page may use threads');
    await page.click('#benchmark [data-start]');
    await textOnce(page, '#benchmark [data-headline]', new RegExp(`^Done: ${2 * threads} results$`));
    assert.equal(await page.locator('#benchmark [data-chart] rect').count(), 2 * threads);
    const copied = async (button: string): Promise<string> => {
      await page.click(`#benchmark ${button}`);
      await textOnce(page, '#benchmark [data-copied]', /^Copied$/);
      return page.evaluate(() => navigator.clipboard.readText());
    };
    const { results, userAgent } = JSON.parse(await copied('[data-copy-json]')) as { userAgent: string; results: { network: string; numbers: string; threads: number; medianMs: number; runs: number }[] };
    assert.equal(userAgent, await page.evaluate(() => navigator.userAgent));
    assert.deepEqual(results.map(({ network, numbers }) => `${network} ${numbers}`), [...Array<string>(threads).fill('lenet5 float32'), ...Array<string>(threads).fill('lenet5 int8')]);
    const lines = (await copied('[data-copy-text]')).trimEnd().split('\n').slice(4).map((line) => line.split(/ {2,}/));
    assert.deepEqual(lines.map(([name, numbers, count, median]) => [name, numbers, Number(count), Number(median)]),
      results.map(({ network, numbers, threads: count, medianMs }) => [network, numbers, count, Number(medianMs.toFixed(medianMs < 10 ? 2 : medianMs < 100 ? 1 : 0))]));
    assert.ok(results.every(({ medianMs, runs }) => medianMs >= 0 && runs >= 5));
    await page.click('#benchmark [data-start]');
    await page.click('#benchmark [data-cancel]');
    await textOnce(page, '#benchmark [data-headline]', /^Stopped$/);
  }, { permissions: ['clipboard-read', 'clipboard-write'] }));

  it('finds the faces of a film live, where the mirror shows them, and stops', () => visit('', async ({ page }) => {
    await textOnce(page, '#faces [data-headline]', /^4 faces$/);
    await page.setViewportSize({ width: 390, height: 1600 });
    await page.click('#faces [data-camera]');
    await textOnce(page, '#faces [data-speed]', /fps/);
    await textOnce(page, '#faces [data-headline]', /^4 faces$/);
    const painted = await paintedAt(page);
    for (const [x] of centres) assert.ok(painted.some(([px]) => Math.abs(px - (1 - x)) < 0.1), `a box around ${1 - x} in the mirror`);
    assert.equal(await page.locator('#faces video').isVisible(), true);
    const track = await page.evaluateHandle(() => (document.querySelector('#faces video') as HTMLVideoElement & { srcObject: MediaStream }).srcObject.getTracks()[0]);
    await page.click('#faces [data-camera]');
    assert.equal(await track.evaluate(({ readyState }) => readyState), 'ended');
    await textOnce(page, '#faces [data-headline]', /^4 faces$/);
    // Whoever goes to another tab is no longer watched.
    await page.click('#faces [data-camera]');
    await textOnce(page, '#faces [data-camera]', /^Stop camera$/);
    await page.click('#tab-benchmark');
    assert.equal(await page.evaluate(() => document.querySelector<HTMLVideoElement>('#faces video')?.srcObject), null);
  }));

  it('goes on filming while networks change', () => visit('#/network', async ({ page }) => {
    await page.click('#network [data-camera]');
    await textOnce(page, '#network [data-camera]', /^Stop camera$/);
    for (const name of ['mobilenet_v1_0.25_128', 'lenet5', 'mobilenet_v1_0.25_128 int8']) {
      await page.selectOption('#network [data-zoo]', name);
      await textOnce(page, '#network [data-speed]', /fps/);
    }
    assert.equal(await page.locator('#network [data-trouble]').isVisible(), false);
    assert.equal(await page.locator('#network video').isVisible(), true);
  }));

  it('ends a worker that does not answer', () => visit('#/network', async ({ page }) => {
    await page.clock.install();
    await dropFiles(page, [{ name: 'endless.tflite', type: octets, bytes: new Uint8Array(8) }]);
    await textOnce(page, '#network [data-headline]', /^Loading endless\.tflite/);
    await page.clock.fastForward(60_000);
    await textOnce(page, '#network [data-trouble]', /longer than 60 seconds/);
    assert.ok(await page.evaluate(() => (globalThis as unknown as { ended: number }).ended) >= 1);
  }, {}, 'ended = 0; Worker.prototype.postMessage = () => undefined; Worker.prototype.terminate = function () { ended++; };'));

  it('explains why there is no camera', () => visit('', async ({ page }) => {
    await page.click('#faces [data-camera]');
    await textOnce(page, '#faces [data-viewer-trouble]', /may not be used.*Allow it/);
  }, {}, 'navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "NotAllowedError"));'));

  it('can be used with the keyboard alone, and shows where it is', () => visit('', async ({ page }) => {
    const focused = (): Promise<string> => page.evaluate(() => {
      const element = document.activeElement;
      if (!element) return 'nothing';
      const outlined = [element, element.parentElement].some((e) => e !== null && getComputedStyle(e).outlineStyle === 'solid');
      return `${element.id || Object.keys((element as HTMLElement).dataset).join()}${outlined ? '' : ' without an outline'}`;
    });
    const walk = async (...keys: readonly string[]): Promise<string[]> => {
      const places: string[] = [];
      for (const key of keys) {
        await page.keyboard.press(key);
        places.push(await focused());
      }
      return places;
    };
    assert.deepEqual(await walk('Tab', 'Tab', 'Tab', 'Tab'), ['tab-faces', 'camera', 'file', 'sample']);
    assert.deepEqual(await walk('Shift+Tab', 'Shift+Tab', 'Shift+Tab', 'ArrowRight'), ['file', 'camera', 'tab-faces', 'tab-network']);
    assert.equal(await page.locator('#network').isVisible(), true);
    assert.deepEqual(await walk('Tab', 'Tab', 'Tab', 'Tab', 'Tab'), ['model', 'labels', 'zoo', 'backend', 'camera']);
    await page.locator('#tab-network').focus();
    assert.deepEqual(await walk('End', 'ArrowRight', 'ArrowLeft'), ['tab-benchmark', 'tab-faces', 'tab-benchmark']);
    await page.locator('#benchmark [data-start]').focus();
    await page.keyboard.press('Enter');
    await textOnce(page, '#benchmark [data-headline]', /^1 of /);
    assert.match(await focused(), /^cancel$/);
    await page.keyboard.press('Enter');
    await textOnce(page, '#benchmark [data-headline]', /^Stopped$/);
    assert.match(await focused(), /^start$/);
  }));

  it('works without a network after it was loaded once', async () => {
    const copy = mkdtempSync(join(tmpdir(), 'kinglet-demo-'));
    cpSync(folder, copy, { recursive: true });
    const own = await serveDemo({ folder: copy });
    const { page, context, complaints } = await openDemo(browser, own.url);
    await textOnce(page, '[data-offline]', /Works offline/);
    await own.stop();
    await page.reload();
    await textOnce(page, '#faces [data-headline]', /^4 faces$/);
    await page.click('#tab-network');
    await page.click('#network [data-sample]');
    await page.selectOption('#network [data-zoo]', 'lenet5');
    await textOnce(page, '#network [data-headline]', /^class \d$/);
    assert.deepEqual(complaints, []);
    await context.close();
    rmSync(copy, { recursive: true });
  });

  it('offers a new version, and takes it when asked', async () => {
    const copy = mkdtempSync(join(tmpdir(), 'kinglet-demo-'));
    cpSync(folder, copy, { recursive: true });
    const own = await serveDemo({ folder: copy });
    const { page, context } = await openDemo(browser, own.url);
    await textOnce(page, '[data-offline]', /Works offline/);
    const versions = (): Promise<string[]> => page.evaluate(() => caches.keys());
    const [old] = await versions();
    const script = join(copy, 'service-worker.js'), index = join(copy, 'index.html');
    writeFileSync(script, readFileSync(script, 'utf8').replaceAll(old.replace('kinglet-demo-', ''), 'next'));
    writeFileSync(index, readFileSync(index, 'utf8').replace('<title>kinglet demo', '<title>next'));
    await page.reload();
    await page.locator('[data-update]').waitFor();
    assert.equal(await page.title(), 'kinglet demo');
    await page.click('[data-update]');
    await page.waitForFunction(() => document.title === 'next');
    await page.waitForFunction(async () => (await caches.keys()).join() === 'kinglet-demo-next');
    await context.close();
    await own.stop();
    rmSync(copy, { recursive: true });
  });

  it('fits a phone, and says why a page that is not isolated has one thread', async () => {
    const plain = await serveDemo({ isolated: false });
    const { page, context, complaints } = await openDemo(browser, plain.url, { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true });
    for (const tab of ['faces', 'network', 'benchmark']) {
      await page.click(`#tab-${tab}`);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${tab} is not wider than 320 pixels`);
    }
    assert.match(await page.locator('#benchmark [data-threads-note]').innerText(), /does not isolate/);
    assert.equal(await page.locator('#benchmark input[name=threads]').count(), 1);
    assert.deepEqual(complaints, []);
    await context.close();
    await plain.stop();
  });
});
