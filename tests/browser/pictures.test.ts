// kinglet/image in a page: every source that a page may hold gives the bytes that Node gives for the same pixels.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { fits, presetNames, toTensor, type ImageInput } from '../../host/image/index.ts';
import { random } from '../random.ts';
import { servePages } from './bundle-page.ts';
import { launchChromium, openPage, skipWithoutChromium } from './chromium.ts';
import type { Site } from './site.ts';

const WIDTH = 61, HEIGHT = 43;
/** Opaque: canvases keep colours exactly only where nothing shines through. */
const pixels = Uint8ClampedArray.from({ length: WIDTH * HEIGHT * 4 }, ((next) => (_, i) => (i % 4 === 3 ? 255 : next() * 256))(random(11)));
const inputs: readonly ImageInput[] = [
  { name: 'nhwc', dtype: 'float32', shape: [1, 24, 32, 3], layout: 'NHWC', quantization: null },
  { name: 'nchw', dtype: 'float32', shape: [1, 3, 50, 20], layout: 'NCHW', quantization: null },
  { name: 'gray', dtype: 'float32', shape: [1, 28, 28, 1], layout: 'NHWC', quantization: null },
  { name: 'int8', dtype: 'int8', shape: [1, 96, 96, 3], layout: 'NHWC', quantization: { scale: 1 / 128, zeroPoint: -1 } },
  { name: 'uint8', dtype: 'uint8', shape: [1, 17, 61, 3], layout: 'NHWC', quantization: { scale: 1 / 128, zeroPoint: 128 } },
];
const sources = ['raw', 'ImageData', 'canvas', 'OffscreenCanvas', 'ImageBitmap', 'img', 'Blob', 'VideoFrame'] as const;

describe('kinglet/image in a page', { skip: skipWithoutChromium, timeout: 60_000 }, () => {
  let browser: Browser, site: Site, page: Page;
  before(async () => {
    [site, browser] = await Promise.all([servePages(['page']), launchChromium()]);
    page = await openPage(browser, site.page('/page.js'));
    await page.evaluate(({ data, width, height }) => {
      const imageData = new ImageData(new Uint8ClampedArray(data), width, height);
      const canvas = document.createElement('canvas');
      Object.assign(canvas, { width, height });
      canvas.getContext('2d')?.putImageData(imageData, 0, 0);
      const offscreen = new OffscreenCanvas(width, height);
      offscreen.getContext('2d')?.putImageData(imageData, 0, 0);
      globalThis.pictureOfKind = async (kind) => {
        switch (kind) {
          case 'ImageData': return imageData;
          case 'canvas': return canvas;
          case 'OffscreenCanvas': return offscreen;
          case 'ImageBitmap': return createImageBitmap(imageData);
          case 'VideoFrame': return new VideoFrame(canvas, { timestamp: 0 });
          case 'Blob': return kingletPage.image.decodeImage(await offscreen.convertToBlob());
          case 'img': {
            const img = new Image();
            img.src = canvas.toDataURL();
            await img.decode();
            return img;
          }
          default: return { data: new Uint8Array(data), width, height };
        }
      };
    }, { data: pixels, width: WIDTH, height: HEIGHT });
  });
  after(async () => {
    await browser.close();
    await site.close();
  });

  for (const source of sources) {
    it(`${source} gives the bytes of Node`, async () => {
      const jobs = inputs.map((input, i) => ({ input, fit: fits[i % fits.length], preset: input.dtype === 'float32' ? presetNames[i % presetNames.length] : undefined }));
      const got = await page.evaluate(async ([kind, all]) => {
        const picture = await pictureOfKind(kind);
        return all.map(({ input, fit, preset }) => kingletPage.image.toTensor(picture, input, { fit, preset }));
      }, [source, jobs] as const);
      jobs.forEach(({ input, fit, preset }, i) => {
        assert.deepEqual(got[i], toTensor({ data: pixels, width: WIDTH, height: HEIGHT }, input, { fit, preset }), `${input.name}, ${fit ?? ''}, ${preset ?? 'its own'}`);
      });
    });
  }

  it('every preset and fit gives the bytes of Node', async () => {
    const [input] = inputs;
    const choices = presetNames.flatMap((preset) => fits.map((fit) => ({ preset, fit })));
    const got = await page.evaluate(async ([target, all]) => {
      const picture = await pictureOfKind('ImageData');
      return all.map((choice) => kingletPage.image.toTensor(picture, target, choice));
    }, [input, choices] as const);
    choices.forEach((choice, i) => { assert.deepEqual(got[i], toTensor({ data: pixels, width: WIDTH, height: HEIGHT }, input, choice), JSON.stringify(choice)); });
  });

  it('what is not ready or empty says so', async () => {
    const codes = await page.evaluate(async () => {
      const { image: { toTensor: convert }, kinglet: { KingletError } } = kingletPage;
      const target = { name: 'x', dtype: 'float32', shape: [1, 8, 8, 3], layout: 'NHWC', quantization: null } as const;
      const code = (picture: unknown): string => {
        try {
          convert(picture as Parameters<typeof convert>[0], target);
          return 'works';
        } catch (error) {
          return error instanceof KingletError ? `${error.code} ${error.hint}` : String(error);
        }
      };
      const bitmap = await createImageBitmap(new ImageData(2, 2));
      bitmap.close();
      return [
        code({ data: new Uint8Array(), width: 0, height: 0 }), code(Object.assign(document.createElement('canvas'), { width: 0, height: 0 })),
        code(new Image()), code(document.createElement('video')), code(bitmap), code({}), code(null), code('cat.png'),
      ];
    });
    for (const code of codes) assert.match(code, /^ERR_IMAGE ./);
  });
});
declare global { var pictureOfKind: (kind: typeof sources[number]) => Promise<Parameters<typeof toTensor>[0]> }
