// Random convolution problems, their packing by the letter of the contract, and plain-loop answers in float64 and exact integers.
// In: a seed. Out: a Problem for the machine, the arena before, the expected destination. Shares nothing with kernels or compiler.

import * as abi from '../../assembly/abi.ts';
import { align, integer, random, type Word } from './machine.ts';

export interface Shape {
  batch: number; ih: number; iw: number; ic: number; oh: number; ow: number; oc: number; groups: number;
  kh: number; kw: number; sh: number; sw: number; dh: number; dw: number; pt: number; pl: number;
  srcBatch: number; srcRow: number; srcPixel: number; srcChannel: number;
  dstBatch: number; dstPixel: number; dstChannel: number; direct: number; blockRows: number;
  /** f32: rows and weights in (c, ky, kx) order. */
  planar?: number;
}

/** Sizes that reach every tail; strides with holes; NCHW on either side; windows that hang out, also on the far side. */
export function randomShape(seed: number): Shape {
  const next = random(seed);
  const pick = (low: number, high: number): number => integer(next, low, high);
  const direct = pick(0, 2) === 0 ? 1 : 0;
  const groups = pick(0, 2) === 0 ? pick(2, 3) : 1;
  const batch = pick(1, 2), ic = pick(1, pick(0, 1) ? 9 : 37), oc = pick(1, pick(0, 3) ? 19 : 40);
  const oh = pick(0, 2) ? pick(1, 5) : 1, ow = pick(1, 14);
  const [kh, kw, sh, sw, dh, dw] = direct ? [1, 1, 1, 1, pick(1, 2), 1]
    : [pick(1, 4), pick(1, 5), pick(1, 3), pick(1, 3), pick(1, 2), pick(1, 2)];
  const pt = direct ? 0 : pick(-2, 3), pl = direct ? 0 : pick(-2, 3);
  const ih = direct ? oh : pick(1, 9), iw = direct ? ow : pick(1, 9);
  const planar = !direct && pick(0, 2) === 0;
  const srcChannel = planar ? ih * iw + pick(0, 3) : 1;
  const srcPixel = planar ? 1 : ic * groups + (pick(0, 1) ? 0 : pick(1, 7));
  const srcRow = iw * srcPixel + (direct ? 0 : pick(0, 1) * pick(1, 5));
  const dstPlanar = pick(0, 2) === 0;
  const dstChannel = dstPlanar ? oh * ow + pick(0, 3) : 1;
  const dstPixel = dstPlanar ? 1 : oc * groups + (pick(0, 1) ? 0 : pick(1, 7));
  const shape = {
    batch, ih, iw, ic, oh, ow, oc, groups, kh, kw, sh, sw, dh, dw, pt, pl, srcChannel, srcPixel, srcRow,
    srcBatch: 0, dstChannel, dstPixel, dstBatch: 0, direct, blockRows: 12 * pick(1, 3), planar: 0,
  };
  shape.srcBatch = Math.max(span(shape, 'src'), planar ? srcChannel * ic * groups : 0) + pick(0, 3);
  shape.dstBatch = span(shape, 'dst') + pick(0, 3);
  if (!direct) shape.planar = planar ? pick(0, 2) && 1 : Number(pick(0, 3) === 0);
  return shape;
}

/** Elements that one image reaches over. */
export function span(s: Shape, side: 'src' | 'dst'): number {
  return side === 'src'
    ? (s.ih - 1) * s.srcRow + (s.iw - 1) * s.srcPixel + (s.groups * s.ic - 1) * s.srcChannel + 1
    : (s.oh * s.ow - 1) * s.dstPixel + (s.groups * s.oc - 1) * s.dstChannel + 1;
}

/** Visits every product of output (n, pixel, g, c): tap index k and the source element, or -1 outside. */
export function eachTap(s: Shape, n: number, pixel: number, g: number, visit: (k: number, source: number) => void): void {
  const oy = Math.floor(pixel / s.ow), ox = pixel % s.ow;
  for (let ky = 0; ky < s.kh; ky++) {
    for (let kx = 0; kx < s.kw; kx++) {
      const iy = oy * s.sh - s.pt + ky * s.dh, ix = ox * s.sw - s.pl + kx * s.dw;
      const inside = iy >= 0 && iy < s.ih && ix >= 0 && ix < s.iw;
      for (let c = 0; c < s.ic; c++) {
        const source = n * s.srcBatch + iy * s.srcRow + ix * s.srcPixel + (g * s.ic + c) * s.srcChannel;
        visit((ky * s.kw + kx) * s.ic + c, inside ? source : -1);
      }
    }
  }
}

/** Every output element: its place in the destination and (n, pixel, group, channel). */
export function eachOutput(s: Shape, visit: (at: number, n: number, pixel: number, g: number, c: number) => void): void {
  for (let n = 0; n < s.batch; n++) {
    for (let pixel = 0; pixel < s.oh * s.ow; pixel++) {
      for (let g = 0; g < s.groups; g++) {
        for (let c = 0; c < s.oc; c++) visit(n * s.dstBatch + pixel * s.dstPixel + (g * s.oc + c) * s.dstChannel, n, pixel, g, c);
      }
    }
  }
}

export interface Layout { readonly srcAt: number; readonly dstAt: number; readonly scratchAt: number; readonly arenaBytes: number }

/** Source, destination and scratch in the arena, 64 bytes of canary around each. The destination comes last, ending tight. */
export function place(s: Shape, srcBytes: number, dstBytes: number, scratchBytes: number): Layout {
  const srcAt = 64;
  const scratchAt = align(srcAt + ((s.batch - 1) * s.srcBatch + span(s, 'src')) * srcBytes) + 64;
  const dstAt = align(scratchAt + scratchBytes) + 64;
  return { srcAt, scratchAt, dstAt, arenaBytes: dstAt + ((s.batch - 1) * s.dstBatch + span(s, 'dst')) * dstBytes };
}

export function convWords(s: Shape, at: Layout, scratchBytes: number): Map<number, Word> {
  return new Map<number, Word>([
    [abi.CONV_SRC, (p) => p.arena + at.srcAt], [abi.CONV_DST, (p) => p.arena + at.dstAt], [abi.CONV_WEIGHTS, (p) => p.weights],
    [abi.CONV_SCRATCH, (p) => p.arena + at.scratchAt], [abi.CONV_SCRATCH_BYTES, scratchBytes],
    [abi.CONV_BATCH, s.batch], [abi.CONV_IH, s.ih], [abi.CONV_IW, s.iw], [abi.CONV_IC, s.ic], [abi.CONV_OH, s.oh], [abi.CONV_OW, s.ow],
    [abi.CONV_OC, s.oc], [abi.CONV_GROUPS, s.groups], [abi.CONV_KH, s.kh], [abi.CONV_KW, s.kw], [abi.CONV_SH, s.sh], [abi.CONV_SW, s.sw],
    [abi.CONV_DH, s.dh], [abi.CONV_DW, s.dw], [abi.CONV_PT, s.pt], [abi.CONV_PL, s.pl], [abi.CONV_SRC_BATCH, s.srcBatch],
    [abi.CONV_SRC_ROW, s.srcRow], [abi.CONV_SRC_PIXEL, s.srcPixel], [abi.CONV_SRC_CHANNEL, s.srcChannel],
    [abi.CONV_DST_BATCH, s.dstBatch], [abi.CONV_DST_PIXEL, s.dstPixel], [abi.CONV_DST_CHANNEL, s.dstChannel],
    [abi.CONV_DIRECT, s.direct], [abi.CONV_BLOCK_ROWS, s.blockRows], [abi.CONV_PLANAR, s.planar ?? 0],
  ]);
}

/** What a float32 convolution may apply to its sums: words [kind, p0, p1] and the function; the first one is none. */
export const activations: readonly { readonly words: readonly Word[]; readonly real: (x: number) => number }[] = [
  { words: [0, 0, 0], real: (x) => x },
  { words: [abi.UNARY_HARD_SWISH, 0, 0], real: (x) => x * Math.min(Math.max(x / 6 + 0.5, 0), 1) },
  { words: [abi.UNARY_HARD_SIGMOID, { f32: 0.25 }, { f32: 0.5 }], real: (x) => Math.min(Math.max(x / 4 + 0.5, 0), 1) },
  { words: [abi.UNARY_LEAKY_RELU, { f32: 0.125 }, 0], real: (x) => Math.max(x, 0.125 * x) },
  { words: [abi.UNARY_SWISH, 0, 0], real: (x) => x / (1 + Math.exp(-x)) },
];
/** Its place in that list that stands where a clamp would. */
export const LEAKY = 3;

/** Sets the words of an activation from operand `at` on; returns the function. */
export function activate(words: Map<number, Word>, at: number, kind: number): (x: number) => number {
  const activation = activations[kind];
  if (!activation) throw new Error(`no activation ${kind}`);
  activation.words.forEach((word, i) => words.set(at + 4 * i, word));
  return activation.real;
}

/** clamp(rint(f32(acc) * scale) + zero), rint to even, every step in float32. */
export function requantised(acc: number, scale: number, zero: number, min: number, max: number): number {
  const x = Math.fround(Math.fround(acc) * scale), floor = Math.floor(x), half = x - floor;
  const rounded = half > 0.5 || (half === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
  return Math.min(Math.max(rounded + zero, min), max);
}
