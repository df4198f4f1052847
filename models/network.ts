// The words in which the zoo's networks are written: convolution, normalisation, pooling, joining. In: layers as a paper lists them.
// Out: a Graph, NHWC, with weights from the caller or seeded ones that keep every layer's spread near 1.
// As in the papers and frameworks, normalisation and activations are layers of their own; the passes fold them. Must not know any network.

import { KingletError } from '../host/error.ts';
import { Builder } from '../host/graph/builder.ts';
import type { Graph, Value } from '../host/graph/graph.ts';
import { noClamp } from '../host/ops/activation.ts';
import { batchNorm } from '../host/ops/batch-norm.ts';
import { binary } from '../host/ops/binary.ts';
import { channelShuffle } from '../host/ops/channel-shuffle.ts';
import { concat } from '../host/ops/concat.ts';
import { conv2d } from '../host/ops/conv2d.ts';
import { lrn } from '../host/ops/lrn.ts';
import { matmul } from '../host/ops/matmul.ts';
import type { Op } from '../host/ops/op.ts';
import { pool2d } from '../host/ops/pool2d.ts';
import { reduce } from '../host/ops/reduce.ts';
import { reshape } from '../host/ops/reshape.ts';
import { slice } from '../host/ops/slice.ts';
import { softmax } from '../host/ops/softmax.ts';
import { realFunction, unary, type UnaryAttrs } from '../host/ops/unary.ts';
import { resolvePads, type Pads, type Pair } from '../host/ops/window.ts';
import { elementCount, type Shape } from '../host/tensor.ts';
import { averageOf, largestOf, mixOf, productOf, sumOf, throughFunction, unit, UNIFORM_POWER, type Moments } from './moments.ts';
import { seeded, standardised, type WeightRole, type WeightSource } from './weights.ts';

export interface NetworkOptions {
  readonly batch?: number | undefined;
  /** Side of the input in pixels, or [height, width]; default: the paper's. */
  readonly size?: number | Pair | undefined;
  readonly classes?: number | undefined;
  /**
   * Where a paper leaves padding to the framework: 'symmetric' pads both sides by half the kernel (PyTorch's habit), 'same' pads
   * so that the output has ceil(input / stride) elements, the odd one behind (TensorFlow's). Default: the network's own home.
   */
  readonly padding?: Padding | undefined;
  readonly seed?: number | undefined;
  readonly weights?: WeightSource | undefined;
  /** Ends a classifier with probabilities; default: with logits. */
  readonly softmax?: boolean | undefined;
}
export type Padding = 'symmetric' | 'same';
export type Activation = 'relu' | 'relu6' | 'hardSwish' | 'hardSigmoid' | 'sigmoid' | 'swish' | 'tanh';

interface WindowOptions {
  readonly kernel?: number | Pair | undefined;
  readonly stride?: number | undefined;
  /** On all four sides; absent: the network's rule. */
  readonly pad?: number | Pads | undefined;
}
interface Seeding {
  /** Standard deviation of the seeded result, 1 by default. */
  readonly gain?: number | undefined;
}
export interface ConvOptions extends WindowOptions, Seeding {
  /** Output channels; default: as many as the input has. */
  readonly filters?: number | undefined;
  readonly dilation?: number | undefined;
  readonly groups?: number | undefined;
  /** One group per input channel. */
  readonly depthwise?: boolean | undefined;
  readonly bias?: boolean | undefined;
}
export interface NormOptions extends Seeding {
  readonly epsilon?: number | undefined;
}
export interface PoolOptions extends WindowOptions {
  /** A last window may hang over the border (Caffe's rule). */
  readonly ceil?: boolean | undefined;
  readonly countPads?: boolean | undefined;
}
export interface ExciteOptions {
  /** Channels between the two layers. */
  readonly squeezed: number;
  readonly activation?: Activation | undefined;
  readonly gate?: Activation | undefined;
}
/** A network's own defaults. */
export interface Defaults {
  readonly size: number | Pair;
  readonly classes?: number;
  readonly padding?: Padding;
}

/** `gain` at the end of a residual branch: 36 blocks in a row then add up to a standard deviation of 3. */
export const RESIDUAL_GAIN = 0.5;
/**
 * `gain` in front of functions that are neither linear nor flat near 0. At 1 a little less in comes out as much less, and deep
 * networks fade; at 3 they behave as ReLU does, and gates open and close.
 */
const CURVED_GAIN = 3;
/**
 * Share of a filter's mean that seeded weights lack where the values that come in have a mean. At 0 deep networks give nearly the
 * same answer to all pictures; at 1 every layer widens small differences, and int8 and float32 part ways.
 */
const CENTRED = 0.3;

const functions: Readonly<Record<Exclude<Activation, 'swish'>, UnaryAttrs>> = {
  relu: { kind: 'clamp', p0: 0, p1: Infinity },
  relu6: { kind: 'clamp', p0: 0, p1: 6 },
  hardSwish: { kind: 'hardSwish', p0: 0, p1: 0 },
  hardSigmoid: { kind: 'hardSigmoid', p0: 1 / 6, p1: 0.5 },
  sigmoid: { kind: 'sigmoid', p0: 0, p1: 0 },
  tanh: { kind: 'tanh', p0: 0, p1: 0 },
};

/**
 * A network under construction. Every layer takes values and returns one; a layer's nodes, and the tensor that it leaves behind,
 * carry its name. Shapes: [batch, height, width, channels], after flatten() [batch, features]. Layers throw KingletError
 * (ERR_MODEL_INVALID) when they do not fit their input, for example when an image is too small for the network.
 */
export class Network {
  readonly classes: number;
  readonly size: Pair;
  readonly #batch: number;
  readonly #padding: Padding;
  readonly #softmax: boolean;
  readonly #seed: number;
  readonly #weights: WeightSource | undefined;
  readonly #builder = new Builder();
  readonly #moments = new Map<Value, Moments>();

  constructor(options: NetworkOptions, defaults: Defaults) {
    const size = options.size ?? defaults.size;
    this.size = typeof size === 'number' ? [size, size] : size;
    this.classes = options.classes ?? defaults.classes ?? 1000;
    this.#batch = options.batch ?? 1;
    this.#padding = options.padding ?? defaults.padding ?? 'symmetric';
    this.#softmax = options.softmax ?? false;
    this.#seed = options.seed ?? 1;
    this.#weights = options.weights;
    for (const count of [...this.size, this.classes, this.#batch]) {
      if (!Number.isSafeInteger(count) || count < 1) throw new KingletError('ERR_USAGE', `size, classes and batch are whole numbers from 1 on, not ${count}`);
    }
  }

  /** The image. float32 [batch, height, width, channels]; weights are scaled for samples that are uniform in [-1, 1). */
  input(channels: number, name = 'image'): Value {
    const value = this.#builder.input(name, { dtype: 'float32', shape: [this.#batch, ...this.size, channels] });
    return this.#known(value, { mean: 0, power: UNIFORM_POWER });
  }

  conv(x: Value, name: string, options: ConvOptions): Value {
    const channels = channelsOf(x);
    const { filters = channels, stride = 1, dilation = 1, bias = false, gain = 1 } = options;
    const groups = options.depthwise ? channels : options.groups ?? 1;
    const kernel = pairOf(options.kernel ?? 1);
    const window = { kernel, strides: pairOf(stride), dilations: pairOf(dilation) };
    const pads = this.#pads(x, window, options.pad);
    const shape = [...kernel, Math.ceil(channels / groups), filters];
    const inside = insideShare(x.shape[1], window, 0, pads) * insideShare(x.shape[2], window, 1, pads);
    const w = this.#layerWeights(x, name, shape, gain / Math.sqrt(inside));
    const b = bias ? this.#drawn(name, [filters], 'bias', 0, 0.1) : null;
    return this.node(conv2d, { ...window, pads, groups, ...noClamp }, [x, w, b], name, { mean: 0, power: gain * gain });
  }

  /** (x - mean) / sqrt(variance + epsilon) * gamma + beta; seeded: statistics that vary by a quarter around those of `x`. */
  batchNorm(x: Value, name: string, { epsilon = 1e-5, gain = 1 }: NormOptions = {}): Value {
    const { mean, power } = this.#of(x);
    const spread = Math.sqrt(power);
    const shape = [channelsOf(x)];
    const parameters = [
      this.#drawn(name, shape, 'gamma', gain, 0.2 * gain),
      this.#drawn(name, shape, 'beta', 0, 0.2 * gain),
      this.#drawn(name, shape, 'mean', mean, 0.1 * spread),
      this.#drawn(name, shape, 'variance', power - mean * mean, 0.25 * (power - mean * mean)),
    ];
    return this.node(batchNorm, { epsilon }, [x, ...parameters], name, { mean: 0, power: 1.05 * gain * gain });
  }

  activate(x: Value, activation: Activation, name = x.name): Value {
    if (activation === 'swish') return this.multiply(x, this.activate(x, 'sigmoid', `${name}/sigmoid`), name, throughFunction(this.#of(x), (v) => v / (1 + Math.exp(-v))));
    const attrs = functions[activation];
    return this.node(unary, attrs, [x], name, throughFunction(this.#of(x), realFunction(attrs)));
  }

  relu(x: Value): Value {
    return this.activate(x, 'relu');
  }

  /** Convolution without bias, normalisation, and perhaps an activation, all under one name. */
  convNorm(x: Value, name: string, options: ConvOptions & NormOptions & { readonly activation?: Activation | undefined }): Value {
    const gain = options.gain ?? gainBefore(options.activation);
    const y = this.batchNorm(this.conv(x, name, { ...options, gain: 1 }), name, { ...options, gain });
    return options.activation ? this.activate(y, options.activation) : y;
  }

  maxPool(x: Value, name: string, options: PoolOptions): Value {
    return this.#pool(x, name, 'max', options);
  }
  averagePool(x: Value, name: string, options: PoolOptions): Value {
    return this.#pool(x, name, 'average', options);
  }
  /** The mean over all pixels, [batch, 1, 1, channels]. */
  globalPool(x: Value, name: string): Value {
    return this.node(reduce, { kind: 'mean', axes: [1, 2], keepDims: true }, [x], name, averageOf(this.#of(x), x.shape[1] * x.shape[2]));
  }

  /** [batch, …] as [batch, features]; rows, columns, channels in this order. */
  flatten(x: Value, name = x.name): Value {
    return this.node(reshape, { shape: [x.shape[0], elementCount(x.shape.slice(1))] }, [x], name, this.#of(x));
  }

  /** Fully connected: [batch, features] × [features, outputs]. */
  linear(x: Value, name: string, outputs: number, { gain = 1 }: Seeding = {}): Value {
    const w = this.#layerWeights(x, name, [channelsOf(x), outputs], gain);
    const b = this.#drawn(name, [outputs], 'bias', 0, 0.1);
    return this.node(matmul, noClamp, [x, w, b], name, { mean: 0, power: gain * gain });
  }

  /** Training only: at inference the values pass. */
  dropout(x: Value): Value {
    return x;
  }

  /** Side by side along the channels. */
  concat(parts: readonly Value[], name: string): Value {
    const axis = parts[0].shape.length - 1;
    return this.node(concat, { axis }, [...parts], name, mixOf(parts.map((part) => ({ moments: this.#of(part), count: channelsOf(part) }))));
  }
  add(a: Value, b: Value, name: string): Value {
    return this.node(binary, { kind: 'add', ...noClamp }, [a, b], name, sumOf(this.#of(a), this.#of(b)));
  }
  /** Elementwise; dimensions of 1 are stretched. */
  multiply(a: Value, b: Value, name: string, moments = productOf(this.#of(a), this.#of(b))): Value {
    return this.node(binary, { kind: 'mul', ...noClamp }, [a, b], name, moments);
  }

  /** Local response normalisation over 5 neighbouring channels, with Caffe's constants (alpha 1e-4 of their mean, beta 0.75, k 1). */
  localResponseNorm(x: Value, name: string): Value {
    return this.node(lrn, { before: 2, after: 2, scale: 1e-4 / 5, bias: 1, beta: 0.75 }, [x], name);
  }

  /** ShuffleNet's: channel j*n + i of g groups of n goes to i*g + j. */
  channelShuffle(x: Value, groups: number, name: string): Value {
    return this.node(channelShuffle, { axis: x.shape.length - 1, groups }, [x], name, this.#of(x));
  }

  /** Channels from `start` on. */
  channels(x: Value, start: number, count: number, name: string): Value {
    const starts = x.shape.map((_, i) => (i === x.shape.length - 1 ? start : 0));
    return this.node(slice, { starts, sizes: [...x.shape.slice(0, -1), count], steps: x.shape.map(() => 1) }, [x], name, this.#of(x));
  }

  /** Squeeze-and-excitation (Hu et al., arXiv 1709.01507): every channel is scaled by what two small layers say about all channel means. */
  squeezeExcite(x: Value, name: string, { squeezed, activation = 'relu', gate = 'sigmoid' }: ExciteOptions): Value {
    const reduced = this.conv(this.globalPool(x, `${name}/squeeze`), `${name}/reduce`, { filters: squeezed, bias: true, gain: gainBefore(activation) });
    const expanded = this.conv(this.activate(reduced, activation), `${name}/expand`, { filters: channelsOf(x), bias: true, gain: gainBefore(gate) });
    return this.multiply(x, this.activate(expanded, gate), name);
  }

  /** Any other op with one output; without `moments` its values count as spread like its first input's. */
  node<A>(op: Op<A>, attrs: A, inputs: (Value | null)[], name: string, moments?: Moments): Value {
    const [first] = inputs;
    return this.#known(this.#builder.add(op, attrs, inputs, { name }), moments ?? (first ? this.#of(first) : unit));
  }

  /** Ends the network: logits, or probabilities if the options ask for them, and any further outputs. */
  finish(logits: Value, others: readonly Value[] = []): Graph {
    const end = (x: Value): Value => (this.#softmax ? this.node(softmax, { axis: 1, log: false, beta: 1 }, [x], `${x.name}/softmax`) : x);
    for (const value of [logits, ...others]) {
      const y = end(value);
      this.#builder.output(y, y.name);
    }
    return this.#builder.graph;
  }

  #pool(x: Value, name: string, kind: 'max' | 'average', options: PoolOptions): Value {
    const kernel = pairOf(options.kernel ?? 2);
    const window = { kernel, strides: pairOf(options.stride ?? kernel[0]), dilations: pairOf(1) };
    const pads = this.#pads(x, window, options.pad);
    const attrs = { kind, ...window, pads, ceilMode: options.ceil ?? false, countIncludePad: options.countPads ?? false, ...noClamp };
    return this.node(pool2d, attrs, [x], name, (kind === 'max' ? largestOf : averageOf)(this.#of(x), kernel[0] * kernel[1]));
  }

  #pads(x: Value, window: { kernel: Pair; strides: Pair; dilations: Pair }, pad: number | Pads | undefined): Pads {
    const half = (axis: 0 | 1): number => Math.floor((window.kernel[axis] - 1) / 2) * window.dilations[axis];
    const pads: Pads = pad === undefined ? [half(0), half(1), half(0), half(1)] : typeof pad === 'number' ? [pad, pad, pad, pad] : pad;
    const autoPad = pad === undefined && this.#padding === 'same' ? 'SAME_UPPER' : 'NOTSET';
    return resolvePads({ ...window, autoPad, pads, input: [x.shape[1], x.shape[2]] });
  }

  /** Seeded: every output has the spread `gain`. A depthwise filter keeps its mean: it may be all that it sees. */
  #layerWeights(x: Value, name: string, shape: Shape, gain: number): Value {
    const { mean, power } = this.#of(x);
    const centred = mean !== 0 && shape[shape.length - 2] > 1 ? CENTRED : 0;
    const norm = gain / Math.sqrt(power - (1 - (1 - centred) ** 2) * mean * mean);
    return this.#constant(name, shape, 'weights', () => standardised(seeded(this.#seed, name, 'weights', shape, 0, 1), shape, { norm, centred }));
  }
  #drawn(name: string, shape: Shape, role: WeightRole, centre: number, spread: number): Value {
    return this.#constant(name, shape, role, () => seeded(this.#seed, name, role, shape, centre, spread));
  }
  #constant(name: string, shape: Shape, role: WeightRole, draw: () => Float32Array): Value {
    const data = this.#weights?.(name, shape, role) ?? draw();
    if (data.length !== elementCount(shape)) throw new KingletError('ERR_INPUT', `${data.length} numbers for the ${role} of ${name}, which have shape [${shape.join(', ')}]`);
    return this.#builder.constant({ dtype: 'float32', shape, data }, `${name}/${role}`);
  }

  #known(value: Value, moments: Moments): Value {
    this.#moments.set(value, moments);
    return value;
  }
  #of(value: Value): Moments {
    return this.#moments.get(value) ?? unit;
  }
}

/** The `gain` of a layer by the activation behind it; convNorm() and squeezeExcite() see to it themselves. */
export function gainBefore(activation: Activation | undefined): number {
  return activation === undefined || activation === 'relu' || activation === 'relu6' ? 1 : CURVED_GAIN;
}

export function channelsOf(x: Value): number {
  return x.shape[x.shape.length - 1];
}

/** `channels` times `factor` as the next multiple of `step` that loses at most a tenth (MobileNetV2's rule). */
export function scaledChannels(channels: number, factor: number, step = 8): number {
  const wanted = channels * factor;
  const rounded = Math.max(step, Math.floor((wanted + step / 2) / step) * step);
  return rounded < 0.9 * wanted ? rounded + step : rounded;
}

function pairOf(size: number | Pair): Pair {
  return typeof size === 'number' ? [size, size] : size;
}

/** Which share of a window's taps along one axis lies inside the input, over all windows. */
function insideShare(input: number, { kernel, strides, dilations }: { kernel: Pair; strides: Pair; dilations: Pair }, axis: 0 | 1, pads: Pads): number {
  const [size, stride, dilation] = [kernel[axis], strides[axis], dilations[axis]];
  const windows = Math.floor((input + pads[axis] + pads[axis + 2] - (size - 1) * dilation - 1) / stride) + 1;
  let inside = 0;
  for (let o = 0; o < windows; o++) {
    for (let k = 0; k < size; k++) {
      const at = o * stride - pads[axis] + k * dilation;
      if (at >= 0 && at < input) inside++;
    }
  }
  return windows > 0 && inside > 0 ? inside / (windows * size) : 1;
}
