// Products of two matrices that are both computed at run time, with broadcast batches: each thread makes one element. In: views with any
// strides. Out: a dispatch. Products with constants are pointwise.ts. Must not know which op it serves.

import type { View } from '../../plan/lowering.ts';
import { makeNest } from '../../plan/views.ts';
import type { Clamp } from '../../ops/activation.ts';
import type { UnaryAttrs } from '../../ops/unary.ts';
import { elementCount } from '../../tensor.ts';
import { linear, linearMain, type Dispatch } from '../dispatch.ts';
import { bound, clampText, unaryText } from '../elementwise-text.ts';
import { nestParams, nestText } from '../nest-text.ts';

export interface Products {
  /** […, M, K], […, K, N], […, M, N], with equal batch dims. */
  readonly a: View;
  readonly b: View;
  readonly dst: View;
  /** [N] */
  readonly bias: View | null;
  readonly clamp: Clamp;
  readonly activation?: UnaryAttrs | undefined;
}

export function matrixProducts({ a, b, dst, bias, clamp, activation }: Products): Dispatch {
  const batch = (view: View): View => ({ ...view, shape: view.shape.slice(0, -2), strides: view.strides.slice(0, -2) });
  const nest = makeNest([batch(dst), batch(a), batch(b)]);
  const [m, n] = dst.shape.slice(-2);
  const [row, column] = [(view: View): number => view.strides.at(-2) ?? 0, (view: View): number => view.strides.at(-1) ?? 0];
  const count = elementCount(dst.shape);
  return {
    kernel: 'matrix products',
    body: `
${linearMain}
  if (i >= p.count) { return; }
  let column = i % p.n;
  let row = (i / p.n) % p.m;
  ${nestText(nest, '(i / (p.n * p.m))', [{ offset: 'to', first: 'p.y_at', name: 'e0' }, { offset: 'a_at', first: 'p.a_at', name: 'e1' }, { offset: 'b_at', first: 'p.b_at', name: 'e2' }], 'e')}
  a_at += row * p.a_row;
  b_at += column * p.b_column;
  var sum = ${bias ? 'offsets[p.offsets_at + column * p.offsets_column]' : '0.0'};
  for (var k = 0; k < p.k; k++) { sum += a[a_at + k * p.a_column] * b[b_at + k * p.b_row]; }
  let v = ${clampText('sum', clamp, 'f32', ['p.low', 'p.high'])};
  y[to + row * p.y_row + column * p.y_column] = ${activation ? unaryText(activation.kind, 'v', 'f32') : 'v'};
}`,
    params: {
      count, m, n, k: a.shape.at(-1) ?? 0, a_row: row(a), a_column: column(a), b_row: row(b), b_column: column(b), y_row: row(dst), y_column: column(dst),
      low: bound(clamp.min), high: bound(clamp.max), ...nestParams(nest, 'e'), ...(bias ? { offsets_column: bias.strides[0] } : {}),
      ...(activation ? { p0: bound(activation.p0), p1: bound(activation.p1) } : {}),
    },
    reads: [{ name: 'a', as: 'f32', view: a }, { name: 'b', as: 'f32', view: b }, ...(bias ? [{ name: 'offsets', as: 'f32', view: bias } as const] : [])],
    write: { name: 'y', as: 'f32', view: dst },
    workgroups: linear(count),
  };
}
