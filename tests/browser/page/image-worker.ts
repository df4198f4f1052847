// A worker that turns what a worker can draw into tensors. In: a message with a picture and a network's input. Out: tensors.

import { toTensor } from '../../../host/image/index.ts';
import type { ImageInput } from '../../../host/image/index.ts';
import type { PlainPicture } from './images.ts';

addEventListener('message', ({ data }: MessageEvent<{ picture: PlainPicture; input: ImageInput }>) => {
  const { width, height } = data.picture, pixels = new ImageData(Uint8ClampedArray.from(data.picture.data), width, height);
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext('2d')?.putImageData(pixels, 0, 0);
  const list = { ImageData: pixels, OffscreenCanvas: canvas, ImageBitmap: canvas.transferToImageBitmap() };
  canvas.getContext('2d')?.putImageData(pixels, 0, 0); // the bitmap took the canvas's pixels
  postMessage(Object.fromEntries(Object.entries(list).map(([kind, source]) => [kind, [...toTensor(source, data.input)]])));
});
