// Turns QDQ graphs (float ops between dequantize and quantize) into integer graphs. In: a graph. Out: ops on int8 values.
// Dequantizes sink below everything that only moves elements; a quantize takes in the op that makes its input. What has no
// integer form stays float between its dequantize and quantize, which is slower and as correct.

import { Editor, onlyOutput } from '../graph/edit.ts';
import { is, type Graph, type Node, type Value } from '../graph/graph.ts';
import { dequantize } from '../ops/dequantize.ts';
import { quantize } from '../ops/quantize.ts';
import { requantize } from '../ops/requantize.ts';
import { sameQuantization } from '../tensor.ts';
import { integerForm, sinkDequantize } from './integer-form.ts';
import type { Pass } from './pass.ts';

/** One round reaches from inputs to outputs; the bound is against mistakes. */
const MAX_ROUNDS = 20;

export const foldQuantize: Pass = {
  name: 'fold-quantize',
  run(graph: Graph): number {
    const editor = new Editor(graph);
    let total = 0;
    for (let round = 0, changed = 1; changed > 0 && round < MAX_ROUNDS; round++) {
      changed = 0;
      for (const node of [...editor.nodes()]) {
        if (editor.has(node) && (sinkDequantize(editor, node) || foldPair(editor, node) || foldOp(editor, node))) changed++;
      }
      editor.finish();
      total += changed;
    }
    return total;
  },
};

/** quantize(dequantize(x)): x itself, or requantised where the parameters differ. */
function foldPair(editor: Editor, node: Node): boolean {
  const above = editor.producer(node.inputs[0]);
  if (!is(node, quantize) || !is(above, dequantize)) return false;
  const x = above.inputs[0] as Value;
  const { quantization } = onlyOutput(node);
  if (x.dtype !== 'int8' || x.quantization?.scale.length !== 1) return false;
  if (sameQuantization(x.quantization, quantization)) editor.replaceValue(onlyOutput(node), x);
  else editor.replaceNode(node, requantize, {}, [x], { quantization });
  return true;
}

/** quantize(op(dequantize(x), …)): the op on integers, if all that the real result is needed for is quantizing it alike. */
function foldOp(editor: Editor, node: Node): boolean {
  if (!is(node, quantize)) return false;
  const real = node.inputs[0] as Value;
  const producer = editor.producer(real);
  const { quantization } = onlyOutput(node);
  if (producer === undefined || quantization === undefined || editor.isOutput(real)) return false;
  const users = editor.consumers(real);
  if (!users.every((user) => is(user, quantize) && sameQuantization(onlyOutput(user).quantization, quantization))) return false;
  const value = integerForm(editor, producer, quantization);
  if (value === undefined) return false;
  // What was a float tensor is gone; the result is the tensor that the quantize made.
  value.name = onlyOutput(users[0]).name;
  for (const user of users) editor.replaceValue(onlyOutput(user), value);
  return true;
}
