// The X_GATHER step: copies blocks from where indices point. In: dense views and the indexed axes. Out: one step.
// Must not know the ops that use it.

import {
  GATHER_AXIS, GATHER_AXIS_BYTES, GATHER_COUNT, GATHER_DEPTH, GATHER_DST, GATHER_INDICES, GATHER_INNER_BYTES, GATHER_OUTER,
  GATHER_SRC, GATHER_SRC_OUTER_BYTES, GATHER_STEP_BYTES, X_GATHER,
} from '../../assembly/abi.ts';
import type { Lowering, View } from '../plan/lowering.ts';
import { elementBytes, type Shape } from '../tensor.ts';
import { product } from './axes.ts';

export interface GatherViews {
  /** Dense: [outer axes…, indexed axes…, inner axes…]. */
  readonly source: View;
  /** Dense int32: [count] groups of one index per indexed axis. */
  readonly indices: View;
  /** Dense: [outer axes…, count, inner axes…]. */
  readonly dst: View;
}

/** The indexed axes are `depth` axes of the source from `axis` on. */
export function emitGather(ctx: Lowering, { source, indices, dst }: GatherViews, axis: number, depth: number): void {
  const bytes = elementBytes[source.dtype];
  const bytesFrom = (shape: Shape, k: number): number => product(shape.slice(k)) * bytes;
  const indexed = source.shape.slice(axis, axis + depth);
  ctx.emit(X_GATHER, GATHER_STEP_BYTES, {
    [GATHER_SRC]: source.at,
    [GATHER_INDICES]: indices.at,
    [GATHER_DST]: dst.at,
    [GATHER_OUTER]: product(source.shape.slice(0, axis)),
    [GATHER_SRC_OUTER_BYTES]: bytesFrom(source.shape, axis),
    [GATHER_COUNT]: product(indices.shape) / depth,
    [GATHER_DEPTH]: depth,
    [GATHER_INNER_BYTES]: bytesFrom(source.shape, axis + depth),
    [GATHER_AXIS]: indexed,
    [GATHER_AXIS_BYTES]: indexed.map((_, i) => bytesFrom(source.shape, axis + i + 1)),
  });
}

/** The rule of X_GATHER for one index: negative ones count from the end, the rest is moved inside. */
export function insideIndex(index: number, dim: number): number {
  return Math.min(dim - 1, Math.max(0, index < 0 ? index + dim : index));
}
