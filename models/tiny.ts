// tiny: the smallest network of the kind that kinglet is for, 3x3 → depthwise 3x3, stride 2 → 1x1, all with bias and clamp.
// In: nothing. Out: a graph with seeded, asymmetric weights, or its plan. Must not know files, importers or tests.

import { compileGraph, optimiseGraph } from '../host/compile.ts';
import { Builder } from '../host/graph/builder.ts';
import type { Graph } from '../host/graph/graph.ts';
import { conv2d } from '../host/ops/conv2d.ts';
import { noise } from './random.ts';

/** x[1, 6, 5, 3] → 3x3 convolution → depthwise 3x3 stride 2 → 1x1 convolution, all with bias and a clamp. */
export function tinyGraph(): Graph {
  const b = new Builder();
  const x = b.input('image', { dtype: 'float32', shape: [1, 6, 5, 3] });
  const layer = { dilations: [1, 1] as const, min: -0.5, max: 2 };
  const w1 = b.constant(noise(1, [3, 3, 3, 10]));
  const y1 = b.add(conv2d, { ...layer, strides: [1, 1], pads: [1, 1, 1, 1], groups: 1 }, [x, w1, b.constant(noise(2, [10]))]);
  const w2 = b.constant(noise(3, [3, 3, 1, 10]));
  const y2 = b.add(conv2d, { ...layer, strides: [2, 2], pads: [0, 0, 1, 1], groups: 10 }, [y1, w2, b.constant(noise(4, [10]))]);
  const w3 = b.constant(noise(5, [1, 1, 10, 7]));
  const y3 = b.add(conv2d, { ...layer, strides: [1, 1], pads: [0, 0, 0, 0], groups: 1 }, [y2, w3, b.constant(noise(6, [7]))]);
  b.output(y3, 'scores');
  return b.graph;
}

export function planOf(graph: Graph): Uint8Array<ArrayBuffer> {
  return compileGraph(optimiseGraph({ graph, layout: 'NHWC' }));
}
