// Removes the transposes that importing NCHW models leaves around every spatial op. In: a graph. Out: the same function with
// transposes only where a layout is forced. First every transpose sinks as far as it goes for free, cancelling others on its
// way; then moves that cost something are made only where they remove more than they add, so that the pass ends.

import { Editor } from '../graph/edit.ts';
import type { Graph } from '../graph/graph.ts';
import { hoistTransposes } from './hoist-transposes.ts';
import { mergeMovements } from './merge-movements.ts';
import type { Pass } from './pass.ts';
import { sinkTransposes } from './sink-transposes.ts';

/** Each round sinks through the whole graph, so a handful reaches the fixed point; the bound is against mistakes. */
const MAX_ROUNDS = 50;

export const cancelTransposes: Pass = {
  name: 'cancel-transposes',
  run(graph: Graph): number {
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
    editor.finish();
    return total;
  },
};
