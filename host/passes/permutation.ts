// Arithmetic of axis permutations and of reshapes that can trade places with them. In: shapes and permutations (out.shape[k] =
// in.shape[perm[k]]). Out: the same. Must not know graphs or ops.

import { elementCount, type Shape } from '../tensor.ts';

export type Permutation = readonly number[];

export function isIdentity(perm: Permutation): boolean {
  return perm.every((from, to) => from === to);
}
export function samePermutation(a: Permutation, b: Permutation): boolean {
  return a.length === b.length && a.every((from, to) => from === b[to]);
}
export function invert(perm: Permutation): number[] {
  const inverse = new Array<number>(perm.length).fill(0);
  perm.forEach((from, to) => { inverse[from] = to; });
  return inverse;
}
/** The one permutation that does `first` and then `second`. */
export function compose(first: Permutation, second: Permutation): number[] {
  return second.map((axis) => first[axis]);
}
export function permuteShape(shape: Shape, perm: Permutation): number[] {
  return perm.map((axis) => shape[axis]);
}
/** The same permutation of the last axes of a tensor with `rank` axes. */
export function extendTo(perm: Permutation, rank: number): number[] {
  const lead = rank - perm.length;
  return Array.from({ length: rank }, (_, k) => (k < lead ? k : perm[k - lead] + lead));
}
/** True when no element changes its place in memory: only axes of extent 1 move past others. */
export function movesNothing(shape: Shape, perm: Permutation): boolean {
  const moved = perm.filter((axis) => shape[axis] !== 1);
  return moved.every((axis, i) => i === 0 || moved[i - 1] < axis);
}

/** A run of axes [from, to) on both sides of a reshape whose products are equal. */
interface Block {
  readonly before: readonly number[];
  readonly after: number[];
}

/** Splits a reshape of a non-empty tensor into the smallest blocks of axes that it maps onto each other. Axes of extent 1 are left out of `before`. */
function blocksOf(from: Shape, to: Shape): Block[] {
  const axes = from.flatMap((dim, axis) => (dim === 1 ? [] : [axis]));
  const blocks: Block[] = [];
  for (let next = 0, axis = 0; axis < to.length;) {
    const block = { before: [] as number[], after: [axis] };
    let have = 1;
    let want = to[axis++];
    while (have !== want) {
      if (have < want) {
        have *= from[axes[next]];
        block.before.push(axes[next++]);
      } else {
        want *= to[axis];
        block.after.push(axis++);
      }
    }
    blocks.push(block);
  }
  return blocks;
}

/** reshape(transpose(x, perm), shape) = transpose(reshape(x, shape'), perm'). */
export interface Swapped {
  readonly shape: number[];
  readonly perm: number[];
}

/** Moves a transpose behind a reshape to `shape`; undefined where the reshape joins axes that the transpose brought together. */
export function transposeAfterReshape(x: Shape, perm: Permutation, shape: Shape): Swapped | undefined {
  if (elementCount(x) === 0) return undefined;
  const blocks = blocksOf(permuteShape(x, perm), shape).map((b) => ({ source: b.before.map((axis) => perm[axis]), after: b.after }));
  const order = x.flatMap((dim, axis) => (dim === 1 ? [] : [axis]));
  const rankOf = new Map(order.map((axis, i) => [axis, i]));
  const adjacent = blocks.every(({ source }) => source.every((axis, i) => i === 0 || rankOf.get(axis) === (rankOf.get(source[i - 1]) ?? 0) + 1));
  if (!adjacent) return undefined;
  // Blocks of extent 1 have no place of their own: they follow the block before them.
  let position = -1;
  const placed = blocks.map((block) => {
    if (block.source.length > 0) position = rankOf.get(block.source[0]) ?? 0;
    return { position, after: block.after };
  });
  placed.sort((a, b) => a.position - b.position);
  const axes = placed.flatMap((block) => block.after);
  return { shape: axes.map((axis) => shape[axis]), perm: invert(axes) };
}
