// Recognises reshape → transpose → reshape as one channelShuffle. In: a graph. Out: the count is the number of shuffles found.
// Exporters spell the same thing in many ranks: [N,g,n,H,W] with perm [0,2,1,3,4], [N,g,n,H*W], [g,n,H*W], [N,H,W,g,n] …
// All of them swap two neighbouring runs of axes, so each is reduced to [outer, g, n, inner] first.

import { onlyOutput, type Editor } from '../graph/edit.ts';
import { is, type Node, type Value } from '../graph/graph.ts';
import { channelShuffle } from '../ops/channel-shuffle.ts';
import { reshape } from '../ops/reshape.ts';
import { transpose } from '../ops/transpose.ts';
import { elementCount, sameQuantization, type Shape } from '../tensor.ts';
import { nodePass } from './pass.ts';
import type { Permutation } from './permutation.ts';

/** A transpose of [outer, first, second, inner] to [outer, second, first, inner]. */
interface Swap {
  readonly outer: number;
  readonly first: number;
  readonly second: number;
}

export const recogniseShuffle = nodePass('recognise-shuffle', recognise);

function recognise(editor: Editor, last: Node): boolean {
  const middle = editor.producer(last.inputs[0]);
  const first = editor.producer(middle?.inputs[0]);
  if (!is(last, reshape) || !is(middle, transpose) || !is(first, reshape)) return false;
  const x = first.inputs[0] as Value;
  const y = onlyOutput(last);
  const swap = swapOf(onlyOutput(first).shape, middle.attrs.perm);
  if (swap === undefined || x.shape.length < 3 || !sameQuantization(x.quantization, y.quantization)) return false;
  const axis = x.shape.findIndex((dim, i) => dim === swap.first * swap.second && elementCount(x.shape.slice(0, i)) === swap.outer);
  if (axis < 0) return false;
  const shuffled = editor.add(last, channelShuffle, { axis, groups: swap.first }, [x]);
  editor.replaceNode(last, reshape, { shape: y.shape }, [shuffled]);
  return true;
}

/** What a transpose swaps, if it swaps exactly two neighbouring runs of axes; axes of extent 1 do not count. */
function swapOf(shape: Shape, perm: Permutation): Swap | undefined {
  const moved = perm.filter((axis) => shape[axis] !== 1);
  const order = [...moved].sort((a, b) => a - b);
  const extent = (axes: readonly number[]): number => axes.reduce((product, axis) => product * shape[axis], 1);
  const lead = moved.findIndex((axis, i) => axis !== order[i]);
  if (lead < 0) return undefined;
  const size = order.indexOf(moved[lead]) - lead;
  const tail = moved.findLastIndex((axis, i) => axis !== order[i]) + 1;
  const swapped = [...order.slice(lead + size, tail), ...order.slice(lead, lead + size)];
  if (!swapped.every((axis, i) => axis === moved[lead + i])) return undefined;
  return { outer: extent(order.slice(0, lead)), first: extent(order.slice(lead, lead + size)), second: extent(order.slice(lead + size, tail)) };
}
