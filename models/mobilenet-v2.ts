// MobileNetV2: inverted residuals with ReLU6.
// Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", arXiv 1801.04381, table 2.
// In: the width multiplier, options. Out: a Graph. Must not know files.

import type { Graph } from '../host/graph/graph.ts';
import { invertedResiduals, type Stage } from './inverted-residual.ts';
import { Network, scaledChannels, type NetworkOptions } from './network.ts';

export interface MobilenetV2Options extends NetworkOptions {
  /** For example 1.4, 1, 0.75, 0.5, 0.35; default 1. The last convolution never has fewer than 1280 filters. */
  readonly width?: number | undefined;
}

/** Kernel, then the paper's t, c, n, s: expansion, filters, blocks, stride. */
const stages: readonly Stage[] = [
  [3, 1, 16, 1, 1], [3, 6, 24, 2, 2], [3, 6, 32, 3, 2], [3, 6, 64, 4, 2], [3, 6, 96, 3, 1], [3, 6, 160, 3, 2], [3, 6, 320, 1, 1],
];

/** Input [batch, 224, 224, 3]; output [batch, classes]. */
export function mobilenetV2({ width = 1, ...options }: MobilenetV2Options = {}): Graph {
  const net = new Network(options, { size: 224, padding: 'same' });
  const activation = 'relu6';
  let x = net.convNorm(net.input(3), 'conv1', { filters: scaledChannels(32, width), kernel: 3, stride: 2, activation });
  x = invertedResiduals(net, x, stages, { activation, width });
  x = net.convNorm(x, 'conv2', { filters: scaledChannels(1280, Math.max(1, width)), activation });
  return net.finish(net.linear(net.dropout(net.flatten(net.globalPool(x, 'pool'))), 'fc', net.classes));
}
