// resize: nearest, bilinear or cubic interpolation of NHWC tensors to a given height and width, float32 or (not cubic) int8.
// ONNX Resize, Upsample (read in resize-onnx.ts); TFLite RESIZE_BILINEAR, RESIZE_NEAREST_NEIGHBOR. Must not know the graph around it.

import * as abi from '../../assembly/abi.ts';
import { KingletError } from '../error.ts';
import type { Builder } from '../graph/builder.ts';
import type { Value } from '../graph/graph.ts';
import type { TfliteNode } from '../import/tflite/node.ts';
import { channelsTogether, type Need, type View, type Words } from '../plan/lowering.ts';
import { elementBytes, numbers, perTensor, type Tensor, type TensorType } from '../tensor.ts';
import { integers } from './axes.ts';
import type { Op } from './op.ts';
import { activation, emptyTensor, forward, operand } from './operand.ts';
import { rint, saturate } from './quantized.ts';
import { matchQuantization } from './requantize.ts';
import { onnxResizeReaders } from './resize-onnx.ts';
import { cubicTable, linearTable, nearestTable, type CubicEntry, type LinearEntry, type ResizeAttrs } from './resize-table.ts';

const definition: Op<ResizeAttrs> = {
  kind: 'resize',
  tflite: {
    RESIZE_BILINEAR: (node, b) => [readTflite(node, b, 'linear')],
    RESIZE_NEAREST_NEIGHBOR: (node, b) => [readTflite(node, b, 'nearest')],
  },
  infer(inputs, { mode, size, scales }) {
    const x = activation(inputs, 0);
    if (x.shape.length !== 4) throw new KingletError('ERR_MODEL_INVALID', `resizing needs a 4-D input, not shape [${x.shape.join(', ')}]`);
    if (mode === 'cubic' && x.dtype !== 'float32') throw new KingletError('ERR_UNSUPPORTED', 'cubic interpolation works on float32');
    const [n, h, w, c] = x.shape;
    if (h < 1 || w < 1 || !size.every((dim) => Number.isInteger(dim) && dim >= 1) || !scales.every((s) => s > 0 && s < Infinity)) {
      throw new KingletError('ERR_MODEL_INVALID', `resizing [${h}, ${w}] to [${size.join(', ')}] by [${scales.join(', ')}] is impossible`);
    }
    return [{ dtype: x.dtype, shape: [n, size[0], size[1], c], quantization: mode === 'nearest' ? x.quantization : undefined }];
  },
  reference(inputs, attrs, outputs) {
    const x = operand(inputs, 0);
    const y = emptyTensor(operand(outputs, 0));
    if (attrs.mode === 'nearest') copyNearest(x, y, attrs);
    else if (attrs.mode === 'linear') interpolate(x, y, attrs);
    else interpolateCubic(x, y, attrs);
    return [y];
  },
  lower(node, ctx) {
    const x = operand(node.inputs, 0);
    const y = operand(node.outputs, 0);
    const { attrs } = node;
    const src = ctx.read(x, vectorChannels);
    const dst = ctx.write(y, channelsTogether);
    const words = placeWords(src, dst);
    if (attrs.mode === 'nearest') {
      ctx.emit(abi.X_RESIZE_NEAREST, abi.RESIZE_STEP_BYTES, {
        ...words,
        [abi.RESIZE_Y_TABLE]: ctx.weights(Int32Array.from(nearestTable(attrs, 0, x.shape[1]))),
        [abi.RESIZE_X_TABLE]: ctx.weights(Int32Array.from(nearestTable(attrs, 1, x.shape[2]))),
        [abi.RESIZE_ELEMENT_BYTES]: elementBytes[x.dtype],
      });
      return;
    }
    if (attrs.mode === 'cubic') {
      ctx.emit(abi.F32_RESIZE_CUBIC, abi.RESIZE_STEP_BYTES, {
        ...words,
        [abi.RESIZE_Y_TABLE]: ctx.weights(encodeCubic(cubicTable(attrs, 0, x.shape[1]))),
        [abi.RESIZE_X_TABLE]: ctx.weights(encodeCubic(cubicTable(attrs, 1, x.shape[2]))),
      });
      return;
    }
    ctx.emit(x.dtype === 'int8' ? abi.QS8_RESIZE : abi.F32_RESIZE, abi.RESIZE_STEP_BYTES, {
      ...words,
      [abi.RESIZE_Y_TABLE]: ctx.weights(encode(linearTable(attrs, 0, x.shape[1]))),
      [abi.RESIZE_X_TABLE]: ctx.weights(encode(linearTable(attrs, 1, x.shape[2]))),
      ...(x.dtype === 'int8' ? scaleWords(x, y) : {}),
    });
  },
};

/** The readers add nodes of this very op, so they are made after it. */
export const resize: Op<ResizeAttrs> = Object.assign(definition, { onnx: onnxResizeReaders(definition) });

const vectorChannels: Need = (view) => channelsTogether(view) && forward(view);

/** Options: RESIZE_BILINEAR has align_corners, half_pixel_centers at 2 and 3 (after two dead fields); nearest has them at 0 and 1. */
function readTflite(node: TfliteNode, b: Builder, mode: 'nearest' | 'linear'): Value {
  const x = node.input(0);
  const stated = node.output(0);
  const [height, width] = integers(node.constant(1));
  if (x.shape.length !== 4 || height === undefined || width === undefined) return node.fail('resizing needs a 4-D input and two output sizes');
  const field = mode === 'linear' ? 2 : 0;
  const aligned = node.bool(field, false);
  const halfPixel = node.bool(field + 1, false);
  const ratio = (input: number, output: number): number => (aligned && output > 1 ? Math.fround((input - 1) / (output - 1)) : Math.fround(input / output));
  const attrs: ResizeAttrs = {
    mode,
    size: [height, width],
    scales: [Math.fround(height / x.shape[1]), Math.fround(width / x.shape[2])],
    ratio: [ratio(x.shape[1], height), ratio(x.shape[2], width)],
    coordinates: tfliteCoordinates(mode, aligned, halfPixel),
    nearest: aligned ? 'round_prefer_ceil' : 'floor',
  };
  const y = b.add(resize, attrs, [x], { quantization: mode === 'linear' ? stated.quantization : undefined });
  return matchQuantization(b, y, stated);
}

function tfliteCoordinates(mode: 'nearest' | 'linear', aligned: boolean, halfPixel: boolean): ResizeAttrs['coordinates'] {
  if (aligned) return 'align_corners';
  if (!halfPixel) return 'asymmetric';
  return mode === 'linear' ? 'half_pixel' : 'tf_half_pixel_for_nn';
}

function copyNearest(x: Tensor, y: Tensor, attrs: ResizeAttrs): void {
  const data = numbers(x);
  const [batch, ih, iw, c] = x.shape;
  const rows = nearestTable(attrs, 0, ih);
  const columns = nearestTable(attrs, 1, iw);
  let o = 0;
  for (let n = 0; n < batch; n++) {
    for (const row of rows) {
      for (const column of columns) {
        for (let channel = 0; channel < c; channel++) y.data[o++] = data[((n * ih + row) * iw + column) * c + channel];
      }
    }
  }
}

/** float32: in float64, rounded once. int8: on (q - zi), every step rounded to float32. */
function interpolate(x: Tensor, y: Tensor, attrs: ResizeAttrs): void {
  const data = numbers(x);
  const [batch, ih, iw, c] = x.shape;
  const from = x.dtype === 'int8' ? perTensor(x, 'the input') : undefined;
  const to = from && perTensor(y, 'the output');
  const step = from ? Math.fround : (v: number): number => v;
  const factor = from && to ? Math.fround(from.scale / to.scale) : 1;
  const mix = (a: number, b: number, weight: number): number => step(a + step(step(b - a) * weight));
  const columns = linearTable(attrs, 1, iw);
  let o = 0;
  for (let n = 0; n < batch; n++) {
    for (const row of linearTable(attrs, 0, ih)) {
      for (const column of columns) {
        for (let channel = 0; channel < c; channel++) {
          const at = (iy: number, ix: number): number => data[((n * ih + iy) * iw + ix) * c + channel] - (from?.zeroPoint ?? 0);
          const top = mix(at(row.index0, column.index0), at(row.index0, column.index1), column.weight);
          const bottom = mix(at(row.index1, column.index0), at(row.index1, column.index1), column.weight);
          const value = mix(top, bottom, row.weight);
          y.data[o++] = to ? saturate(rint(Math.fround(value * factor)) + to.zeroPoint) : Math.fround(value);
        }
      }
    }
  }
}

/** In float64, rounded once. */
function interpolateCubic(x: Tensor, y: Tensor, attrs: ResizeAttrs): void {
  const data = numbers(x);
  const [batch, ih, iw, c] = x.shape;
  const columns = cubicTable(attrs, 1, iw);
  let o = 0;
  for (let n = 0; n < batch; n++) {
    for (const row of cubicTable(attrs, 0, ih)) {
      for (const column of columns) {
        for (let channel = 0; channel < c; channel++) {
          let sum = 0;
          row.indices.forEach((iy, i) => {
            column.indices.forEach((ix, j) => { sum += row.weights[i] * column.weights[j] * data[((n * ih + iy) * iw + ix) * c + channel]; });
          });
          y.data[o++] = Math.fround(sum);
        }
      }
    }
  }
}

/** [index i32 × 4, weight f32 × 4] per output row or column. */
function encodeCubic(table: readonly CubicEntry[]): Uint8Array {
  const indices = new Int32Array(table.length * 8);
  const weights = new Float32Array(indices.buffer);
  table.forEach((entry, i) => {
    indices.set(entry.indices, i * 8);
    weights.set(entry.weights, i * 8 + 4);
  });
  return new Uint8Array(indices.buffer);
}

/** [index0 i32, index1 i32, weight1 f32] per output row or column. */
function encode(table: readonly LinearEntry[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(table.length * 12));
  table.forEach(({ index0, index1, weight }, i) => {
    view.setInt32(i * 12, index0, true);
    view.setInt32(i * 12 + 4, index1, true);
    view.setFloat32(i * 12 + 8, weight, true);
  });
  return new Uint8Array(view.buffer);
}

function placeWords(src: View, dst: View): Words {
  return {
    [abi.RESIZE_SRC]: src.at,
    [abi.RESIZE_DST]: dst.at,
    [abi.RESIZE_BATCH]: src.shape[0],
    [abi.RESIZE_IH]: src.shape[1],
    [abi.RESIZE_IW]: src.shape[2],
    [abi.RESIZE_C]: src.shape[3],
    [abi.RESIZE_OH]: dst.shape[1],
    [abi.RESIZE_OW]: dst.shape[2],
    [abi.RESIZE_SRC_BATCH]: src.strides[0],
    [abi.RESIZE_SRC_ROW]: src.strides[1],
    [abi.RESIZE_SRC_PIXEL]: src.strides[2],
    [abi.RESIZE_DST_BATCH]: dst.strides[0],
    [abi.RESIZE_DST_ROW]: dst.strides[1],
    [abi.RESIZE_DST_PIXEL]: dst.strides[2],
  };
}

function scaleWords(x: TensorType, y: TensorType): Words {
  const from = perTensor(x, 'the input');
  const to = perTensor(y, 'the output');
  return {
    [abi.RESIZE_SRC_SCALE]: { f32: from.scale },
    [abi.RESIZE_DST_SCALE]: { f32: to.scale },
    [abi.RESIZE_SRC_ZERO]: from.zeroPoint,
    [abi.RESIZE_DST_ZERO]: to.zeroPoint,
  };
}
