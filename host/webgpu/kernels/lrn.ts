// Local response normalisation over neighbouring channels: each thread makes one element. In: views as [pixels, C]. Out: a dispatch.
// Must not know which op it serves.

import type { View } from '../../plan/lowering.ts';
import type { LrnAttrs } from '../../ops/lrn.ts';
import { linear, linearMain, type Dispatch } from '../dispatch.ts';

/** Any strides. */
export function localResponse(src: View, dst: View, { before, after, scale, bias, beta }: LrnAttrs): Dispatch {
  const [pixels, channels] = src.shape;
  return {
    kernel: 'local response',
    body: `
${linearMain}
  let c = i % p.channels;
  let m = i / p.channels;
  if (m >= p.pixels) { return; }
  let line = p.x_at + m * p.x_pixel;
  var sum = 0.0;
  for (var k = max(0, c - p.before); k <= min(p.channels - 1, c + p.after); k++) {
    let v = x[line + k * p.x_channel];
    sum += v * v;
  }
  y[p.y_at + m * p.y_pixel + c * p.y_channel] = x[line + c * p.x_channel] * pow(p.bias + p.scale * sum, -p.beta);
}`,
    params: {
      pixels, channels, before, after, scale: { f32: scale }, bias: { f32: bias }, beta: { f32: beta },
      x_pixel: src.strides[0], x_channel: src.strides[1], y_pixel: dst.strides[0], y_channel: dst.strides[1],
    },
    reads: [{ name: 'x', as: 'f32', view: src }],
    write: { name: 'y', as: 'f32', view: dst },
    workgroups: linear(pixels * channels),
  };
}
