// ShuffleNet's channel shuffle: channel j*n + i of g groups of n goes to i*g + j. In: an axis and the number of groups.
// Out: one X_COPY. Importers see reshape, transpose, reshape; a pass recognises them and makes this op. Must not know the layout.

import { KingletError } from '../error.ts';
import { transposeView } from '../plan/views.ts';
import type { View } from '../plan/lowering.ts';
import { allocate, elementCount, numbers } from '../tensor.ts';
import { moveQuantizationAxis, product } from './axes.ts';
import { emitCopy } from './copy-step.ts';
import type { Op } from './op.ts';
import { forward, normalizeAxis, operand } from './operand.ts';

export interface ChannelShuffleAttrs {
  /** 0…rank-1. */
  readonly axis: number;
  /** Divides the axis. */
  readonly groups: number;
}

/** Axis `axis` as two axes [outer, inner]. */
function splitAxis(view: View, axis: number, outer: number): View {
  const inner = view.shape[axis] / outer;
  const stride = view.strides[axis];
  return {
    ...view,
    shape: view.shape.flatMap((dim, i) => (i === axis ? [outer, inner] : [dim])),
    strides: view.strides.flatMap((s, i) => (i === axis ? [stride * inner, stride] : [s])),
  };
}

export const channelShuffle: Op<ChannelShuffleAttrs> = {
  kind: 'channelShuffle',
  moves: true,

  infer(inputs, { axis, groups }) {
    const x = operand(inputs, 0);
    normalizeAxis(axis, x.shape.length);
    if (!Number.isInteger(groups) || groups < 1 || x.shape[axis] % groups !== 0) {
      throw new KingletError('ERR_MODEL_INVALID', `${groups} groups do not divide axis ${axis} of shape [${x.shape.join(', ')}]`);
    }
    return [{ dtype: x.dtype, shape: x.shape, quantization: moveQuantizationAxis(x.quantization, (channel) => (channel === axis ? -1 : channel)) }];
  },

  reference(inputs, { axis, groups }, [type]) {
    const x = operand(inputs, 0);
    const channels = x.shape[axis];
    const perGroup = channels / groups;
    const inner = product(x.shape.slice(axis + 1));
    const source = numbers(x);
    const data = allocate(type.dtype, elementCount(type.shape));
    const target = numbers({ ...type, data });
    for (let o = 0; o < product(x.shape.slice(0, axis)); o++) {
      for (let c = 0; c < channels; c++) {
        const from = (c % groups) * perGroup + Math.floor(c / groups);
        for (let i = 0; i < inner; i++) target[(o * channels + c) * inner + i] = source[(o * channels + from) * inner + i];
      }
    }
    return [{ ...type, data }];
  },

  permute: ({ axis, groups }, perm) => ({ axis: perm.indexOf(axis), groups }),

  lower(node, ctx) {
    const { axis, groups } = node.attrs;
    const out = node.outputs[0];
    const source = splitAxis(ctx.read(operand(node.inputs, 0)), axis, groups);
    const dst = splitAxis(ctx.write(out, forward), axis, out.shape[axis] / groups);
    const swap = source.shape.map((_, i) => (i === axis ? axis + 1 : i === axis + 1 ? axis : i));
    emitCopy(ctx, dst, transposeView(source, swap));
  },
};
