// Which nodes share a dispatch: a convolution or product with the activation, residual add or channel shuffle behind it and the gate in
// front of it; a squeeze-excite block's gate; functions of single elements behind one another. In: an optimised graph. Out: units in an order in which they can run.
// Must not know kernels or where tensors lie.

import { is, isConstant, usesOf, type Graph, type Node, type Uses, type Value } from '../graph/graph.ts';
import type { Clamp } from '../ops/activation.ts';
import { binary } from '../ops/binary.ts';
import { channelShuffle } from '../ops/channel-shuffle.ts';
import { concat } from '../ops/concat.ts';
import { conv2d, type Conv2dAttrs } from '../ops/conv2d.ts';
import { matmul } from '../ops/matmul.ts';
import { reduce } from '../ops/reduce.ts';
import { unary, type UnaryAttrs } from '../ops/unary.ts';
import { sameShape } from '../tensor.ts';
import { CHAIN_RANK, CHAIN_SOURCES, CHAIN_STEPS } from './kernels/elementwise.ts';
import { gateFits } from './kernels/squeeze-excite.ts';

/** What becomes one dispatch, copies aside. */
export interface Unit {
  /** The node whose rule lowers the unit; of a squeeze-excite block the mean. */
  readonly node: Node;
  /** Of the whole unit. */
  readonly output: Value;
  /** Instead of the node's own first input. */
  readonly input?: Value;
  /** Factors of the input's channels, [N, 1, 1, C]. */
  readonly gate?: Value;
  readonly activation?: UnaryAttrs;
  readonly residual?: { readonly value: Value; readonly clamp: Clamp };
  /** The other half of a shuffle of two groups; `first`: its channels come first. */
  readonly shuffle?: { readonly value: Value; readonly first: boolean };
  readonly squeeze?: { readonly first: Node<Conv2dAttrs>; readonly second: Node<Conv2dAttrs>; readonly activation?: UnaryAttrs };
  /** Behind a unary or binary node: nodes of these ops, each of which works on the result of the one before. */
  readonly chain?: readonly Node[];
}

/** Every node is in exactly one unit; a unit stands where its last node stood. */
export function fuseUnits(graph: Graph): Unit[] {
  const fuser = new Fuser(graph);
  return fuser.units();
}

class Fuser {
  readonly #uses: Uses;
  readonly #nodes: readonly Node[];
  /** Nodes that are part of a unit which another node ends. */
  readonly #taken = new Set<Node>();
  /** Unit by the node that ends it. */
  readonly #ends = new Map<Node, Unit>();
  readonly #order = new Map<Node, number>();

  constructor(graph: Graph) {
    this.#nodes = graph.nodes;
    this.#uses = usesOf(graph);
    graph.nodes.forEach((node, i) => this.#order.set(node, i));
  }

  units(): Unit[] {
    for (const node of this.#nodes) if (is(node, reduce)) this.#takeSqueeze(node);
    // Backwards, so that of two convolutions that are added the later one takes the sum in.
    for (const node of this.#nodes.toReversed()) {
      if ((is(node, conv2d) || is(node, matmul)) && !this.#taken.has(node)) this.#takeFollowers(node);
    }
    for (const node of this.#nodes) if (isElementwise(node) && !this.#taken.has(node) && !this.#ends.has(node)) this.#takeChain(node);
    return this.#nodes.flatMap((node) => {
      if (this.#taken.has(node)) return [];
      return [this.#ends.get(node) ?? { node, output: node.outputs[0] }];
    });
  }

  /** The one node that uses a value, when it is free. */
  #follower(value: Value): Node | undefined {
    const users = this.#uses.consumers(value);
    const [user] = users;
    return users.length === 1 && !this.#uses.isOutput(value) && !this.#taken.has(user) && !this.#ends.has(user) ? user : undefined;
  }

  /** mean → 1x1 → 1x1 → activation, whose result multiplies what the mean was taken of. */
  #takeSqueeze(node: Node): void {
    if (!is(node, reduce) || node.attrs.kind !== 'mean' || !node.attrs.keepDims || node.attrs.axes.join() !== '1,2') return;
    const x = node.inputs[0];
    const first = this.#follower(node.outputs[0]);
    if (!x || !isGateLayer(first)) return;
    const second = this.#follower(first.outputs[0]);
    if (!isGateLayer(second) || x.shape.length !== 4 || !gateFits(x.shape[3], first.outputs[0].shape[3])) return;
    let end: Node = second;
    let activation = second.attrs.activation;
    const next = this.#follower(second.outputs[0]);
    if (is(next, unary) && !activation) [end, activation] = [next, next.attrs];
    const product = this.#follower(end.outputs[0]);
    if (!is(product, binary) || product.attrs.kind !== 'mul' || !product.inputs.includes(x)) return;
    for (const member of [node, first, second]) if (member !== end) this.#taken.add(member);
    this.#ends.set(end, { node, output: end.outputs[0], squeeze: { first, second, ...(activation ? { activation } : {}) } });
    this.#takeGate(product, x, end.outputs[0]);
  }

  /** A gated tensor that only a 1x1 convolution reads is multiplied there. */
  #takeGate(product: Node, x: Value, gate: Value): void {
    const user = this.#follower(product.outputs[0]);
    if (!is(product, binary) || product.attrs.min !== -Infinity || product.attrs.max !== Infinity || !is(user, conv2d) || !isPlainPointwise(user)) return;
    this.#taken.add(product);
    this.#gates.set(user, { input: x, gate });
  }
  readonly #gates = new Map<Node, { readonly input: Value; readonly gate: Value }>();

  #takeFollowers(node: Node): void {
    let unit: Unit = { node, output: node.outputs[0], ...this.#gates.get(node) };
    let end = node;
    const append = (next: Node, more: Partial<Unit>): void => {
      this.#taken.add(end);
      unit = { ...unit, ...more, output: next.outputs[0] };
      end = next;
    };
    const next = this.#follower(unit.output);
    const activated = is(node, conv2d) && node.attrs.activation !== undefined;
    if (is(next, unary) && !activated && next.outputs[0].dtype === 'float32') append(next, { activation: next.attrs });
    this.#takeJoin(node, unit, append);
    if (end !== node || unit.gate) this.#ends.set(end, unit);
  }

  /** A residual add, or a join that a shuffle of two groups follows. */
  #takeJoin(node: Node, unit: Unit, append: (next: Node, more: Partial<Unit>) => void): void {
    const next = this.#follower(unit.output);
    if (!next || !is(node, conv2d)) return;
    const other = next.inputs.find((input) => input !== unit.output);
    if (!other || next.inputs.length !== 2 || isConstant(other) || !sameShape(other.shape, unit.output.shape)) return;
    if (is(next, binary) && next.attrs.kind === 'add') {
      append(next, { residual: { value: other, clamp: next.attrs } });
    } else if (is(next, concat) && next.attrs.axis === 3 && isPlainPointwise(node)) {
      const shuffle = this.#follower(next.outputs[0]);
      if (!is(shuffle, channelShuffle) || shuffle.attrs.axis !== 3 || shuffle.attrs.groups !== 2) return;
      append(next, {});
      append(shuffle, { shuffle: { value: other, first: next.inputs[0] === other } });
    }
  }

  #takeChain(node: Node): void {
    const { shape } = node.outputs[0];
    const sources = new Set(node.inputs), chain: Node[] = [];
    if (shape.length > CHAIN_RANK) return;
    let end = node;
    while (chain.length < CHAIN_STEPS - 1) {
      const next = this.#follower(end.outputs[0]);
      if (!next || !isElementwise(next) || !sameShape(next.outputs[0].shape, shape)) break;
      const more = next.inputs.filter((input) => input !== end.outputs[0] && !sources.has(input));
      if (sources.size + more.length > CHAIN_SOURCES) break;
      for (const input of more) sources.add(input);
      this.#taken.add(end);
      chain.push(next);
      end = next;
    }
    if (chain.length > 0) this.#ends.set(end, { node, output: end.outputs[0], chain });
  }
}

function isElementwise(node: Node): boolean {
  return is(node, unary) || is(node, binary);
}

/** A 1x1 convolution without pads. */
export function isPlainPointwise(node: Node<Conv2dAttrs>): boolean {
  const [kh, kw] = node.inputs[1]?.shape ?? [];
  return kh === 1 && kw === 1 && node.attrs.groups === 1 && node.attrs.pads.every((p) => p === 0);
}

function isGateLayer(node: Node | undefined): node is Node<Conv2dAttrs> {
  return is(node, conv2d) && isPlainPointwise(node) && node.attrs.strides.every((s) => s === 1);
}
