// The executable specification of the intermediate representation. In: a graph. Out: nothing, or ERR_INTERNAL naming the rule
// that is broken. Tests run it after every pass. Must not know any particular op.

import { KingletError, quote } from '../error.ts';
import { allocate, elementCount, sameShape, type TensorType } from '../tensor.ts';
import { isConstant, type Graph, type Node, type Value } from './graph.ts';
import { formatType } from './print.ts';

export function verifyGraph(graph: Graph): void {
  const known = new Set<Value>();
  for (const input of graph.inputs) {
    if (isConstant(input)) broken(`input ${quote(input.name)} is a constant`);
    define(known, input, `input ${quote(input.name)}`);
  }
  for (const node of graph.nodes) verifyNode(node, known);
  for (const output of graph.outputs) {
    if (isConstant(output)) verifyConstant(output);
    else if (!known.has(output)) broken(`output ${quote(output.name)} is produced by nothing`);
  }
  if (new Set(graph.outputs).size !== graph.outputs.length) broken('one value is two outputs');
}

function verifyNode(node: Node, known: Set<Value>): void {
  const place = `${node.op.kind} ${quote(node.name)}`;
  for (const input of node.inputs) {
    if (input === null) continue;
    if (isConstant(input)) verifyConstant(input);
    else if (!known.has(input)) broken(`${place} uses a value before anything produces it`);
  }
  const types = node.op.infer(node.inputs, node.attrs);
  if (types.length !== node.outputs.length) broken(`${place} has ${node.outputs.length} outputs instead of ${types.length}`);
  for (const [i, output] of node.outputs.entries()) {
    const type = types[i];
    if (type.dtype !== output.dtype || !sameShape(type.shape, output.shape)) {
      broken(`${place} makes ${formatType(type)} but its output says ${formatType(output)}`);
    }
    if (isConstant(output)) broken(`${place} produces a constant`);
    define(known, output, place);
  }
}

function define(known: Set<Value>, value: Value, place: string): void {
  if (known.has(value)) broken(`${place} produces a value that already has a producer`);
  known.add(value);
  elementCount(value.shape);
  verifyQuantization(value, place);
}

function verifyConstant(value: Value): void {
  const place = `constant ${quote(value.name)}`;
  const count = elementCount(value.shape);
  if (value.data?.length !== count) broken(`${place} has ${value.data?.length} elements instead of ${count}`);
  if (value.data?.constructor !== allocate(value.dtype, 0).constructor) broken(`${place} is ${value.dtype} but holds ${value.data?.constructor.name}`);
  verifyQuantization(value, place);
}

function verifyQuantization(type: TensorType, place: string): void {
  const q = type.quantization;
  if (q === undefined) return;
  if (type.dtype === 'float32') broken(`${place} is float32 with quantisation`);
  if (q.scale.length !== q.zeroPoint.length) broken(`${place} has ${q.scale.length} scales and ${q.zeroPoint.length} zero points`);
  if (q.scale.length !== 1 && q.scale.length !== type.shape[q.axis]) broken(`${place} has ${q.scale.length} scales for ${formatType(type)}`);
  if (!q.scale.every((s) => s > 0 && Number.isFinite(s))) broken(`${place} has a scale that is not a positive number`);
}

function broken(message: string): never {
  throw new KingletError('ERR_INTERNAL', message);
}
