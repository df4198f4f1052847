// What the GPU backend says about one op: whether it can, and how. In: the op and its rule. Out: a rule in the table.
// Must not know any particular op.

import type { Node } from '../graph/graph.ts';
import type { Op } from '../ops/op.ts';
import type { Unit } from './fuse-units.ts';
import type { GpuLowering } from './gpu-lowering.ts';

export interface GpuRule<A> {
  /** Why this node cannot run on the GPU; undefined: it can. */
  blocks?(node: Node<A>): string | undefined;
  /** Makes positions, whole numbers that lie on the GPU as floats, or passes those of all its inputs on as they are. Other rules see floats alone. */
  readonly positions?: 'makes' | 'carries';
  /** Emits the dispatches of one unit. */
  lower(unit: Unit & { readonly node: Node<A> }, ctx: GpuLowering): void;
}
/** A rule whose op is known by its name alone. */
export type AnyRule = GpuRule<never> & { readonly kind: string };

export function rule<A>(op: Op<A>, definition: GpuRule<A>): AnyRule {
  return { kind: op.kind, ...definition };
}
