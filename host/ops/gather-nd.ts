// Gather by coordinates: each group of `depth` indices picks one block of the first axes. In: a tensor, int32 indices [..., depth].
// Out: one X_GATHER step. ONNX GatherND, TFLite GATHER_ND. Out-of-range indices are moved inside, as the kernel does.

import { KingletError } from '../error.ts';
import { isDense } from '../plan/lowering.ts';
import { allocate, denseStrides, elementCount, numbers } from '../tensor.ts';
import { integers, moveQuantizationAxis, product } from './axes.ts';
import { emitGather, insideIndex } from './gather-step.ts';
import type { Op } from './op.ts';
import { operand } from './operand.ts';

export type GatherNdAttrs = Readonly<Record<string, never>>;

const MAX_DEPTH = 4;

export const gatherNd: Op<GatherNdAttrs> = {
  kind: 'gatherNd',
  moves: true,
  onnx: {
    GatherND(node, b) {
      if (node.int('batch_dims', 0) !== 0) node.unsupported('batch_dims is not supported');
      return [b.add(gatherNd, {}, [node.input(0), node.input(1)])];
    },
  },
  tflite: {
    GATHER_ND: (node, b) => [b.add(gatherNd, {}, [node.input(0), node.input(1)])],
  },

  infer(inputs) {
    const x = operand(inputs, 0);
    const indices = operand(inputs, 1);
    const depth = indices.shape.at(-1) ?? 0;
    if (indices.dtype !== 'int32') throw new KingletError('ERR_MODEL_INVALID', `indices are ${indices.dtype}, not integers`);
    if (depth < 1 || depth > x.shape.length) throw new KingletError('ERR_MODEL_INVALID', `${depth} indices cannot address shape [${x.shape.join(', ')}]`);
    if (depth > MAX_DEPTH) throw new KingletError('ERR_UNSUPPORTED', `${depth} indices per element are not supported (at most ${MAX_DEPTH})`);
    if (product(x.shape.slice(0, depth)) === 0 && product(indices.shape) > 0) {
      throw new KingletError('ERR_MODEL_INVALID', `shape [${x.shape.join(', ')}] has nothing to gather`);
    }
    const outer = indices.shape.slice(0, -1);
    return [{
      dtype: x.dtype,
      shape: [...outer, ...x.shape.slice(depth)],
      quantization: moveQuantizationAxis(x.quantization, (axis) => (axis < depth ? -1 : axis - depth + outer.length)),
    }];
  },

  reference(inputs, _, [type]) {
    const x = operand(inputs, 0);
    const table = operand(inputs, 1);
    const indices = integers(table);
    const depth = table.shape[table.shape.length - 1];
    const strides = denseStrides(x.shape);
    const inner = product(x.shape.slice(depth));
    const source = numbers(x);
    const data = allocate(type.dtype, elementCount(type.shape));
    const target = numbers({ ...type, data });
    for (let m = 0; m * depth < indices.length; m++) {
      let from = 0;
      for (let k = 0; k < depth; k++) from += insideIndex(indices[m * depth + k], x.shape[k]) * strides[k];
      for (let i = 0; i < inner; i++) target[m * inner + i] = source[from + i];
    }
    return [{ ...type, data }];
  },

  lower(node, ctx) {
    const out = node.outputs[0];
    if (product(out.shape) === 0) return;
    const source = ctx.read(operand(node.inputs, 0), isDense);
    const indices = ctx.read(operand(node.inputs, 1), isDense);
    emitGather(ctx, { source, indices, dst: ctx.write(out, isDense) }, 0, indices.shape[indices.shape.length - 1]);
  },
};
