// TFLite BATCH_TO_SPACE_ND on NHWC: images become the block positions of fewer, larger images, then edges are cropped.
// The inverse of space-to-batch.ts, which also has the index arithmetic. Out: one X_COPY per block position.

import { KingletError } from '../error.ts';
import { allocate, elementCount, numbers } from '../tensor.ts';
import { product } from './axes.ts';
import { emitCopy } from './copy-step.ts';
import type { Op } from './op.ts';
import { forward, operand } from './operand.ts';
import { reshape } from './reshape.ts';
import { blockOperands, checkBlock, phaseViews } from './space-to-batch.ts';

export interface BatchToSpaceAttrs {
  /** [height, width]. */
  readonly block: readonly number[];
  /** [top, left, bottom, right]. */
  readonly crops: readonly number[];
}

export const batchToSpace: Op<BatchToSpaceAttrs> = {
  kind: 'batchToSpace',
  moves: true,
  tflite: {
    BATCH_TO_SPACE_ND(node, b) {
      const x = node.input(0);
      const { shape, block, edges } = blockOperands(node);
      const y = b.add(batchToSpace, { block, crops: edges }, [b.add(reshape, { shape }, [x])]);
      return [x.shape.length === 4 ? y : b.add(reshape, { shape: [y.shape[0], y.shape[1], y.shape[3]] }, [y])];
    },
  },

  infer(inputs, { block, crops }) {
    const x = operand(inputs, 0);
    checkBlock(block, crops, x.shape);
    const [batch, h, w, c] = x.shape;
    const shape = [batch / product(block), h * block[0] - crops[0] - crops[2], w * block[1] - crops[1] - crops[3], c];
    if (shape.some((dim) => !Number.isInteger(dim) || dim < 0)) {
      throw new KingletError('ERR_MODEL_INVALID', `block [${block.join(', ')}] with crops [${crops.join(', ')}] does not fit shape [${x.shape.join(', ')}]`);
    }
    return [{ dtype: x.dtype, shape, quantization: x.quantization }];
  },

  reference(inputs, { block, crops }, [type]) {
    const x = operand(inputs, 0);
    const source = numbers(x);
    const [n, oh, ow, c] = type.shape;
    const data = allocate(type.dtype, elementCount(type.shape));
    const target = numbers({ ...type, data });
    for (let i = 0; i < n * oh * ow; i++) {
      const y = (Math.floor(i / ow) % oh) + crops[0];
      const x0 = (i % ow) + crops[1];
      const batch = ((y % block[0]) * block[1] + (x0 % block[1])) * n + Math.floor(i / (oh * ow));
      const from = (batch * x.shape[1] + Math.floor(y / block[0])) * x.shape[2] + Math.floor(x0 / block[1]);
      for (let k = 0; k < c; k++) target[i * c + k] = source[from * c + k];
    }
    return [{ ...type, data }];
  },

  lower(node, ctx) {
    const { block, crops } = node.attrs;
    const source = ctx.read(operand(node.inputs, 0));
    const dst = ctx.write(node.outputs[0], forward);
    for (let phase = 0; phase < product(block); phase++) {
      const [to, from] = phaseViews({ spread: dst, packed: source, block, before: crops }, phase);
      emitCopy(ctx, to, from);
    }
  },
};
