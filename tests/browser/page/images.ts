// A page that turns everything it can draw into tensors, for tests that call it from outside.
// In: an opaque RGBA picture. Out: globalThis.kingletImages; answers are tensors or error codes. Must not judge them: the test does.

import * as image from '../../../host/image/index.ts';
import { KingletError } from '../../../host/index.ts';

export interface PlainPicture { readonly width: number; readonly height: number; readonly data: readonly number[] }
export type Answer = readonly number[] | { readonly code: string; readonly message: string; readonly hint: string };
export interface KingletImages {
  /** By the kind of source. */
  sources(picture: PlainPicture): Promise<Record<string, Answer>>;
  /** What is not ready, gone, or of another site. */
  mistakes(foreignImage: string): Promise<Record<string, Answer>>;
  raw(picture: PlainPicture): Answer;
  worker(picture: PlainPicture): Promise<Record<string, Answer>>;
}
declare global { var kingletImages: KingletImages }

const input = { name: 'x', dtype: 'uint8', shape: [1, 16, 20, 3], layout: null, quantization: null };

async function answer(make: () => image.PictureSource | Promise<image.PictureSource>): Promise<Answer> {
  try {
    return [...image.toTensor(await make(), input)];
  } catch (error) {
    if (!(error instanceof KingletError)) return { code: 'untyped', message: String(error), hint: '' };
    const { code, message, hint } = error;
    return { code, message, hint };
  }
}

function canvasOf({ width, height, data }: PlainPicture): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width, height });
  canvas.getContext('2d')?.putImageData(new ImageData(Uint8ClampedArray.from(data), width, height), 0, 0);
  return canvas;
}

function fileOf(canvas: HTMLCanvasElement, type: string): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => { if (blob) resolve(blob); else reject(new Error('no file')); }, type, 1);
  });
}

async function imageOf(address: string): Promise<HTMLImageElement> {
  const element = new Image();
  element.src = address;
  await element.decode();
  return element;
}

/** A captured canvas sends a frame whenever it is drawn on. */
async function videoOf(canvas: HTMLCanvasElement): Promise<HTMLVideoElement> {
  const video = document.createElement('video');
  Object.assign(video, { muted: true, srcObject: canvas.captureStream(30) });
  const drawing = setInterval(() => { canvas.getContext('2d')?.drawImage(canvas, 0, 0); }, 30);
  await video.play();
  clearInterval(drawing);
  return video;
}

async function sources(picture: PlainPicture): Promise<Record<string, Answer>> {
  const canvas = canvasOf(picture), { width, height } = picture;
  const png = await fileOf(canvas, 'image/png');
  const drawn = new OffscreenCanvas(width, height);
  drawn.getContext('2d')?.drawImage(canvas, 0, 0);
  return {
    ImageData: await answer(() => new ImageData(Uint8ClampedArray.from(picture.data), width, height)),
    canvas: await answer(() => canvas),
    OffscreenCanvas: await answer(() => drawn),
    ImageBitmap: await answer(() => createImageBitmap(canvas)),
    VideoFrame: await answer(() => new VideoFrame(canvas, { timestamp: 0 })),
    img: await answer(() => imageOf(URL.createObjectURL(png))),
    Blob: await answer(() => image.decodeImage(png)),
    video: await answer(() => videoOf(canvas)),
    webp: await answer(async () => image.decodeImage(await fileOf(canvas, 'image/webp'))),
  };
}

async function mistakes(foreignImage: string): Promise<Record<string, Answer>> {
  const bitmap = await createImageBitmap(new ImageData(2, 2)), frame = new VideoFrame(bitmap, { timestamp: 0 });
  bitmap.close();
  frame.close();
  const empty = document.createElement('canvas'), loading = new Image();
  empty.width = 0;
  loading.src = foreignImage;
  return {
    loading: await answer(() => loading),
    'a bitmap that was closed': await answer(() => bitmap),
    'a frame that was closed': await answer(() => frame),
    'a canvas of 0x150': await answer(() => empty),
    'a video without a picture': await answer(() => document.createElement('video')),
    'another site': await answer(() => imageOf(foreignImage)),
    'no picture': await answer(() => document.body as unknown as image.PictureSource),
    'a file that nobody decodes': await answer(() => image.decodeImage(new Blob(['nothing']))),
    'the same site afterwards': await answer(() => canvasOf({ width: 1, height: 1, data: [1, 2, 3, 255] })),
  };
}

globalThis.kingletImages = {
  sources, mistakes,
  raw({ width, height, data }) {
    try {
      return [...image.toTensor({ width, height, data: Uint8Array.from(data) }, input)];
    } catch (error) {
      return error instanceof KingletError ? { code: error.code, message: error.message, hint: error.hint } : { code: 'untyped', message: String(error), hint: '' };
    }
  },
  worker: (picture) => new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./image-worker.js', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<Record<string, Answer>>) => { resolve(data); };
    worker.onerror = ({ message }) => { reject(new Error(message)); };
    worker.postMessage({ picture, input });
  }),
};
Object.assign(globalThis, { kingletPage: {} });
