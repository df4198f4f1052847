// VGG-11/13/16/19: nothing but 3x3 convolutions in five stages, each ended by a maximum over 2x2.
// Simonyan, Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", arXiv 1409.1556, table 1, columns
// A, B, D and E. In: the number of layers with weights, options. Out: a Graph.

import type { Graph } from '../host/graph/graph.ts';
import { Network, type NetworkOptions } from './network.ts';

export type VggDepth = keyof typeof depths;

/** Convolutions per stage. */
const depths = { 11: [1, 1, 2, 2, 2], 13: [2, 2, 2, 2, 2], 16: [2, 2, 3, 3, 3], 19: [2, 2, 4, 4, 4] } as const;
const filters = [64, 128, 256, 512, 512];

/** Input [batch, 224, 224, 3]; output [batch, classes]. */
export function vgg(depth: VggDepth, options: NetworkOptions = {}): Graph {
  const net = new Network(options, { size: 224 });
  let x = net.input(3);
  depths[depth].forEach((count, stage) => {
    for (let i = 1; i <= count; i++) {
      x = net.relu(net.conv(x, `conv${stage + 1}_${i}`, { filters: filters[stage], kernel: 3, bias: true }));
    }
    x = net.maxPool(x, `pool${stage + 1}`, { kernel: 2, stride: 2, pad: 0 });
  });
  x = net.dropout(net.relu(net.linear(net.flatten(x), 'fc6', 4096)));
  x = net.dropout(net.relu(net.linear(x, 'fc7', 4096)));
  return net.finish(net.linear(x, 'fc8', net.classes));
}
