// Views of views: transpose, slice, reshape and broadcast as arithmetic on strides, and loop nests for elementwise kernels.
// In: views. Out: views (or undefined where strides cannot say it) and nests of at most six dims. Must not know ops.

import { KingletError } from '../error.ts';
import { elementBytes, type Shape } from '../tensor.ts';
import { offset, type View } from './lowering.ts';

export function transposeView(view: View, perm: readonly number[]): View {
  return { ...view, shape: perm.map((p) => view.shape[p] ?? 1), strides: perm.map((p) => view.strides[p] ?? 0) };
}

/** Element `starts`, every `steps`-th (may be negative), `shape` elements along each axis. */
export function sliceView(view: View, starts: readonly number[], steps: readonly number[], shape: Shape): View {
  let elements = 0;
  const strides = view.strides.map((stride, i) => {
    elements += (starts[i] ?? 0) * stride;
    return stride * (steps[i] ?? 1);
  });
  return { ...view, shape, strides, at: offset(view.at, elements * elementBytes[view.dtype]) };
}

/** The axes that are `wanted`, as a tensor of their own. */
export function selectAxes(view: View, wanted: readonly boolean[]): View {
  return { ...view, shape: view.shape.filter((_, i) => wanted[i]), strides: view.strides.filter((_, i) => wanted[i]) };
}

/** NumPy broadcasting to `shape`: new and stretched axes get stride 0. */
export function broadcastView(view: View, shape: Shape): View {
  const lead = shape.length - view.shape.length;
  const strides = shape.map((dim, i) => {
    const j = i - lead;
    return j < 0 || (view.shape[j] === 1 && dim !== 1) ? 0 : (view.strides[j] ?? 0);
  });
  return { ...view, shape, strides };
}

/** The same elements in row-major order under another shape, if strides can express it. */
export function reshapeView(view: View, shape: Shape): View | undefined {
  const source = view.shape.flatMap((dim, i) => (dim === 1 ? [] : [{ dim, stride: view.strides[i] ?? 0 }]));
  const strides = new Array<number>(shape.length).fill(0);
  let from = source.length - 1;
  let to = shape.length - 1;
  if (shape.includes(0)) return { ...view, shape, strides };
  while (to >= 0) {
    if (shape[to] === 1) { to--; continue; }
    // Take source axes until their product covers the target axes that end here.
    let have = source[from]?.dim ?? 1;
    const unit = source[from]?.stride ?? 0;
    let span = have * unit;
    from--;
    let want = shape[to] ?? 1;
    strides[to] = unit;
    let nextStride = unit * want;
    to--;
    while (have !== want) {
      if (want < have) {
        if (to < 0) return undefined;
        strides[to] = nextStride;
        want *= shape[to] ?? 1;
        nextStride = unit * want;
        to--;
      } else {
        const next = source[from];
        if (next === undefined || next.stride !== span) return undefined;
        have *= next.dim;
        span = next.stride * next.dim;
        from--;
      }
    }
  }
  return { ...view, shape, strides };
}

/** A loop nest: at most six dims, outermost first, axes merged where all operands allow it, ordered by the first operand. */
export interface Nest {
  readonly dims: readonly number[];
  /** Per operand, six strides. */
  readonly strides: readonly (readonly number[])[];
}

/** Normalises equal-shaped views to a nest of exactly `rank` dims (padded with 1 in front). The first view is the destination. */
export function makeNest(views: readonly View[], rank = 6): Nest {
  const shape = views[0]?.shape ?? [];
  const axes = shape.map((dim, i) => ({ dim, strides: views.map((v) => v.strides[i] ?? 0) })).filter((axis) => axis.dim !== 1);
  // Outermost = largest destination stride; ties keep the logical order (sort is stable).
  axes.sort((a, b) => Math.abs(b.strides[0] ?? 0) - Math.abs(a.strides[0] ?? 0));
  const merged: { dim: number; strides: number[] }[] = [];
  for (const axis of axes) {
    const outer = merged.at(-1);
    if (outer !== undefined && axis.strides.every((s, k) => outer.strides[k] === s * axis.dim)) {
      outer.dim *= axis.dim;
      outer.strides = axis.strides;
    } else {
      merged.push({ dim: axis.dim, strides: axis.strides });
    }
  }
  if (merged.length > rank) throw new KingletError('ERR_UNSUPPORTED', `an elementwise step needs ${merged.length} nested loops (at most ${rank})`);
  while (merged.length < rank) merged.unshift({ dim: 1, strides: views.map(() => 0) });
  return { dims: merged.map((a) => a.dim), strides: views.map((_, k) => merged.map((a) => a.strides[k] ?? 0)) };
}
