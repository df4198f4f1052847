// ShuffleNetV2: half of the channels pass, the other half is convolved, and a shuffle mixes both; no groups, no additions.
// Ma et al., "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design", arXiv 1807.11164, figure 3 and table 5.
// In: the width, options. Out: a Graph. Must not know files.

import type { Graph, Value } from '../host/graph/graph.ts';
import { channelsOf, Network, type NetworkOptions } from './network.ts';

export type ShufflenetV2Width = keyof typeof channels;

/** Per width: channels of the three stages and of the last convolution. */
const channels = {
  0.5: [48, 96, 192, 1024],
  1: [116, 232, 464, 1024],
  1.5: [176, 352, 704, 1024],
  2: [244, 488, 976, 2048],
} as const;
const blocks = [4, 8, 4] as const;

/** Input [batch, 224, 224, 3]; output [batch, classes]. */
export function shufflenetV2(width: ShufflenetV2Width, options: NetworkOptions = {}): Graph {
  const net = new Network(options, { size: 224 });
  let x = net.convNorm(net.input(3), 'conv1', { filters: 24, kernel: 3, stride: 2, activation: 'relu' });
  x = net.maxPool(x, 'pool1', { kernel: 3, stride: 2 });
  blocks.forEach((count, stage) => {
    x = downUnit(net, x, `stage${stage + 2}_1`, channels[width][stage] / 2);
    for (let i = 2; i <= count; i++) x = unit(net, x, `stage${stage + 2}_${i}`);
  });
  x = net.convNorm(x, 'conv5', { filters: channels[width][3], activation: 'relu' });
  return net.finish(net.linear(net.flatten(net.globalPool(x, 'pool')), 'fc', net.classes));
}

/** The basic unit: the first half passes. */
function unit(net: Network, x: Value, name: string): Value {
  const half = channelsOf(x) / 2;
  const passed = net.channels(x, 0, half, `${name}/pass`);
  const convolved = branch(net, net.channels(x, half, half, `${name}/split`), `${name}/right`, { filters: half, stride: 1 });
  return net.channelShuffle(net.concat([passed, convolved], `${name}/join`), 2, name);
}

/** The unit with stride 2: both branches see all channels, `filters` come out of each. */
function downUnit(net: Network, x: Value, name: string, filters: number): Value {
  const depthwise = net.convNorm(x, `${name}/left/depthwise`, { kernel: 3, stride: 2, depthwise: true });
  const left = net.convNorm(depthwise, `${name}/left/pointwise`, { filters, activation: 'relu' });
  const right = branch(net, x, `${name}/right`, { filters, stride: 2 });
  return net.channelShuffle(net.concat([left, right], `${name}/join`), 2, name);
}

function branch(net: Network, x: Value, name: string, { filters, stride }: { readonly filters: number; readonly stride: number }): Value {
  const a = net.convNorm(x, `${name}/pointwise1`, { filters, activation: 'relu' });
  const b = net.convNorm(a, `${name}/depthwise`, { kernel: 3, stride, depthwise: true });
  return net.convNorm(b, `${name}/pointwise2`, { filters, activation: 'relu' });
}
