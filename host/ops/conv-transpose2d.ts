// convTranspose2d: grouped, dilated transposed convolution on NHWC, weights [KH, KW, IC/groups, OC], fused bias and clamp; float32 or int8.
// ONNX ConvTranspose, TFLite TRANSPOSE_CONV. Output size (I-1)*stride + span - pads: negative end pads are output padding.
// Lowers to a zero-stuffed copy of the input and a convolution with flipped weights. Must not know the graph around it.

import { KingletError } from '../error.ts';
import type { Builder } from '../graph/builder.ts';
import { isConstant, type Constant, type Value } from '../graph/graph.ts';
import { channelsToBack, channelsToFront, permuteWeights, toNchw, toNhwc } from '../import/onnx/layout.ts';
import type { OnnxNode } from '../import/onnx/node.ts';
import type { TfliteNode } from '../import/tflite/node.ts';
import { channelsTogether, type Lowering, type View } from '../plan/lowering.ts';
import { sliceView } from '../plan/views.ts';
import { numbers, perTensor, type Tensor, type TensorType } from '../tensor.ts';
import { noClamp, tfliteClamp, type Clamp } from './activation.ts';
import { integers, product } from './axes.ts';
import { temporaryView } from './cast.ts';
import { emitConv, isDepthwise, pixelsUniform } from './conv-step.ts';
import { emitCopy, fillView } from './copy-step.ts';
import type { Op } from './op.ts';
import { activation, constantOf, emptyTensor, forward, operand } from './operand.ts';
import { outputScales } from './pack-conv.ts';
import { quantizedClamp, rint, saturate } from './quantized.ts';
import { reshape } from './reshape.ts';
import { depthToChannels, planesToVolume, spreadPlanes } from './volume.ts';
import { checkWindow, depthPair, onnxVolumeWindow, onnxWindow, pair, planePair, triple, windowSpan, type PaddingRule, type Pads, type Pair } from './window.ts';

export interface ConvTranspose2dAttrs extends Clamp {
  readonly strides: Pair;
  readonly pads: Pads;
  readonly dilations: Pair;
  readonly groups: number;
}

export const convTranspose2d: Op<ConvTranspose2dAttrs> = {
  kind: 'convTranspose2d',
  onnx: { ConvTranspose: (node, b) => [readOnnx(node, b)] },
  tflite: { TRANSPOSE_CONV: (node, b) => [readTflite(node, b)] },
  infer(inputs, { strides, pads, dilations, groups }) {
    const [x, w] = [activation(inputs, 0), activation(inputs, 1)];
    const bias = inputs[2] ?? null;
    if (x.shape.length !== 4 || w.shape.length !== 4) throw new KingletError('ERR_MODEL_INVALID', 'transposed convolution needs a 4-D input and 4-D weights');
    if (x.dtype !== w.dtype) throw new KingletError('ERR_UNSUPPORTED', `transposed convolution of ${x.dtype} by ${w.dtype} weights`);
    const [n, ih, iw, channels] = x.shape;
    const [kh, kw, ic, oc] = w.shape;
    if (!Number.isInteger(groups) || groups < 1 || ih < 1 || iw < 1 || ic < 1 || oc < 1 || ic * groups !== channels || oc % groups !== 0) {
      throw new KingletError('ERR_MODEL_INVALID', `${groups} groups do not fit input [${x.shape.join(', ')}] and weights [${w.shape.join(', ')}]`);
    }
    if (bias && (bias.shape.length !== 1 || bias.shape[0] !== oc || bias.dtype !== (x.dtype === 'int8' ? 'int32' : 'float32'))) {
      throw new KingletError('ERR_MODEL_INVALID', `a ${bias.dtype} bias of shape [${bias.shape.join(', ')}] for ${oc} output channels`);
    }
    checkWindow({ kernel: [kh, kw], strides, dilations }, pads);
    const size = (axis: 0 | 1): number => (x.shape[axis + 1] - 1) * strides[axis] + windowSpan(w.shape[axis], dilations[axis]) - pads[axis] - pads[axis + 2];
    if (size(0) < 1 || size(1) < 1) throw new KingletError('ERR_MODEL_INVALID', `pads [${pads.join(', ')}] leave nothing of the output`);
    return [{ dtype: x.dtype, shape: [n, size(0), size(1), oc] }];
  },
  reference(inputs, attrs, outputs) {
    const [x, w] = [operand(inputs, 0), operand(inputs, 1)];
    const y = emptyTensor(operand(outputs, 0));
    const sums = accumulate(x, w, y, attrs);
    const finish = finisher(x, w, inputs[2] ?? null, y, attrs);
    sums.forEach((sum, i) => { y.data[i] = finish(sum, i % w.shape[3]); });
    return [y];
  },
  macs(node) {
    return product(operand(node.inputs, 0).shape.slice(0, 3)) * product(operand(node.inputs, 1).shape);
  },
  lower(node, ctx) {
    const [x, w, bias = null] = node.inputs;
    const [input, y] = [operand([x], 0), operand(node.outputs, 0)];
    if (!isConstant(w) || (bias !== null && !isConstant(bias))) {
      throw new KingletError('ERR_UNSUPPORTED', 'weights and bias of a transposed convolution must be constants');
    }
    const { strides, pads, dilations, groups, min, max } = node.attrs;
    const depthwise = isDepthwise(input, w, groups);
    const read = ctx.read(input, depthwise ? (view) => forward(view) && channelsTogether(view) : forward);
    const src = strides[0] === 1 && strides[1] === 1 ? read : stuffed(ctx, read, input, strides);
    // In the convolution the window starts before the first element by its span without the pad that crops the output.
    const before = (axis: 0 | 1): number => windowSpan(w.shape[axis], dilations[axis]) - 1 - pads[axis];
    emitConv(ctx, {
      src,
      dst: ctx.write(y, depthwise ? channelsTogether : pixelsUniform),
      weights: flipped(w),
      bias,
      strides: [1, 1],
      pads: [before(0), before(1), before(0) + pads[0] - pads[2], before(1) + pads[1] - pads[3]],
      dilations,
      groups,
      min,
      max,
      srcType: input,
      dstType: y,
    });
  },
};

/** A dense copy whose elements stand `strides` apart, zeros (the zero point) between them. */
function stuffed(ctx: Lowering, src: View, type: TensorType, strides: Pair): View {
  const [n, h, w, c] = src.shape;
  const view = temporaryView(ctx, type.dtype, [n, (h - 1) * strides[0] + 1, (w - 1) * strides[1] + 1, c]);
  const zero = type.dtype === 'int8' ? perTensor(type, 'the input').zeroPoint : 0;
  emitCopy(ctx, view, fillView(ctx, type.dtype, zero, view.shape));
  emitCopy(ctx, sliceView(view, [0, 0, 0, 0], [1, ...strides, 1], src.shape), src);
  return view;
}

/** Rows and columns of the taps in reverse order. */
function flipped(w: Constant): Constant {
  const [kh, kw, ic, oc] = w.shape;
  const data = numbers(w).slice();
  const block = ic * oc;
  const taps = kh * kw;
  for (let t = 0; t < taps; t++) data.set(numbers(w).subarray((taps - 1 - t) * block, (taps - t) * block), t * block);
  return constantOf({ dtype: w.dtype, shape: w.shape, quantization: w.quantization, data });
}

/** Every input element adds its window to the output: the definition, read forwards. Exact for int8. */
function accumulate(x: Tensor, w: Tensor, y: TensorType, { strides, pads, dilations, groups }: ConvTranspose2dAttrs): Float64Array {
  const [batch, ih, iw, channels] = x.shape;
  const [kh, kw, ic, oc] = w.shape;
  const [, oh, ow] = y.shape;
  const sums = new Float64Array(product(y.shape));
  const [xs, ws] = [numbers(x), numbers(w)];
  const zx = x.dtype === 'int8' ? perTensor(x, 'the input').zeroPoint : 0;
  const zeros = w.dtype === 'int8' ? w.quantization?.zeroPoint : undefined;
  const zw = Float64Array.from({ length: oc }, (_, c) => zeros?.[zeros.length === 1 ? 0 : c] ?? 0);
  const perGroup = oc / groups;
  for (let n = 0; n < batch; n++) for (let iy = 0; iy < ih; iy++) for (let ix = 0; ix < iw; ix++) {
    for (let ky = 0; ky < kh; ky++) for (let kx = 0; kx < kw; kx++) {
      const oy = iy * strides[0] - pads[0] + ky * dilations[0];
      const ox = ix * strides[1] - pads[1] + kx * dilations[1];
      if (oy < 0 || oy >= oh || ox < 0 || ox >= ow) continue;
      for (let c = 0; c < channels; c++) {
        const value = xs[((n * ih + iy) * iw + ix) * channels + c] - zx;
        const first = Math.floor(c / ic) * perGroup;
        const row = ((ky * kw + kx) * ic + (c % ic)) * oc;
        for (let o = first; o < first + perGroup; o++) sums[((n * oh + oy) * ow + ox) * oc + o] += value * (ws[row + o] - zw[o]);
      }
    }
  }
  return sums;
}

/** From the exact sum to the stored value. */
function finisher(x: Tensor, w: Tensor, bias: Tensor | null, y: Tensor, { min, max }: Clamp): (sum: number, channel: number) => number {
  const offsets = bias ? numbers(bias) : new Float64Array(w.shape[3]);
  if (x.dtype === 'float32') return (sum, c) => Math.min(max, Math.max(min, Math.fround(sum + offsets[c])));
  const scales = outputScales(w, x, y, w.shape[3]);
  const to = perTensor(y, 'the output');
  const [lo, hi] = quantizedClamp(min, max, to.scale, to.zeroPoint);
  return (sum, c) => saturate(rint(Math.fround(Math.fround(sum + offsets[c]) * scales[c])) + to.zeroPoint, lo, hi);
}

/** Weights [C, M/groups, KH, KW], or with one or three kernel axes. https://onnx.ai/onnx/operators/onnx__ConvTranspose.html */
function readOnnx(node: OnnxNode, b: Builder): Value {
  const rank = node.input(0).shape.length;
  const stored = node.input(1);
  if (stored.shape.length !== rank) node.fail(`weights of shape [${stored.shape.join(', ')}] for a tensor of rank ${rank}`);
  if (rank === 5) return readVolume(node, b, stored);
  const x = toNhwc(b, node.input(0));
  const w = rank === 3 ? b.add(reshape, { shape: [stored.shape[0], stored.shape[1], 1, stored.shape[2]] }, [stored]) : stored;
  const rule = onnxWindow(node, [w.shape[2], w.shape[3]], rank - 2);
  const groups = node.int('group', 1);
  const pads = onnxPads(node, rule, [x.shape[1], x.shape[2]], {
    padding: pair(node, 'output_padding', rank - 2, [0, 0], 0), shape: node.has('output_shape') ? pair(node, 'output_shape', rank - 2) : null,
  });
  const { strides, dilations } = rule;
  return toNchw(b, b.add(convTranspose2d, { strides, dilations, groups, pads, ...noClamp }, [x, onnxWeights(node, b, w, groups), node.optional(2)]), rank);
}

/** Along the depth an ordinary convolution over spread planes, whose taps are channels of the transposed one in the planes. */
function readVolume(node: OnnxNode, b: Builder, stored: Value): Value {
  const x = channelsToBack(b, node.input(0));
  const [n, d, h, w] = x.shape;
  const { depth, plane } = onnxVolumeWindow(node, stored.shape.slice(2));
  const groups = node.int('group', 1);
  const padding = triple(node, 'output_padding', [0, 0, 0]);
  const shape = node.has('output_shape') ? triple(node, 'output_shape') : null;
  const [front, , back] = onnxPads(node, depth, [d, 1], { padding: depthPair(padding, 0), shape: shape && depthPair(shape, 1) });
  const pads = onnxPads(node, plane, [h, w], { padding: planePair(padding), shape: shape && planePair(shape) });
  const reach = windowSpan(depth.kernel[0], depth.dilations[0]) - 1;
  const columns = depthToChannels(b, spreadPlanes(b, x, depth.strides[0]), {
    ...depth, strides: [1, 1], pads: [reach - front, 0, reach - back, 0], groups, reversed: true,
  });
  const { strides, dilations } = plane;
  const y = b.add(convTranspose2d, { strides, dilations, groups, pads, ...noClamp }, [columns, onnxWeights(node, b, stored, groups), node.optional(2)]);
  return channelsToFront(b, planesToVolume(b, y, n));
}

/** [C, M/g, …, KH, KW] → [KH, KW, …*C/g, M], the groups side by side in M; a depth of the kernel goes in front of the channels. */
function onnxWeights(node: OnnxNode, b: Builder, w: Value, groups: number): Value {
  const [c, m, ...kernel] = w.shape;
  if (kernel.length === 2 && groups === 1) return permuteWeights(b, w, [2, 3, 0, 1]);
  if (groups < 1 || c % groups !== 0) return node.fail(`${groups} groups do not divide ${c} channels`);
  const [kh, kw] = kernel.slice(-2);
  const split = b.add(reshape, { shape: [groups, c / groups, m, ...kernel] }, [w]);
  const turned = permuteWeights(b, split, kernel.length === 2 ? [3, 4, 1, 0, 2] : [4, 5, 3, 1, 0, 2]);
  return b.add(reshape, { shape: [kh, kw, product(kernel) / (kh * kw) * (c / groups), groups * m] }, [turned]);
}

/** pads, auto_pad, output_padding and output_shape as four pads. */
function onnxPads(node: OnnxNode, rule: PaddingRule, input: Pair, stated: { padding: Pair; shape: Pair | null }): Pads {
  const { padding, shape } = stated;
  if (!padding.every((p, axis) => p >= 0 && p < Math.max(rule.strides[axis], rule.dilations[axis]))) node.fail(`output_padding [${padding.join(', ')}] is impossible`);
  const full = (axis: 0 | 1): number => (input[axis] - 1) * rule.strides[axis] + windowSpan(rule.kernel[axis], rule.dilations[axis]) + padding[axis];
  const same = rule.autoPad === 'SAME_UPPER' || rule.autoPad === 'SAME_LOWER';
  if (shape === null && !same) {
    const [top, left, bottom, right] = rule.autoPad === 'VALID' ? [0, 0, 0, 0] : rule.pads;
    return [top, left, bottom - padding[0], right - padding[1]];
  }
  const output = shape ?? [input[0] * rule.strides[0], input[1] * rule.strides[1]];
  const split = (axis: 0 | 1): [number, number] => {
    const total = Math.max(0, full(axis) - output[axis]);
    const [less, more] = [Math.floor(total / 2), Math.ceil(total / 2)];
    const before = rule.autoPad === 'SAME_UPPER' ? less : more;
    return [before, full(axis) - output[axis] - before - padding[axis]];
  };
  const [[top, bottom], [left, right]] = [split(0), split(1)];
  return [top, left, bottom, right];
}

/** Inputs: output shape, weights [OC, KH, KW, IC], x, bias. Options: padding, stride_w, stride_h, activation. */
function readTflite(node: TfliteNode, b: Builder): Value {
  const output = integers(node.constant(0));
  const x = node.input(2);
  if (output.length !== 4 || x.shape.length !== 4 || node.input(1).shape.length !== 4) return node.fail('transposed convolution needs 4-D tensors');
  const w = permuteWeights(b, node.input(1), [1, 2, 3, 0]);
  const strides: Pair = [node.i32(2, 0), node.i32(1, 0)];
  checkWindow({ kernel: [w.shape[0], w.shape[1]], strides, dilations: [1, 1] }, [0, 0, 0, 0]);
  const padding = node.u8(0, 0);
  if (padding !== 0 && padding !== 1) return node.fail(`padding ${padding} is neither SAME nor VALID`);
  const split = (axis: 0 | 1): [number, number] => {
    const full = (x.shape[axis + 1] - 1) * strides[axis] + w.shape[axis];
    // SAME pads as the convolution from the output back to the input would.
    const total = (Math.ceil(output[axis + 1] / strides[axis]) - 1) * strides[axis] + w.shape[axis] - output[axis + 1];
    const before = padding === 0 ? Math.max(0, Math.floor(total / 2)) : 0;
    return [before, full - output[axis + 1] - before];
  };
  const [[top, bottom], [left, right]] = [split(0), split(1)];
  return b.add(convTranspose2d, { strides, dilations: [1, 1], groups: 1, pads: [top, left, bottom, right], ...tfliteClamp(node, 3) },
    [x, w, node.optional(3)], { quantization: node.output(0).quantization });
}
