// MobileNetV3 large and small: searched inverted residuals, some with squeeze-and-excitation, hard swish in the deeper half.
// Howard et al., "Searching for MobileNetV3", arXiv 1905.02244, tables 1 and 2.
// In: a variant, options. Out: a Graph. Must not know files.

import type { Graph } from '../host/graph/graph.ts';
import { invertedResidual } from './inverted-residual.ts';
import { gainBefore, Network, scaledChannels, type NetworkOptions } from './network.ts';

export type MobilenetV3Variant = keyof typeof variants;
type Row = readonly [kernel: number, expanded: number, filters: number, excite: boolean, activation: 'relu' | 'hardSwish', stride: number];

const [SE, __, RE, HS] = [true, false, 'relu', 'hardSwish'] as const;
const large: readonly Row[] = [
  [3, 16, 16, __, RE, 1],
  [3, 64, 24, __, RE, 2], [3, 72, 24, __, RE, 1],
  [5, 72, 40, SE, RE, 2], [5, 120, 40, SE, RE, 1], [5, 120, 40, SE, RE, 1],
  [3, 240, 80, __, HS, 2], [3, 200, 80, __, HS, 1], [3, 184, 80, __, HS, 1], [3, 184, 80, __, HS, 1],
  [3, 480, 112, SE, HS, 1], [3, 672, 112, SE, HS, 1],
  [5, 672, 160, SE, HS, 2], [5, 960, 160, SE, HS, 1], [5, 960, 160, SE, HS, 1],
];
const small: readonly Row[] = [
  [3, 16, 16, SE, RE, 2],
  [3, 72, 24, __, RE, 2], [3, 88, 24, __, RE, 1],
  [5, 96, 40, SE, HS, 2], [5, 240, 40, SE, HS, 1], [5, 240, 40, SE, HS, 1],
  [5, 120, 48, SE, HS, 1], [5, 144, 48, SE, HS, 1],
  [5, 288, 96, SE, HS, 2], [5, 576, 96, SE, HS, 1], [5, 576, 96, SE, HS, 1],
];
const variants = {
  large: { rows: large, last: 960, features: 1280 },
  small: { rows: small, last: 576, features: 1024 },
} as const;

/** Input [batch, 224, 224, 3]; output [batch, classes]. */
export function mobilenetV3(variant: MobilenetV3Variant, options: NetworkOptions = {}): Graph {
  const net = new Network(options, { size: 224, padding: 'same' });
  const { rows, last, features } = variants[variant];
  let x = net.convNorm(net.input(3), 'conv1', { filters: 16, kernel: 3, stride: 2, activation: HS });
  rows.forEach(([kernel, expanded, filters, excites, activation, stride], i) => {
    const excite = excites ? { squeezed: scaledChannels(expanded, 1 / 4), gate: 'hardSigmoid' as const } : undefined;
    x = invertedResidual(net, x, `block${i + 1}`, { kernel, stride, expanded, filters, activation, excite });
  });
  x = net.convNorm(x, 'conv2', { filters: last, activation: HS });
  x = net.linear(net.flatten(net.globalPool(x, 'pool')), 'fc1', features, { gain: gainBefore(HS) });
  x = net.activate(x, HS);
  return net.finish(net.linear(net.dropout(x), 'fc2', net.classes));
}
