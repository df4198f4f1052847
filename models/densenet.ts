// DenseNet-121/169: every layer of a block sees the outputs of all layers before it, side by side.
// Huang et al., "Densely Connected Convolutional Networks", arXiv 1608.06993, table 1: growth 32, bottlenecks, halving
// transitions (DenseNet-BC). In: a depth, options. Out: a Graph.

import type { Graph, Value } from '../host/graph/graph.ts';
import { channelsOf, Network, type NetworkOptions } from './network.ts';

export type DensenetDepth = keyof typeof depths;

/** Layers per block. */
const depths = { 121: [6, 12, 24, 16], 169: [6, 12, 32, 32] } as const;
const GROWTH = 32;

/** Input [batch, 224, 224, 3]; output [batch, classes]. */
export function densenet(depth: DensenetDepth, options: NetworkOptions = {}): Graph {
  const net = new Network(options, { size: 224 });
  let x = net.convNorm(net.input(3), 'conv1', { filters: 2 * GROWTH, kernel: 7, stride: 2, activation: 'relu' });
  x = net.maxPool(x, 'pool1', { kernel: 3, stride: 2 });
  depths[depth].forEach((count, block) => {
    if (block > 0) x = transition(net, x, `transition${block}`);
    for (let layer = 1; layer <= count; layer++) x = denseLayer(net, x, `dense${block + 1}_${layer}`);
  });
  x = net.relu(net.batchNorm(x, 'norm5'));
  return net.finish(net.linear(net.flatten(net.globalPool(x, 'pool5')), 'fc', net.classes));
}

function denseLayer(net: Network, x: Value, name: string): Value {
  const bottleneck = net.conv(net.relu(net.batchNorm(x, `${name}/norm1`)), `${name}/conv1`, { filters: 4 * GROWTH });
  const grown = net.conv(net.relu(net.batchNorm(bottleneck, `${name}/norm2`)), `${name}/conv2`, { filters: GROWTH, kernel: 3 });
  return net.concat([x, grown], name);
}

/** Half the channels, a quarter of the pixels. */
function transition(net: Network, x: Value, name: string): Value {
  const y = net.conv(net.relu(net.batchNorm(x, `${name}/norm`)), `${name}/conv`, { filters: channelsOf(x) / 2 });
  return net.averagePool(y, `${name}/pool`, { kernel: 2, stride: 2, pad: 0 });
}
