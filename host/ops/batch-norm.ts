// batchNorm: (x - mean) / sqrt(variance + epsilon) * scale + bias per channel, the last axis; float32, inference only.
// ONNX BatchNormalization. A pass folds it into a convolution where it can. Must not know the graph around it.

import { KingletError } from '../error.ts';
import { isConstant } from '../graph/graph.ts';
import { channelsToBack, channelsToFront } from '../import/onnx/layout.ts';
import { channelsTogether, type Need, type View } from '../plan/lowering.ts';
import { reshapeView } from '../plan/views.ts';
import { elementCount, numbers, type Tensor } from '../tensor.ts';
import { noClamp } from './activation.ts';
import { emitConv } from './conv-step.ts';
import type { Op } from './op.ts';
import { constantOf, emptyTensor, forward, operand } from './operand.ts';

export interface BatchNormAttrs {
  readonly epsilon: number;
}

export const batchNorm: Op<BatchNormAttrs> = {
  kind: 'batchNorm',
  onnx: {
    BatchNormalization(node, b) {
      node.ignore('momentum', 'is_test', 'consumed_inputs');
      if (node.int('training_mode', 0) !== 0 || node.outputCount > 1) node.unsupported('batch normalisation in training mode is not supported');
      if (node.int('spatial', 1) === 0) node.unsupported('batch normalisation per activation (spatial 0) is not supported');
      const x = node.input(0);
      const parameters = [1, 2, 3, 4].map((i) => node.input(i));
      return [channelsToFront(b, b.add(batchNorm, { epsilon: node.float('epsilon', 1e-5) }, [channelsToBack(b, x), ...parameters]))];
    },
  },
  infer(inputs) {
    const x = operand(inputs, 0);
    const channels = x.shape.at(-1);
    const parameters = [1, 2, 3, 4].map((i) => operand(inputs, i));
    if ([x, ...parameters].some((type) => type.dtype !== 'float32')) throw new KingletError('ERR_UNSUPPORTED', 'batch normalisation works on float32');
    const wrong = parameters.find((type) => type.shape.length !== 1 || type.shape[0] !== channels);
    if (wrong) throw new KingletError('ERR_MODEL_INVALID', `parameters of shape [${wrong.shape.join(', ')}] for ${channels ?? 0} channels`);
    return [{ dtype: 'float32', shape: x.shape }];
  },
  reference(inputs, { epsilon }, outputs) {
    const y = emptyTensor(operand(outputs, 0));
    const [x, scale, bias, mean, variance] = [0, 1, 2, 3, 4].map((i) => numbers(operand(inputs, i)));
    for (let i = 0; i < x.length; i++) {
      const c = i % scale.length;
      y.data[i] = Math.fround(((x[i] - mean[c]) / Math.sqrt(variance[c] + epsilon)) * scale[c] + bias[c]);
    }
    return [y];
  },
  permute: (attrs, perm) => (perm.at(-1) === perm.length - 1 ? attrs : undefined),
  permutedInputs: () => [0],
  lower(node, ctx) {
    const x = operand(node.inputs, 0);
    const y = operand(node.outputs, 0);
    const { factor, offset } = factorsOf(node.inputs.slice(1).map(constantParameter), node.attrs.epsilon);
    const channels = factor.length;
    const rows = [1, 1, elementCount(x.shape) / channels, channels];
    const asRows = (view: View): View | undefined => reshapeView(view, rows);
    const fits: Need = (view) => {
      const flat = asRows(view);
      return flat !== undefined && channelsTogether(flat) && forward(flat);
    };
    const src = asRows(ctx.read(x, fits));
    const dst = asRows(ctx.write(y, fits));
    if (!src || !dst) throw new KingletError('ERR_INTERNAL', 'a dense tensor is not rows of channels');
    // A 1x1 depthwise convolution: one multiplication and one addition per element, in one step.
    emitConv(ctx, {
      src,
      dst,
      weights: constantOf({ dtype: 'float32', shape: [1, 1, 1, channels], data: factor }),
      bias: constantOf({ dtype: 'float32', shape: [channels], data: offset }),
      strides: [1, 1],
      pads: [0, 0, 0, 0],
      dilations: [1, 1],
      groups: channels,
      ...noClamp,
      srcType: x,
      dstType: y,
    });
  },
};

/** y = x * factor + offset per channel. Parameters: scale, bias, mean, variance. */
export function factorsOf(parameters: readonly Tensor[], epsilon: number): { factor: Float32Array; offset: Float32Array } {
  const [scale, bias, mean, variance] = [0, 1, 2, 3].map((i) => numbers(operand(parameters, i)));
  const factor = Float64Array.from(scale, (s, c) => s / Math.sqrt(variance[c] + epsilon));
  return { factor: Float32Array.from(factor), offset: Float32Array.from(factor, (f, c) => bias[c] - mean[c] * f) };
}

function constantParameter(value: Parameters<typeof isConstant>[0]): Tensor {
  if (!isConstant(value)) throw new KingletError('ERR_UNSUPPORTED', 'the parameters of a batch normalisation must be constants');
  return value;
}
