// lrn: local response normalisation over neighbouring channels, the last axis; float32, or int8 through float32.
// ONNX LRN, TFLite LOCAL_RESPONSE_NORMALIZATION; Krizhevsky et al. 2012, section 3.3. Must not know the graph around it.
// https://onnx.ai/onnx/operators/onnx__LRN.html

import {
  F32_LRN, LRN_AFTER, LRN_BEFORE, LRN_BETA, LRN_BIAS, LRN_C, LRN_DIMS, LRN_DST, LRN_DST_STRIDES, LRN_SCALE, LRN_SCRATCH, LRN_SRC, LRN_SRC_STRIDES,
  LRN_STEP_BYTES,
} from '../../assembly/abi.ts';
import { KingletError } from '../error.ts';
import { channelsToFront, channelsToBack } from '../import/onnx/layout.ts';
import { channelsTogether, type Lowering, type Need, type View } from '../plan/lowering.ts';
import { makeNest } from '../plan/views.ts';
import { numbers, perTensor, type Tensor, type TensorType } from '../tensor.ts';
import { temporaryView } from './cast.ts';
import { emitDequantize, emitQuantize } from './convert-step.ts';
import type { Op } from './op.ts';
import { activation, emptyTensor, forward, operand } from './operand.ts';
import { parameters } from './quantize.ts';
import { dequantizeValue, quantizeValue } from './quantized.ts';

/** y[c] = x[c] / (bias + scale * sum of x[c - before … c + after]²)^beta. */
export interface LrnAttrs {
  readonly before: number;
  readonly after: number;
  readonly scale: number;
  readonly bias: number;
  readonly beta: number;
}

/** The exponent of the paper and of all networks: the only one whose power is a sequence of exactly rounded operations. */
const EXACT_BETA = 0.75;

export const lrn: Op<LrnAttrs> = {
  kind: 'lrn',
  onnx: {
    LRN(node, b) {
      const size = node.int('size');
      if (size < 1) return node.fail(`a window of ${size} channels`);
      const attrs: LrnAttrs = {
        before: Math.floor((size - 1) / 2),
        after: Math.ceil((size - 1) / 2),
        scale: Math.fround(node.float('alpha', 1e-4) / size),
        bias: node.float('bias', 1),
        beta: node.float('beta', 0.75),
      };
      return [channelsToFront(b, b.add(lrn, attrs, [channelsToBack(b, node.input(0))]))];
    },
  },
  tflite: {
    /** Options: radius, bias, alpha (which multiplies the sum, not the mean), beta. */
    LOCAL_RESPONSE_NORMALIZATION(node, b) {
      const radius = node.i32(0, 0);
      const attrs: LrnAttrs = { before: radius, after: radius, scale: node.f32(2, 0), bias: node.f32(1, 0), beta: node.f32(3, 0) };
      return [b.add(lrn, attrs, [node.input(0)], { quantization: node.output(0).quantization })];
    },
  },
  infer(inputs, { before, after, beta }) {
    const x = activation(inputs, 0);
    if (x.shape.length < 1 || ![before, after].every((n) => Number.isInteger(n) && n >= 0 && n <= 2 ** 20)) {
      throw new KingletError('ERR_MODEL_INVALID', `a window of ${before} channels before and ${after} after on shape [${x.shape.join(', ')}]`);
    }
    if (x.dtype === 'int8' && beta !== EXACT_BETA) throw new KingletError('ERR_UNSUPPORTED', `int8 local response normalisation with beta ${beta} (${EXACT_BETA} is supported)`);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  reference(inputs, attrs, outputs) {
    const x = operand(inputs, 0);
    const y = emptyTensor(operand(outputs, 0));
    const normalize = x.dtype === 'int8' ? quantizedLine(x, y, attrs) : floatLine(attrs);
    const channels = x.shape[x.shape.length - 1];
    const values = numbers(x);
    for (let at = 0; at < values.length; at += channels) {
      const line = values.subarray(at, at + channels);
      for (let c = 0; c < channels; c++) y.data[at + c] = normalize(line, c);
    }
    return [y];
  },
  permute: (attrs, perm) => (perm.at(-1) === perm.length - 1 ? attrs : undefined),
  lower(node, ctx) {
    const x = operand(node.inputs, 0);
    const y = operand(node.outputs, 0);
    if (x.dtype === 'float32') {
      emitLrn(ctx, ctx.read(x, vectorChannels), ctx.write(y, channelsTogether), node.attrs);
      return;
    }
    const real = temporaryView(ctx, 'float32', x.shape);
    emitDequantize(ctx, ctx.read(x, forward), real, parameters(x));
    emitLrn(ctx, real, real, node.attrs);
    emitQuantize(ctx, real, ctx.write(y), parameters(y));
  },
};

const vectorChannels: Need = (view) => channelsTogether(view) && forward(view);

type Line = (line: ArrayLike<number>, channel: number) => number;

function floatLine({ before, after, scale, bias, beta }: LrnAttrs): Line {
  return (line, c) => {
    let sum = 0;
    for (let k = Math.max(0, c - before); k <= Math.min(line.length - 1, c + after); k++) sum += line[k] * line[k];
    return Math.fround(line[c] / Math.pow(bias + scale * sum, beta));
  };
}

/** Every operation rounded to float32, in the order of docs/numerics.md. */
function quantizedLine(x: TensorType, y: Tensor, { before, after, scale, bias }: LrnAttrs): Line {
  const from = perTensor(x, 'the input');
  const to = perTensor(y, 'the output');
  const f32 = Math.fround;
  return (line, c) => {
    const real = (k: number): number => dequantizeValue(line[k], from.scale, from.zeroPoint);
    let sum = 0;
    for (let k = Math.max(0, c - before); k <= Math.min(line.length - 1, c + after); k++) sum = f32(sum + f32(real(k) * real(k)));
    const root = f32(Math.sqrt(f32(f32(bias) + f32(f32(scale) * sum))));
    return quantizeValue(f32(real(c) / f32(root * f32(Math.sqrt(root)))), to.scale, to.zeroPoint);
  };
}

function emitLrn(ctx: Lowering, src: View, dst: View, attrs: LrnAttrs): void {
  const pixels = (view: View): View => ({ ...view, shape: view.shape.slice(0, -1), strides: view.strides.slice(0, -1) });
  const nest = makeNest([pixels(dst), pixels(src)], 4);
  const channels = src.shape[src.shape.length - 1];
  ctx.emit(F32_LRN, LRN_STEP_BYTES, {
    [LRN_SRC]: src.at,
    [LRN_DST]: dst.at,
    [LRN_SCRATCH]: ctx.temporary(4 * (attrs.before + channels + attrs.after)),
    [LRN_DIMS]: nest.dims,
    [LRN_DST_STRIDES]: nest.strides[0],
    [LRN_SRC_STRIDES]: nest.strides[1],
    [LRN_C]: channels,
    [LRN_BEFORE]: attrs.before,
    [LRN_AFTER]: attrs.after,
    [LRN_SCALE]: { f32: attrs.scale },
    [LRN_BIAS]: { f32: attrs.bias },
    [LRN_BETA]: { f32: attrs.beta },
  });
}
