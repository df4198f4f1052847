// LeNet-5 as lectures teach it today: two convolutions and two fully connected layers, ReLU and maxima instead of the paper's
// scaled tanh, subsampling and RBF units; filters as in Caffe's LeNet, with padding that keeps 28x28.
// LeCun et al., "Gradient-Based Learning Applied to Document Recognition", Proc. IEEE 86(11), 1998, figure 2.
// In: options. Out: a Graph.

import type { Graph } from '../host/graph/graph.ts';
import { Network, type NetworkOptions } from './network.ts';

/** Input [batch, 28, 28, 1], a grey digit; output [batch, 10]. */
export function lenet(options: NetworkOptions = {}): Graph {
  const net = new Network(options, { size: 28, classes: 10 });
  let x = net.relu(net.conv(net.input(1), 'conv1', { filters: 20, kernel: 5, bias: true }));
  x = net.maxPool(x, 'pool1', { kernel: 2, stride: 2, pad: 0 });
  x = net.relu(net.conv(x, 'conv2', { filters: 50, kernel: 5, bias: true }));
  x = net.maxPool(x, 'pool2', { kernel: 2, stride: 2, pad: 0 });
  x = net.relu(net.linear(net.flatten(x), 'fc3', 500));
  return net.finish(net.linear(x, 'fc4', net.classes));
}
