// Moves transposes from an op's output to its inputs: transpose(op(x)) becomes op'(transpose(x)), where fewer transposes remain:
// inputs that are constants, are transposed the other way, or are already wanted transposed cost nothing.
// In: an editor. Out: the number of ops passed. Must not know particular ops beyond reshape.

import { onlyOutput, type Editor } from '../graph/edit.ts';
import { is, isConstant, type Node, type Value } from '../graph/graph.ts';
import { reshape } from '../ops/reshape.ts';
import { transpose } from '../ops/transpose.ts';
import { compose, invert, isIdentity, movesNothing, samePermutation, transposeAfterReshape, type Permutation } from './permutation.ts';
import { permutedInputs, transposed, transposeOf } from './sink-transposes.ts';

export function hoistTransposes(editor: Editor): number {
  let count = 0;
  for (const node of [...editor.nodes()].reverse()) {
    if (editor.has(node) && is(node, transpose) && (hoistPastReshape(editor, node) || hoistPast(editor, node))) count++;
  }
  return count;
}

/** True when `node` is all that its input is needed for. */
function onlyUse(editor: Editor, node: Node): boolean {
  return editor.soleConsumer(node.inputs[0] as Value) === node;
}

function hoistPastReshape(editor: Editor, node: Node<{ readonly perm: Permutation }>): boolean {
  const producer = editor.producer(node.inputs[0]);
  if (!is(producer, reshape) || !onlyUse(editor, node)) return false;
  const x = producer.inputs[0] as Value;
  const y = onlyOutput(node);
  // The same exchange as sinking, read from the output's side.
  const swapped = transposeAfterReshape(y.shape, invert(node.attrs.perm), x.shape);
  if (swapped === undefined) return false;
  const perm = invert(swapped.perm);
  if (costOf(editor, producer, x, perm) >= 1) return false;
  const { quantization } = y;
  editor.replaceNode(node, reshape, { shape: y.shape }, [transposed(editor, node, x, perm)], { quantization });
  return true;
}

function hoistPast(editor: Editor, node: Node<{ readonly perm: Permutation }>): boolean {
  const producer = editor.producer(node.inputs[0]);
  if (producer?.op.permute === undefined || producer.outputs.length !== 1 || !onlyUse(editor, node)) return false;
  const { perm } = node.attrs;
  const indices = permutedInputs(producer);
  if (!indices.every((i) => producer.inputs[i]?.shape.length === perm.length)) return false;
  const cost = indices.reduce((sum, i) => sum + costOf(editor, producer, producer.inputs[i] as Value, perm), 0);
  if (cost >= 1) return false;
  const attrs = producer.op.permute(producer.attrs, perm, producer);
  if (attrs === undefined) return false;
  const inputs = producer.inputs.map((value, i) => (indices.includes(i) ? transposed(editor, node, value as Value, perm) : value));
  editor.replaceNode(node, producer.op, attrs, inputs, { quantization: onlyOutput(producer).quantization });
  return true;
}

/** Transposes that transposing one input of `user` by `perm` adds; negative: removes. */
function costOf(editor: Editor, user: Node, value: Value, perm: Permutation): number {
  if (isConstant(value) || movesNothing(value.shape, perm)) return 0;
  const above = transposeOf(editor, value);
  const alone = editor.soleConsumer(value) === user;
  if (above !== undefined) {
    const both = compose(above.attrs.perm, perm);
    if (isIdentity(both) || movesNothing((above.inputs[0] as Value).shape, both)) return alone ? -1 : 0;
    return alone ? 0 : 1;
  }
  const wanted = editor.consumers(value).some((other) => is(other, transpose) && samePermutation(other.attrs.perm, perm));
  return wanted ? 0 : 1;
}
