// The only way importers, the zoo and passes make nodes: infers types, folds constants, keeps topological order.
// In: ops, attributes, values. Out: a Graph. Must not know file formats.

import { KingletError, quote } from '../error.ts';
import type { Op } from '../ops/op.ts';
import { elementCount, type Quantization, type Tensor, type TensorType } from '../tensor.ts';
import { isConstant, makeValue, type Graph, type Node, type Value } from './graph.ts';

export interface AddOptions {
  /** Name of the source node, for messages and for the outputs until the importer renames them. */
  readonly name?: string;
  /** Quantisation of output 0, where infer() cannot know it. */
  readonly quantization?: Quantization | undefined;
  /** False keeps a node although all its inputs are constants (dequantised weights). */
  readonly fold?: boolean;
}

/**
 * Work that constant folding may do in one graph: elements read and written, and multiply-accumulates. A file of a hundred
 * bytes can ask for any amount; what is over stays a node. VGG-19 with ConstantOfShape weights needs 2^28.7.
 */
const MAX_FOLD_WORK = 2 ** 29;

export class Builder {
  readonly graph: Graph = { inputs: [], outputs: [], nodes: [] };
  /** Source of the nodes added next; importers set it once per source node. */
  #source = { node: '', tensor: '' };
  #foldWork = 0;
  readonly #producers = new Map<Value, Node>();

  /** Nodes added from now on belong to source node `node`; their results are called `tensor`, the source tensor they lead to. */
  from(node: string, tensor: string): void {
    this.#source = { node, tensor };
  }

  input(name: string, type: TensorType): Value {
    const value = makeValue(type, name);
    elementCount(type.shape);
    this.graph.inputs.push(value);
    return value;
  }

  constant(tensor: Tensor, name = ''): Value {
    return makeValue(tensor, name, tensor.data);
  }

  output(value: Value, name: string): void {
    value.name = name;
    this.graph.outputs.push(value);
  }

  /** Adds a node with any number of outputs; constants in, constants out (unless `fold` is false). */
  addAll<A>(op: Op<A>, attrs: A, inputs: (Value | null)[], options: AddOptions = {}): Value[] {
    const name = options.name ?? this.#source.node;
    const result = options.name ?? this.#source.tensor;
    let types: TensorType[];
    try {
      types = op.infer(inputs, attrs);
      for (const type of types) elementCount(type.shape);
    } catch (error) {
      throw named(error, op.kind, name);
    }
    if (options.quantization) types = types.map((t, i) => (i === 0 ? { ...t, quantization: options.quantization } : t));
    const outputs = types.map((t) => makeValue(t, result));
    const node = { op, attrs, name, inputs, outputs };
    if (options.fold !== false && inputs.every((v) => v === null || isConstant(v)) && this.#mayFold(node)) {
      const tensors = op.reference(inputs, attrs, types);
      return tensors.map((t, i) => makeValue(types[i] ?? t, result, t.data));
    }
    this.graph.nodes.push(node);
    for (const output of outputs) this.#producers.set(output, node);
    return outputs;
  }

  /** The node that makes `value`; undefined for inputs and constants. */
  producer(value: Value): Node | undefined {
    return this.#producers.get(value);
  }

  #mayFold<A>(node: Node<A>): boolean {
    const elements = [...node.inputs, ...node.outputs].reduce((sum, value) => sum + (value ? elementCount(value.shape) : 0), 0);
    const work = this.#foldWork + elements + (node.op.macs?.(node) ?? 0);
    if (work > MAX_FOLD_WORK) return false;
    this.#foldWork = work;
    return true;
  }

  /** Adds a node with one output. */
  add<A>(op: Op<A>, attrs: A, inputs: (Value | null)[], options: AddOptions = {}): Value {
    const [value] = this.addAll(op, attrs, inputs, options);
    if (!value) throw new KingletError('ERR_INTERNAL', `${op.kind} has no output`);
    return value;
  }
}

/** Puts the node's name in front of an op's complaint. */
export function named(error: unknown, kind: string, name: string): unknown {
  if (!(error instanceof KingletError) || error.message.startsWith('node ')) return error;
  return new KingletError(error.code, `node ${quote(name)} (${kind}): ${error.message}`, { hint: error.hint, details: { ...error.details, node: name } });
}
