// Winograd convolution F(4x4,3x3): which layers it is for, its weights and its scratch.
// In: HWIO constants of 3x3 layers, sizes. Out: the panels and planes of assembly/kernels/f32-winograd.ts. Must not know graphs,
// views or steps.
//
// Toom-Cook with the points 0, ±√½, ±√2 and infinity (Lavin and Gray 2016 use 0, ±1, ±2): row p of G is [1, p, p²] / Π(p - q) over
// the other points q, here divided by the scales that the kernel's transforms give to the rows of their matrices.

import type { Constant } from '../graph/graph.ts';
import { numbers } from '../tensor.ts';
import { PANEL } from './pack-conv.ts';

export interface WinogradShape {
  readonly ic: number;
  readonly oc: number;
  /** Output lines and columns. */
  readonly oh: number;
  readonly ow: number;
}

/** Products per tile of 4x4 outputs. */
const PRODUCTS = 36;
/** Measured (docs/kernels.md): what a transform costs per tile and channel, in products. */
const TRANSFORM = 6;
/** A weight that is read once counts as much as this many products: four for the reading, and as much for its place in the file. */
const WEIGHT = 8;
/** Weights are four times as many and results less exact: the gain has to be clear. */
const WORTHWHILE = 0.7;

const tilesOf = ({ oh, ow }: WinogradShape): number => Math.ceil(oh / 4) * Math.ceil(ow / 4);

/** Expected largest error over largest output: rounding grows with the root of the channels that are added up (docs/kernels.md). */
export function winogradError(ic: number): number {
  return 4e-7 * Math.sqrt(ic);
}

/** True when the layer gains clearly, and its error is expected to stay within `tolerance` of its largest output. */
export function winogradPays(shape: WinogradShape, tolerance: number): boolean {
  const { ic, oc, oh, ow } = shape;
  // Both sides over ic*oc.
  const tile = PRODUCTS * (1 + TRANSFORM / ic + TRANSFORM / oc);
  const cost = tilesOf(shape) * tile + PRODUCTS * WEIGHT;
  const direct = 9 * (oh * ow + WEIGHT);
  return winogradError(ic) <= tolerance && cost <= WORTHWHILE * direct;
}

/** Factors of one block stay within half of a second-level cache, unless weights would be read for fewer tiles than this. */
const BLOCK_BYTES = 512 * 1024;
const MIN_TILES = 24;
/** Words of a step and a tile between two passes. */
const SCRATCH_HEAD = 192 + 576;

/** Tiles per block, all blocks alike, and the scratch they need. */
export function winogradBlock(shape: WinogradShape): { tiles: number; scratchBytes: number } {
  const rowBytes = Math.ceil(shape.ic / 4) * 16;
  const blocks = Math.ceil(tilesOf(shape) / Math.max(MIN_TILES, Math.floor(BLOCK_BYTES / PRODUCTS / rowBytes)));
  const tiles = Math.ceil(tilesOf(shape) / blocks);
  const plane = (bytes: number): number => Math.ceil(bytes / 128) * 128 + 64;
  return { tiles, scratchBytes: SCRATCH_HEAD + PRODUCTS * (plane(tiles * rowBytes) + plane(tiles * PANEL * 4)) };
}

/** What one direction of the kernel's output transform turns into 1, 1, 1, 1. */
const ONES = [0.5, Math.SQRT2 / 4, -Math.SQRT2 / 4, 0.25, 0.25, 0.5];

/** w[3, 3, ic, oc] → per panel of 8 columns, per product: [start 8][ic][8] float32, computed in float64 and rounded once. */
export function packWinograd(weights: Constant, bias: Constant | null): Float32Array {
  const [, , ic = 1, oc = 1] = weights.shape;
  const w = numbers(weights);
  const shift = bias ? numbers(bias) : null;
  const productSize = (ic + 1) * PANEL;
  const out = new Float32Array(Math.ceil(oc / PANEL) * PRODUCTS * productSize);
  const factors = new Float64Array(PRODUCTS);
  for (let o = 0; o < oc; o++) {
    const at = Math.floor(o / PANEL) * PRODUCTS * productSize + (o % PANEL);
    const start = shift?.[o] ?? 0;
    for (let i = 0; i < PRODUCTS; i++) out[at + i * productSize] = start * ONES[Math.floor(i / 6)] * ONES[i % 6];
    for (let c = 0; c < ic; c++) {
      transform(w, c * oc + o, ic * oc, factors);
      for (let i = 0; i < PRODUCTS; i++) out[at + i * productSize + (c + 1) * PANEL] = factors[i];
    }
  }
  return out;
}

/** G g Gᵀ of the nine weights at `first`, `step` apart: down the columns, then along the lines. */
function transform(w: ArrayLike<number>, first: number, step: number, factors: Float64Array): void {
  for (let x = 0; x < 3; x++) multiplyG(w, first + x * step, 3 * step, factors, x, 6);
  for (let y = 0; y < 6; y++) multiplyG(factors, 6 * y, 1, factors, 6 * y, 1);
}

/**
 * G times the three numbers at `from`. Π(p - q) is -3/2 at ±√½ and 6 at ±√2, and the kernel's rows there are 2√2 and -2 times as
 * large as Toom-Cook's.
 */
function multiplyG(g: ArrayLike<number>, from: number, step: number, out: Float64Array, to: number, outStep: number): void {
  const g0 = g[from], g1 = g[from + step], g2 = g[from + 2 * step];
  const near = (g0 + g2 / 2) / (-3 * Math.SQRT2), far = (g0 + 2 * g2) / -12;
  out[to] = g0;
  out[to + outStep] = near - g1 / 6;
  out[to + 2 * outStep] = near + g1 / 6;
  out[to + 3 * outStep] = far - g1 * (Math.SQRT2 / 12);
  out[to + 4 * outStep] = far + g1 * (Math.SQRT2 / 12);
  out[to + 5 * outStep] = g2;
}
