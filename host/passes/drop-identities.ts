// Leaves out nodes that do nothing: full slices, padding by nothing, a concat of one, clamps without bounds, and the like.
// In: a graph. Out: fewer nodes. Reshapes and transposes are merged by cancel-transposes.

import { onlyOutput } from '../graph/edit.ts';
import { is, type Node } from '../graph/graph.ts';
import { cast } from '../ops/cast.ts';
import { channelShuffle } from '../ops/channel-shuffle.ts';
import { concat } from '../ops/concat.ts';
import { expand } from '../ops/expand.ts';
import { pad } from '../ops/pad.ts';
import { requantize } from '../ops/requantize.ts';
import { slice } from '../ops/slice.ts';
import { unary } from '../ops/unary.ts';
import { sameQuantization, sameShape } from '../tensor.ts';
import { nodePass } from './pass.ts';

export const dropIdentities = nodePass('drop-identities', (editor, node) => isIdentity(node) && editor.bypass(node));

function isIdentity(node: Node): boolean {
  const [x] = node.inputs;
  if (node.outputs.length !== 1 || !x) return false;
  const y = onlyOutput(node);
  if (x.dtype !== y.dtype || !sameShape(x.shape, y.shape) || !sameQuantization(x.quantization, y.quantization)) return false;
  if (is(node, slice)) return node.attrs.steps.every((step) => step === 1);
  if (is(node, concat)) return node.inputs.length === 1;
  if (is(node, channelShuffle)) return node.attrs.groups === 1 || node.attrs.groups === x.shape[node.attrs.axis];
  if (is(node, unary)) return node.attrs.kind === 'clamp' && node.attrs.p0 === -Infinity && node.attrs.p1 === Infinity;
  return is(node, pad) || is(node, expand) || is(node, cast) || is(node, requantize);
}
