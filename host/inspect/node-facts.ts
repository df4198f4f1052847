// What one node is to a person: its name in the lecture's words, its window, filters and weights.
// In: a node of the authored graph. Out: facts about a layer, or what it adds to the layer before it.
// Must not know other layers, nor how facts are shown.

import { is, type Node, type Value } from '../graph/graph.ts';
import type { Clamp } from '../ops/activation.ts';
import { batchNorm } from '../ops/batch-norm.ts';
import { binary } from '../ops/binary.ts';
import { conv2d, type Conv2dAttrs } from '../ops/conv2d.ts';
import { convTranspose2d } from '../ops/conv-transpose2d.ts';
import { matmul } from '../ops/matmul.ts';
import { pool2d } from '../ops/pool2d.ts';
import { reduce } from '../ops/reduce.ts';
import { unary, type UnaryAttrs } from '../ops/unary.ts';
import { elementCount } from '../tensor.ts';

/** What a layer's colour says. */
export type Family = 'conv' | 'depthwise' | 'dense' | 'pool' | 'join' | 'other';

/** A sliding window; every list has one entry per spatial axis, `pad` all those before the axes and then all those behind. */
export interface WindowFacts {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly pad: readonly number[];
  readonly dilation: readonly number[];
}
export interface LayerFacts {
  readonly op: string;
  readonly family: Family;
  readonly window: WindowFacts | null;
  readonly groups: number;
  /** Output channels of what has weights; null for all else. */
  readonly filters: number | null;
  /** Elements of the weights of a convolution or fully connected layer, without biases. */
  readonly weights: number;
  /** Weights and biases. */
  readonly parameters: number;
  /** Activations inside the node itself. */
  readonly then: readonly string[];
}
/** What a node adds to the layer whose result it works on: a word (none where it only moves or rounds) and parameters. */
export interface Addition {
  readonly word: string | null;
  readonly parameters: number;
}

/** True for a value that is known before the network runs. */
export type IsFixed = (value: Value | null | undefined) => boolean;

const plain: Omit<LayerFacts, 'op' | 'family'> = { window: null, groups: 1, filters: null, weights: 0, parameters: 0, then: [] };

/** Nodes that no author counts as a layer: they bring elements into another order or form. */
const silent = new Set(['transpose', 'reshape', 'quantize', 'dequantize', 'requantize', 'cast', 'flipSign', 'expand']);
/** Nodes that belong to the layer before them, and what they are called there. */
const norms: ReadonlyMap<string, string> = new Map([['batchNorm', 'bn'], ['normalize', 'norm'], ['lrn', 'lrn']]);

/** Nodes that only bring tensors together or apart. */
const joins = new Set(['concat', 'channelShuffle', 'slice']);

/** What the node adds to the layer before it; null for a layer of its own. */
export function additionOf(node: Node, isFixed: IsFixed): Addition | null {
  const { kind } = node.op;
  if (silent.has(kind)) return { word: null, parameters: 0 };
  if (is(node, unary)) return { word: activationWord(node.attrs), parameters: 0 };
  const norm = norms.get(kind);
  if (norm !== undefined) return { word: norm, parameters: normParameters(node, isFixed) };
  if (!is(node, binary)) return null;
  const fixed = node.inputs.find(isFixed);
  const [x] = node.inputs.filter((value) => !isFixed(value));
  // A constant that is larger than the data makes something new of it.
  if (!fixed || !x || elementCount(x.shape) !== elementCount(node.outputs[0].shape)) return null;
  const isBias = node.attrs.kind === 'add' && elementCount(fixed.shape) > 1;
  const learned = elementCount(fixed.shape) > 1 ? elementCount(fixed.shape) : 0;
  return { word: isBias ? 'bias' : words(node.attrs.kind), parameters: learned };
}

/** Scale and shift; the mean and variance of a batch normalisation are measured, not learned. */
function normParameters(node: Node, isFixed: IsFixed): number {
  const learned = is(node, batchNorm) ? node.inputs.slice(1, 3) : node.inputs.slice(1);
  return learned.filter(isFixed).reduce((sum, value) => sum + sizeOf(value), 0);
}

export function factsOf(node: Node, isFixed: IsFixed): LayerFacts {
  if (is(node, conv2d)) return convFacts(node, '');
  if (is(node, convTranspose2d)) return convFacts(node, 'transposed ');
  if (is(node, matmul)) return matmulFacts(node, isFixed(node.inputs[1]));
  if (is(node, pool2d)) {
    const { kind, kernel, strides, pads, dilations } = node.attrs;
    return { ...plain, op: `${kind} pool`, family: 'pool', window: { kernel, stride: strides, pad: pads, dilation: dilations }, then: clampWords(node.attrs) };
  }
  if (is(node, reduce)) return reduceFacts(node.attrs, node.inputs[0]);
  const addition = additionOf(node, isFixed);
  if (addition?.word) return { ...plain, op: addition.word, family: 'other', parameters: addition.parameters };
  if (is(node, binary)) return { ...plain, op: words(node.attrs.kind), family: 'join', then: clampWords(node.attrs) };
  return { ...plain, op: words(node.op.kind), family: joins.has(node.op.kind) ? 'join' : 'other' };
}

type ConvAttrs = Clamp & Pick<Conv2dAttrs, 'strides' | 'pads' | 'dilations' | 'groups' | 'activation'>;

function convFacts(node: Node<ConvAttrs>, prefix: string): LayerFacts {
  const [x, w] = node.inputs;
  const { groups, strides, pads, dilations, activation } = node.attrs;
  const isDepthwise = groups > 1 && w?.shape.at(-2) === 1 && groups === x?.shape.at(-1);
  return {
    ...weighted(node),
    op: `${isDepthwise ? 'depthwise ' : groups > 1 ? 'grouped ' : ''}${prefix}conv`,
    family: isDepthwise ? 'depthwise' : 'conv',
    window: { kernel: w?.shape.slice(0, -2) ?? [], stride: strides, pad: pads, dilation: dilations },
    groups,
    then: [...clampWords(node.attrs), ...(activation ? [activationWord(activation)] : [])],
  };
}

function matmulFacts(node: Node<Clamp>, hasWeights: boolean): LayerFacts {
  return { ...(hasWeights ? weighted(node) : plain), op: hasWeights ? 'fc' : 'matmul', family: 'dense', then: clampWords(node.attrs) };
}

/** Input 1 are the weights, input 2 the biases; the output's channels are the filters. */
function weighted(node: Node): Omit<LayerFacts, 'op' | 'family'> {
  const [, w, bias] = node.inputs;
  return { ...plain, filters: node.outputs[0].shape.at(-1) ?? null, weights: sizeOf(w), parameters: sizeOf(w) + sizeOf(bias) };
}

function reduceFacts({ kind, axes }: { kind: string; axes: readonly number[] }, x: Value | null | undefined): LayerFacts {
  const isGlobal = x?.shape.length === 4 && axes.length === 2 && axes[1] - axes[0] === 1 && axes[0] > 0;
  const pool = isGlobal && (kind === 'mean' || kind === 'max');
  const op = pool ? `global ${kind === 'mean' ? 'average' : 'max'} pool` : kind;
  return { ...plain, op, family: pool ? 'pool' : 'other' };
}

function sizeOf(value: Value | null | undefined): number {
  return value ? elementCount(value.shape) : 0;
}

function clampWords({ min, max }: Clamp): string[] {
  return min === -Infinity && max === Infinity ? [] : [clampWord(min, max)];
}

function clampWord(min: number, max: number): string {
  if (min === 0 && max === Infinity) return 'relu';
  return min === 0 && max === 6 ? 'relu6' : 'clip';
}

function activationWord({ kind, p0, p1 }: UnaryAttrs): string {
  return kind === 'clamp' ? clampWord(p0, p1) : words(kind);
}

/** hardSwish → "hard swish". */
function words(kind: string): string {
  return kind.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
