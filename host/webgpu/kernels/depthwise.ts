// Depthwise convolutions: each thread makes four channels of up to four neighbouring columns. The weights of a row of the window lie in
// registers, and every input of a row is read once for all columns. In: NHWC views, packed weights. Out: a dispatch.
// Must not know which op it serves.

import { linear, linearMain, weightRows, type Dispatch } from '../dispatch.ts';
import { storeText } from '../epilogue.ts';
import { ceil4 } from '../gpu-lowering.ts';
import { windowParams } from '../window-params.ts';
import type { Convolution } from './convolution.ts';

/** Weights are packed as taps of one input channel. */
export function depthwise(c: Convolution): Dispatch {
  const { src, shape: [batch, oh, ow, channels], kernel: [kh, kw], strides, dilations } = c;
  const store = storeText(c.epilogue, c.dst);
  const n4 = ceil4(channels) / 4;
  const columns = ow >= 4 ? 4 : 1;
  const across = Math.ceil(ow / columns);
  const each = (text: (column: number) => string): string => Array.from({ length: columns }, (_, r) => text(r)).join(' ');
  const body = `
fn load(row: i32, ix: i32) -> vec4f {
  return select(vec4f(), x[row + ix * p.x_pixel], ix >= 0 && ix < p.iw);
}
${store.text}
${linearMain}
  let n = i % p.n4;
  let column = ((i / p.n4) % p.across) * ${columns};
  let line = i / (p.n4 * p.across);
  if (line >= p.lines) { return; }
  let y0 = (line % p.oh) * ${strides[0]} - p.top;
  let x0 = column * ${strides[1]} - p.left;
  let image = p.x_at + (line / p.oh) * p.x_batch + n;
  let bias = vec4f(w[p.w_at + n]);
  ${each((r) => `var acc${r} = bias;`)}
  for (var ky = 0; ky < ${kh}; ky++) {
    let iy = y0 + ky * ${dilations[0]};
    if (iy < 0 || iy >= p.ih) { continue; }
    let row = image + iy * p.x_row;
    let at = p.w_at + (1 + ky * ${kw}) * p.n4 + n;
${rowText(kw, columns, strides[1], dilations[1])}
  }
  let m = line * p.ow + column;
  ${each((r) => `if (column + ${r} < p.ow) { store(m + ${r}, n, acc${r}); }`)}
}`;
  return {
    kernel: `depthwise ${kh}x${kw}`,
    body,
    params: { n4, across, lines: batch * oh, ...windowParams(src, c.shape, c.pads, 4), ...store.params },
    reads: [{ name: 'x', as: 'vec4f', view: src }, weightRows('w', c.weights), ...store.reads],
    write: store.write,
    workgroups: linear(n4 * across * batch * oh),
  };
}

/** One row of the window: its weights, then each input of the row with every column that it reaches. */
function rowText(kw: number, columns: number, stride: number, dilation: number): string {
  const reached = new Map<number, string[]>();
  for (let r = 0; r < columns; r++) for (let kx = 0; kx < kw; kx++) {
    const at = r * stride + kx * dilation;
    const sums = reached.get(at) ?? [];
    sums.push(`acc${r} += v * w${kx};`);
    reached.set(at, sums);
  }
  const weights = Array.from({ length: kw }, (_, kx) => `let w${kx} = vec4f(w[at + ${kx} * p.n4]);`);
  const inputs = [...reached].sort(([a], [b]) => a - b);
  return `    ${weights.join(' ')}
${inputs.map(([at, sums]) => `    { let v = load(row, x0 + ${at}); ${sums.join(' ')} }`).join('\n')}`;
}
