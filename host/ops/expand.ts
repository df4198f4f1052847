// Expand: NumPy broadcasting of one tensor; Tile repeats whole tensors by way of it. In: the broadcast shape. Out: a view with stride 0.
// ONNX Expand, Tile; TFLite BROADCAST_TO, TILE, FILL. Must not know how consumers read it.

import { KingletError } from '../error.ts';
import type { Builder } from '../graph/builder.ts';
import type { Value } from '../graph/graph.ts';
import { broadcastView } from '../plan/views.ts';
import { sameShape, type Quantization, type Shape } from '../tensor.ts';
import { integers } from './axes.ts';
import { broadcastShape, broadcastStrides } from './broadcast.ts';
import type { Op } from './op.ts';
import { operand } from './operand.ts';
import { reshape } from './reshape.ts';
import { pick } from './strided.ts';

export interface ExpandAttrs {
  /** Of the result; the input's shape stretches to exactly this one. */
  readonly shape: Shape;
}

/** Repeats along each axis: [a, d, c] → [a, 1, d, c] → [a, n, d, c] → [a, n*d, c]. */
function tile(b: Builder, x: Value, repeats: readonly number[]): Value {
  if (repeats.length !== x.shape.length) {
    throw new KingletError('ERR_MODEL_INVALID', `${repeats.length} repeats for a tensor of rank ${x.shape.length}`);
  }
  return repeats.reduce((value, count, axis) => {
    if (count === 1) return value;
    const [before, dim, after] = [value.shape.slice(0, axis), value.shape[axis], value.shape.slice(axis + 1)];
    const parts = b.add(reshape, { shape: [...before, 1, dim, ...after] }, [value]);
    const repeated = b.add(expand, { shape: [...before, count, dim, ...after] }, [parts]);
    return b.add(reshape, { shape: [...before, count * dim, ...after] }, [repeated]);
  }, x);
}

/** Per-channel parameters survive unless their axis is stretched. */
function movedQuantization(q: Quantization | undefined, from: Shape, to: Shape): Quantization | undefined {
  return q === undefined || q.scale.length === 1 ? q : { ...q, axis: q.axis + to.length - from.length };
}

export const expand: Op<ExpandAttrs> = {
  kind: 'expand',
  moves: true,
  onnx: {
    Expand(node, b) {
      const x = node.input(0);
      return [b.add(expand, { shape: broadcastShape(x.shape, integers(node.constant(1))) }, [x])];
    },
    Tile(node, b) {
      if (node.opset < 6) return node.unsupported('Tile before opset 6 is not supported');
      return [tile(b, node.input(0), integers(node.constant(1)))];
    },
  },
  tflite: {
    BROADCAST_TO(node, b) {
      const x = node.input(0);
      return [b.add(expand, { shape: broadcastShape(x.shape, integers(node.constant(1))) }, [x])];
    },
    TILE: (node, b) => [tile(b, node.input(0), integers(node.constant(1)))],
    FILL: (node, b) => [b.add(expand, { shape: integers(node.constant(0)) }, [node.input(1)])],
  },

  infer(inputs, { shape }) {
    const x = operand(inputs, 0);
    if (!sameShape(broadcastShape(x.shape, shape), shape)) {
      throw new KingletError('ERR_MODEL_INVALID', `shape [${x.shape.join(', ')}] does not stretch to [${shape.join(', ')}]`);
    }
    return [{ dtype: x.dtype, shape, quantization: movedQuantization(x.quantization, x.shape, shape) }];
  },

  reference(inputs, _, [type]) {
    const x = operand(inputs, 0);
    return [{ ...type, data: pick(x, type.shape, broadcastStrides(x.shape, type.shape)) }];
  },

  permute(attrs, perm, node) {
    return operand(node.inputs, 0).shape.length === perm.length ? { shape: perm.map((axis) => attrs.shape[axis]) } : undefined;
  },

  lower(node, ctx) {
    ctx.alias(node.outputs[0], broadcastView(ctx.read(operand(node.inputs, 0)), node.attrs.shape));
  },
};
