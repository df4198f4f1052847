// The one intermediate representation: values and nodes in topological order. In: importers and the zoo. Out: passes, reference, lowering.
// Canonical form (host/import makes it, passes keep it): spatial ops are NHWC with explicit pads; weights are HWIO;
// integers are int32 (int64 and bool only at the border); 8-bit tensors are int8 (uint8 only at the border); split is several slices.
// Must not know any particular op.

import type { Op } from '../ops/op.ts';
import type { DType, Quantization, Shape, Tensor, TensorData, TensorType } from '../tensor.ts';

/** A tensor of the graph: produced once (input, constant or node output), used many times. */
export interface Value extends TensorType {
  readonly id: number;
  name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly quantization?: Quantization | undefined;
  /** Present: a constant. */
  readonly data?: TensorData | undefined;
}
export type Constant = Value & Tensor;

/** One operation. `name` is the source node's name, for messages. A missing optional input is null. */
export interface Node<A = unknown> {
  readonly op: Op<A>;
  readonly attrs: A;
  readonly name: string;
  inputs: (Value | null)[];
  outputs: Value[];
}

export interface Graph {
  readonly inputs: Value[];
  readonly outputs: Value[];
  /** Topological order: every node after the producers of its inputs. */
  nodes: Node[];
}

/** Narrows a node to an op: `if (is(node, conv2d)) node.attrs.strides`. */
export function is<A>(node: Node | undefined, op: Op<A>): node is Node<A> {
  return node !== undefined && (node.op as unknown) === op;
}
export function isConstant(value: Value | null | undefined): value is Constant {
  return value?.data !== undefined;
}

let nextId = 1;
/** A fresh value. Ids are unique in the process and mean nothing else. */
export function makeValue(type: TensorType, name: string, data?: TensorData): Value {
  return { id: nextId++, name, dtype: type.dtype, shape: type.shape, quantization: type.quantization, data };
}

/** Who makes and who uses each value; rebuilt after every pass that changed something. */
export interface Uses {
  producer(value: Value): Node | undefined;
  consumers(value: Value): readonly Node[];
  isOutput(value: Value): boolean;
}
export function usesOf(graph: Graph): Uses {
  const producers = new Map<Value, Node>();
  const consumers = new Map<Value, Node[]>();
  for (const node of graph.nodes) {
    for (const out of node.outputs) producers.set(out, node);
    for (const input of new Set(node.inputs)) {
      if (input === null) continue;
      const list = consumers.get(input);
      if (list) list.push(node); else consumers.set(input, [node]);
    }
  }
  const outputs = new Set(graph.outputs);
  return {
    producer: (value) => producers.get(value),
    consumers: (value) => consumers.get(value) ?? [],
    isOutput: (value) => outputs.has(value),
  };
}
