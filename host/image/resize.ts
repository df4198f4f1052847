// Scales a picture to a network's input size. In: a Picture, a size, how to fit. Out: 8-bit RGB of exactly that size.
// Bilinear as Pillow's: a triangle filter that widens when it shrinks, across and then down, each rounded to whole steps.
// Must not know tensors.

import { KingletError } from '../error.ts';
import { channelsOf, checkSize } from './picture.ts';
import type { Picture } from './picture.ts';

/** stretch: the whole picture, proportions lost. crop: the largest centred part of the right proportions. pad: all of it, black bars. */
export const fits = ['stretch', 'crop', 'pad'] as const;
export type Fit = (typeof fits)[number];

/** A rectangle in source pixels; it may reach beyond the picture, where everything is black. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The part of a picture that `fit` shows in a frame of the given size. */
export function regionOf(picture: { width: number; height: number }, frame: { width: number; height: number }, fit: Fit): Region {
  const { width, height } = picture;
  if (fit === 'stretch') return { x: 0, y: 0, width, height };
  const byWidth = width / frame.width, byHeight = height / frame.height;
  const scale = fit === 'crop' ? Math.min(byWidth, byHeight) : Math.max(byWidth, byHeight);
  const w = frame.width * scale, h = frame.height * scale;
  return { x: (width - w) / 2, y: (height - h) / 2, width: w, height: h };
}

/** The region, scaled to width × height, as RGB. */
export function resize(picture: Picture, width: number, height: number, region: Region): Uint8Array {
  checkSize(width, height);
  if (!(region.width > 0 && region.height > 0 && Number.isFinite(region.x + region.y + region.width + region.height))) {
    throw new KingletError('ERR_USAGE', 'the region of the picture is empty');
  }
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
  const channels = channelsOf(picture), { data } = picture;
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
      out[o++] = Math.round(r);
      out[o++] = Math.round(g);
      out[o++] = Math.round(b);
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
      out[y * rowSamples + i] = Math.round(sum);
    }
  });
  return out;
}
