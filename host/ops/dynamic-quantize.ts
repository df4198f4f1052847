// ONNX DynamicQuantizeLinear: uint8 with a scale and a zero point found at run time from the range of the input, which always holds 0.
// In: the node. Out: reductions, arithmetic and quantize nodes. https://onnx.ai/onnx/operators/onnx__DynamicQuantizeLinear.html
// Must not know kernels.

import type { Builder } from '../graph/builder.ts';
import type { Value } from '../graph/graph.ts';
import type { OnnxNode } from '../import/onnx/node.ts';
import { byteValues } from './cast.ts';
import { applyBinary, applyUnary } from './composed.ts';
import { dequantize } from './dequantize.ts';
import { quantize } from './quantize.ts';
import { reduce } from './reduce.ts';

/** y = saturate(round(x / scale) + zero), scale = (max - min) / 255, zero = saturate(round(-min / scale)). */
function readDynamicQuantize(node: OnnxNode, b: Builder): Value[] {
  const x = node.input(0);
  const axes = x.shape.map((_, i) => i);
  const low = applyUnary(b, 'clamp', b.add(reduce, { kind: 'min', axes, keepDims: false }, [x]), -Infinity, 0);
  const high = applyUnary(b, 'clamp', b.add(reduce, { kind: 'max', axes, keepDims: false }, [x]), 0, Infinity);
  const scale = applyBinary(b, 'div', applyBinary(b, 'sub', high, low), 255);
  const zero = toByte(b, applyBinary(b, 'div', applyUnary(b, 'neg', low), scale));
  const steps = applyUnary(b, 'round', applyBinary(b, 'div', x, scale));
  return [toByte(b, applyBinary(b, 'add', steps, b.add(dequantize, {}, [zero]))), scale, zero];
}

function toByte(b: Builder, real: Value): Value {
  return b.add(quantize, {}, [real], { quantization: byteValues });
}

/** A reader only: nothing of it is left in a graph. */
export const dynamicQuantize = { kind: 'dynamicQuantize', onnx: { DynamicQuantizeLinear: readDynamicQuantize } };
