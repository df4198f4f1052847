// Resizing by tables: each output row and column names its 1, 2 or 4 neighbours and their weights (nearest, linear, cubic). Each thread
// makes four channels of one pixel. In: views, tables as floats. Out: a dispatch. Must not know how the tables were made.

import type { Address, View } from '../../plan/lowering.ts';
import { linear, linearMain, type Dispatch } from '../dispatch.ts';
import { ceil4 } from '../gpu-lowering.ts';

export interface Resized {
  /** [N, H, W, C]. */
  readonly src: View;
  /** [pixels, C]. */
  readonly dst: View;
  /** [N, OH, OW, C]. */
  readonly shape: readonly number[];
  /** Neighbours per axis. */
  readonly taps: 1 | 2 | 4;
  /** OH rows, then OW columns; each [index × taps, weight × taps]. */
  readonly table: Address;
}

export function resized({ src, dst, shape, taps, table }: Resized): Dispatch {
  const n4 = ceil4(shape[3]) / 4;
  return {
    kernel: `resize ${taps}x${taps}`,
    body: `
${linearMain}
  let n = i % p.n4;
  let m = i / p.n4;
  if (m >= p.m) { return; }
  let rows = p.table_at + ((m / p.ow) % p.oh) * ${2 * taps};
  let columns = p.table_at + (p.oh + m % p.ow) * ${2 * taps};
  let image = p.x_at + (m / (p.ow * p.oh)) * p.x_batch + n;
  var sum = vec4f();
  for (var a = 0; a < ${taps}; a++) {
    let row = image + i32(table[rows + a]) * p.x_row;
    for (var b = 0; b < ${taps}; b++) {
      let v = x[row + i32(table[columns + b]) * p.x_pixel];
      sum += ${taps === 1 ? 'v' : `table[rows + ${taps} + a] * table[columns + ${taps} + b] * v`};
    }
  }
  y[p.y_at + m * p.y_pixel + n] = sum;
}`,
    params: {
      m: dst.shape[0], n4, oh: shape[1], ow: shape[2], x_batch: src.strides[0] / 4, x_row: src.strides[1] / 4, x_pixel: src.strides[2] / 4,
      y_pixel: dst.strides[0] / 4,
    },
    reads: [{ name: 'x', as: 'vec4f', view: src }, { name: 'table', as: 'f32', view: { ...dst, at: table } }],
    write: { name: 'y', as: 'vec4f', view: dst },
    workgroups: linear(n4 * dst.shape[0]),
  };
}
