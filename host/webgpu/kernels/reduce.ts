// Means, sums, products and extremes over some axes. `globalPool` takes a whole plane per four channels, with 16 threads on each sum;
// `reduceAny` has a thread per result, or a workgroup where many terms make few results, and any strides. In: views. Out: a dispatch. Must not know which op it serves.

import type { View } from '../../plan/lowering.ts';
import { makeNest, selectAxes } from '../../plan/views.ts';
import { elementCount } from '../../tensor.ts';
import type { ReduceKind } from '../../ops/reduce.ts';
import { linear, linearMain, WORKGROUP, type Dispatch } from '../dispatch.ts';
import { ceil4 } from '../gpu-lowering.ts';
import { nestParams, nestText } from '../nest-text.ts';
import { acrossMain, acrossText, combined, neutral } from './across-threads.ts';

/** Threads per sum, and sums of four channels per workgroup. */
const SHARE = 16;

/** `src`: [N, H, W, C], `dst`: [N, C]; vectors of both. */
export function globalPool(src: View, dst: View, kind: ReduceKind): Dispatch {
  const [batch, height, width, channels] = src.shape;
  const n4 = ceil4(channels) / 4;
  return {
    kernel: `global pool ${kind}`,
    body: `
var<workgroup> part: array<vec4f, ${SHARE * SHARE}>;
@compute @workgroup_size(${SHARE}, ${SHARE})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let n = i32(group.x) * ${SHARE} + i32(local.x);
  let slice = i32(local.y);
  var sum = vec4f(${neutral[kind]});
  if (n < p.n4) {
    for (var m = slice; m < p.iw * p.ih; m += ${SHARE}) {
      let v = x[p.x_at + i32(group.y) * p.x_batch + (m / p.iw) * p.x_row + (m % p.iw) * p.x_pixel + n];
      sum = ${combined(kind, 'sum', 'v')};
    }
  }
  part[slice * ${SHARE} + i32(local.x)] = sum;
  workgroupBarrier();
  if (slice == 0 && n < p.n4) {
    for (var s = 1; s < ${SHARE}; s++) { sum = ${combined(kind, 'sum', `part[s * ${SHARE} + i32(local.x)]`)}; }
    y[p.y_at + i32(group.y) * p.y_row + n] = sum${kind === 'mean' ? ' / f32(p.iw * p.ih)' : ''};
  }
}`,
    params: {
      n4, ih: height, iw: width, x_batch: src.strides[0] / 4, x_row: src.strides[1] / 4, x_pixel: src.strides[2] / 4, y_row: dst.strides[0] / 4,
    },
    reads: [{ name: 'x', as: 'vec4f', view: src }],
    write: { name: 'y', as: 'vec4f', view: dst },
    workgroups: [Math.ceil(n4 / SHARE), batch, 1],
  };
}

/** Terms from which a workgroup shares a sum. */
const LONG = 4 * WORKGROUP;

/** `dst`: without the axes. Any strides. */
export function reduceAny(src: View, dst: View, kind: ReduceKind, axes: readonly number[], subgroups: boolean): Dispatch {
  const isKept = src.shape.map((_, i) => !axes.includes(i));
  const outer = makeNest([dst, selectAxes(src, isKept)]);
  const inner = makeNest([selectAxes(src, isKept.map((kept) => !kept))]);
  const terms = inner.dims.reduce((a, d) => a * d, 1), count = elementCount(dst.shape);
  const long = terms >= LONG;
  const places = (item: string): string => nestText(outer, item, [{ offset: 'to', first: 'p.y_at', name: 'o0' }, { offset: 'start', first: 'p.x_at', name: 'o1' }], 'o');
  const add = `{
    ${nestText(inner, 't', [{ offset: 'at', first: 'start', name: 'i0' }], 'i')}
    sum = ${combined(kind, 'sum', 'x[at]')};
  }`;
  const result = `sum${kind === 'mean' ? ' / f32(p.terms)' : ''}`;
  const alone = `
${linearMain}
  if (i >= p.count) { return; }
  ${places('i')}
  var sum = ${neutral[kind]};
  for (var t = 0; t < p.terms; t++) ${add}
  y[to] = ${result};
}`;
  const together = `${acrossMain('p.count', subgroups)}
  ${places('item')}
  var sum = ${neutral[kind]};
  for (var t = i32(lane); t < p.terms; t += ${WORKGROUP}) ${add}
  ${acrossText(kind, 'sum', subgroups)}
  if (lane == 0u) { y[to] = ${result}; }
}`;
  return {
    kernel: `reduce ${kind}${long ? ' long' : ''}`,
    body: long ? together : alone,
    params: { count, terms, ...nestParams(outer, 'o'), ...nestParams(inner, 'i') },
    reads: [{ name: 'x', as: 'f32', view: src }],
    write: { name: 'y', as: 'f32', view: dst },
    workgroups: linear(long ? count * WORKGROUP : count),
    subgroups: subgroups && long,
  };
}
