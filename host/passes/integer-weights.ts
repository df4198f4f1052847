// Integer weights and bias of a convolution or matrix product in a QDQ graph. In: a float node with dequantised weights.
// Out: the int8 weights as the file has them and an int32 bias in units of input scale × weight scale; undefined where the
// weights are not constants quantised per tensor or per output channel. Must not know the quantize behind the node.

import type { Editor } from '../graph/edit.ts';
import { is, isConstant, makeValue, type Constant, type Node, type Value } from '../graph/graph.ts';
import { convTranspose2d } from '../ops/conv-transpose2d.ts';
import { dequantize } from '../ops/dequantize.ts';
import { rint, saturate } from '../ops/quantized.ts';
import { numbers, type Quantization, type Tensor } from '../tensor.ts';

/** Scales that differ by less than this are the same number, stored by an exporter that multiplied in another precision. */
const SCALE_TOLERANCE = 1e-5;

export function integerWeights(editor: Editor, node: Node, inputScale: number): { w: Value; bias: Value | null } | undefined {
  const w = dequantizedConstant(editor, node.inputs[1]);
  const q = w?.quantization;
  if (w?.dtype !== 'int8' || q === undefined) return undefined;
  const axis = outputAxis(node, w);
  if (q.scale.length !== 1 && q.axis !== axis) return undefined;
  const channels = (node.outputs[0].shape).at(-1) ?? 1;
  const units = Float32Array.from({ length: channels }, (_, c) => Math.fround(inputScale * q.scale[q.scale.length === 1 ? 0 : c]));
  const bias = integerBias(editor, node.inputs[2] ?? null, units);
  return bias === undefined ? undefined : { w, bias };
}

/** The axis of the weights that counts output channels. */
function outputAxis(node: Node, w: Tensor): number {
  return is(node, convTranspose2d) ? OUTPUT_AXIS_OF_CONV_TRANSPOSE : w.shape.length - 1;
}
const OUTPUT_AXIS_OF_CONV_TRANSPOSE = 3;

function dequantizedConstant(editor: Editor, value: Value | null): Constant | undefined {
  const producer = editor.producer(value);
  const source = is(producer, dequantize) ? producer.inputs[0] : null;
  return isConstant(source) ? source : undefined;
}

function integerBias(editor: Editor, bias: Value | null, units: Float32Array): Value | null | undefined {
  if (bias === null) return null;
  const quantization: Quantization = { scale: units, zeroPoint: new Int32Array(units.length), axis: 0 };
  const type = { dtype: 'int32', shape: [units.length], quantization } as const;
  const stored = dequantizedConstant(editor, bias);
  if (stored?.dtype === 'int32' && stored.data.length === units.length && inUnits(stored.quantization, units)) return makeValue(type, bias.name, stored.data);
  const real = isConstant(bias) && bias.dtype === 'float32' ? numbers(bias) : stored && realValues(stored);
  if (real?.length !== units.length) return undefined;
  return makeValue(type, bias.name, Int32Array.from(real, (b, c) => saturate(rint(b / units[c]), -(2 ** 31), 2 ** 31 - 1)));
}

function inUnits(q: Quantization | undefined, units: Float32Array): boolean {
  return q !== undefined && q.zeroPoint.every((z) => z === 0)
    && units.every((unit, c) => Math.abs(q.scale[q.scale.length === 1 ? 0 : c] - unit) <= SCALE_TOLERANCE * unit);
}

function realValues(stored: Constant): Float64Array | undefined {
  const q = stored.quantization;
  if (q === undefined) return undefined;
  const at = (c: number): number => (q.scale.length === 1 ? 0 : c);
  return Float64Array.from(numbers(stored), (v, c) => (v - q.zeroPoint[at(c)]) * q.scale[at(c)]);
}
