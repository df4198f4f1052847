// AlexNet in one column: 64 first filters, no split over two machines, no response normalisation.
// Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", NIPS 2012; the one column:
// Krizhevsky, "One weird trick for parallelizing convolutional neural networks", arXiv 1404.5997. In: options. Out: a Graph.

import type { Graph } from '../host/graph/graph.ts';
import { Network, type NetworkOptions } from './network.ts';

/** Input [batch, 227, 227, 3]; output [batch, classes]. */
export function alexnet(options: NetworkOptions = {}): Graph {
  const net = new Network(options, { size: 227 });
  const pool = { kernel: 3, stride: 2, pad: 0 };
  let x = net.relu(net.conv(net.input(3), 'conv1', { filters: 64, kernel: 11, stride: 4, pad: 2, bias: true }));
  x = net.maxPool(x, 'pool1', pool);
  x = net.relu(net.conv(x, 'conv2', { filters: 192, kernel: 5, bias: true }));
  x = net.maxPool(x, 'pool2', pool);
  x = net.relu(net.conv(x, 'conv3', { filters: 384, kernel: 3, bias: true }));
  x = net.relu(net.conv(x, 'conv4', { filters: 256, kernel: 3, bias: true }));
  x = net.relu(net.conv(x, 'conv5', { filters: 256, kernel: 3, bias: true }));
  x = net.maxPool(x, 'pool5', pool);
  x = net.relu(net.linear(net.dropout(net.flatten(x)), 'fc6', 4096));
  x = net.relu(net.linear(net.dropout(x), 'fc7', 4096));
  return net.finish(net.linear(x, 'fc8', net.classes));
}
