// Slice: a regular part of a tensor. In: per axis a start, a size and a step (negative steps run backwards). Out: a view.
// Must not know how consumers read it, nor how formats write slices: slice-readers.ts does.

import { KingletError } from '../error.ts';
import { sliceView } from '../plan/views.ts';
import { denseStrides, type Quantization } from '../tensor.ts';
import type { Op } from './op.ts';
import { operand } from './operand.ts';
import { onnxSliceReaders, tfliteSliceReaders } from './slice-readers.ts';
import { pick } from './strided.ts';

/** Full rank. Element i of axis k of the result is element starts[k] + i * steps[k] of the input. */
export interface SliceAttrs {
  readonly starts: readonly number[];
  readonly sizes: readonly number[];
  readonly steps: readonly number[];
}

/** Per-channel parameters are sliced like the channels. */
function slicedQuantization(q: Quantization | undefined, { starts, sizes, steps }: SliceAttrs): Quantization | undefined {
  if (q === undefined || q.scale.length === 1) return q;
  const pickFrom = (all: ArrayLike<number>): number[] =>
    Array.from({ length: sizes[q.axis] }, (_, i) => all[starts[q.axis] + i * steps[q.axis]]);
  return { scale: Float32Array.from(pickFrom(q.scale)), zeroPoint: Int32Array.from(pickFrom(q.zeroPoint)), axis: q.axis };
}

const definition: Op<SliceAttrs> = {
  kind: 'slice',
  moves: true,

  infer(inputs, attrs) {
    const x = operand(inputs, 0);
    const { starts, sizes, steps } = attrs;
    const rank = x.shape.length;
    const inside = (at: number, dim: number): boolean => Number.isInteger(at) && at >= 0 && at < dim;
    const fits = starts.length === rank && sizes.length === rank && steps.length === rank && x.shape.every((dim, i) =>
      sizes[i] === 0 || (Number.isInteger(sizes[i]) && steps[i] !== 0 && inside(starts[i], dim) && inside(starts[i] + (sizes[i] - 1) * steps[i], dim)));
    if (!fits) {
      throw new KingletError('ERR_MODEL_INVALID',
        `slice from [${starts.join(', ')}] of size [${sizes.join(', ')}] with steps [${steps.join(', ')}] does not fit shape [${x.shape.join(', ')}]`);
    }
    return [{ dtype: x.dtype, shape: sizes, quantization: slicedQuantization(x.quantization, attrs) }];
  },

  reference(inputs, { starts, steps }, [type]) {
    const x = operand(inputs, 0);
    const strides = denseStrides(x.shape);
    const start = strides.reduce((sum, stride, i) => sum + starts[i] * stride, 0);
    return [{ ...type, data: pick(x, type.shape, strides.map((stride, i) => stride * steps[i]), start) }];
  },

  permute: ({ starts, sizes, steps }, perm) => ({
    starts: perm.map((axis) => starts[axis]),
    sizes: perm.map((axis) => sizes[axis]),
    steps: perm.map((axis) => steps[axis]),
  }),

  lower(node, ctx) {
    const { starts, sizes, steps } = node.attrs;
    ctx.alias(node.outputs[0], sliceView(ctx.read(operand(node.inputs, 0)), starts, steps, sizes));
  },
};

/** The readers add nodes of this very op, so they are made after it. */
export const slice: Op<SliceAttrs> = Object.assign(definition, {
  onnx: onnxSliceReaders(definition),
  tflite: tfliteSliceReaders(definition),
});
