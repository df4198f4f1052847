// quantize: float32 to int8, per tensor or per channel; the parameters sit on the output value.
// ONNX QuantizeLinear; TFLite QUANTIZE (between integers it is requantize). Must not know the graph around it.

import { KingletError } from '../error.ts';
import { onnxQuantization } from '../import/onnx/quantization.ts';
import type { OnnxNode } from '../import/onnx/node.ts';
import { numbers, sameQuantization, type Quantization, type TensorType } from '../tensor.ts';
import { emitQuantize } from './convert-step.ts';
import type { Op } from './op.ts';
import { emptyTensor, forward, operand } from './operand.ts';
import { quantizeValue } from './quantized.ts';
import { requantize } from './requantize.ts';

export type QuantizeAttrs = Readonly<Record<string, never>>;

const ONNX_UINT8 = 2;
const ONNX_INT8 = 3;

export const quantize: Op<QuantizeAttrs> = {
  kind: 'quantize',
  onnx: {
    QuantizeLinear(node, b) {
      const x = node.input(0);
      node.ignore('saturate', 'precision');
      if (node.int('block_size', 0) !== 0) node.unsupported('blocked quantisation is not supported');
      if (x.dtype !== 'float32') node.unsupported(`quantising ${x.dtype} is not supported`);
      const quantization = onnxQuantization(node, x.shape, { scale: 1, zeroPoint: 2, defaultZero: defaultZero(node), axis: node.int('axis', 1) });
      return [b.add(quantize, {}, [x], { quantization })];
    },
  },
  tflite: {
    QUANTIZE(node, b) {
      const x = node.input(0);
      const { dtype, quantization } = node.output(0);
      if (dtype !== 'int8') node.unsupported(`quantising to ${dtype} is not supported`);
      if (x.dtype === 'float32') return [b.add(quantize, {}, [x], { quantization })];
      if (sameQuantization(x.quantization, quantization)) return [x];
      return [b.add(requantize, {}, [x], { quantization })];
    },
  },
  infer(inputs) {
    const x = operand(inputs, 0);
    if (x.dtype !== 'float32') throw new KingletError('ERR_MODEL_INVALID', `quantising ${x.dtype} is impossible`);
    return [{ dtype: 'int8', shape: x.shape }];
  },
  reference(inputs, _attrs, outputs) {
    const x = numbers(operand(inputs, 0));
    const y = emptyTensor(operand(outputs, 0));
    const q = parameters(y);
    const inner = channelElements(y.shape, q);
    for (let i = 0; i < x.length; i++) {
      const channel = Math.floor(i / inner) % q.scale.length;
      y.data[i] = quantizeValue(x[i], q.scale[channel], q.zeroPoint[channel]);
    }
    return [y];
  },
  permute(attrs, _perm, node) {
    return parameters(operand(node.outputs, 0)).scale.length === 1 ? attrs : undefined;
  },
  lower(node, ctx) {
    const y = operand(node.outputs, 0);
    emitQuantize(ctx, ctx.read(operand(node.inputs, 0), forward), ctx.write(y), parameters(y));
  },
};

/** Quantisation that must be there, per tensor or of the right number of channels. */
export function parameters(type: TensorType): Quantization {
  const q = type.quantization;
  if (q === undefined) throw new KingletError('ERR_MODEL_INVALID', `a ${type.dtype} tensor has no quantisation parameters`);
  if (q.scale.length !== q.zeroPoint.length || (q.scale.length !== 1 && q.scale.length !== type.shape[q.axis])) {
    throw new KingletError('ERR_MODEL_INVALID', `${q.scale.length} scales do not fit shape [${type.shape.join(', ')}]`);
  }
  return q;
}

/** Elements that share a channel's parameters and lie together. */
export function channelElements(shape: readonly number[], q: Quantization): number {
  return q.scale.length === 1 ? 1 : shape.slice(q.axis + 1).reduce((product, dim) => product * dim, 1);
}

/** Zero point of a node that has none: its type comes from output_dtype and is uint8 by default, whose 0 is our -128. */
function defaultZero(node: OnnxNode): number {
  const dtype = node.int('output_dtype', 0);
  if (dtype === ONNX_INT8) return 0;
  if (dtype === ONNX_UINT8 || dtype === 0) return -128;
  return node.unsupported(`output_dtype ${dtype} is not supported`);
}
