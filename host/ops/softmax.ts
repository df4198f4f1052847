// softmax and log-softmax along one axis, float32 or int8.
// ONNX Softmax, LogSoftmax (before opset 13 over everything from the axis on); TFLite SOFTMAX, LOG_SOFTMAX. Must not know the graph around it.

import {
  F32_SOFTMAX, QS8_SOFTMAX, SOFTMAX_AXIS, SOFTMAX_BETA, SOFTMAX_DIMS, SOFTMAX_DST, SOFTMAX_DST_AXIS_STRIDE, SOFTMAX_DST_SCALE, SOFTMAX_DST_STRIDES,
  SOFTMAX_DST_ZERO, SOFTMAX_LOG, SOFTMAX_SCRATCH, SOFTMAX_SRC, SOFTMAX_SRC_AXIS_STRIDE, SOFTMAX_SRC_SCALE, SOFTMAX_SRC_STRIDES, SOFTMAX_STEP_BYTES,
} from '../../assembly/abi.ts';
import type { Builder } from '../graph/builder.ts';
import type { Value } from '../graph/graph.ts';
import type { OnnxNode } from '../import/onnx/node.ts';
import type { Lowering, View, Words } from '../plan/lowering.ts';
import { makeNest } from '../plan/views.ts';
import { elementCount, numbers, perTensor } from '../tensor.ts';
import { temporaryView } from './cast.ts';
import { emitDequantize, emitQuantize } from './convert-step.ts';
import type { Op } from './op.ts';
import { activation, aroundAxis, emptyTensor, forward, normalizeAxis, operand } from './operand.ts';
import { parameters } from './quantize.ts';
import { dequantizeValue, quantizeValue } from './quantized.ts';
import { reshape } from './reshape.ts';

export interface SoftmaxAttrs {
  /** Not negative. */
  readonly axis: number;
  readonly log: boolean;
  /** Factor on the input; 1 in ONNX. */
  readonly beta: number;
}

/** The version that changed ONNX softmax from "flatten to 2-D at the axis" to "along the axis". */
const ALONG_AXIS_OPSET = 13;

export const softmax: Op<SoftmaxAttrs> = {
  kind: 'softmax',
  onnx: {
    Softmax: (node, b) => [readOnnx(node, b, false)],
    LogSoftmax: (node, b) => [readOnnx(node, b, true)],
  },
  tflite: {
    SOFTMAX(node, b) {
      const x = node.input(0);
      const { quantization } = node.output(0);
      return [b.add(softmax, { axis: x.shape.length - 1, log: false, beta: node.f32(0, 0) }, [x], { quantization })];
    },
    LOG_SOFTMAX(node, b) {
      const x = node.input(0);
      const { quantization } = node.output(0);
      return [b.add(softmax, { axis: x.shape.length - 1, log: true, beta: 1 }, [x], { quantization })];
    },
  },
  infer(inputs, attrs) {
    const x = activation(inputs, 0);
    normalizeAxis(attrs.axis, x.shape.length);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  reference(inputs, attrs, outputs) {
    const x = operand(inputs, 0);
    const y = emptyTensor(operand(outputs, 0));
    const { outer, length, inner } = aroundAxis(x.shape, attrs.axis);
    const from = x.dtype === 'int8' ? perTensor(x, 'the input') : undefined;
    const to = y.dtype === 'int8' ? perTensor(y, 'the output') : undefined;
    const values = numbers(x);
    for (let row = 0; row < outer * inner; row++) {
      const start = Math.floor(row / inner) * length * inner + (row % inner);
      const line = Array.from({ length }, (_, i) => {
        const value = values[start + i * inner];
        return (from ? dequantizeValue(value, from.scale, from.zeroPoint) : value) * attrs.beta;
      });
      softmaxOf(line, attrs.log).forEach((p, i) => {
        y.data[start + i * inner] = to ? quantizeValue(Math.fround(p), to.scale, to.zeroPoint) : Math.fround(p);
      });
    }
    return [y];
  },
  permute: (attrs, perm) => ({ ...attrs, axis: perm.indexOf(attrs.axis) }),
  lower(node, ctx) {
    const x = operand(node.inputs, 0);
    const y = operand(node.outputs, 0);
    const src = ctx.read(x, forward);
    const dst = ctx.write(y);
    if (x.dtype === 'float32') {
      emitFloat(ctx, src, dst, node.attrs);
    } else if (node.attrs.log) {
      const real = temporaryView(ctx, 'float32', x.shape);
      emitDequantize(ctx, src, real, parameters(x));
      emitFloat(ctx, real, real, node.attrs);
      emitQuantize(ctx, real, dst, parameters(y));
    } else {
      const to = perTensor(y, 'the output');
      ctx.emit(QS8_SOFTMAX, SOFTMAX_STEP_BYTES, {
        ...axisWords(src, dst, node.attrs),
        [SOFTMAX_SRC_SCALE]: { f32: perTensor(x, 'the input').scale },
        [SOFTMAX_DST_SCALE]: { f32: to.scale },
        [SOFTMAX_DST_ZERO]: to.zeroPoint,
        [SOFTMAX_SCRATCH]: ctx.temporary(4 * (x.shape[node.attrs.axis] ?? 1)),
      });
    }
  },
};

/** In float64, shifted by the largest value so that nothing overflows. */
function softmaxOf(line: readonly number[], log: boolean): number[] {
  const largest = line.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = line.reduce((total, v) => total + Math.exp(v - largest), 0);
  return line.map((v) => (log ? v - largest - Math.log(sum) : Math.exp(v - largest) / sum));
}

function emitFloat(ctx: Lowering, src: View, dst: View, attrs: SoftmaxAttrs): void {
  ctx.emit(F32_SOFTMAX, SOFTMAX_STEP_BYTES, { ...axisWords(src, dst, attrs), [SOFTMAX_LOG]: attrs.log ? 1 : 0 });
}

function axisWords(src: View, dst: View, { axis, beta }: SoftmaxAttrs): Words {
  const nest = makeNest([withoutAxis(dst, axis), withoutAxis(src, axis)], 4);
  return {
    [SOFTMAX_SRC]: src.at,
    [SOFTMAX_DST]: dst.at,
    [SOFTMAX_DIMS]: nest.dims,
    [SOFTMAX_DST_STRIDES]: nest.strides[0] ?? [],
    [SOFTMAX_SRC_STRIDES]: nest.strides[1] ?? [],
    [SOFTMAX_AXIS]: src.shape[axis] ?? 1,
    [SOFTMAX_SRC_AXIS_STRIDE]: src.strides[axis] ?? 0,
    [SOFTMAX_DST_AXIS_STRIDE]: dst.strides[axis] ?? 0,
    [SOFTMAX_BETA]: { f32: beta },
  };
}

/** The view's positions when one axis is walked by the kernel itself. */
export function withoutAxis(view: View, axis: number): View {
  return { ...view, shape: view.shape.filter((_, i) => i !== axis), strides: view.strides.filter((_, i) => i !== axis) };
}

function readOnnx(node: OnnxNode, b: Builder, log: boolean): Value {
  const x = node.input(0);
  const rank = x.shape.length;
  if (node.opset >= ALONG_AXIS_OPSET) return b.add(softmax, { axis: normalizeAxis(node.int('axis', -1), rank), log, beta: 1 }, [x]);
  const axis = normalizeAxis(node.int('axis', 1), rank);
  if (x.shape.slice(axis + 1).every((dim) => dim === 1)) return b.add(softmax, { axis, log, beta: 1 }, [x]);
  const flat = b.add(reshape, { shape: [elementCount(x.shape.slice(0, axis)), elementCount(x.shape.slice(axis))] }, [x]);
  return b.add(reshape, { shape: x.shape }, [b.add(softmax, { axis: 1, log, beta: 1 }, [flat])]);
}
