// EfficientNet-B0 and -Lite0: searched inverted residuals; B0 with swish and squeeze-and-excitation, Lite0 with ReLU6 and without.
// Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", arXiv 1905.11946, table 1; Lite0 is the
// authors' variant for processors where swish and small gates are dear (TensorFlow blog, March 2020).
// In: a variant, options. Out: a Graph. Must not know files.

import type { Graph } from '../host/graph/graph.ts';
import { invertedResiduals, type Stage } from './inverted-residual.ts';
import { Network, type NetworkOptions } from './network.ts';

export type EfficientnetVariant = 'b0' | 'lite0';

/** Kernel, expansion, filters, blocks, stride. */
const stages: readonly Stage[] = [
  [3, 1, 16, 1, 1], [3, 6, 24, 2, 2], [5, 6, 40, 2, 2], [3, 6, 80, 3, 2], [5, 6, 112, 3, 1], [5, 6, 192, 4, 2], [3, 6, 320, 1, 1],
];

/** Input [batch, 224, 224, 3]; output [batch, classes]. */
export function efficientnet(variant: EfficientnetVariant, options: NetworkOptions = {}): Graph {
  const net = new Network(options, { size: 224, padding: 'same' });
  const lite = variant === 'lite0';
  const activation = lite ? 'relu6' : 'swish';
  let x = net.convNorm(net.input(3), 'conv1', { filters: 32, kernel: 3, stride: 2, activation });
  x = invertedResiduals(net, x, stages, { activation, excites: !lite });
  x = net.convNorm(x, 'conv2', { filters: 1280, activation });
  return net.finish(net.linear(net.dropout(net.flatten(net.globalPool(x, 'pool'))), 'fc', net.classes));
}
