// What pages hold in place of a Picture: elements, canvases, bitmaps and frames, told apart by the properties they have, so that they may
// come from another window. In: such a thing, ready to be drawn. Out: its pixels, unscaled. Touches no global before it is called.
// Must not know networks.

import { KingletError } from '../error.ts';
import { MAX_PIXELS, checkSize, imageError } from './picture.ts';
import type { Picture } from './picture.ts';

/** What a canvas can draw: <img>, <video>, <canvas>, OffscreenCanvas, ImageBitmap, VideoFrame. */
export type Drawable =
  | { readonly naturalWidth: number; readonly naturalHeight: number; readonly complete: boolean }
  | { readonly videoWidth: number; readonly videoHeight: number; readonly readyState: number }
  | { readonly displayWidth: number; readonly displayHeight: number }
  | { readonly width: number; readonly height: number; getContext(kind: never): unknown }
  | { readonly width: number; readonly height: number; close(): void };
/** ImageData is a Picture as it is. */
export type PictureSource = Picture | Drawable;

/** A video's readyState from which on it has a frame to show. */
const HAVE_CURRENT_DATA = 2;

/** The source's pixels, now. Throws ERR_IMAGE: not loaded yet, empty, closed, of another site. */
export function pictureOf(source: PictureSource): Picture {
  if (typeof source !== 'object' || (source as unknown) === null) throw notAPicture();
  if ('data' in source) return checkedSamples(source);
  const { width, height } = sizeOf(source);
  checkSize(width, height);
  return { width, height, data: drawn(source, width, height) };
}

function checkedSamples(picture: Picture): Picture {
  const kind = Object.prototype.toString.call(picture.data); // whatever window the array comes from
  if (kind === '[object Uint8Array]' || kind === '[object Uint8ClampedArray]') return picture;
  throw new KingletError('ERR_IMAGE', 'the picture\'s data is no Uint8Array or Uint8ClampedArray', { hint: 'Ask getImageData for pixelFormat "rgba-unorm8", the default.' });
}

function sizeOf(source: Drawable): { width: number; height: number } {
  if ('naturalWidth' in source) {
    if (!source.complete || source.naturalWidth === 0) throw notReady('the image is not loaded, or could not be', 'Wait for it: await image.decode().');
    return { width: source.naturalWidth, height: source.naturalHeight };
  }
  if ('videoWidth' in source) {
    if (source.readyState < HAVE_CURRENT_DATA || source.videoWidth === 0) throw notReady('the video has no picture yet', 'Wait for its "loadeddata" event.');
    return { width: source.videoWidth, height: source.videoHeight };
  }
  if ('displayWidth' in source) {
    if (source.displayWidth === 0) throw notReady('the video frame was closed', 'Close it after the network has seen it.');
    return { width: source.displayWidth, height: source.displayHeight };
  }
  if ('getContext' in source) {
    if (source.width === 0 || source.height === 0) throw notReady(`the canvas is ${source.width}x${source.height}, or was transferred`, 'Give it a size, or use the one that holds the pixels.');
    return source;
  }
  if ('close' in source && 'width' in source) {
    if (source.width === 0) throw notReady('the bitmap was closed or transferred', 'Close it after the network has seen it.');
    return source;
  }
  throw notAPicture();
}

function notReady(message: string, hint: string): KingletError {
  return new KingletError('ERR_IMAGE', message, { hint });
}

function notAPicture(): KingletError {
  return new KingletError('ERR_IMAGE', 'this is not a picture', {
    hint: 'A picture is {data, width, height}, <img>, <video>, a canvas, an ImageBitmap or a VideoFrame. For files: await decodeImage(blob).',
  });
}

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;
/** Kept between calls, for cameras. It lives in ordinary memory, not on the graphics card. */
let scratch: Context | undefined;

/** The pixels in sRGB, as RGBA. A canvas holds colours multiplied by alpha: what is transparent comes back black. */
function drawn(source: Drawable, width: number, height: number): Uint8ClampedArray {
  scratch ??= newContext();
  const { canvas } = scratch;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  try {
    scratch.globalCompositeOperation = 'copy';
    scratch.drawImage(source as CanvasImageSource, 0, 0, width, height);
    return scratch.getImageData(0, 0, width, height).data;
  } catch (cause) {
    scratch = undefined; // a canvas that saw another site's picture stays unreadable
    if (cause instanceof Error && cause.name === 'SecurityError') {
      throw new KingletError('ERR_IMAGE', 'the browser does not let this page read a picture of another site', {
        cause, hint: 'Set crossOrigin = "anonymous" before src, and let that site answer with Access-Control-Allow-Origin.',
      });
    }
    throw new KingletError('ERR_IMAGE', 'the browser cannot draw this picture', { cause, hint: `It must be loaded, open and of at most ${MAX_PIXELS / 1e6} million pixels (fewer on some phones).` });
  }
}

function newContext(): Context {
  const canvas = typeof OffscreenCanvas === 'function' ? new OffscreenCanvas(1, 1) : typeof document === 'object' ? document.createElement('canvas') : undefined;
  const context = canvas?.getContext('2d', { willReadFrequently: true, colorSpace: 'srgb' });
  if (!context) throw imageError('nothing here can draw: this is no page and no worker with OffscreenCanvas');
  return context;
}
