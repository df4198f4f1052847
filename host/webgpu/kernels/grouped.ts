// Every other convolution: groups of any width, views with any strides. Each thread makes four channels of one pixel, which share what
// they read where a group has whole vectors of them. In: a strided view, packed weights. Out: a dispatch. Must not know which op it serves.

import { linear, linearMain, weightRows, type Dispatch } from '../dispatch.ts';
import { storeText } from '../epilogue.ts';
import { ceil4 } from '../gpu-lowering.ts';
import { pixelText, windowParams } from '../window-params.ts';
import type { Convolution } from './convolution.ts';

export interface Grouped extends Convolution {
  readonly groups: number;
}

/** `src` may have any strides; weights are packed with each group's channels as they are. */
export function grouped(c: Grouped): Dispatch {
  const { src, shape, kernel, groups } = c;
  const store = storeText(c.epilogue, c.dst);
  const [pixels, n4] = [c.dst.shape[0], ceil4(shape[3]) / 4];
  const [inputs, outputs] = [src.shape[3] / groups, shape[3] / groups];
  const together = groups === 1 || outputs % 4 === 0;
  return {
    kernel: `grouped ${kernel[0]}x${kernel[1]}${together ? '' : ' by channel'}`,
    body: `${together ? vectorSum(c) : scalarSum(c)}
${store.text}
${linearMain}
  let n = i % p.n4;
  let m = i / p.n4;
  if (m >= p.m) { return; }
  ${pixelText('m', c)}
  ${together ? 'let sum = sumOf(image, y0, x0, n);'
    : 'let sum = vec4f(sumOf(image, y0, x0, 4 * n), sumOf(image, y0, x0, 4 * n + 1), sumOf(image, y0, x0, 4 * n + 2), sumOf(image, y0, x0, 4 * n + 3));'}
  store(m, n, sum);
}`,
    params: {
      m: pixels, n4, oc: shape[3], inputs, outputs, ...windowParams(src, shape, c.pads, 1), x_channel: src.strides[3], ...store.params,
    },
    reads: [
      { name: 'x', as: 'f32', view: src },
      weightRows('w', c.weights, together ? 'vec4f' : 'f32'),
      ...store.reads,
    ],
    write: store.write,
    workgroups: linear(n4 * pixels),
  };
}

/** The loops over the taps inside of the picture; `x_at` is the first channel of the group at a tap, `row` the first weight row of the tap. */
function taps({ kernel, dilations }: Grouped, group: string, inner: string): string {
  return `for (var ky = 0; ky < ${kernel[0]}; ky++) {
    let iy = y0 + ky * ${dilations[0]};
    if (iy < 0 || iy >= p.ih) { continue; }
    for (var kx = 0; kx < ${kernel[1]}; kx++) {
      let ix = x0 + kx * ${dilations[1]};
      if (ix < 0 || ix >= p.iw) { continue; }
      let at = p.x_at + image * p.x_batch + iy * p.x_row + ix * p.x_pixel + (${group}) * p.inputs * p.x_channel;
      let row = (ky * ${kernel[1]} + kx) * p.inputs + 1;
      for (var k = 0; k < p.inputs; k++) { ${inner} }
    }
  }`;
}

function vectorSum(c: Grouped): string {
  return `
fn sumOf(image: i32, y0: i32, x0: i32, n: i32) -> vec4f {
  var sum = vec4f(w[p.w_at + n]);
  ${taps(c, c.groups === 1 ? '0' : '4 * n / p.outputs', 'sum += x[at + k * p.x_channel] * vec4f(w[p.w_at + (row + k) * p.n4 + n]);')}
  return sum;
}`;
}

function scalarSum(c: Grouped): string {
  return `
fn sumOf(image: i32, y0: i32, x0: i32, c: i32) -> f32 {
  if (c >= p.oc) { return 0.0; }
  var sum = f32(w[p.w_at + c]);
  ${taps(c, 'c / p.outputs', 'sum += x[at + k * p.x_channel] * f32(w[p.w_at + (row + k) * 4 * p.n4 + c]);')}
  return sum;
}`;
}
