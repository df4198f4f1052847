// A bitmap's pixels, in the worker. In: an ImageBitmap, which is closed. Out: RGBA samples. Must not know networks.

import type { Picture } from '../../host/image/index.ts';

let canvas: OffscreenCanvas | null = null;

/** One canvas serves all frames: a camera sends thirty a second. */
export function pictureOf(bitmap: ImageBitmap): Picture {
  const { width, height } = bitmap;
  if (canvas?.width !== width || canvas.height !== height) canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('this browser draws no pictures in a worker');
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, width, height);
}
