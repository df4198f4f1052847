// Makes one movement out of two and none out of those that move nothing: transpose after transpose, reshape after reshape,
// equal transposes of one value, and transposes that only move axes of extent 1 (they are reshapes).
// In: an editor. Out: the number of rewrites. Must not know how transposes travel.

import { onlyOutput, type Editor } from '../graph/edit.ts';
import { is, type Node, type Value } from '../graph/graph.ts';
import { reshape } from '../ops/reshape.ts';
import { transpose } from '../ops/transpose.ts';
import { sameQuantization, sameShape } from '../tensor.ts';
import { compose, isIdentity, movesNothing, samePermutation } from './permutation.ts';

export function mergeMovements(editor: Editor): number {
  let count = 0;
  for (const node of [...editor.nodes()]) {
    if (editor.has(node) && (mergeTranspose(editor, node) || mergeReshape(editor, node))) count++;
  }
  return count;
}

function mergeTranspose(editor: Editor, node: Node): boolean {
  if (!is(node, transpose)) return false;
  const x = node.inputs[0] as Value;
  const { perm } = node.attrs;
  const producer = editor.producer(x);
  if (isIdentity(perm)) {
    editor.replaceValue(onlyOutput(node), x);
  } else if (movesNothing(x.shape, perm)) {
    editor.replaceNode(node, reshape, { shape: onlyOutput(node).shape }, [x]);
  } else if (is(producer, transpose)) {
    editor.replaceNode(node, transpose, { perm: compose(producer.attrs.perm, perm) }, [producer.inputs[0]]);
  } else {
    const twin = editor.consumers(x).find((other) => other !== node && is(other, transpose) && samePermutation(other.attrs.perm, perm));
    if (twin === undefined) return false;
    editor.replaceValue(onlyOutput(node), onlyOutput(twin));
  }
  return true;
}

function mergeReshape(editor: Editor, node: Node): boolean {
  if (!is(node, reshape)) return false;
  const x = node.inputs[0] as Value;
  const y = onlyOutput(node);
  const producer = editor.producer(x);
  const restated = !sameQuantization(x.quantization, y.quantization);
  if (sameShape(x.shape, y.shape) && !restated) return editor.bypass(node);
  if (!is(producer, reshape)) return false;
  // The outer reshape decides the shape and, where it restates them, the quantisation parameters.
  editor.replaceNode(node, reshape, node.attrs, [producer.inputs[0]], { quantization: y.quantization });
  return true;
}
