// flip-sign: uint8 to int8 or back, x ^ 0x80: the border between a file's uint8 tensors and the graph's int8 ones.
// The zero point moves by 128, the meaning stays. Must not know the graph around it.

import { CONVERT_FLIP } from '../../assembly/abi.ts';
import { KingletError } from '../error.ts';
import { numbers, type TensorType } from '../tensor.ts';
import { emitConvert } from './convert-step.ts';
import type { Op } from './op.ts';
import { emptyTensor, forward, operand } from './operand.ts';

export type FlipSignAttrs = Readonly<Record<string, never>>;

export const flipSign: Op<FlipSignAttrs> = {
  kind: 'flipSign',
  infer(inputs) {
    const x = operand(inputs, 0);
    if (x.dtype !== 'int8' && x.dtype !== 'uint8') throw new KingletError('ERR_MODEL_INVALID', `${x.dtype} has no 8-bit sign to flip`);
    const shift = x.dtype === 'uint8' ? -128 : 128;
    const q = x.quantization;
    const quantization = q && { ...q, zeroPoint: q.zeroPoint.map((zero) => zero + shift) };
    return [{ dtype: x.dtype === 'uint8' ? 'int8' : 'uint8', shape: x.shape, quantization } satisfies TensorType];
  },
  reference(inputs, _attrs, outputs) {
    const x = numbers(operand(inputs, 0));
    const y = emptyTensor(operand(outputs, 0));
    // Storing wraps to the output's type.
    for (let i = 0; i < x.length; i++) y.data[i] = x[i] ^ 0x80;
    return [y];
  },
  permute: (attrs) => attrs,
  lower(node, ctx) {
    emitConvert(ctx, CONVERT_FLIP, ctx.read(operand(node.inputs, 0), forward), ctx.write(operand(node.outputs, 0)));
  },
};
