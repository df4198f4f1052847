// The uniforms and the address arithmetic that kernels with sliding windows share. In: NHWC views, a window. Out: params and WGSL text.
// Must not know what a kernel does at each position.

import type { View } from '../plan/lowering.ts';
import type { Pads, Window } from '../ops/window.ts';
import type { Params } from './dispatch.ts';

/** Strides and sizes of the source, in units of `per` floats, the output's plane, and the first pads. */
export function windowParams(src: View, [, oh, ow]: readonly number[], pads: Pads, per: 1 | 4): Params {
  return {
    ih: src.shape[1], iw: src.shape[2], oh, ow, top: pads[0], left: pads[1],
    x_batch: src.strides[0] / per, x_row: src.strides[1] / per, x_pixel: src.strides[2] / per,
  };
}

/** Declares n, oy and ox of pixel `m` (all pixels of all images in a row), and y0 and x0, where its window starts. */
export function pixelText(m: string, { strides }: Pick<Window, 'strides'>, suffix = ''): string {
  return `let image${suffix} = ${m} / (p.oh * p.ow);
  let y0${suffix} = ((${m} / p.ow) % p.oh) * ${strides[0]} - p.top;
  let x0${suffix} = (${m} % p.ow) * ${strides[1]} - p.left;`;
}
