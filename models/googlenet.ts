// GoogLeNet: inception modules, which look at their input through four windows at once and join what they see.
// Szegedy et al., "Going Deeper with Convolutions", arXiv 1409.4842, table 1 and figure 3. In: options. Out: a Graph.

import type { Graph, Value } from '../host/graph/graph.ts';
import { Network, type NetworkOptions } from './network.ts';

export interface GooglenetOptions extends NetworkOptions {
  /** Also the two classifiers that train the lower layers, as outputs 1 (from 4a) and 2 (from 4d). */
  readonly auxiliary?: boolean | undefined;
}

/** Filters: 1x1; 3x3 reduced, 3x3; 5x5 reduced, 5x5; behind the pool. */
type Filters = readonly [number, number, number, number, number, number];

const modules: Readonly<Record<string, Filters>> = {
  '3a': [64, 96, 128, 16, 32, 32],
  '3b': [128, 128, 192, 32, 96, 64],
  '4a': [192, 96, 208, 16, 48, 64],
  '4b': [160, 112, 224, 24, 64, 64],
  '4c': [128, 128, 256, 24, 64, 64],
  '4d': [112, 144, 288, 32, 64, 64],
  '4e': [256, 160, 320, 32, 128, 128],
  '5a': [256, 160, 320, 32, 128, 128],
  '5b': [384, 192, 384, 48, 128, 128],
};
const pool = { kernel: 3, stride: 2, pad: 0, ceil: true };

/** Input [batch, 224, 224, 3]; output [batch, classes], with `auxiliary` three of them. */
export function googlenet(options: GooglenetOptions = {}): Graph {
  const net = new Network(options, { size: 224 });
  const others: Value[] = [];
  let x = net.relu(net.conv(net.input(3), 'conv1', { filters: 64, kernel: 7, stride: 2, bias: true }));
  x = net.localResponseNorm(net.maxPool(x, 'pool1', pool), 'norm1');
  x = net.relu(net.conv(x, 'conv2/reduce', { filters: 64, bias: true }));
  x = net.relu(net.conv(x, 'conv2', { filters: 192, kernel: 3, bias: true }));
  x = net.maxPool(net.localResponseNorm(x, 'norm2'), 'pool2', pool);
  for (const [name, filters] of Object.entries(modules)) {
    x = inception(net, x, `inception${name}`, filters);
    if (name === '3b' || name === '4e') x = net.maxPool(x, `pool${name[0]}`, pool);
    if (options.auxiliary && (name === '4a' || name === '4d')) others.push(auxiliary(net, x, `auxiliary${name}`));
  }
  const features = net.dropout(net.flatten(net.globalPool(x, 'pool5')));
  return net.finish(net.linear(features, 'fc', net.classes), others);
}

function inception(net: Network, x: Value, name: string, [one, reduced3, three, reduced5, five, behindPool]: Filters): Value {
  const conv = (from: Value, part: string, filters: number, kernel = 1): Value => net.relu(net.conv(from, `${name}/${part}`, { filters, kernel, bias: true }));
  return net.concat([
    conv(x, '1x1', one),
    conv(conv(x, '3x3/reduce', reduced3), '3x3', three, 3),
    conv(conv(x, '5x5/reduce', reduced5), '5x5', five, 5),
    conv(net.maxPool(x, `${name}/pool`, { kernel: 3, stride: 1 }), 'pool/project', behindPool),
  ], name);
}

function auxiliary(net: Network, x: Value, name: string): Value {
  const pooled = net.averagePool(x, `${name}/pool`, { kernel: 5, stride: 3, pad: 0 });
  const reduced = net.relu(net.conv(pooled, `${name}/conv`, { filters: 128, bias: true }));
  const hidden = net.dropout(net.relu(net.linear(net.flatten(reduced), `${name}/fc1`, 1024)));
  return net.linear(hidden, `${name}/fc2`, net.classes);
}
