// SqueezeNet 1.1: fire modules, which squeeze to few channels by 1x1 and expand by 1x1 and 3x3 side by side.
// Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters", arXiv 1602.07360, table 1; version 1.1 is the
// authors' release of the same year: 3x3 instead of 7x7 first, pools earlier. In: options. Out: a Graph. 349 M multiply-adds.

import type { Graph, Value } from '../host/graph/graph.ts';
import { Network, type NetworkOptions } from './network.ts';

/** Squeezed channels of each fire module, by stage; a 3x3 maximum with stride 2 stands before every stage. */
const stages = [[16, 16], [32, 32], [48, 48, 64, 64]];

/** Input [batch, 224, 224, 3]; output [batch, classes]. */
export function squeezenet(options: NetworkOptions = {}): Graph {
  const net = new Network(options, { size: 224 });
  let x = net.relu(net.conv(net.input(3), 'conv1', { filters: 64, kernel: 3, stride: 2, pad: 0, bias: true }));
  let index = 1;
  for (const stage of stages) {
    x = net.maxPool(x, `pool${index}`, { kernel: 3, stride: 2, pad: 0, ceil: true });
    for (const squeezed of stage) x = fire(net, x, `fire${++index}`, squeezed);
  }
  x = net.relu(net.conv(net.dropout(x), 'conv10', { filters: net.classes, bias: true }));
  return net.finish(net.flatten(net.globalPool(x, 'pool10')));
}

function fire(net: Network, x: Value, name: string, squeezed: number): Value {
  const expanded = 4 * squeezed;
  const s = net.relu(net.conv(x, `${name}/squeeze1x1`, { filters: squeezed, bias: true }));
  const e1 = net.relu(net.conv(s, `${name}/expand1x1`, { filters: expanded, bias: true }));
  const e3 = net.relu(net.conv(s, `${name}/expand3x3`, { filters: expanded, kernel: 3, bias: true }));
  return net.concat([e1, e3], name);
}
