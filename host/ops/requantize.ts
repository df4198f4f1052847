// requantize: int8 with one scale to int8 with another, per tensor: rint(f32(q - zi) * f32(si / so)) + zo.
// TFLite QUANTIZE between integers (read in quantize.ts). Lowers to a table of all 256 results. Must not know the graph around it.

import { KingletError } from '../error.ts';
import type { Builder } from '../graph/builder.ts';
import type { Value } from '../graph/graph.ts';
import { perTensor, sameQuantization, type TensorType } from '../tensor.ts';
import { emitTable } from './copy-step.ts';
import type { Op } from './op.ts';
import { emptyTensor, forward, operand } from './operand.ts';
import { requantizeValue } from './quantized.ts';

export type RequantizeAttrs = Readonly<Record<string, never>>;

export const requantize: Op<RequantizeAttrs> = {
  kind: 'requantize',
  infer(inputs) {
    const x = operand(inputs, 0);
    if (x.dtype !== 'int8') throw new KingletError('ERR_MODEL_INVALID', `requantising ${x.dtype} is impossible`);
    return [{ dtype: 'int8', shape: x.shape }];
  },
  reference(inputs, _attrs, outputs) {
    const x = operand(inputs, 0);
    const y = emptyTensor(operand(outputs, 0));
    const from = perTensor(x, 'the input');
    const to = perTensor(y, 'the output');
    for (let i = 0; i < y.data.length; i++) y.data[i] = requantizeValue(Number(x.data[i]), from, to);
    return [y];
  },
  permute: (attrs) => attrs,
  lower(node, ctx) {
    const x = operand(node.inputs, 0);
    const y = operand(node.outputs, 0);
    const from = perTensor(x, 'the input');
    const to = perTensor(y, 'the output');
    const table = Int8Array.from({ length: 256 }, (_, i) => requantizeValue(i - 128, from, to));
    const src = ctx.read(x, forward);
    emitTable(ctx, ctx.write(y), src, table);
  },
};

/** `value`, requantised if a file states other parameters for it than the ones it has. */
export function matchQuantization(b: Builder, value: Value, stated: TensorType): Value {
  if (value.dtype !== 'int8' || stated.quantization === undefined || sameQuantization(value.quantization, stated.quantization)) return value;
  return b.add(requantize, {}, [value], { quantization: stated.quantization });
}
