// The inverted residual with a linear bottleneck, of which MobileNetV2 and V3, MnasNet and EfficientNet are made: widen by 1x1,
// filter each channel on its own, perhaps weigh the channels, narrow by 1x1 without activation; add the input where shapes agree.
// Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", arXiv 1801.04381, figure 4; squeeze-and-excitation
// behind the depthwise convolution: Tan et al., arXiv 1807.11626, figure 7. In: a value and a block. Out: a value.

import type { Value } from '../host/graph/graph.ts';
import { channelsOf, RESIDUAL_GAIN, scaledChannels, type Activation, type ExciteOptions, type Network } from './network.ts';

export interface InvertedResidual {
  readonly kernel: number;
  readonly stride: number;
  /** Channels of the depthwise convolution; as many as come in: nothing is widened. */
  readonly expanded: number;
  readonly filters: number;
  readonly activation: Activation;
  readonly excite?: ExciteOptions | undefined;
}

/** Input [batch, height, width, channels]; output [batch, height / stride, width / stride, filters]. */
export function invertedResidual(net: Network, x: Value, name: string, block: InvertedResidual): Value {
  const { kernel, stride, expanded, filters, activation, excite } = block;
  let y = expanded === channelsOf(x) ? x : net.convNorm(x, `${name}/expand`, { filters: expanded, activation });
  y = net.convNorm(y, `${name}/depthwise`, { kernel, stride, depthwise: true, activation });
  if (excite) y = net.squeezeExcite(y, `${name}/excite`, excite);
  const adds = stride === 1 && channelsOf(x) === filters;
  y = net.convNorm(y, `${name}/project`, { filters, gain: adds ? RESIDUAL_GAIN : 1 });
  return adds ? net.add(x, y, name) : y;
}

/** Blocks in a row: the first has the stage's stride and brings its filters, the others add to what they get. */
export type Stage = readonly [kernel: number, expansion: number, filters: number, blocks: number, stride: number];

export interface StageOptions {
  readonly activation: Activation;
  /** Multiplies the filters; default 1. */
  readonly width?: number | undefined;
  /** Squeeze-and-excitation in every block, to a quarter of the channels that come into the block; default: none. */
  readonly excites?: boolean | undefined;
}

/** Input [batch, height, width, channels]; output [batch, height / all strides, width / all strides, filters of the last stage]. */
export function invertedResiduals(net: Network, x: Value, stages: readonly Stage[], { activation, width = 1, excites = false }: StageOptions): Value {
  let y = x;
  stages.forEach(([kernel, expansion, filters, blocks, stride], stage) => {
    for (let i = 0; i < blocks; i++) {
      y = invertedResidual(net, y, `block${stage + 1}_${i + 1}`, {
        kernel, stride: i === 0 ? stride : 1, activation,
        expanded: expansion * channelsOf(y), filters: scaledChannels(filters, width),
        excite: excites ? { squeezed: channelsOf(y) / 4, activation } : undefined,
      });
    }
  });
  return y;
}
