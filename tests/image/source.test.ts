// What pages hold in place of pictures, with pretended elements and canvases: which ones are drawn, at which size, and what goes wrong.
// tests/browser does the same with real ones.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KingletError } from '../../host/error.ts';
import { decodeImage } from '../../host/image/decode.ts';
import { pictureOf } from '../../host/image/source.ts';
import type { PictureSource } from '../../host/image/source.ts';

const refused = (source: unknown, message: RegExp): void => {
  assert.throws(() => pictureOf(source as PictureSource), (e) => e instanceof KingletError && e.code === 'ERR_IMAGE' && message.test(e.message) && e.hint !== '');
};
const nothing = (): void => undefined;
const ready = {
  image: { naturalWidth: 3, naturalHeight: 2, complete: true, width: 30, height: 20 },
  video: { videoWidth: 3, videoHeight: 2, readyState: 4, width: 0, height: 0 },
  frame: { displayWidth: 3, displayHeight: 2, codedWidth: 16, close: nothing },
  canvas: { width: 3, height: 2, getContext: nothing },
  bitmap: { width: 3, height: 2, close: nothing },
};

test('pixels are taken as they are', () => {
  const picture = { width: 1, height: 1, data: Uint8ClampedArray.of(1, 2, 3, 4) };
  assert.equal(pictureOf(picture), picture);
  refused({ width: 1, height: 1, data: [1, 2, 3] }, /Uint8Array/);
  refused({ width: 1, height: 1, data: Float32Array.of(1, 2, 3) }, /Uint8Array/);
});

test('what is not ready says so, what is no picture too', () => {
  refused({ ...ready.image, complete: false }, /not loaded/);
  refused({ ...ready.image, naturalWidth: 0 }, /not loaded/);
  refused({ ...ready.video, readyState: 1 }, /no picture yet/);
  refused({ ...ready.frame, displayWidth: 0 }, /closed/);
  refused({ ...ready.canvas, width: 0 }, /0x2/);
  refused({ ...ready.bitmap, width: 0 }, /closed/);
  for (const source of [null, undefined, 'cat.jpg', 7, {}, new Blob([]), new URL('file:///cat.jpg')]) refused(source, /not a picture/);
});

test('where nothing can draw, that is the reason', () => {
  for (const source of Object.values(ready)) refused(source, /nothing here can draw/);
});

/** Runs `work` where OffscreenCanvas is a pretended one whose drawImage calls `draw`. */
function withCanvas(draw: (source: unknown, width: number, height: number) => void, work: () => void): void {
  class Canvas {
    width = 1;
    height = 1;
    getContext(): unknown {
      return {
        canvas: this,
        drawImage: (source: unknown, _x: number, _y: number, width: number, height: number) => { draw(source, width, height); },
        getImageData: (_x: number, _y: number, width: number, height: number) => ({ data: new Uint8ClampedArray(width * height * 4).fill(9) }),
      };
    }
  }
  Reflect.set(globalThis, 'OffscreenCanvas', Canvas);
  try {
    work();
  } finally {
    Reflect.deleteProperty(globalThis, 'OffscreenCanvas');
  }
}

test('drawn at their own size; an unreadable canvas is not used again', () => {
  const denied = new Error('tainted');
  denied.name = 'SecurityError';
  withCanvas(() => { throw denied; }, () => { refused(ready.image, /another site/); });
  withCanvas(() => { throw new Error('detached'); }, () => { refused(ready.bitmap, /cannot draw/); });
  const drawn: unknown[] = [];
  withCanvas((source, width, height) => { drawn.push([source, width, height]); }, () => {
    for (const source of Object.values(ready)) {
      const { width, height, data } = pictureOf(source);
      assert.deepEqual([width, height, data.length], [3, 2, 24]);
    }
  });
  assert.deepEqual(drawn, Object.values(ready).map((source) => [source, 3, 2]));
});

test('files come as bytes, buffers and blobs', async () => {
  const bytes = new TextEncoder().encode('P6 1 1 255 abc');
  for (const file of [bytes, bytes.buffer, new Blob([bytes]), Buffer.from(bytes)]) {
    assert.deepEqual(await decodeImage(file), { width: 1, height: 1, data: Uint8Array.of(97, 98, 99) });
  }
  for (const wrong of [new Blob([]), new Blob(['RIFF....WEBPVP8 ']), 'cat.jpg' as unknown as Blob]) {
    await assert.rejects(decodeImage(wrong), (e) => e instanceof KingletError && e.code === 'ERR_IMAGE');
  }
});
