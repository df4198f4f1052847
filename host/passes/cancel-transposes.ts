// Removes the transposes that importing NCHW models leaves around every spatial op. In: a graph. Out: the same function with
// transposes only where a layout is forced. First every transpose sinks as far as it goes for free, cancelling others on its
// way; then moves that cost something are made only where they remove more than they add, so that the pass ends.

import { Editor, onlyOutput } from '../graph/edit.ts';
import { is, type Graph } from '../graph/graph.ts';
import { fingerprint } from '../graph/print.ts';
import { dequantize } from '../ops/dequantize.ts';
import { transpose } from '../ops/transpose.ts';
import { hoistTransposes } from './hoist-transposes.ts';
import { mergeMovements } from './merge-movements.ts';
import type { Pass } from './pass.ts';
import { sinkTransposes } from './sink-transposes.ts';

/** Each round sinks through the whole graph, so a handful reaches the fixed point; the bound is against mistakes. */
const MAX_ROUNDS = 50;

export const cancelTransposes: Pass = {
  name: 'cancel-transposes',
  run(graph: Graph): number {
    const before = fingerprint(graph);
    const editor = new Editor(graph);
    let total = 0;
    for (let round = 0, changed = 1; changed > 0 && round < MAX_ROUNDS; round++) {
      changed = sinkTransposes(editor, 'free') + mergeMovements(editor);
      total += changed;
    }
    for (let round = 0, changed = 1; changed > 0 && round < MAX_ROUNDS; round++) {
      changed = sinkTransposes(editor, 'profit') + hoistTransposes(editor);
      total += changed;
      mergeMovements(editor);
    }
    dequantizeLast(editor);
    editor.finish();
    // Transposes that sank in vain were moved back: that is no progress.
    return fingerprint(graph) === before ? 0 : total;
  },
};

/** transpose(dequantize(x)) → dequantize(transpose(x)): what was left behind a dequantize moves fewer bytes in front of it. */
function dequantizeLast(editor: Editor): void {
  for (const node of [...editor.nodes()].reverse()) {
    const producer = editor.producer(node.inputs[0]);
    if (!editor.has(node) || !is(node, transpose) || !is(producer, dequantize) || editor.soleConsumer(onlyOutput(producer)) !== node) continue;
    const moved = editor.add(node, transpose, node.attrs, producer.inputs);
    editor.replaceNode(node, dequantize, {}, [moved], { fold: false });
  }
}
