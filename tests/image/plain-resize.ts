// The definition of scaling, in plain loops: bilinear as Pillow's, a triangle filter that widens when it shrinks, across and then down,
// each rounded to whole steps. In: a Picture, a region, a size. Out: 8-bit RGB. Shares nothing with assembly/image but the rule.

import type { Picture } from '../../host/image/picture.ts';
import type { Region } from '../../host/image/region.ts';
import type { Target } from '../../host/image/resampler.ts';

/** The region, scaled to width × height, as RGB. */
export function plainResize(picture: Picture, width: number, height: number, region: Region): Uint8Array {
  const columns = taps(picture.width, width, region.x, region.width);
  const rows = taps(picture.height, height, region.y, region.height);
  const firstRow = rows.reduce((first, { from, weights }) => (weights.length > 0 ? Math.min(first, from) : first), picture.height);
  const endRow = rows.reduce((end, { from, weights }) => Math.max(end, from + weights.length), 0);
  return down(across(picture, columns, firstRow, endRow), width, firstRow, rows);
}

/** Weights are multiples of 2^-22, so that sums are exact and halves are told apart the same way everywhere. */
const WEIGHT_ONE = 2 ** 22;

/** The source positions [from, from + weights.length) that one output position mixes; none when it lies outside the picture. */
interface Tap {
  readonly from: number;
  readonly weights: readonly number[];
}

/** For each of `count` output positions spread over [from, from + span) of `size` source pixels. */
function taps(size: number, count: number, from: number, span: number): Tap[] {
  const step = span / count;
  const reach = Math.max(1, step);
  return Array.from({ length: count }, (_, i) => {
    const centre = from + (i + 0.5) * step;
    if (centre < 0 || centre > size) return { from: 0, weights: [] };
    const low = Math.max(0, Math.trunc(centre - reach + 0.5)), high = Math.min(size, Math.trunc(centre + reach + 0.5));
    const raw = Array.from({ length: high - low }, (_entry, k) => Math.max(0, 1 - Math.abs(low + k + 0.5 - centre) / reach));
    const sum = raw.reduce((a, b) => a + b, 0);
    return { from: low, weights: raw.map((weight) => Math.round((weight / sum) * WEIGHT_ONE) / WEIGHT_ONE) };
  });
}

/** Rows [firstRow, endRow) of the picture, scaled in width, as RGB. */
function across(picture: Picture, columns: readonly Tap[], firstRow: number, endRow: number): Uint8Array {
  const { data } = picture, channels = data.length / (picture.width * picture.height);
  const green = channels === 1 ? 0 : 1, blue = channels === 1 ? 0 : 2;
  const out = new Uint8Array(Math.max(0, endRow - firstRow) * columns.length * 3);
  for (let y = firstRow, o = 0; y < endRow; y++) {
    for (const { from, weights } of columns) {
      let r = 0, g = 0, b = 0;
      for (let k = 0, at = (y * picture.width + from) * channels; k < weights.length; k++, at += channels) {
        r += weights[k] * data[at];
        g += weights[k] * data[at + green];
        b += weights[k] * data[at + blue];
      }
      out[o++] = Math.min(255, Math.round(r));
      out[o++] = Math.min(255, Math.round(g));
      out[o++] = Math.min(255, Math.round(b));
    }
  }
  return out;
}

/** An RGB picture of `width`, whose first row is the source's `firstRow`, scaled in height. */
function down(narrow: Uint8Array, width: number, firstRow: number, rows: readonly Tap[]): Uint8Array {
  const rowSamples = width * 3;
  const out = new Uint8Array(rows.length * rowSamples);
  rows.forEach(({ from, weights }, y) => {
    for (let i = 0; i < rowSamples; i++) {
      let sum = 0;
      for (let k = 0, at = (from - firstRow) * rowSamples + i; k < weights.length; k++, at += rowSamples) sum += weights[k] * narrow[at];
      out[y * rowSamples + i] = Math.min(255, Math.round(sum));
    }
  });
  return out;
}

/** A tensor's elements, by the definition: what a network's input holds after the region was scaled. */
export function plainTensor(picture: Picture, region: Region, target: Target, dtype: string): number[] {
  const { width, height, channels, layout } = target, rgb = plainResize(picture, width, height, region);
  const quantised = (real: number): number => {
    const [low, high] = dtype === 'int8' ? [-128, 127] : [0, 255];
    return Math.min(high, Math.max(low, halfEven(real / target.scale) + target.zeroPoint));
  };
  return Array.from({ length: width * height * channels }, (_, i) => {
    const pixel = layout === 'NHWC' ? Math.floor(i / channels) : i % (width * height);
    const c = layout === 'NHWC' ? i % channels : Math.floor(i / (width * height));
    const [r, g, b] = rgb.subarray(3 * pixel, 3 * pixel + 3);
    const sample = channels === 1 ? Math.round(0.299 * r + 0.587 * g + 0.114 * b) : [r, g, b][target.blueFirst ? 2 - c : c];
    const real = (sample - target.mean[c]) / target.std[c];
    return dtype === 'float32' ? Math.fround(real) : quantised(real);
  });
}

function halfEven(x: number): number {
  const floor = Math.floor(x), rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}
