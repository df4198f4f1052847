// The first layer: small windows on few channels that lie anyhow, for example in the planes of NCHW. Each thread reads the taps of one
// pixel once, into registers, and makes all output channels of them. In: a strided view, packed weights. Out: a dispatch.
// Must not know which op it serves.

import { linear, linearMain, weightRows, type Dispatch } from '../dispatch.ts';
import { storeText } from '../epilogue.ts';
import { ceil4 } from '../gpu-lowering.ts';
import { pixelText, windowParams } from '../window-params.ts';
import type { Convolution } from './convolution.ts';

/** Most taps that a thread keeps in registers. */
export const STEM_TAPS = 48;

/** `src` may have any strides; weights are packed with the channels as they are. */
export function stem(c: Convolution): Dispatch {
  const { src, shape, kernel: [kh, kw], dilations } = c;
  const store = storeText(c.epilogue, c.dst);
  const [pixels, channels, n4] = [c.dst.shape[0], src.shape[3], ceil4(shape[3]) / 4];
  const taps = Array.from({ length: kh * kw * channels }, (_, t) => ({
    t, ky: Math.floor(t / (kw * channels)), kx: Math.floor(t / channels) % kw, channel: t % channels,
  }));
  const body = `
fn at(image: i32, iy: i32, ix: i32, channel: i32) -> f32 {
  if (iy < 0 || iy >= p.ih || ix < 0 || ix >= p.iw) { return 0.0; }
  return x[p.x_at + image * p.x_batch + iy * p.x_row + ix * p.x_pixel + channel * p.x_channel];
}
${store.text}
${linearMain}
  if (i >= p.m) { return; }
  ${pixelText('i', c)}
${taps.map(({ t, ky, kx, channel }) => `  let v${t} = at(image, y0 + ${ky * dilations[0]}, x0 + ${kx * dilations[1]}, ${channel});`).join('\n')}
  for (var n = 0; n < p.n4; n++) {
    var sum = vec4f(w[p.w_at + n]);
    let at = p.w_at + p.n4 + n;
${taps.map(({ t }) => `    sum += v${t} * vec4f(w[at + ${t} * p.n4]);`).join('\n')}
    store(i, n, sum);
  }
}`;
  return {
    kernel: `stem ${kh}x${kw}`,
    body,
    params: { m: pixels, n4, ...windowParams(src, shape, c.pads, 1), x_channel: src.strides[3], ...store.params },
    reads: [{ name: 'x', as: 'f32', view: src }, weightRows('w', c.weights), ...store.reads],
    write: store.write,
    workgroups: linear(pixels),
  };
}
