// ShuffleNetV1: bottlenecks of grouped 1x1 convolutions, with a shuffle that lets the groups see each other.
// Zhang et al., "ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile Devices", arXiv 1707.01083, figure 2
// and table 1. In: the number of groups, options. Out: a Graph. Must not know files.

import type { Graph, Value } from '../host/graph/graph.ts';
import { channelsOf, Network, RESIDUAL_GAIN, type NetworkOptions } from './network.ts';

export type ShufflenetV1Groups = keyof typeof firstStage;

/** Channels of the first stage, by groups; each later stage has twice as many. More groups leave room for more channels. */
const firstStage = { 1: 144, 2: 200, 3: 240, 4: 272, 8: 384 } as const;
const blocks = [4, 8, 4] as const;

interface Unit {
  readonly filters: number;
  readonly groups: number;
  /** Of the first 1x1; 1 where the input has too few channels. */
  readonly groupsIn: number;
  readonly stride: number;
}

/** Input [batch, 224, 224, 3]; output [batch, classes]. */
export function shufflenetV1(groups: ShufflenetV1Groups, options: NetworkOptions = {}): Graph {
  const net = new Network(options, { size: 224 });
  let x = net.convNorm(net.input(3), 'conv1', { filters: 24, kernel: 3, stride: 2, activation: 'relu' });
  x = net.maxPool(x, 'pool1', { kernel: 3, stride: 2 });
  blocks.forEach((count, stage) => {
    for (let i = 0; i < count; i++) {
      const first = stage === 0 && i === 0;
      x = unit(net, x, `stage${stage + 2}_${i + 1}`, { filters: firstStage[groups] * 2 ** stage, groups, groupsIn: first ? 1 : groups, stride: i === 0 ? 2 : 1 });
    }
  });
  return net.finish(net.linear(net.flatten(net.globalPool(x, 'pool')), 'fc', net.classes));
}

/** Adds to its input; with stride 2 joins its pooled input. */
function unit(net: Network, x: Value, name: string, { filters, groups, groupsIn, stride }: Unit): Value {
  const joins = stride === 2;
  let y = net.convNorm(x, `${name}/reduce`, { filters: filters / 4, groups: groupsIn, activation: 'relu' });
  if (groups > 1) y = net.channelShuffle(y, groups, `${name}/shuffle`);
  y = net.convNorm(y, `${name}/depthwise`, { kernel: 3, stride, depthwise: true });
  y = net.convNorm(y, `${name}/expand`, { filters: joins ? filters - channelsOf(x) : filters, groups, gain: joins ? 1 : RESIDUAL_GAIN });
  return net.relu(joins ? net.concat([net.averagePool(x, `${name}/pool`, { kernel: 3, stride }), y], name) : net.add(x, y, name));
}
