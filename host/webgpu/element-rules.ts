// Ops that make each element by itself or from its neighbours: arithmetic, functions, pooling, resizing, softmax and the like.
// In: units. Out: dispatches. Must not know devices or where regions lie.

import type { Value } from '../graph/graph.ts';
import { argmax } from '../ops/argmax.ts';
import { binary, type BinaryAttrs } from '../ops/binary.ts';
import { lrn } from '../ops/lrn.ts';
import { operand } from '../ops/operand.ts';
import { pool2d } from '../ops/pool2d.ts';
import { resize } from '../ops/resize.ts';
import { cubicTable, linearTable, nearestTable, type ResizeAttrs } from '../ops/resize-table.ts';
import { softmax, withoutAxis } from '../ops/softmax.ts';
import { unary, type UnaryAttrs } from '../ops/unary.ts';
import { broadcastView } from '../plan/views.ts';
import type { View } from '../plan/lowering.ts';
import { elementCount } from '../tensor.ts';
import type { Unit } from './fuse-units.ts';
import { asPixels, pixels, shaped, vectorRead, vectorWrite, type GpuLowering } from './gpu-lowering.ts';
import { rule } from './gpu-rule.ts';
import { ARGMAX_LENGTH, argmaxLines } from './kernels/argmax.ts';
import { elements, type ElementStep } from './kernels/elementwise.ts';
import { localResponse } from './kernels/lrn.ts';
import { pool } from './kernels/pool.ts';
import { resized } from './kernels/resize.ts';
import { softmaxLines } from './kernels/softmax.ts';

function asRows(view: View): View {
  const channels = view.shape.at(-1) ?? 1;
  return shaped(view, [elementCount(view.shape) / channels, channels]);
}

/** A unary or binary node and those chained behind it. */
function lowerElements({ node, output, chain = [] }: Unit, ctx: GpuLowering): void {
  const sources: Value[] = [];
  let before: Value | undefined;
  const steps = [node, ...chain].map((member): ElementStep => {
    const of = member.inputs.map((_, i) => {
      const input = operand(member.inputs, i);
      if (input === before) return 'before';
      if (!sources.includes(input)) sources.push(input);
      return sources.indexOf(input);
    });
    [before] = member.outputs;
    return { attrs: member.attrs as UnaryAttrs | BinaryAttrs, of };
  });
  const views = sources.map((source) => broadcastView(ctx.read(source), output.shape));
  ctx.emit(elements(steps, views, ctx.write(output)));
}

export const elementRules = [
  rule(binary, { lower: lowerElements }),
  rule(unary, { lower: lowerElements }),
  rule(softmax, {
    lower({ node, output }, ctx) {
      ctx.emit(softmaxLines(ctx.read(operand(node.inputs, 0)), ctx.write(output), node.attrs, ctx.subgroups));
    },
  }),
  rule(argmax, {
    positions: 'makes',
    blocks: ({ attrs: { axis }, inputs }) => (operand(inputs, 0).shape[axis] <= ARGMAX_LENGTH ? undefined : 'its positions are no exact floats'),
    lower({ node, output }, ctx) {
      const { axis, keepDims } = node.attrs;
      const src = ctx.read(operand(node.inputs, 0)), dst = ctx.write(output);
      ctx.emit(argmaxLines(src, keepDims ? withoutAxis(dst, axis) : dst, node.attrs, ctx.subgroups));
    },
  }),
  rule(pool2d, {
    lower({ node, output }, ctx) {
      const src = ctx.read(operand(node.inputs, 0), vectorRead);
      ctx.emit(pool(src, asRows(ctx.write(output, pixels(vectorWrite))), output.shape, node.attrs));
    },
  }),
  rule(lrn, {
    lower({ node, output }, ctx) {
      const flat = (view: View): boolean => asPixels(view) !== undefined;
      ctx.emit(localResponse(asRows(ctx.read(operand(node.inputs, 0), flat)), asRows(ctx.write(output, flat)), node.attrs));
    },
  }),
  rule(resize, {
    lower({ node, output }, ctx) {
      const src = ctx.read(operand(node.inputs, 0), vectorRead);
      const { taps, table } = resizeTable(node.attrs, src.shape);
      ctx.emit(resized({ src, dst: asRows(ctx.write(output, pixels(vectorWrite))), shape: output.shape, taps, table: ctx.constant(table) }));
    },
  }),
];

/** Indices and weights of all output rows, then of all columns. */
function resizeTable(attrs: ResizeAttrs, shape: readonly number[]): { taps: 1 | 2 | 4; table: Float32Array } {
  const axes = [0, 1] as const;
  const flat = (of: (axis: 0 | 1, input: number) => number[][]): Float32Array => Float32Array.from(axes.flatMap((axis) => of(axis, shape[1 + axis]).flat()));
  switch (attrs.mode) {
    case 'nearest': return { taps: 1, table: flat((axis, input) => nearestTable(attrs, axis, input).map((index) => [index, 1])) };
    case 'linear': return {
      taps: 2, table: flat((axis, input) => linearTable(attrs, axis, input).map(({ index0, index1, weight }) => [index0, index1, 1 - weight, weight])),
    };
    case 'cubic': return { taps: 4, table: flat((axis, input) => cubicTable(attrs, axis, input).map(({ indices, weights }) => [...indices, ...weights])) };
  }
}
