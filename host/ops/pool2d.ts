// pool2d: largest or mean element of NHWC windows, float32 or int8.
// ONNX MaxPool, AveragePool; TFLite MAX_POOL_2D, AVERAGE_POOL_2D. Must not know the graph around it.

import {
  F32_POOL, POOL_AVERAGE, POOL_BATCH, POOL_C, POOL_COUNT_PADS, POOL_DH, POOL_DST, POOL_DST_BATCH, POOL_DST_PIXEL, POOL_DST_ROW, POOL_DST_SCALE,
  POOL_DST_ZERO, POOL_DW, POOL_IH, POOL_IW, POOL_KH, POOL_KIND, POOL_KW, POOL_MAX, POOL_MAX_VALUE, POOL_MIN, POOL_OH, POOL_OW, POOL_PB, POOL_PL, POOL_PR,
  POOL_PT, POOL_SH, POOL_SRC, POOL_SRC_BATCH, POOL_SRC_PIXEL, POOL_SRC_ROW, POOL_SRC_SCALE, POOL_SRC_ZERO, POOL_STEP_BYTES, POOL_SW, QS8_POOL,
} from '../../assembly/abi.ts';
import { KingletError } from '../error.ts';
import type { Builder } from '../graph/builder.ts';
import type { Value } from '../graph/graph.ts';
import { channelsToBack, channelsToFront, toNchw, toNhwc } from '../import/onnx/layout.ts';
import type { OnnxNode } from '../import/onnx/node.ts';
import type { TfliteNode } from '../import/tflite/node.ts';
import { channelsTogether, type Need, type View, type Words } from '../plan/lowering.ts';
import { numbers, perTensor, type Shape, type Tensor, type TensorType } from '../tensor.ts';
import { noClamp, tfliteClamp } from './activation.ts';
import type { Op } from './op.ts';
import { activation, emptyTensor, forward, operand } from './operand.ts';
import { quantizedClamp, requantizeSum, saturate } from './quantized.ts';
import { matchQuantization } from './requantize.ts';
import { reshape } from './reshape.ts';
import { planesToVolume, volumeToPlanes } from './volume.ts';
import { checkWindow, onnxVolumeWindow, onnxWindow, outputSize, resolvePads, tfliteSamePads, type PaddingRule, type Pads, type Window } from './window.ts';

export interface Pool2dAttrs extends Window {
  readonly kind: 'max' | 'average';
  readonly pads: Pads;
  /** A last window may hang over the padded input. */
  readonly ceilMode: boolean;
  /** Averages divide by padding positions too (but never by positions beyond the pads). */
  readonly countIncludePad: boolean;
  readonly min: number;
  readonly max: number;
}

export const pool2d: Op<Pool2dAttrs> = {
  kind: 'pool2d',
  onnx: {
    MaxPool(node, b) {
      if (node.outputCount > 1) node.unsupported('the index output of MaxPool is not supported');
      node.ignore('storage_order');
      return [readOnnx(node, b, 'max', false)];
    },
    AveragePool: (node, b) => [readOnnx(node, b, 'average', node.int('count_include_pad', 0) !== 0)],
  },
  tflite: {
    MAX_POOL_2D: (node, b) => [readTflite(node, b, 'max')],
    AVERAGE_POOL_2D: (node, b) => [readTflite(node, b, 'average')],
  },
  infer(inputs, attrs) {
    const x = activation(inputs, 0);
    if (x.shape.length !== 4) throw new KingletError('ERR_MODEL_INVALID', `pooling needs a 4-D input, not shape [${x.shape.join(', ')}]`);
    checkWindow(attrs, attrs.pads);
    if (attrs.countIncludePad && attrs.pads.some((p) => p < 0)) throw new KingletError('ERR_MODEL_INVALID', 'pooling cannot count negative pads');
    const [n, h, w, c] = x.shape;
    const size = (axis: 0 | 1, input: number): number => {
      const out = outputSize(input, attrs.kernel[axis], attrs.strides[axis], attrs.dilations[axis], attrs.pads[axis], attrs.pads[axis + 2], attrs.ceilMode);
      refuseEmptyWindows(attrs, axis, input, out);
      return out;
    };
    const quantization = attrs.kind === 'max' ? x.quantization : undefined;
    return [{ dtype: x.dtype, shape: [n, size(0, h), size(1, w), c], quantization }];
  },
  reference(inputs, attrs, outputs) {
    const x = operand(inputs, 0);
    const y = emptyTensor(operand(outputs, 0));
    const [batch, oh, ow, c] = y.shape;
    const pool = attrs.kind === 'max' ? maxOf(x, attrs) : averageOf(x, y, attrs);
    let o = 0;
    for (let n = 0; n < batch; n++) {
      for (let oy = 0; oy < oh; oy++) {
        for (let ox = 0; ox < ow; ox++) {
          const pixels = tapsInside(x.shape, attrs, oy, ox).map(([iy, ix]) => ((n * x.shape[1] + iy) * x.shape[2] + ix) * c);
          const divisor = attrs.countIncludePad ? paddedCount(x.shape, attrs, oy, ox) : pixels.length;
          for (let channel = 0; channel < c; channel++) y.data[o++] = pool(pixels, channel, divisor);
        }
      }
    }
    return [y];
  },
  lower(node, ctx) {
    const x = operand(node.inputs, 0);
    const y = operand(node.outputs, 0);
    const src = ctx.read(x, vectorChannels);
    const dst = ctx.write(y, channelsTogether);
    const words = windowWords(src, dst, node.attrs);
    const { kind, min, max } = node.attrs;
    if (x.dtype === 'float32') {
      ctx.emit(F32_POOL, POOL_STEP_BYTES, { ...words, [POOL_MIN]: { f32: min }, [POOL_MAX_VALUE]: { f32: max } });
      return;
    }
    const [lo, hi] = clampOf(y, node.attrs);
    ctx.emit(QS8_POOL, POOL_STEP_BYTES, {
      ...words,
      [POOL_MIN]: lo,
      [POOL_MAX_VALUE]: hi,
      ...(kind === 'average' ? scaleWords(x, y) : {}),
    });
  },
};

const vectorChannels: Need = (view) => channelsTogether(view) && forward(view);

function readOnnx(node: OnnxNode, b: Builder, kind: 'max' | 'average', countIncludePad: boolean): Value {
  const rank = node.input(0).shape.length;
  const ceilMode = node.int('ceil_mode', 0) !== 0;
  const pool = (x: Value, rule: PaddingRule): Value => {
    const { kernel, strides, dilations } = rule;
    const pads = resolvePads({ ...rule, input: [x.shape[1], x.shape[2]] });
    return b.add(pool2d, { kind, kernel, strides, dilations, pads, ceilMode, countIncludePad, ...noClamp }, [x]);
  };
  if (rank !== 5) return toNchw(b, pool(toNhwc(b, node.input(0)), onnxWindow(node, null, rank - 2)), rank);
  // A maximum of maxima, or a mean of means over equally many elements: the planes first, then along the depth.
  const { depth, plane } = onnxVolumeWindow(node, null);
  const x = channelsToBack(b, node.input(0));
  const volume = planesToVolume(b, pool(volumeToPlanes(b, x), plane), x.shape[0]);
  const [n, d, h, w, c] = volume.shape;
  const y = pool(b.add(reshape, { shape: [n, d, h * w, c] }, [volume]), depth);
  return channelsToFront(b, b.add(reshape, { shape: [n, y.shape[1], h, w, c] }, [y]));
}

/** Pool2DOptions: padding, stride_w, stride_h, filter_width, filter_height, fused_activation_function. */
function readTflite(node: TfliteNode, b: Builder, kind: 'max' | 'average'): Value {
  const x = node.input(0);
  if (x.shape.length !== 4) node.fail(`pooling needs a 4-D input, not shape [${x.shape.join(', ')}]`);
  const window: Window = { kernel: [node.i32(4, 0), node.i32(3, 0)], strides: [node.i32(2, 0), node.i32(1, 0)], dilations: [1, 1] };
  checkWindow(window, [0, 0, 0, 0]);
  const pads = tfliteSamePads(node.u8(0, 0), [x.shape[1], x.shape[2]], window);
  const stated = node.output(0);
  const attrs: Pool2dAttrs = { kind, ...window, pads, ceilMode: false, countIncludePad: false, ...tfliteClamp(node, 5) };
  const y = b.add(pool2d, attrs, [x], { quantization: kind === 'max' ? undefined : stated.quantization });
  return matchQuantization(b, y, stated);
}

/** Positions start, start + dilation, … of one window along one axis that lie in [from, to). */
function positions(attrs: Pool2dAttrs, axis: 0 | 1, out: number, from: number, to: number): number[] {
  const start = out * attrs.strides[axis] - attrs.pads[axis];
  const taps: number[] = [];
  for (let k = 0; k < attrs.kernel[axis]; k++) {
    const at = start + k * attrs.dilations[axis];
    if (at >= from && at < to) taps.push(at);
  }
  return taps;
}

function tapsInside(shape: Shape, attrs: Pool2dAttrs, oy: number, ox: number): (readonly [number, number])[] {
  const columns = positions(attrs, 1, ox, 0, shape[2]);
  return positions(attrs, 0, oy, 0, shape[1]).flatMap((iy) => columns.map((ix) => [iy, ix] as const));
}

function paddedCount(shape: Shape, attrs: Pool2dAttrs, oy: number, ox: number): number {
  const [top, left, bottom, right] = attrs.pads;
  return positions(attrs, 0, oy, -top, shape[1] + bottom).length * positions(attrs, 1, ox, -left, shape[2] + right).length;
}

/** Windows that see only padding have no maximum and no mean. */
function refuseEmptyWindows(attrs: Pool2dAttrs, axis: 0 | 1, input: number, out: number): void {
  for (let o = 0; o < out; o++) {
    const start = o * attrs.strides[axis] - attrs.pads[axis];
    const first = start >= 0 ? 0 : Math.ceil(-start / attrs.dilations[axis]);
    const inside = first < attrs.kernel[axis] && start + first * attrs.dilations[axis] < input;
    if (!inside) throw new KingletError('ERR_MODEL_INVALID', `window ${o} of the pooling lies in the padding alone`);
  }
}

type PoolWindow = (pixels: readonly number[], channel: number, divisor: number) => number;

function maxOf(x: Tensor, attrs: Pool2dAttrs): PoolWindow {
  const data = numbers(x);
  const [lo, hi] = clampOf(x, attrs);
  return (pixels, channel) => {
    let largest = -Infinity;
    for (const pixel of pixels) largest = Math.max(largest, data[pixel + channel]);
    return Math.min(hi, Math.max(lo, largest));
  };
}

function averageOf(x: Tensor, y: Tensor, attrs: Pool2dAttrs): PoolWindow {
  const data = numbers(x);
  const [lo, hi] = clampOf(y, attrs);
  const from = x.dtype === 'int8' ? perTensor(x, 'the input') : undefined;
  const to = y.dtype === 'int8' ? perTensor(y, 'the output') : undefined;
  return (pixels, channel, divisor) => {
    let sum = 0;
    for (const pixel of pixels) sum += data[pixel + channel];
    if (from && to) return saturate(requantizeSum(sum, pixels.length, divisor, from, to), lo, hi);
    return Math.min(hi, Math.max(lo, Math.fround(sum / divisor)));
  };
}

/** Bounds in the type's own units; a maximum without a clamp needs no parameters. */
function clampOf(type: TensorType, { min, max }: Pool2dAttrs): [number, number] {
  if (type.dtype === 'float32') return [min, max];
  if (min === -Infinity && max === Infinity) return [-128, 127];
  const { scale, zeroPoint } = perTensor(type, 'the output');
  return quantizedClamp(min, max, scale, zeroPoint);
}

function scaleWords(x: TensorType, y: TensorType): Words {
  const from = perTensor(x, 'the input');
  const to = perTensor(y, 'the output');
  return {
    [POOL_SRC_SCALE]: { f32: from.scale },
    [POOL_DST_SCALE]: { f32: to.scale },
    [POOL_SRC_ZERO]: from.zeroPoint,
    [POOL_DST_ZERO]: to.zeroPoint,
  };
}

function windowWords(src: View, dst: View, attrs: Pool2dAttrs): Words {
  return {
    [POOL_SRC]: src.at,
    [POOL_DST]: dst.at,
    [POOL_KIND]: attrs.kind === 'max' ? POOL_MAX : POOL_AVERAGE,
    [POOL_BATCH]: src.shape[0],
    [POOL_IH]: src.shape[1],
    [POOL_IW]: src.shape[2],
    [POOL_C]: src.shape[3],
    [POOL_OH]: dst.shape[1],
    [POOL_OW]: dst.shape[2],
    [POOL_KH]: attrs.kernel[0],
    [POOL_KW]: attrs.kernel[1],
    [POOL_SH]: attrs.strides[0],
    [POOL_SW]: attrs.strides[1],
    [POOL_DH]: attrs.dilations[0],
    [POOL_DW]: attrs.dilations[1],
    [POOL_PT]: attrs.pads[0],
    [POOL_PL]: attrs.pads[1],
    [POOL_PB]: attrs.countIncludePad ? attrs.pads[2] : 0,
    [POOL_PR]: attrs.countIncludePad ? attrs.pads[3] : 0,
    [POOL_COUNT_PADS]: attrs.countIncludePad ? 1 : 0,
    [POOL_SRC_BATCH]: src.strides[0],
    [POOL_SRC_ROW]: src.strides[1],
    [POOL_SRC_PIXEL]: src.strides[2],
    [POOL_DST_BATCH]: dst.strides[0],
    [POOL_DST_ROW]: dst.strides[1],
    [POOL_DST_PIXEL]: dst.strides[2],
  };
}
