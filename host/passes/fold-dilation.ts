// Recognises TensorFlow's spelling of dilated convolution: spaceToBatch → convolution with stride 1 → batchToSpace.
// In: a graph. Out: one conv2d with dilations. Exact: each block of the batch holds one phase of the rows and columns, and a
// convolution within a phase steps by the block size in the picture. Must not know which network it came from.

import { onlyOutput, type Editor } from '../graph/edit.ts';
import { is, type Node } from '../graph/graph.ts';
import { batchToSpace } from '../ops/batch-to-space.ts';
import { conv2d, type Conv2dAttrs } from '../ops/conv2d.ts';
import { spaceToBatch } from '../ops/space-to-batch.ts';
import { sameQuantization } from '../tensor.ts';
import { nodePass } from './pass.ts';

export const foldDilation = nodePass('fold-dilation', fold);

function fold(editor: Editor, last: Node): boolean {
  const conv = editor.producer(last.inputs[0]);
  const first = editor.producer(conv?.inputs[0]);
  if (!is(last, batchToSpace) || !is(conv, conv2d) || !is(first, spaceToBatch)) return false;
  const { block } = first.attrs;
  if (block.length !== 2 || !block.every((b, i) => b === last.attrs.block[i])) return false;
  if (conv.attrs.strides.some((s) => s !== 1) || conv.attrs.accumulators === true || editor.soleConsumer(onlyOutput(conv)) !== last) return false;
  const y = onlyOutput(last);
  if (!sameQuantization(onlyOutput(conv).quantization, y.quantization)) return false;
  const [bh, bw] = block;
  const { pads, dilations } = conv.attrs;
  // A row of zeros inside a phase is `block` rows of the picture; rows that are cropped were never wanted.
  const pad = (side: number, step: number): number => first.attrs.pads[side] + pads[side] * step - last.attrs.crops[side];
  const attrs: Conv2dAttrs = {
    ...conv.attrs,
    dilations: [dilations[0] * bh, dilations[1] * bw],
    pads: [pad(0, bh), pad(1, bw), pad(2, bh), pad(3, bw)],
  };
  editor.replaceNode(last, conv2d, attrs, [first.inputs[0], ...conv.inputs.slice(1)], { quantization: y.quantization });
  return true;
}
