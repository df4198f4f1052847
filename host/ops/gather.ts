// Gather: picks entries of one axis by index. In: a tensor and int32 indices of any shape. Out: one X_GATHER step.
// Constant indices in regular steps are read as a slice, which costs nothing. Negative indices count from the end.
// Out-of-range indices are moved inside, as the kernel does. ONNX Gather, TFLite GATHER.

import { KingletError } from '../error.ts';
import type { Builder } from '../graph/builder.ts';
import { isConstant, type Value } from '../graph/graph.ts';
import { isDense } from '../plan/lowering.ts';
import { allocate, elementCount, numbers, type Quantization } from '../tensor.ts';
import { integers, moveQuantizationAxis, product } from './axes.ts';
import { emitGather, insideIndex } from './gather-step.ts';
import type { Op } from './op.ts';
import { normalizeAxis, operand } from './operand.ts';
import { reshape } from './reshape.ts';
import { slice } from './slice.ts';

export interface GatherAttrs {
  /** 0…rank-1. */
  readonly axis: number;
}

/** start, size, step of indices that advance regularly; undefined where they do not, or repeat. */
function progression(indices: readonly number[], dim: number): { start: number; size: number; step: number } | undefined {
  const inside = indices.map((i) => insideIndex(i, dim));
  const [start] = inside;
  const step = inside.length > 1 ? inside[1] - start : 1;
  if (inside.length === 0 || step === 0 || inside.some((at, i) => at !== start + i * step)) return undefined;
  return { start, size: inside.length, step };
}

function addGather(b: Builder, x: Value, indices: Value, axis: number): Value {
  const rank = indices.shape.length;
  const regular = isConstant(indices) && rank <= 1 && indices.dtype === 'int32' ? progression(integers(indices), x.shape[axis]) : undefined;
  if (regular === undefined) return b.add(gather, { axis }, [x, indices]);
  const along = <T>(value: T, others: readonly T[]): T[] => others.map((other, i) => (i === axis ? value : other));
  const part = b.add(slice, {
    starts: along(regular.start, x.shape.map(() => 0)),
    sizes: along(regular.size, x.shape),
    steps: along(regular.step, x.shape.map(() => 1)),
  }, [x]);
  return rank === 1 ? part : b.add(reshape, { shape: x.shape.filter((_, i) => i !== axis) }, [part]);
}

function gatheredQuantization(q: Quantization | undefined, axis: number, indexRank: number): Quantization | undefined {
  return moveQuantizationAxis(q, (channel) => (channel === axis ? -1 : channel < axis ? channel : channel + indexRank - 1));
}

export const gather: Op<GatherAttrs> = {
  kind: 'gather',
  moves: true,
  onnx: {
    Gather: (node, b) => [addGather(b, node.input(0), node.input(1), normalizeAxis(node.int('axis', 0), node.input(0).shape.length))],
  },
  tflite: {
    GATHER(node, b) {
      const axis = normalizeAxis(node.i32(0, 0), node.input(0).shape.length);
      if (node.i32(1, 0) !== 0) node.unsupported('batch_dims is not supported');
      return [addGather(b, node.input(0), node.input(1), axis)];
    },
  },

  infer(inputs, { axis }) {
    const x = operand(inputs, 0);
    const indices = operand(inputs, 1);
    if (indices.dtype !== 'int32') throw new KingletError('ERR_MODEL_INVALID', `indices are ${indices.dtype}, not integers`);
    normalizeAxis(axis, x.shape.length);
    if (x.shape[axis] === 0 && product(indices.shape) > 0) throw new KingletError('ERR_MODEL_INVALID', `axis ${axis} of shape [${x.shape.join(', ')}] has nothing to gather`);
    return [{
      dtype: x.dtype,
      shape: [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)],
      quantization: gatheredQuantization(x.quantization, axis, indices.shape.length),
    }];
  },

  reference(inputs, { axis }, [type]) {
    const x = operand(inputs, 0);
    const indices = integers(operand(inputs, 1));
    const dim = x.shape[axis];
    const inner = product(x.shape.slice(axis + 1));
    const source = numbers(x);
    const data = allocate(type.dtype, elementCount(type.shape));
    const target = numbers({ ...type, data });
    let at = 0;
    for (let o = 0; o < product(x.shape.slice(0, axis)); o++) {
      for (const index of indices) {
        const from = (o * dim + insideIndex(index, dim)) * inner;
        for (let i = 0; i < inner; i++) target[at++] = source[from + i];
      }
    }
    return [{ ...type, data }];
  },

  permute: ({ axis }, perm, node) => (operand(node.inputs, 1).shape.length === 1 ? { axis: perm.indexOf(axis) } : undefined),
  permutedInputs: () => [0],

  lower(node, ctx) {
    const out = node.outputs[0];
    if (product(out.shape) === 0) return;
    const source = ctx.read(operand(node.inputs, 0), isDense);
    const indices = ctx.read(operand(node.inputs, 1), isDense);
    emitGather(ctx, { source, indices, dst: ctx.write(out, isDense) }, node.attrs.axis, 1);
  },
};
