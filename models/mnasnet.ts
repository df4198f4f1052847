// MnasNet 1.0, the searched network without squeeze-and-excitation (the authors' B1, and what frameworks call MnasNet).
// Tan et al., "MnasNet: Platform-Aware Neural Architecture Search for Mobile", arXiv 1807.11626, version 1, figure 7.
// In: options. Out: a Graph. Must not know files.

import type { Graph } from '../host/graph/graph.ts';
import { invertedResiduals, type Stage } from './inverted-residual.ts';
import { Network, type NetworkOptions } from './network.ts';

/** Kernel, expansion, filters, blocks, stride. The first is a separable convolution: nothing to widen. */
const stages: readonly Stage[] = [
  [3, 1, 16, 1, 1], [3, 3, 24, 3, 2], [5, 3, 40, 3, 2], [5, 6, 80, 3, 2], [3, 6, 96, 2, 1], [5, 6, 192, 4, 2], [3, 6, 320, 1, 1],
];

/** Input [batch, 224, 224, 3]; output [batch, classes]. */
export function mnasnet(options: NetworkOptions = {}): Graph {
  const net = new Network(options, { size: 224, padding: 'same' });
  const activation = 'relu';
  let x = net.convNorm(net.input(3), 'conv1', { filters: 32, kernel: 3, stride: 2, activation });
  x = invertedResiduals(net, x, stages, { activation });
  x = net.convNorm(x, 'conv2', { filters: 1280, activation });
  return net.finish(net.linear(net.dropout(net.flatten(net.globalPool(x, 'pool'))), 'fc', net.classes));
}
