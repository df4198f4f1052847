// ZFNet: AlexNet with a finer first layer, found by looking at what its filters see.
// Zeiler, Fergus, "Visualizing and Understanding Convolutional Networks", arXiv 1311.2901, figure 3; the wider layers 3 to 5 of
// its section 5.1 are what lectures show and what won in 2013. In: options. Out: a Graph.

import type { Graph } from '../host/graph/graph.ts';
import { Network, type NetworkOptions } from './network.ts';

export interface ZfnetOptions extends NetworkOptions {
  /** Filters of layers 3, 4 and 5; default 384, 384, 256. */
  readonly filters?: readonly [number, number, number];
}

/** Input [batch, 224, 224, 3]; output [batch, classes]. */
export function zfnet(options: ZfnetOptions = {}): Graph {
  const net = new Network(options, { size: 224 });
  const [third, fourth, fifth] = options.filters ?? [384, 384, 256];
  const pool = { kernel: 3, stride: 2, pad: 0, ceil: true };
  let x = net.relu(net.conv(net.input(3), 'conv1', { filters: 96, kernel: 7, stride: 2, pad: 1, bias: true }));
  x = net.localResponseNorm(net.maxPool(x, 'pool1', pool), 'norm1');
  x = net.relu(net.conv(x, 'conv2', { filters: 256, kernel: 5, stride: 2, pad: 0, bias: true }));
  x = net.localResponseNorm(net.maxPool(x, 'pool2', pool), 'norm2');
  x = net.relu(net.conv(x, 'conv3', { filters: third, kernel: 3, bias: true }));
  x = net.relu(net.conv(x, 'conv4', { filters: fourth, kernel: 3, bias: true }));
  x = net.relu(net.conv(x, 'conv5', { filters: fifth, kernel: 3, bias: true }));
  x = net.maxPool(x, 'pool5', { ...pool, ceil: false });
  x = net.relu(net.linear(net.dropout(net.flatten(x)), 'fc6', 4096));
  x = net.relu(net.linear(net.dropout(x), 'fc7', 4096));
  return net.finish(net.linear(x, 'fc8', net.classes));
}
