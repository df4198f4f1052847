// dequantize: int8 or int32 to float32, per tensor or per channel; the parameters sit on the input value.
// ONNX DequantizeLinear; TFLite DEQUANTIZE. Must not know the graph around it.

import { KingletError } from '../error.ts';
import { onnxQuantization, withQuantization } from '../import/onnx/quantization.ts';
import { numbers } from '../tensor.ts';
import { emitDequantize } from './convert-step.ts';
import type { Op } from './op.ts';
import { emptyTensor, forward, operand } from './operand.ts';
import { dequantizeValue } from './quantized.ts';
import { channelElements, parameters } from './quantize.ts';

export type DequantizeAttrs = Readonly<Record<string, never>>;

const ONNX_FLOAT = 1;

export const dequantize: Op<DequantizeAttrs> = {
  kind: 'dequantize',
  onnx: {
    DequantizeLinear(node, b) {
      const x = node.input(0);
      if (node.int('block_size', 0) !== 0) node.unsupported('blocked quantisation is not supported');
      const to = node.int('output_dtype', 0);
      if (to !== 0 && to !== ONNX_FLOAT) node.unsupported(`output_dtype ${to} is not supported`);
      if (x.dtype !== 'int8' && x.dtype !== 'int32') node.unsupported(`dequantising ${x.dtype} is not supported`);
      const defaultZero = node.wasUint8(0) ? -128 : 0;
      const q = onnxQuantization(node, x.shape, { scale: 1, zeroPoint: 2, defaultZero, axis: node.int('axis', 1) });
      // Weights stay quantised: a pass decides what becomes of the pair.
      return [b.add(dequantize, {}, [withQuantization(b, x, q)], { fold: false })];
    },
  },
  tflite: {
    DEQUANTIZE(node, b) {
      const x = node.input(0);
      // A float16 constant was widened when it was read: nothing is left to do.
      return [x.dtype === 'float32' ? x : b.add(dequantize, {}, [x], { fold: false })];
    },
  },
  infer(inputs) {
    const x = operand(inputs, 0);
    if (x.dtype !== 'int8' && x.dtype !== 'int32') throw new KingletError('ERR_MODEL_INVALID', `dequantising ${x.dtype} is impossible`);
    parameters(x);
    return [{ dtype: 'float32', shape: x.shape }];
  },
  reference(inputs, _attrs, outputs) {
    const tensor = operand(inputs, 0);
    const x = numbers(tensor);
    const y = emptyTensor(operand(outputs, 0));
    const q = parameters(tensor);
    const inner = channelElements(tensor.shape, q);
    for (let i = 0; i < x.length; i++) {
      const channel = Math.floor(i / inner) % q.scale.length;
      y.data[i] = dequantizeValue(x[i], q.scale[channel], q.zeroPoint[channel]);
    }
    return [y];
  },
  permute: (attrs) => attrs,
  lower(node, ctx) {
    const x = operand(node.inputs, 0);
    emitDequantize(ctx, ctx.read(x, forward), ctx.write(operand(node.outputs, 0)), parameters(x));
  },
};
