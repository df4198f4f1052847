// MobileNetV1: every convolution but the first is split into a depthwise 3x3 and a pointwise 1x1.
// Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications", arXiv 1704.04861, table 1
// (whose last depthwise stride of 2 contradicts its own sizes and is 1). In: the width multiplier and, as the input's size, the
// resolution multiplier. Out: a Graph. Must not know files.

import type { Graph } from '../host/graph/graph.ts';
import { Network, scaledChannels, type NetworkOptions } from './network.ts';

export interface MobilenetV1Options extends NetworkOptions {
  /** The paper's alpha, for example 1, 0.75, 0.5, 0.25; default 1. */
  readonly width?: number | undefined;
}

/** Filters and stride of each separable layer. */
const layers = [
  [64, 1], [128, 2], [128, 1], [256, 2], [256, 1],
  [512, 2], [512, 1], [512, 1], [512, 1], [512, 1], [512, 1],
  [1024, 2], [1024, 1],
] as const;

/** Input [batch, 224, 224, 3]; output [batch, classes]. */
export function mobilenetV1({ width = 1, ...options }: MobilenetV1Options = {}): Graph {
  const net = new Network(options, { size: 224, padding: 'same' });
  let x = net.convNorm(net.input(3), 'conv1', { filters: scaledChannels(32, width), kernel: 3, stride: 2, activation: 'relu' });
  layers.forEach(([filters, stride], i) => {
    const name = `conv${i + 2}`;
    x = net.convNorm(x, `${name}/depthwise`, { kernel: 3, stride, depthwise: true, activation: 'relu' });
    x = net.convNorm(x, `${name}/pointwise`, { filters: scaledChannels(filters, width), activation: 'relu' });
  });
  return net.finish(net.linear(net.flatten(net.globalPool(x, 'pool')), 'fc', net.classes));
}
