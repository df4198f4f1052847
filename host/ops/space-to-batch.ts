// TFLite SPACE_TO_BATCH_ND on NHWC: every block position becomes an image of its own, after padding with (real) zero.
// out[(by*BW + bx)*N + n, y, x, c] = padded[n, y*BH + by, x*BW + bx, c]. Around a convolution it spells dilation; a pass
// folds that. Alone: one fill where there are pads, and one X_COPY per block position.

import { KingletError } from '../error.ts';
import type { TfliteNode } from '../import/tflite/node.ts';
import type { View } from '../plan/lowering.ts';
import { sliceView } from '../plan/views.ts';
import { allocate, elementCount, numbers, perTensor, type TensorType } from '../tensor.ts';
import { integers, product } from './axes.ts';
import { emitCopy, fillView } from './copy-step.ts';
import type { Op } from './op.ts';
import { forward, operand } from './operand.ts';
import { reshape } from './reshape.ts';

export interface SpaceToBatchAttrs {
  /** [height, width]. */
  readonly block: readonly number[];
  /** [top, left, bottom, right]. */
  readonly pads: readonly number[];
}

/** Most block positions: each costs a step. */
const MAX_PHASES = 1024;

/** Throws unless `block` is a pair of sensible factors and `edges` four sizes. */
export function checkBlock(block: readonly number[], edges: readonly number[], shape: readonly number[]): void {
  const positive = block.length === 2 && block.every((d) => Number.isInteger(d) && d >= 1);
  const sizes = edges.length === 4 && edges.every((d) => Number.isInteger(d) && d >= 0);
  if (!positive || !sizes || shape.length !== 4) {
    throw new KingletError('ERR_MODEL_INVALID', `block [${block.join(', ')}] with edges [${edges.join(', ')}] does not fit shape [${shape.join(', ')}]`);
  }
  if (product(block) > MAX_PHASES) throw new KingletError('ERR_UNSUPPORTED', `blocks of ${product(block)} elements are not supported (at most ${MAX_PHASES})`);
}

/** The operator's operands as 4-D: [N, L, C] with a block of one number is [N, L, 1, C] with [block, 1]. */
export function blockOperands(node: TfliteNode): { shape: number[]; block: number[]; edges: number[] } {
  const { shape } = node.input(0);
  const block = integers(node.constant(1));
  const edges = integers(node.constant(2));
  const flat = shape.length === 3 && block.length === 1 && edges.length === 2;
  if (!flat && (shape.length !== 4 || block.length !== 2 || edges.length !== 4)) node.unsupported(`blocks of rank ${block.length} on a tensor of rank ${shape.length} are not supported`);
  if (flat) return { shape: [shape[0], shape[1], 1, shape[2]], block: [block[0], 1], edges: [edges[0], 0, edges[1], 0] };
  return { shape: [...shape], block, edges: [edges[0], edges[2], edges[1], edges[3]] };
}

/** The whole-number positions i with 0 <= i*block + phase - before < dim, among `count`. */
export function phaseRange(phase: number, before: number, { dim, block, count }: { dim: number; block: number; count: number }): { from: number; size: number } {
  const from = Math.max(0, Math.ceil((before - phase) / block));
  const to = Math.min(count, Math.ceil((dim + before - phase) / block));
  return { from, size: Math.max(0, to - from) };
}

/** What zero is in a tensor of this type. */
function storedZero(type: TensorType): number {
  return type.dtype === 'int8' && type.quantization !== undefined ? perTensor(type, 'the input').zeroPoint : 0;
}

export const spaceToBatch: Op<SpaceToBatchAttrs> = {
  kind: 'spaceToBatch',
  moves: true,
  tflite: {
    SPACE_TO_BATCH_ND(node, b) {
      const x = node.input(0);
      const { shape, block, edges } = blockOperands(node);
      const y = b.add(spaceToBatch, { block, pads: edges }, [b.add(reshape, { shape }, [x])]);
      return [x.shape.length === 4 ? y : b.add(reshape, { shape: [y.shape[0], y.shape[1], y.shape[3]] }, [y])];
    },
  },

  infer(inputs, { block, pads }) {
    const x = operand(inputs, 0);
    checkBlock(block, pads, x.shape);
    const [n, h, w, c] = x.shape;
    const [oh, ow] = [(h + pads[0] + pads[2]) / block[0], (w + pads[1] + pads[3]) / block[1]];
    if (!Number.isInteger(oh) || !Number.isInteger(ow)) {
      throw new KingletError('ERR_MODEL_INVALID', `block [${block.join(', ')}] does not divide shape [${x.shape.join(', ')}] with pads [${pads.join(', ')}]`);
    }
    return [{ dtype: x.dtype, shape: [n * product(block), oh, ow, c], quantization: x.quantization }];
  },

  reference(inputs, { block, pads }, [type]) {
    const x = operand(inputs, 0);
    const source = numbers(x);
    const [n, h, w, c] = x.shape;
    const data = allocate(type.dtype, elementCount(type.shape));
    const target = numbers({ ...type, data }).fill(storedZero(type));
    const [, oh, ow] = type.shape;
    for (let batch = 0; batch < type.shape[0]; batch++) {
      const phase = Math.floor(batch / n);
      for (let i = 0; i < oh * ow; i++) {
        const y = Math.floor(i / ow) * block[0] + Math.floor(phase / block[1]) - pads[0];
        const x0 = (i % ow) * block[1] + (phase % block[1]) - pads[1];
        if (y < 0 || y >= h || x0 < 0 || x0 >= w) continue;
        for (let k = 0; k < c; k++) target[(batch * oh * ow + i) * c + k] = source[(((batch % n) * h + y) * w + x0) * c + k];
      }
    }
    return [{ ...type, data }];
  },

  lower(node, ctx) {
    const { block, pads } = node.attrs;
    const x = operand(node.inputs, 0);
    const out = node.outputs[0];
    const source = ctx.read(x);
    const dst = ctx.write(out, forward);
    if (pads.some((p) => p > 0)) emitCopy(ctx, dst, fillView(ctx, out.dtype, storedZero(out), out.shape));
    for (let phase = 0; phase < product(block); phase++) {
      const [from, to] = phaseViews({ spread: source, packed: dst, block, before: pads }, phase);
      emitCopy(ctx, to, from);
    }
  },
};

interface Phases {
  /** Every block[0]-th row and block[1]-th column of it belongs to one phase. */
  readonly spread: View;
  /** One phase after the other along the batch axis. */
  readonly packed: View;
  readonly block: readonly number[];
  /** [top, left] positions of the packed grid that lie before `spread`. */
  readonly before: readonly number[];
}

/** The elements that both sides share for one block position, as [spread, packed] views of one shape. */
export function phaseViews({ spread, packed, block, before }: Phases, phase: number): [View, View] {
  const [n, h, w, c] = spread.shape;
  const [by, bx] = [Math.floor(phase / block[1]), phase % block[1]];
  const rows = phaseRange(by, before[0], { dim: h, block: block[0], count: packed.shape[1] });
  const columns = phaseRange(bx, before[1], { dim: w, block: block[1], count: packed.shape[2] });
  const shape = [n, rows.size, columns.size, c];
  const start = [0, rows.from * block[0] + by - before[0], columns.from * block[1] + bx - before[1], 0];
  return [
    sliceView(spread, start, [1, block[0], block[1], 1], shape),
    sliceView(packed, [phase * n, rows.from, columns.from, 0], [1, 1, 1, 1], shape),
  ];
}
