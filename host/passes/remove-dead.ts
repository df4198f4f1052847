// Removes nodes that no output needs. In: a graph. Out: the same graph without them.

import { Editor } from '../graph/edit.ts';
import type { Graph } from '../graph/graph.ts';
import type { Pass } from './pass.ts';

export const removeDead: Pass = {
  name: 'remove-dead',
  run(graph: Graph): number {
    const editor = new Editor(graph);
    const count = editor.removeDead();
    editor.finish();
    return count;
  },
};
