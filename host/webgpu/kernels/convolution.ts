// Dense convolutions with windows, on vectors of four channels: each thread makes four channels of up to four pixels, tap by tap.
// In: NHWC views, weights packed per tap (pack-weights.ts). Out: a dispatch. Must not know which op it serves.

import type { Address, View } from '../../plan/lowering.ts';
import type { Pads, Window } from '../../ops/window.ts';
import { linear, linearMain, weightRows, type Dispatch } from '../dispatch.ts';
import { storeText, type Epilogue } from '../epilogue.ts';
import { ceil4 } from '../gpu-lowering.ts';
import { pixelText, windowParams } from '../window-params.ts';

export interface Convolution extends Window {
  /** [N, H, W, C], of which vectors may be read. */
  readonly src: View;
  /** [pixels, channels]. */
  readonly dst: View;
  /** [N, OH, OW, OC]. */
  readonly shape: readonly number[];
  readonly pads: Pads;
  readonly weights: Address;
  readonly epilogue: Epilogue;
}

export function convolution(c: Convolution): Dispatch {
  const { src, shape, kernel, dilations } = c;
  const store = storeText(c.epilogue, c.dst);
  const [pixels, channels, n4] = [c.dst.shape[0], src.shape[3], ceil4(shape[3]) / 4];
  const rows = pixels >= 4 ? 4 : 1;
  const each = (text: (r: number) => string): string => Array.from({ length: rows }, (_, r) => `  ${text(r)}`).join('\n');
  const tail = channels % 4 === 0 ? '' : `if (k == p.k4 - 1) { v = select(vec4f(), v, vec4i(0, 1, 2, 3) < vec4i(${channels % 4})); }`;
  const body = `
fn start(image: i32, iy: i32, ix: i32) -> i32 {
  if (iy < 0 || iy >= p.ih || ix < 0 || ix >= p.iw) { return -1; }
  return p.x_at + image * p.x_batch + iy * p.x_row + ix * p.x_pixel;
}
fn load(at: i32, k: i32) -> vec4f {
  if (at < 0) { return vec4f(); }
  var v = x[at + k];
  ${tail}
  return v;
}
${store.text}
${linearMain}
  let n = i % p.n4;
  let m = (i / p.n4) * ${rows};
  if (m >= p.m) { return; }
  let bias = vec4f(w[p.w_at + n]);
${each((r) => `var acc${r} = bias; let m${r} = min(m + ${r}, p.m - 1); ${pixelText(`m${r}`, c, String(r))}`)}
  for (var ky = 0; ky < ${kernel[0]}; ky++) {
  for (var kx = 0; kx < ${kernel[1]}; kx++) {
${each((r) => `let at${r} = start(image${r}, y0${r} + ky * ${dilations[0]}, x0${r} + kx * ${dilations[1]});`)}
    var at = p.w_at + ((ky * ${kernel[1]} + kx) * 4 * p.k4 + 1) * p.n4 + n;
    for (var k = 0; k < p.k4; k++) {
      let w0 = vec4f(w[at]); let w1 = vec4f(w[at + p.n4]); let w2 = vec4f(w[at + 2 * p.n4]); let w3 = vec4f(w[at + 3 * p.n4]);
      at += 4 * p.n4;
${each((r) => `let v${r} = load(at${r}, k); acc${r} += v${r}.x * w0 + v${r}.y * w1 + v${r}.z * w2 + v${r}.w * w3;`)}
    }
  }
  }
${each((r) => `if (m + ${r} < p.m) { store(m + ${r}, n, acc${r}); }`)}
}`;
  return {
    kernel: `convolution ${kernel[0]}x${kernel[1]}`,
    body,
    params: { m: pixels, n4, k4: ceil4(channels) / 4, ...windowParams(src, shape, c.pads, 4), ...store.params },
    reads: [{ name: 'x', as: 'vec4f', view: src }, weightRows('w', c.weights), ...store.reads],
    write: store.write,
    workgroups: linear(n4 * Math.ceil(pixels / rows)),
  };
}
