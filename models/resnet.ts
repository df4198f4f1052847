// ResNet-18/34/50/101/152 and ResNeXt: blocks that add what they computed to what came in.
// He et al., "Deep Residual Learning for Image Recognition", arXiv 1512.03385, table 1; Xie et al., "Aggregated Residual
// Transformations for Deep Neural Networks", arXiv 1611.05431, table 1 (the same blocks with grouped 3x3 convolutions).
// In: a depth, options. Out: a Graph. Must not know files.

import type { Graph, Value } from '../host/graph/graph.ts';
import { channelsOf, Network, RESIDUAL_GAIN, type NetworkOptions } from './network.ts';

export type ResnetDepth = keyof typeof depths;
export interface ResnetOptions extends NetworkOptions {
  /** Which convolution of a bottleneck block halves the picture: the 3x3 (PyTorch's habit, the default) or the paper's first 1x1. */
  readonly strideIn?: '3x3' | '1x1' | undefined;
  /** ResNeXt's cardinality; default 1. */
  readonly groups?: number | undefined;
  /** Channels of one group in the first stage; default 64. */
  readonly groupWidth?: number | undefined;
}

/** Blocks per stage. */
const depths = {
  18: { bottleneck: false, blocks: [2, 2, 2, 2] },
  34: { bottleneck: false, blocks: [3, 4, 6, 3] },
  50: { bottleneck: true, blocks: [3, 4, 6, 3] },
  101: { bottleneck: true, blocks: [3, 4, 23, 3] },
  152: { bottleneck: true, blocks: [3, 8, 36, 3] },
} as const;
const EXPANSION = 4;

interface Block {
  readonly width: number;
  readonly stride: number;
}

/** Input [batch, 224, 224, 3]; output [batch, classes]. */
export function resnet(depth: ResnetDepth, options: ResnetOptions = {}): Graph {
  const net = new Network(options, { size: 224 });
  const { bottleneck, blocks } = depths[depth];
  let x = net.convNorm(net.input(3), 'conv1', { filters: 64, kernel: 7, stride: 2, activation: 'relu' });
  x = net.maxPool(x, 'pool1', { kernel: 3, stride: 2 });
  blocks.forEach((count, stage) => {
    for (let i = 0; i < count; i++) {
      const block = { width: 64 * 2 ** stage, stride: i === 0 && stage > 0 ? 2 : 1 };
      const name = `conv${stage + 2}_${i + 1}`;
      x = bottleneck ? bottleneckBlock(net, x, name, block, options) : basicBlock(net, x, name, block);
    }
  });
  return net.finish(net.linear(net.flatten(net.globalPool(x, 'pool5')), 'fc', net.classes));
}

function basicBlock(net: Network, x: Value, name: string, { width, stride }: Block): Value {
  const a = net.convNorm(x, `${name}/a`, { filters: width, kernel: 3, stride, activation: 'relu' });
  const b = net.convNorm(a, `${name}/b`, { filters: width, kernel: 3, gain: RESIDUAL_GAIN });
  return net.relu(net.add(b, shortcut(net, x, name, width, stride), name));
}

function bottleneckBlock(net: Network, x: Value, name: string, { width, stride }: Block, options: ResnetOptions): Value {
  const { strideIn = '3x3', groups = 1, groupWidth = 64 } = options;
  const inner = groups * groupWidth * width / 64;
  const [first, second] = strideIn === '1x1' ? [stride, 1] : [1, stride];
  const a = net.convNorm(x, `${name}/a`, { filters: inner, stride: first, activation: 'relu' });
  const b = net.convNorm(a, `${name}/b`, { filters: inner, kernel: 3, stride: second, groups, activation: 'relu' });
  const c = net.convNorm(b, `${name}/c`, { filters: EXPANSION * width, gain: RESIDUAL_GAIN });
  return net.relu(net.add(c, shortcut(net, x, name, EXPANSION * width, stride), name));
}

/** The input itself, or projected where the block changes its shape (the paper's option B). */
function shortcut(net: Network, x: Value, name: string, filters: number, stride: number): Value {
  return stride === 1 && channelsOf(x) === filters ? x : net.convNorm(x, `${name}/shortcut`, { filters, stride });
}
