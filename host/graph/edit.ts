// The only code that changes a graph. In: a graph. Out: the same graph with nodes added, replaced and removed.
// Uses and producers are kept up to date, so a pass asks them at any time; node order is restored once, by finish().
// Must not know why a pass changes anything.

import { KingletError } from '../error.ts';
import type { Op } from '../ops/op.ts';
import { reshape } from '../ops/reshape.ts';
import { Builder, type AddOptions } from './builder.ts';
import { isConstant, type Graph, type Node, type Value } from './graph.ts';

export class Editor {
  readonly graph: Graph;
  readonly #nodes: Set<Node>;
  readonly #producers = new Map<Value, Node>();
  readonly #consumers = new Map<Value, Set<Node>>();

  constructor(graph: Graph) {
    this.graph = graph;
    this.#nodes = new Set(graph.nodes);
    for (const node of graph.nodes) this.#link(node);
  }

  nodes(): Iterable<Node> {
    return this.#nodes;
  }
  /** False once a node was removed or replaced: passes walk over a copy of the list. */
  has(node: Node): boolean {
    return this.#nodes.has(node);
  }
  producer(value: Value | null | undefined): Node | undefined {
    return value ? this.#producers.get(value) : undefined;
  }
  consumers(value: Value): Node[] {
    return [...(this.#consumers.get(value) ?? [])];
  }
  isOutput(value: Value): boolean {
    return this.graph.outputs.includes(value);
  }
  /** The one node that uses `value`; undefined when there are several or the value is also an output of the graph. */
  soleConsumer(value: Value): Node | undefined {
    const users = this.#consumers.get(value);
    if (users?.size !== 1 || this.isOutput(value)) return undefined;
    return users.values().next().value;
  }

  /** Adds a node (folded when all its inputs are constants). `near` gives it its name for messages and its result the name of the source tensor. */
  add<A>(near: Node, op: Op<A>, attrs: A, inputs: (Value | null)[], options: AddOptions = {}): Value {
    const builder = new Builder();
    builder.from(near.name, near.outputs[0]?.name ?? near.name);
    const value = builder.add(op, attrs, inputs, options);
    for (const node of builder.graph.nodes) {
      this.#nodes.add(node);
      this.#link(node);
    }
    return value;
  }

  /** Puts a new node in the place of one with a single output; everything that used the old result uses the new one. */
  replaceNode<A>(old: Node, op: Op<A>, attrs: A, inputs: (Value | null)[], options: AddOptions = {}): Value {
    const value = this.add(old, op, attrs, inputs, options);
    this.replaceValue(onlyOutput(old), value);
    return value;
  }

  /** Makes every user of `from` use `to`, and removes the producer of `from` when nothing else needs it. */
  replaceValue(from: Value, to: Value): void {
    if (from === to) return;
    let result = to;
    if (this.isOutput(from)) result = this.#asOutput(from, to);
    const user = this.producer(result);
    for (const node of this.consumers(from)) {
      if (node !== user) this.#replaceInputs(node, from, to);
    }
    const { outputs } = this.graph;
    for (const [i, output] of outputs.entries()) if (output === from) outputs[i] = result;
    const producer = this.producer(from);
    if (producer?.outputs.every((v) => !this.isUsed(v))) this.remove(producer);
  }

  /** Leaves out a node whose result equals its first input; false where that node is what gives an output its name. */
  bypass(node: Node): boolean {
    const output = onlyOutput(node);
    const input = node.inputs[0] as Value;
    if (this.isOutput(output) && this.#hasName(input)) return false;
    this.replaceValue(output, input);
    return true;
  }

  isUsed(value: Value): boolean {
    return (this.#consumers.get(value)?.size ?? 0) > 0 || this.isOutput(value);
  }

  /** Removes a node nobody uses, and with it the producers that only it used. */
  remove(node: Node): void {
    const pending = [node];
    for (let dead = pending.pop(); dead !== undefined; dead = pending.pop()) {
      if (!this.#nodes.delete(dead)) continue;
      for (const output of dead.outputs) this.#producers.delete(output);
      for (const input of new Set(dead.inputs)) {
        if (input === null) continue;
        this.#consumers.get(input)?.delete(dead);
        const producer = this.producer(input);
        if (producer?.outputs.every((v) => !this.isUsed(v))) pending.push(producer);
      }
    }
  }

  /** Removes every node that no output needs; returns how many. */
  removeDead(): number {
    const before = this.#nodes.size;
    for (const node of [...this.#nodes].reverse()) {
      if (node.outputs.every((v) => !this.isUsed(v))) this.remove(node);
    }
    return before - this.#nodes.size;
  }

  /** Writes the nodes back in topological order: old nodes keep their order, new ones come just before their first user. */
  finish(): void {
    const done = new Set<Node>();
    const open = new Set<Node>();
    const order: Node[] = [];
    for (const root of this.#nodes) {
      const stack = [root];
      while (stack.length > 0) {
        const node = stack.at(-1) as Node;
        if (done.has(node)) { stack.pop(); continue; }
        const waiting = node.inputs.map((v) => this.producer(v)).filter((p): p is Node => p !== undefined && !done.has(p));
        if (waiting.length === 0) {
          done.add(node);
          order.push(node);
          stack.pop();
        } else {
          if (open.has(node)) throw new KingletError('ERR_INTERNAL', `the graph has a cycle through ${node.op.kind}`);
          open.add(node);
          stack.push(...waiting.reverse());
        }
      }
    }
    this.graph.nodes = order;
  }

  /** `to` under the name of the graph output `from`: a copy where `to` has a name of its own that people rely on. */
  #asOutput(from: Value, to: Value): Value {
    const value = this.#hasName(to) ? this.#copy(to) : to;
    value.name = from.name;
    return value;
  }

  #hasName(value: Value): boolean {
    return this.graph.inputs.includes(value) || this.isOutput(value) || isConstant(value);
  }

  #copy(value: Value): Value {
    const builder = new Builder();
    const copy = builder.add(reshape, { shape: value.shape }, [value], { fold: false });
    for (const node of builder.graph.nodes) {
      this.#nodes.add(node);
      this.#link(node);
    }
    return copy;
  }

  #replaceInputs(node: Node, from: Value, to: Value): void {
    node.inputs = node.inputs.map((v) => (v === from ? to : v));
    this.#consumers.get(from)?.delete(node);
    this.#use(to, node);
  }

  #link(node: Node): void {
    for (const output of node.outputs) this.#producers.set(output, node);
    for (const input of node.inputs) if (input !== null) this.#use(input, node);
  }

  #use(value: Value, node: Node): void {
    const users = this.#consumers.get(value);
    if (users) users.add(node); else this.#consumers.set(value, new Set([node]));
  }
}

/** The result of a node that has one. */
export function onlyOutput(node: Node): Value {
  const [output] = node.outputs;
  if (output === undefined || node.outputs.length !== 1) throw new KingletError('ERR_INTERNAL', `${node.op.kind} has ${node.outputs.length} outputs instead of one`);
  return output;
}
