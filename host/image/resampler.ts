// Pictures into tensors with the module of assembly/image, compiled on first use from bytes that travel inside this package: nothing
// is fetched. In: a picture, the part of it to show, what the network wants. Out: the elements, in an array of the caller.
// Source rows go in a few at a time, so memory does not grow with the picture. Must not know models, presets' names or files.

import { KingletError } from '../error.ts';
import { pictureWasm } from './picture-wasm.js';
import { MAX_PIXELS, channelsOf, checkSize, imageError } from './picture.ts';
import type { Picture } from './picture.ts';
import type { Region } from './region.ts';

/** What a network's input is made of. Per channel of the output, in its order: real = (sample - mean) / std. */
export interface Target {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly layout: 'NHWC' | 'NCHW';
  readonly blueFirst: boolean;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly scale: number;
  readonly zeroPoint: number;
}
export type PixelArray = Float32Array | Uint8Array | Int8Array;

interface Kernel {
  workBytes(srcWidth: number, srcHeight: number, regionWidth: number, regionHeight: number, width: number, height: number): number;
  begin(work: number, pixelBytes: number, srcWidth: number, srcHeight: number, x: number, y: number, regionWidth: number, regionHeight: number, width: number, height: number): void;
  firstRow(work: number): number;
  endRow(work: number): number;
  into(work: number, dst: number, dtype: number, channels: number, planar: number, blueFirst: number): void;
  normalise(work: number, channel: number, mean: number, std: number, scale: number, zero: number): void;
  feed(work: number, src: number, rows: number): void;
}

const WORK = 64;
const PAGE_BYTES = 65536;
/** Source rows that are copied into the module's memory at a time. */
const STRIP_BYTES = 1 << 17;
/** Bytes that may be read after the last pixel. */
const SLACK_BYTES = 8;
/** Tables and rows of sane pictures need a few hundred KB. */
const MAX_WORK_BYTES = 1 << 27;

let loaded: { readonly kernel: Kernel; readonly memory: WebAssembly.Memory } | undefined;

function load(): NonNullable<typeof loaded> {
  if (loaded) return loaded;
  try {
    const memory = new WebAssembly.Memory({ initial: 4 });
    const module = new WebAssembly.Module(Uint8Array.from(atob(pictureWasm), (char) => char.charCodeAt(0)));
    loaded = { kernel: new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernel, memory };
    return loaded;
  } catch (cause) {
    throw new KingletError('ERR_ENGINE', 'this engine cannot compile the picture module', {
      cause, hint: 'It needs WebAssembly SIMD, and on pages with a content security policy script-src \'wasm-unsafe-eval\'.',
    });
  }
}

/** Fills `out` (width × height × channels elements) with what `region` of the picture shows. Throws ERR_IMAGE, ERR_USAGE, ERR_ENGINE, ERR_MEMORY. */
export function resample(picture: Picture, region: Region, target: Target, out: PixelArray): void {
  const pixelBytes = channelsOf(picture), { width, height } = target;
  checkSize(width, height);
  checkRegion(region);
  const { kernel, memory } = load();
  const sizes = [picture.width, picture.height] as const, span = [region.width, region.height] as const;
  const workBytes = kernel.workBytes(...sizes, ...span, width, height);
  if (!(workBytes <= MAX_WORK_BYTES)) throw imageError(`a picture of ${sizes.join('x')} cannot be scaled from ${span.join('x')} to ${width}x${height}`);
  const rowBytes = picture.width * pixelBytes, stripRows = Math.max(1, Math.floor(STRIP_BYTES / rowBytes));
  const dst = aligned(WORK + workBytes), strip = aligned(dst + out.byteLength);
  reserve(memory, strip + stripRows * rowBytes + SLACK_BYTES);
  kernel.begin(WORK, pixelBytes, ...sizes, region.x, region.y, ...span, width, height);
  const first = kernel.firstRow(WORK), end = kernel.endRow(WORK);
  if ((end - first) * width > 4 * MAX_PIXELS) throw imageError(`a picture of ${sizes.join('x')} is too much to scale to ${width}x${height}`);
  kernel.into(WORK, dst, out instanceof Float32Array ? 0 : out instanceof Uint8Array ? 1 : 2, target.channels, Number(target.layout === 'NCHW'), Number(target.blueFirst));
  for (let c = 0; c < target.channels; c++) kernel.normalise(WORK, c, target.mean[c], target.std[c], target.scale, target.zeroPoint);
  const bytes = new Uint8Array(memory.buffer);
  kernel.feed(WORK, strip, 0);
  for (let row = first; row < end; row += stripRows) {
    bytes.set(picture.data.subarray(row * rowBytes, Math.min(end, row + stripRows) * rowBytes), strip);
    kernel.feed(WORK, strip, Math.min(end - row, stripRows));
  }
  new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(bytes.subarray(dst, dst + out.byteLength));
}

function checkRegion({ x, y, width, height }: Region): void {
  if (width > 0 && height > 0 && Number.isFinite(x + y + width + height)) return;
  throw new KingletError('ERR_USAGE', 'the region of the picture is empty', { hint: 'A region has x, y, width and height in pixels; width and height are above 0.' });
}

function reserve(memory: WebAssembly.Memory, bytes: number): void {
  const pages = Math.ceil(bytes / PAGE_BYTES) - memory.buffer.byteLength / PAGE_BYTES;
  if (pages <= 0) return;
  try {
    memory.grow(pages);
  } catch (cause) {
    throw new KingletError('ERR_MEMORY', `there is no memory for ${(bytes / 1e6).toFixed(0)} MB of a picture`, { cause, hint: 'Make the picture smaller first.' });
  }
}

function aligned(at: number): number {
  return Math.ceil(at / 16) * 16;
}
