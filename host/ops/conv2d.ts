// conv2d: grouped, dilated 2-D convolution on NHWC with HWIO weights, fused bias and clamp; float32 or int8.
// ONNX Conv, ConvInteger, QLinearConv; TFLite CONV_2D, CONV_3D, DEPTHWISE_CONV_2D. Output [N, OH, OW, OC].
// https://onnx.ai/onnx/operators/onnx__Conv.html, https://www.tensorflow.org/mlir/tfl_ops#tflconv_2d_tflconv2dop

import { KingletError } from '../error.ts';
import type { Builder } from '../graph/builder.ts';
import { isConstant, type Value } from '../graph/graph.ts';
import { channelsToBack, channelsToFront, permuteWeights, toNchw, toNhwc } from '../import/onnx/layout.ts';
import type { OnnxNode } from '../import/onnx/node.ts';
import { onnxQuantization, unitQuantization, withQuantization } from '../import/onnx/quantization.ts';
import type { TfliteNode } from '../import/tflite/node.ts';
import { channelsTogether } from '../plan/lowering.ts';
import { numbers, perTensor, type Quantization, type Shape, type Tensor, type TensorType } from '../tensor.ts';
import { noClamp, tfliteClamp, type Clamp } from './activation.ts';
import { emitConv, isDepthwise, pixelsUniform } from './conv-step.ts';
import { reshape } from './reshape.ts';
import { outputScales } from './pack-conv.ts';
import { realFunction, type UnaryAttrs } from './unary.ts';
import type { Op } from './op.ts';
import { quantizedClamp, rint, saturate } from './quantized.ts';
import { depthToChannels, planesToVolume } from './volume.ts';
import { checkWindow, onnxVolumeWindow, onnxWindow, outputSize, resolvePads, tfliteSamePads, type Pads, type Pair, type Window } from './window.ts';

export interface Conv2dAttrs extends Clamp {
  readonly strides: Pair;
  readonly pads: Pads;
  readonly dilations: Pair;
  readonly groups: number;
  /** Applied to the clamped sum; float32 only. */
  readonly activation?: UnaryAttrs;
  /** The accumulators themselves (ConvInteger), int32. */
  readonly accumulators?: boolean;
}

const HWIO = [2, 3, 1, 0];

function readOnnxConv(node: OnnxNode, b: Builder): Value[] {
  const x = node.input(0);
  const w = node.input(1);
  return [onnxConv(node, b, { x, w, bias: node.optional(2) })];
}

interface OnnxConv {
  readonly x: Value;
  readonly w: Value;
  readonly bias: Value | null;
  /** int32 output. */
  readonly accumulators?: boolean;
  /** int8 output. */
  readonly quantization?: Quantization | undefined;
}

/** Shared by the three ONNX spellings; one spatial axis counts as the width. */
function onnxConv(node: OnnxNode, b: Builder, c: OnnxConv): Value {
  const rank = c.x.shape.length;
  if (rank < 3 || rank > 5 || c.w.shape.length !== rank) node.unsupported(`convolution of a rank ${rank} tensor by rank ${c.w.shape.length} weights (one to three spatial axes are supported)`);
  if (rank === 5) return onnxConv3d(node, b, c);
  const x = toNhwc(b, c.x);
  const w = rank === 4 ? c.w : b.add(reshape, { shape: [c.w.shape[0], c.w.shape[1], 1, c.w.shape[2]] }, [c.w], { quantization: c.w.quantization });
  const window = onnxWindow(node, [w.shape[2], w.shape[3]], rank - 2);
  const pads = resolvePads({ ...window, input: [x.shape[1], x.shape[2]] });
  const attrs: Conv2dAttrs = {
    strides: window.strides, pads, dilations: window.dilations, groups: node.int('group', 1), ...noClamp, ...(c.accumulators ? { accumulators: true } : {}),
  };
  // Weights may be large: see that they fit before they are transposed.
  inferConv2d([x, permuted(w, HWIO), c.bias], attrs);
  const y = b.add(conv2d, attrs, [x, permuteWeights(b, w, HWIO), c.bias], { quantization: c.quantization });
  return toNchw(b, y, rank);
}

function onnxConv3d(node: OnnxNode, b: Builder, c: OnnxConv): Value {
  const x = channelsToBack(b, c.x);
  const [, d, h, w] = x.shape;
  const { depth, plane } = onnxVolumeWindow(node, c.w.shape.slice(2));
  const y = addVolumeConv(b, { x, w: permuteWeights(b, c.w, [3, 4, 2, 1, 0]), bias: c.bias }, {
    depth: { ...depth, pads: resolvePads({ ...depth, input: [d, 1] }) },
    plane: { ...plane, pads: resolvePads({ ...plane, input: [h, w] }) },
    groups: node.int('group', 1), clamp: { ...noClamp, ...(c.accumulators ? { accumulators: true } : {}) }, quantization: c.quantization,
  });
  return channelsToFront(b, y);
}

interface VolumeConv {
  readonly depth: Window & { readonly pads: Pads };
  readonly plane: Window & { readonly pads: Pads };
  readonly groups: number;
  readonly clamp: Pick<Conv2dAttrs, 'min' | 'max' | 'accumulators'>;
  readonly quantization: Quantization | undefined;
}

/** [N, D, H, W, C] by [KH, KW, KD, IC, OC]: the planes that a window sees are channels of one plane. */
function addVolumeConv(b: Builder, { x, w, bias }: { x: Value; w: Value; bias: Value | null }, c: VolumeConv): Value {
  const { groups, depth, plane: { strides, dilations, pads } } = c;
  const columns = depthToChannels(b, x, { ...depth, groups });
  const [kh, kw, kd, ic, oc] = w.shape;
  const weights = b.add(reshape, { shape: [kh, kw, kd * ic, oc] }, [w]);
  const y = b.add(conv2d, { strides, dilations, pads, groups, ...c.clamp }, [columns, weights, bias], { quantization: c.quantization });
  return planesToVolume(b, y, x.shape[0]);
}

function permuted(type: TensorType, perm: readonly number[]): TensorType {
  return { dtype: type.dtype, shape: perm.map((p) => type.shape[p] ?? 0) };
}

function readQLinearConv(node: OnnxNode, b: Builder): Value[] {
  const parameters = (shape: Shape, scale: number): Quantization => onnxQuantization(node, shape, { scale, zeroPoint: scale + 1, defaultZero: 0, axis: 0 });
  const [x, w] = [node.input(0), node.constant(3)];
  return [onnxConv(node, b, {
    x: withQuantization(b, x, parameters(x.shape, 1)), w: withQuantization(b, w, parameters(w.shape, 4)),
    bias: node.optional(8), quantization: parameters([], 6),
  })];
}

function readConvInteger(node: OnnxNode, b: Builder): Value[] {
  const x = withQuantization(b, node.input(0), unitQuantization(node, 0, 2, 0));
  const w = withQuantization(b, node.constant(1), unitQuantization(node, 1, 3, 0));
  return [onnxConv(node, b, { x, w, bias: null, accumulators: true })];
}

/** Weights [OC, KH, KW, IC] → HWIO; options: padding, stride_w, stride_h, activation, dilation_w, dilation_h. */
function readConv2d(node: TfliteNode, b: Builder): Value[] {
  const x = node.input(0);
  const w = permuteWeights(b, node.input(1), [1, 2, 3, 0]);
  const ic = w.shape[2] ?? 0;
  const channels = x.shape.at(-1) ?? 0;
  if (ic === 0 || channels % ic !== 0) node.fail(`${channels} input channels do not fit weights for ${ic}`);
  return [tfliteConv(node, b, { x, w, groups: channels / ic, clampField: 3, dilationFields: [5, 4] })];
}

/** Weights [1, KH, KW, OC] → HWIO [KH, KW, 1, OC]; options: padding, stride_w, stride_h, multiplier, activation, dilations. */
function readDepthwise(node: TfliteNode, b: Builder): Value[] {
  const x = node.input(0);
  const [one, kh, kw, oc] = node.input(1).shape;
  if (one !== 1) node.fail(`depthwise weights have shape [${node.input(1).shape.join(', ')}] instead of [1, KH, KW, C]`);
  const w = permuteWeights(b, node.input(1), [1, 2, 0, 3]);
  if (w.shape[0] !== kh || w.shape[1] !== kw || w.shape[3] !== oc) node.fail('depthwise weights are not 4-D');
  return [tfliteConv(node, b, { x, w, groups: x.shape.at(-1) ?? 1, clampField: 4, dilationFields: [6, 5] })];
}

function tfliteConv(
  node: TfliteNode, b: Builder, c: { x: Value; w: Value; groups: number; clampField: number; dilationFields: Pair },
): Value {
  const { x, w, groups } = c;
  if (x.shape.length !== 4 || w.shape.length !== 4) node.fail('convolution needs 4-D input and weights');
  const strides: Pair = [node.i32(2, 0), node.i32(1, 0)];
  const dilations: Pair = [node.i32(c.dilationFields[0], 1), node.i32(c.dilationFields[1], 1)];
  const window = { kernel: [w.shape[0] ?? 0, w.shape[1] ?? 0] as const, strides, dilations };
  checkWindow(window, [0, 0, 0, 0]);
  const pads = tfliteSamePads(node.u8(0, 0), [x.shape[1] ?? 0, x.shape[2] ?? 0], window);
  return b.add(conv2d, { strides, pads, dilations, groups, ...tfliteClamp(node, c.clampField) }, [x, w, node.optional(2)],
    { quantization: node.output(0).quantization });
}

/** Weights [KD, KH, KW, IC, OC]; options: padding, stride_d, stride_w, stride_h, activation, dilation_d, dilation_w, dilation_h. */
function readConv3d(node: TfliteNode, b: Builder): Value[] {
  const x = node.input(0);
  const stored = node.input(1);
  if (x.shape.length !== 5 || stored.shape.length !== 5) node.fail('convolution of volumes needs 5-D input and weights');
  const [kd, kh, kw, ic] = stored.shape;
  const [, d, h, w, channels] = x.shape;
  if (ic === 0 || channels % ic !== 0) node.fail(`${channels} input channels do not fit weights for ${ic}`);
  const depth: Window = { kernel: [kd, 1], strides: [node.i32(1, 0), 1], dilations: [node.i32(5, 1), 1] };
  const plane: Window = { kernel: [kh, kw], strides: [node.i32(3, 0), node.i32(2, 0)], dilations: [node.i32(7, 1), node.i32(6, 1)] };
  for (const window of [depth, plane]) checkWindow(window, [0, 0, 0, 0]);
  return [addVolumeConv(b, { x, w: permuteWeights(b, stored, [1, 2, 0, 3, 4]), bias: node.optional(2) }, {
    depth: { ...depth, pads: tfliteSamePads(node.u8(0, 0), [d, 1], depth) },
    plane: { ...plane, pads: tfliteSamePads(node.u8(0, 0), [h, w], plane) },
    groups: channels / ic, clamp: tfliteClamp(node, 4), quantization: node.output(0).quantization,
  })];
}

function inferConv2d(inputs: readonly (TensorType | null)[], attrs: Conv2dAttrs): TensorType[] {
  const [x, w, bias] = inputs;
  if (!x || !w) throw new KingletError('ERR_MODEL_INVALID', 'input or weights are missing');
  const [n, ih, iw, ic] = x.shape;
  const [kh, kw, wic, oc] = w.shape;
  if (n === undefined || ih === undefined || iw === undefined || ic === undefined || kh === undefined || kw === undefined
    || wic === undefined || oc === undefined) {
    throw new KingletError('ERR_MODEL_INVALID', 'convolution needs a 4-D input and 4-D weights');
  }
  if (x.dtype !== w.dtype || (x.dtype !== 'float32' && x.dtype !== 'int8')) {
    throw new KingletError('ERR_UNSUPPORTED', `convolution of ${x.dtype} by ${w.dtype} weights`);
  }
  const { groups } = attrs;
  if (!Number.isInteger(groups) || groups < 1 || wic < 1 || oc < 1 || wic * groups !== ic || oc % groups !== 0) {
    throw new KingletError('ERR_MODEL_INVALID', `${groups} groups do not fit ${ic} input channels and weights [${w.shape.join(', ')}]`);
  }
  if (bias && (bias.shape.length !== 1 || bias.shape[0] !== oc)) {
    throw new KingletError('ERR_MODEL_INVALID', `bias of shape [${bias.shape.join(', ')}] for ${oc} output channels`);
  }
  if (bias && bias.dtype !== (x.dtype === 'int8' ? 'int32' : 'float32')) {
    throw new KingletError('ERR_UNSUPPORTED', `a ${bias.dtype} bias for a convolution of ${x.dtype}`);
  }
  checkWindow({ kernel: [kh, kw], strides: attrs.strides, dilations: attrs.dilations }, attrs.pads);
  const [top, left, bottom, right] = attrs.pads;
  const oh = outputSize(ih, kh, attrs.strides[0], attrs.dilations[0], top, bottom);
  const ow = outputSize(iw, kw, attrs.strides[1], attrs.dilations[1], left, right);
  if (ih * iw === 0 && n * oh * ow > 0) throw new KingletError('ERR_UNSUPPORTED', 'a convolution that sees nothing but padding');
  return [{ dtype: attrs.accumulators ? 'int32' : x.dtype, shape: [n, oh, ow, oc] }];
}

/** Calls visit(output pixel index, x offset, first weight index) for every tap of every output pixel that lies inside the input. */
function eachTap(x: Tensor, w: Tensor, y: TensorType, attrs: Conv2dAttrs, visit: (pixel: number, xAt: number, wAt: number) => void): void {
  const [n = 0, ih = 0, iw = 0, ic = 0] = x.shape;
  const [kh = 0, kw = 0, wic = 0, oc = 0] = w.shape;
  const [, oh = 0, ow = 0] = y.shape;
  for (let b = 0; b < n; b++) for (let oy = 0; oy < oh; oy++) for (let ox = 0; ox < ow; ox++) {
    for (let ky = 0; ky < kh; ky++) for (let kx = 0; kx < kw; kx++) {
      const iy = oy * attrs.strides[0] - attrs.pads[0] + ky * attrs.dilations[0];
      const ix = ox * attrs.strides[1] - attrs.pads[1] + kx * attrs.dilations[1];
      if (iy < 0 || iy >= ih || ix < 0 || ix >= iw) continue;
      visit((b * oh + oy) * ow + ox, ((b * ih + iy) * iw + ix) * ic, (ky * kw + kx) * wic * oc);
    }
  }
}

/** Sums (x - zx) * (w - zw) in float64, which is exact for int8. */
function accumulate(x: Tensor, w: Tensor, y: TensorType, attrs: Conv2dAttrs, zx: number, zw: (c: number) => number): Float64Array {
  const [xs, ws] = [numbers(x), numbers(w)];
  const oc = w.shape[3] ?? 0;
  const wic = w.shape[2] ?? 0;
  const perGroup = oc / attrs.groups;
  const acc = new Float64Array(y.shape.reduce((a, d) => a * d, 1));
  const zeros = Float64Array.from({ length: oc }, (_, c) => zw(c));
  eachTap(x, w, y, attrs, (pixel, xAt, wAt) => {
    for (let g = 0; g < attrs.groups; g++) for (let i = 0; i < wic; i++) {
      const value = (xs[xAt + g * wic + i] ?? 0) - zx;
      const row = wAt + i * oc;
      for (let c = g * perGroup; c < (g + 1) * perGroup; c++) {
        acc[pixel * oc + c] = (acc[pixel * oc + c] ?? 0) + value * ((ws[row + c] ?? 0) - (zeros[c] ?? 0));
      }
    }
  });
  return acc;
}

function referenceConv2d(inputs: readonly (Tensor | null)[], attrs: Conv2dAttrs, outputs: readonly TensorType[]): Tensor[] {
  const [x, w, bias] = inputs;
  const [y] = outputs;
  if (!x || !w || !y) throw new KingletError('ERR_INTERNAL', 'conv2d without input or weights');
  const oc = w.shape[3] ?? 1;
  const b = bias ? numbers(bias) : null;
  if (x.dtype === 'float32') {
    const acc = accumulate(x, w, y, attrs, 0, () => 0);
    const activate = realFunction(attrs.activation);
    const data = Float32Array.from(acc, (sum, i) => activate(Math.min(attrs.max, Math.max(attrs.min, Math.fround(sum + (b?.[i % oc] ?? 0))))));
    return [{ ...y, data }];
  }
  const q = w.quantization;
  const zw = (c: number): number => q?.zeroPoint[q.zeroPoint.length === 1 ? 0 : c] ?? 0;
  const acc = accumulate(x, w, y, attrs, perTensor(x, 'the input').zeroPoint, zw);
  if (attrs.accumulators) return [{ ...y, data: Int32Array.from(acc) }];
  const scales = outputScales(w, x, y, oc);
  const { scale, zeroPoint } = perTensor(y, 'the output');
  const [lo, hi] = quantizedClamp(attrs.min, attrs.max, scale, zeroPoint);
  const data = Int8Array.from(acc, (sum, i) => {
    const real = Math.fround(Math.fround(sum + (b?.[i % oc] ?? 0)) * (scales[i % oc] ?? 1));
    return saturate(rint(real) + zeroPoint, lo, hi);
  });
  return [{ ...y, data }];
}

export const conv2d: Op<Conv2dAttrs> = {
  kind: 'conv2d',
  onnx: { Conv: readOnnxConv, QLinearConv: readQLinearConv, ConvInteger: readConvInteger },
  tflite: { CONV_2D: readConv2d, CONV_3D: readConv3d, DEPTHWISE_CONV_2D: readDepthwise },
  infer: inferConv2d,
  reference: referenceConv2d,
  macs(node) {
    const [w] = [node.inputs[1]];
    const [y] = node.outputs;
    return (y?.shape ?? []).reduce((a, d) => a * d, 1) * (w?.shape.slice(0, 3) ?? []).reduce((a, d) => a * d, 1);
  },
  lower(node, ctx) {
    const [x, w, bias = null] = node.inputs;
    const [y] = node.outputs;
    if (!x || !w || !y) throw new KingletError('ERR_INTERNAL', 'conv2d without input or weights');
    if (!isConstant(w) || (bias !== null && !isConstant(bias))) {
      throw new KingletError('ERR_UNSUPPORTED', 'weights and bias of a convolution must be constants');
    }
    const depthwise = isDepthwise(x, w, node.attrs.groups) && y.dtype !== 'int32';
    emitConv(ctx, {
      ...node.attrs,
      src: ctx.read(x, depthwise ? channelsTogether : (view) => view.strides.every((s) => s >= 0)),
      dst: ctx.write(y, depthwise ? channelsTogether : pixelsUniform),
      weights: w, bias, srcType: x, dstType: y,
    });
  },
};
