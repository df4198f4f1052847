// What a pass is. In: a graph. Out: the number of rewrites it made in place; 0 means that it found nothing more to do.
// A pass keeps the meaning of the graph and its invariants (host/graph/verify.ts). Must not know the other passes.

import { Editor } from '../graph/edit.ts';
import type { Graph, Node } from '../graph/graph.ts';

export interface Pass {
  /** Verb and object, as the file is named. */
  readonly name: string;
  run(graph: Graph): number;
}

/** A pass that offers every node, in order, to one rewrite; the rewrite says whether it changed anything. */
export function nodePass(name: string, rewrite: (editor: Editor, node: Node) => boolean): Pass {
  return {
    name,
    run(graph) {
      const editor = new Editor(graph);
      let count = 0;
      for (const node of [...editor.nodes()]) if (editor.has(node) && rewrite(editor, node)) count++;
      editor.finish();
      return count;
    },
  };
}
