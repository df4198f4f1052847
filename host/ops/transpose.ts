// Transpose, and the block shuffles that are a transpose between two reshapes. In: axes permutations. Out: a view, never a step.
// out.shape[k] = in.shape[perm[k]]. Must not know how its consumers read memory.

import { KingletError } from '../error.ts';
import type { Builder } from '../graph/builder.ts';
import type { Value } from '../graph/graph.ts';
import { transposeView } from '../plan/views.ts';
import { denseStrides } from '../tensor.ts';
import { integers, inversePermutation, moveQuantizationAxis } from './axes.ts';
import type { Op } from './op.ts';
import { operand } from './operand.ts';
import { reshape } from './reshape.ts';
import { pick } from './strided.ts';

export interface TransposeAttrs {
  readonly perm: readonly number[];
}

/** One step of a block shuffle: split axes by reshaping, permute them, join them by reshaping. */
function shuffleBlocks(b: Builder, x: Value, split: number[], perm: number[], joined: number[]): Value {
  const parts = b.add(reshape, { shape: split }, [x]);
  return b.add(reshape, { shape: joined }, [b.add(transpose, { perm }, [parts])]);
}

/** Four dims of `x`, and whether `block` divides those that must be divisible. */
function blockDims(x: Value, block: number, divided: (dims: number[]) => number[]): number[] {
  const dims = [...x.shape];
  if (dims.length !== 4 || !Number.isInteger(block) || block < 1) throw new KingletError('ERR_MODEL_INVALID', `blocks of ${block} do not fit shape [${dims.join(', ')}]`);
  if (divided(dims).some((d) => !Number.isInteger(d))) throw new KingletError('ERR_MODEL_INVALID', `blocks of ${block} do not divide shape [${dims.join(', ')}]`);
  return dims;
}

export const transpose: Op<TransposeAttrs> = {
  kind: 'transpose',
  moves: true,
  onnx: {
    Transpose(node, b) {
      const x = node.input(0);
      return [b.add(transpose, { perm: node.ints('perm', x.shape.map((_, i) => x.shape.length - 1 - i)) }, [x])];
    },
    DepthToSpace(node, b) {
      const x = node.input(0);
      const block = node.int('blocksize');
      const mode = node.string('mode', 'DCR');
      if (mode !== 'DCR' && mode !== 'CRD') node.fail(`mode ${mode} does not exist`);
      const [n, c, h, w] = blockDims(x, block, (d) => [d[1] / (block * block)]);
      const depth = c / (block * block);
      const joined = [n, depth, h * block, w * block];
      return [mode === 'DCR'
        ? shuffleBlocks(b, x, [n, block, block, depth, h, w], [0, 3, 4, 1, 5, 2], joined)
        : shuffleBlocks(b, x, [n, depth, block, block, h, w], [0, 1, 4, 2, 5, 3], joined)];
    },
    SpaceToDepth(node, b) {
      const x = node.input(0);
      const block = node.int('blocksize');
      const [n, c, h, w] = blockDims(x, block, (d) => [d[2] / block, d[3] / block]);
      return [shuffleBlocks(b, x, [n, c, h / block, block, w / block, block], [0, 3, 5, 1, 2, 4], [n, c * block * block, h / block, w / block])];
    },
  },
  tflite: {
    TRANSPOSE: (node, b) => [b.add(transpose, { perm: integers(node.constant(1)) }, [node.input(0)])],
    DEPTH_TO_SPACE(node, b) {
      const x = node.input(0);
      const block = node.i32(0, 0);
      const [n, h, w, c] = blockDims(x, block, (d) => [d[3] / (block * block)]);
      const depth = c / (block * block);
      return [shuffleBlocks(b, x, [n, h, w, block, block, depth], [0, 1, 3, 2, 4, 5], [n, h * block, w * block, depth])];
    },
    SPACE_TO_DEPTH(node, b) {
      const x = node.input(0);
      const block = node.i32(0, 0);
      const [n, h, w, c] = blockDims(x, block, (d) => [d[1] / block, d[2] / block]);
      return [shuffleBlocks(b, x, [n, h / block, block, w / block, block, c], [0, 1, 3, 2, 4, 5], [n, h / block, w / block, block * block * c])];
    },
  },

  infer(inputs, { perm }) {
    const x = operand(inputs, 0);
    if (perm.length !== x.shape.length || [...perm].sort((a, b) => a - b).some((axis, i) => axis !== i)) {
      throw new KingletError('ERR_MODEL_INVALID', `perm [${perm.join(', ')}] is not a permutation of the axes of shape [${x.shape.join(', ')}]`);
    }
    return [{
      dtype: x.dtype,
      shape: perm.map((axis) => x.shape[axis]),
      quantization: moveQuantizationAxis(x.quantization, (axis) => perm.indexOf(axis)),
    }];
  },

  reference(inputs, { perm }, [type]) {
    const x = operand(inputs, 0);
    const strides = denseStrides(x.shape);
    return [{ ...type, data: pick(x, type.shape, perm.map((axis) => strides[axis])) }];
  },

  place: (node, out) => [transposeView(out, inversePermutation(node.attrs.perm))],

  lower(node, ctx) {
    ctx.alias(node.outputs[0], transposeView(ctx.read(operand(node.inputs, 0)), node.attrs.perm));
  },
};
