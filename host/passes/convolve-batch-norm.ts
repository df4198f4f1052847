// Makes a batch normalisation that stands alone a 1x1 depthwise convolution, which takes in the clamp behind it and has an int8 form.
// In: a graph in which no other op took the normalisation in. Out: the same function up to rounding. Only on pictures.

import { onlyOutput } from '../graph/edit.ts';
import { is, isConstant, makeValue } from '../graph/graph.ts';
import { noClamp } from '../ops/activation.ts';
import { batchNorm, factorsOf } from '../ops/batch-norm.ts';
import { conv2d } from '../ops/conv2d.ts';
import { nodePass } from './pass.ts';

export const convolveBatchNorm = nodePass('convolve-batch-norm', (editor, node) => {
  const [x, ...parameters] = node.inputs;
  if (!is(node, batchNorm) || x?.shape.length !== 4 || !parameters.every(isConstant)) return false;
  const { factor, offset } = factorsOf(parameters, node.attrs.epsilon);
  const channels = factor.length;
  const w = makeValue({ dtype: 'float32', shape: [1, 1, 1, channels] }, onlyOutput(node).name, factor);
  const bias = makeValue({ dtype: 'float32', shape: [channels] }, onlyOutput(node).name, offset);
  const attrs = { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], groups: channels, ...noClamp } as const;
  editor.replaceNode(node, conv2d, attrs, [x, w, bias]);
  return true;
});
