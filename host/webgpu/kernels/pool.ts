// Largest or mean element of NHWC windows: each thread makes four channels of one pixel. In: views, a window. Out: a dispatch.
// Must not know which op it serves.

import type { View } from '../../plan/lowering.ts';
import type { Pool2dAttrs } from '../../ops/pool2d.ts';
import { linear, linearMain, type Dispatch } from '../dispatch.ts';
import { bound, clampText } from '../elementwise-text.ts';
import { ceil4 } from '../gpu-lowering.ts';
import { pixelText, windowParams } from '../window-params.ts';

/** `src`: [N, H, W, C]; `dst`: [pixels, C] for the output `shape`; vectors of both. */
export function pool(src: View, dst: View, shape: readonly number[], attrs: Pool2dAttrs): Dispatch {
  const { kernel, dilations, pads, kind, countIncludePad } = attrs;
  const n4 = ceil4(shape[3]) / 4;
  const largest = kind === 'max';
  const counted = '(iy >= -p.top && iy < p.ih + p.bottom && ix >= -p.left && ix < p.iw + p.right)';
  const body = `
${linearMain}
  let n = i % p.n4;
  let m = i / p.n4;
  if (m >= p.m) { return; }
  ${pixelText('m', attrs)}
  var sum = vec4f(${largest ? '-3.4028234e38' : '0.0'});
  var count = 0.0;
  for (var ky = 0; ky < ${kernel[0]}; ky++) {
    let iy = y0 + ky * ${dilations[0]};
    for (var kx = 0; kx < ${kernel[1]}; kx++) {
      let ix = x0 + kx * ${dilations[1]};
      let inside = iy >= 0 && iy < p.ih && ix >= 0 && ix < p.iw;
      if (${countIncludePad ? counted : 'inside'}) { count += 1.0; }
      if (!inside) { continue; }
      let v = x[p.x_at + image * p.x_batch + iy * p.x_row + ix * p.x_pixel + n];
      sum = ${largest ? 'max(sum, v)' : 'sum + v'};
    }
  }
  let result = ${largest ? 'sum' : 'sum / count'};
  y[p.y_at + m * p.y_pixel + n] = ${clampText('result', attrs, 'vec4f', ['p.low', 'p.high'])};
}`;
  return {
    kernel: `pool ${kind} ${kernel[0]}x${kernel[1]}`,
    body,
    params: {
      m: dst.shape[0], n4, ...windowParams(src, shape, pads, 4), bottom: pads[2], right: pads[3], y_pixel: dst.strides[0] / 4,
      low: bound(attrs.min), high: bound(attrs.max),
    },
    reads: [{ name: 'x', as: 'vec4f', view: src }],
    write: { name: 'y', as: 'vec4f', view: dst },
    workgroups: linear(n4 * dst.shape[0]),
  };
}
