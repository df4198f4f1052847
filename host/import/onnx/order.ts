// Names and order of an ONNX graph. In: records. Out: nodes sorted so that producers come first.
// Refuses names with two producers, names without one, and cycles. Must not know ops or kinglet's graph.

import { KingletError, quote } from '../../error.ts';
import type { GraphRecord, NodeRecord } from './records.ts';

/** Node with its place in the file, which stands for its name when it has none. */
export interface PlacedNode {
  readonly record: NodeRecord;
  readonly index: number;
}

export function nodeName(node: PlacedNode): string {
  return node.record.name === '' ? `${node.record.opType}_${node.index}` : node.record.name;
}

/** All nodes in topological order; the file's order when that is one already. */
export function orderNodes(graph: GraphRecord): PlacedNode[] {
  const producers = producersOf(graph);
  const nodes = graph.nodes.map((record, index) => ({ record, index }));
  for (const node of nodes) {
    for (const name of node.record.inputs) {
      if (name !== '' && !producers.has(name)) {
        throw new KingletError('ERR_MODEL_INVALID', `node ${quote(nodeName(node))} reads ${quote(name)}, which nothing produces`);
      }
    }
  }
  for (const output of graph.outputs) {
    if (!producers.has(output.name)) throw new KingletError('ERR_MODEL_INVALID', `nothing produces the graph's output ${quote(output.name)}`);
  }
  return sort(nodes, producers);
}

/** Name → index of the node that makes it, or -1 for inputs and initializers. */
function producersOf(graph: GraphRecord): ReadonlyMap<string, number> {
  const producers = new Map<string, number>();
  const inputs = unique(graph.inputs, 'graph inputs');
  const initializers = unique(graph.initializers, 'initializers');
  unique(graph.outputs, 'graph outputs');
  for (const name of [...inputs, ...initializers]) producers.set(name, -1);
  graph.nodes.forEach((node, index) => {
    for (const name of node.outputs) {
      if (name === '') continue;
      if (producers.has(name)) throw new KingletError('ERR_MODEL_INVALID', `${quote(name)} is produced twice`);
      producers.set(name, index);
    }
  });
  return producers;
}

function unique(records: readonly { readonly name: string }[], what: string): Set<string> {
  const names = new Set<string>();
  for (const { name } of records) {
    if (name === '') throw new KingletError('ERR_MODEL_INVALID', `one of the ${what} has no name`);
    if (names.has(name)) throw new KingletError('ERR_MODEL_INVALID', `two ${what} are called ${quote(name)}`);
    names.add(name);
  }
  return names;
}

/** Counts down the inputs each node still waits for; earlier nodes of the file first. */
function sort(nodes: readonly PlacedNode[], producers: ReadonlyMap<string, number>): PlacedNode[] {
  const waits = nodes.map(() => 0);
  const users = nodes.map((): number[] => []);
  nodes.forEach((node, index) => {
    for (const name of new Set(node.record.inputs)) {
      const producer = producers.get(name) ?? -1;
      if (producer < 0) continue;
      users[producer]?.push(index);
      waits[index] = (waits[index] ?? 0) + 1;
    }
  });
  const isSorted = users.every((list, index) => list.every((user) => user > index));
  if (isSorted) return [...nodes];
  const ready = nodes.filter((_, index) => waits[index] === 0);
  for (let done = 0; done < ready.length; done++) {
    for (const user of users[ready[done]?.index ?? 0] ?? []) {
      const left = (waits[user] ?? 0) - 1;
      waits[user] = left;
      const node = nodes[user];
      if (left === 0 && node) ready.push(node);
    }
  }
  const stuck = nodes.find((_, index) => (waits[index] ?? 0) > 0);
  if (stuck) throw new KingletError('ERR_MODEL_INVALID', `node ${quote(nodeName(stuck))} depends on its own output`);
  return ready;
}
