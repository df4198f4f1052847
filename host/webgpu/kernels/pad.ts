// A tensor with a border around it: constant, mirrored or the edge repeated. Each thread makes one element. In: views of up to six axes.
// Out: a dispatch. Must not know which op it serves.

import type { View } from '../../plan/lowering.ts';
import { elementCount } from '../../tensor.ts';
import type { PadAttrs, PadMode } from '../../ops/pad.ts';
import { linear, linearMain, type Dispatch, type Params } from '../dispatch.ts';

/** Where position `c` of an axis of `dim` elements comes from. */
const sources: Readonly<Record<PadMode, (c: string, dim: string) => string>> = {
  constant: (c) => c,
  edge: (c, dim) => `clamp(${c}, 0, ${dim} - 1)`,
  reflect: (c, dim) => `select(select(${c}, 2 * (${dim} - 1) - ${c}, ${c} >= ${dim}), -${c}, ${c} < 0)`,
  symmetric: (c, dim) => `select(select(${c}, 2 * ${dim} - 1 - ${c}, ${c} >= ${dim}), -${c} - 1, ${c} < 0)`,
};

/** Any strides. */
export function padded(src: View, dst: View, { pads, mode, value }: PadAttrs): Dispatch {
  const axes = dst.shape.map((_, d) => d);
  const lines = axes.toReversed().map((d) => `
  let c${d} = rest % p.d${d} - p.before${d};
  rest /= p.d${d};
  to += (c${d} + p.before${d}) * p.y${d};
  ${mode === 'constant' ? `inside = inside && c${d} >= 0 && c${d} < p.x_d${d};` : ''}
  from_at += (${sources[mode](`c${d}`, `p.x_d${d}`)}) * p.x${d};`);
  const params: Params = Object.fromEntries(axes.flatMap((d) => [
    [`d${d}`, dst.shape[d]], [`y${d}`, dst.strides[d]], [`x${d}`, src.strides[d]], [`before${d}`, pads[d]], [`x_d${d}`, src.shape[d]],
  ]));
  return {
    kernel: `pad ${mode}`,
    body: `
${linearMain}
  if (i >= p.count) { return; }
  var rest = i;
  var to = p.y_at;
  var from_at = p.x_at;
  var inside = true;${lines.join('')}
  var v = p.value;
  if (inside) { v = x[from_at]; }
  y[to] = v;
}`,
    params: { count: elementCount(dst.shape), value: { f32: value }, ...params },
    reads: [{ name: 'x', as: 'f32', view: src }],
    write: { name: 'y', as: 'f32', view: dst },
    workgroups: linear(elementCount(dst.shape)),
  };
}
