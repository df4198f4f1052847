// Ops that only move elements: most are views and cost nothing, the rest are copies. In: units. Out: views and dispatches.
// Must not know devices or where regions lie.

import { cast } from '../ops/cast.ts';
import { channelShuffle } from '../ops/channel-shuffle.ts';
import { concat } from '../ops/concat.ts';
import { expand } from '../ops/expand.ts';
import { operand } from '../ops/operand.ts';
import { pad } from '../ops/pad.ts';
import { reshape } from '../ops/reshape.ts';
import { slice } from '../ops/slice.ts';
import { transpose } from '../ops/transpose.ts';
import type { View } from '../plan/lowering.ts';
import { broadcastView, reshapeView, sliceView, transposeView } from '../plan/views.ts';
import { shaped } from './gpu-lowering.ts';
import { rule } from './gpu-rule.ts';
import { copy } from './kernels/elementwise.ts';
import { padded } from './kernels/pad.ts';

export const moveRules = [
  rule(transpose, {
    positions: 'carries',
    lower({ node, output }, ctx) { ctx.alias(output, transposeView(ctx.read(operand(node.inputs, 0)), node.attrs.perm)); },
  }),
  rule(reshape, {
    positions: 'carries',
    lower({ node, output }, ctx) {
      const view = ctx.read(operand(node.inputs, 0), (from) => reshapeView(from, output.shape) !== undefined);
      ctx.alias(output, shaped(view, output.shape));
    },
  }),
  rule(slice, {
    positions: 'carries',
    lower({ node, output }, ctx) {
      const { starts, sizes, steps } = node.attrs;
      ctx.alias(output, sliceView(ctx.read(operand(node.inputs, 0)), starts, steps, sizes));
    },
  }),
  rule(expand, {
    positions: 'carries',
    lower({ node, output }, ctx) { ctx.alias(output, broadcastView(ctx.read(operand(node.inputs, 0)), output.shape)); },
  }),
  rule(concat, {
    positions: 'carries',
    lower({ node, output }, ctx) {
      const whole = ctx.write(output);
      let start = 0;
      for (const [i] of node.inputs.entries()) {
        const part = operand(node.inputs, i);
        const place = sliceView(whole, whole.shape.map((_, axis) => (axis === node.attrs.axis ? start : 0)), whole.shape.map(() => 1), part.shape);
        start += part.shape[node.attrs.axis];
        const view = ctx.read(part);
        if (!samePlace(view, place)) ctx.emit(copy(view, place));
      }
    },
  }),
  rule(channelShuffle, {
    lower({ node, output }, ctx) {
      const { axis, groups } = node.attrs;
      const src = splitAxis(ctx.read(operand(node.inputs, 0)), axis, groups);
      const dst = splitAxis(ctx.write(output), axis, output.shape[axis] / groups);
      const swap = src.shape.map((_, i) => (i === axis ? axis + 1 : i === axis + 1 ? axis : i));
      ctx.emit(copy(transposeView(src, swap), dst));
    },
  }),
  rule(cast, {
    positions: 'carries',
    blocks: ({ attrs: { to } }) => (['int32', 'int64', 'float32'].includes(to) ? undefined : `it makes ${to} of positions`),
    lower({ node, output }, ctx) { ctx.alias(output, ctx.read(operand(node.inputs, 0))); },
  }),
  rule(pad, {
    lower({ node, output }, ctx) { ctx.emit(padded(ctx.read(operand(node.inputs, 0)), ctx.write(output), node.attrs)); },
  }),
];

function samePlace(a: View, b: View): boolean {
  return a.at.region === b.at.region && a.at.offsetBytes === b.at.offsetBytes && a.shape.every((dim, i) => dim <= 1 || a.strides[i] === b.strides[i]);
}

/** Axis `axis` as two axes [outer, inner]. */
function splitAxis(view: View, axis: number, outer: number): View {
  const [inner, stride] = [view.shape[axis] / outer, view.strides[axis]];
  return {
    ...view,
    shape: view.shape.flatMap((dim, i) => (i === axis ? [outer, inner] : [dim])),
    strides: view.strides.flatMap((s, i) => (i === axis ? [stride * inner, stride] : [s])),
  };
}
