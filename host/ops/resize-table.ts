// The definition of resizing: which input rows (or columns) an output row is made of, and how. In: attributes and one axis.
// Out: indices and weights; the reference reads them, and so do the kernels, as tables. Must not know tensors.
// Coordinates are formed in float32, step by step, because rounding decides which neighbour a nearest pixel gets.

import type { Pair } from './window.ts';

export type Coordinates = 'half_pixel' | 'pytorch_half_pixel' | 'align_corners' | 'asymmetric' | 'tf_half_pixel_for_nn' | 'tf_crop_and_resize';
export type Nearest = 'round_prefer_floor' | 'round_prefer_ceil' | 'floor' | 'ceil';

/** Part of the input that the output shows, both ends as a share of its length less one: tf_crop_and_resize. */
export interface Crop {
  readonly start: Pair;
  readonly end: Pair;
  /** Output pixels that the part is stretched over; `size` of them, from `first` on, are made. */
  readonly whole: Pair;
  readonly first: Pair;
}
/** Keys 1981: `a` is the slope at distance 1; taps outside of the input repeat its border, or are left out. */
export interface Cubic {
  readonly a: number;
  readonly excludeOutside: boolean;
}

export interface ResizeAttrs {
  readonly mode: 'nearest' | 'linear' | 'cubic';
  /** [OH, OW]. */
  readonly size: Pair;
  /** Output pixels per input pixel, as the coordinates use them. */
  readonly scales: Pair;
  /** Input pixels per output pixel where the format multiplies by them (TFLite) instead of dividing by `scales` (ONNX). */
  readonly ratio?: Pair;
  readonly coordinates: Coordinates;
  readonly nearest: Nearest;
  /** Present: coordinates are tf_crop_and_resize. */
  readonly crop?: Crop;
  /** Present: mode is cubic. */
  readonly cubic?: Cubic;
}

/** Four neighbours and their weights. */
export interface CubicEntry {
  readonly indices: readonly number[];
  readonly weights: readonly number[];
}

export interface LinearEntry {
  readonly index0: number;
  readonly index1: number;
  /** Weight of index1. */
  readonly weight: number;
}

const f32 = Math.fround;

/** Where output position `at` lies in the input, not yet clamped. */
function coordinate(attrs: ResizeAttrs, axis: 0 | 1, input: number, at: number): number {
  const output = attrs.size[axis];
  const ratio = attrs.ratio?.[axis];
  const scaled = (v: number): number => (ratio === undefined ? f32(v / f32(attrs.scales[axis])) : f32(v * f32(ratio)));
  switch (attrs.coordinates) {
    case 'asymmetric': return scaled(at);
    case 'tf_half_pixel_for_nn': return scaled(f32(at + 0.5));
    case 'half_pixel': return f32(scaled(f32(at + 0.5)) - 0.5);
    case 'pytorch_half_pixel': return output > 1 ? f32(scaled(f32(at + 0.5)) - 0.5) : 0;
    case 'align_corners':
      if (ratio !== undefined) return f32(at * f32(ratio));
      return output > 1 ? f32(f32(at * (input - 1)) / f32(resizedLength(attrs, axis, input) - 1)) : 0;
    case 'tf_crop_and_resize': return attrs.crop ? cropped(attrs.crop, axis, input, at) : at;
  }
}

function cropped(crop: Crop, axis: 0 | 1, input: number, at: number): number {
  const [start, end, whole] = [f32(crop.start[axis]), f32(crop.end[axis]), crop.whole[axis]];
  if (whole === 1) return f32(f32(f32(0.5) * f32(start + end)) * (input - 1));
  const moved = f32(f32(f32((at + crop.first[axis]) * f32(end - start)) * (input - 1)) / (whole - 1));
  return f32(f32(start * (input - 1)) + moved);
}

/** The output positions [from, to) whose coordinates lie inside of the input: one run, because coordinates only grow or only shrink. */
export function insideRange(attrs: ResizeAttrs, axis: 0 | 1, input: number): { from: number; to: number } {
  const isInside = (at: number): boolean => {
    const where = coordinate(attrs, axis, input, at);
    return where >= 0 && where <= input - 1;
  };
  let from = 0;
  while (from < attrs.size[axis] && !isInside(from)) from++;
  let to = from;
  while (to < attrs.size[axis] && isInside(to)) to++;
  return { from, to };
}

/** The output's length before it was rounded down: what ONNX stretches between the corners when a model gives scales. */
function resizedLength(attrs: ResizeAttrs, axis: 0 | 1, input: number): number {
  const length = f32(input * f32(attrs.scales[axis]));
  return Math.abs(length - attrs.size[axis]) < 1e-3 ? attrs.size[axis] : length;
}

function clampTo(value: number, input: number): number {
  return Math.min(input - 1, Math.max(0, value));
}

function toIndex(value: number, nearest: Nearest): number {
  switch (nearest) {
    case 'floor': return Math.floor(value);
    case 'ceil': return Math.ceil(value);
    case 'round_prefer_floor': return Math.ceil(value - 0.5);
    case 'round_prefer_ceil': return Math.floor(value + 0.5);
  }
}

/** Input index of every output index along one axis. */
export function nearestTable(attrs: ResizeAttrs, axis: 0 | 1, input: number): number[] {
  return Array.from({ length: attrs.size[axis] }, (_, at) => clampTo(toIndex(coordinate(attrs, axis, input, at), attrs.nearest), input));
}

/** The two neighbours of every output index along one axis; beyond the borders the border's pixel goes on. */
export function linearTable(attrs: ResizeAttrs, axis: 0 | 1, input: number): LinearEntry[] {
  return Array.from({ length: attrs.size[axis] }, (_, at) => {
    const where = clampTo(coordinate(attrs, axis, input, at), input);
    const index0 = Math.floor(where);
    return { index0, index1: Math.min(index0 + 1, input - 1), weight: f32(where - index0) };
  });
}

/** The four neighbours of every output index along one axis, weighted by cubic convolution (Keys 1981, equations 4 and 8). */
export function cubicTable(attrs: ResizeAttrs, axis: 0 | 1, input: number): CubicEntry[] {
  const { a, excludeOutside } = attrs.cubic ?? { a: -0.75, excludeOutside: false };
  return Array.from({ length: attrs.size[axis] }, (_, at) => {
    const where = coordinate(attrs, axis, input, at);
    const taps = [-1, 0, 1, 2].map((k) => Math.floor(where) + k);
    const kept = taps.map((tap) => (excludeOutside && (tap < 0 || tap >= input) ? 0 : keys(Math.abs(where - tap), a)));
    const sum = excludeOutside ? kept.reduce((total, weight) => total + weight, 0) : 1;
    return { indices: taps.map((tap) => clampTo(tap, input)), weights: kept.map((weight) => f32(weight / sum)) };
  });
}

function keys(distance: number, a: number): number {
  if (distance <= 1) return ((a + 2) * distance - (a + 3)) * distance ** 2 + 1;
  return distance < 2 ? ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a : 0;
}
