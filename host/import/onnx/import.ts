// ONNX bytes → Graph: names resolved, nodes ordered, every node handed to the reader of its op.
// In: bytes, options, the readers by op type. Out: a Graph with inner dtypes and the file's types at its border.
// Must not know any op; records.ts knows the file format.

import { KingletError, quote } from '../../error.ts';
import { Builder, named } from '../../graph/builder.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import { onnxReaders } from '../../ops/index.ts';
import type { OnnxReader } from '../../ops/op.ts';
import { addInput, addOutput, asKingletError, checkOverrideNames, resolveShape, shapeOverrides } from '../border.ts';
import { limitsOf, type ImportOptions } from '../limits.ts';
import { refuseOps, type RefusedOp } from '../refuse-ops.ts';
import { NodeReader, type Bound } from './node-reader.ts';
import { nodeName, orderNodes, type PlacedNode } from './order.ts';
import { readModel, type GraphRecord, type ModelRecord, type TensorRecord, type ValueInfoRecord } from './records.ts';
import { decodeTensor, sourceType } from './tensor-data.ts';

/** Versions of the default operator set whose meaning the readers know. */
const opsetRange = { first: 1, last: 21 };

/** `bytes` must not change meanwhile (importModel copies them). */
export function importOnnx(bytes: Uint8Array, options: ImportOptions = {}, readers: ReadonlyMap<string, OnnxReader> = onnxReaders): Graph {
  const model = readModel(bytes, limitsOf(options));
  refuseUnsupportedOps(model.graph, readers);
  const opset = opsetOf(model);
  const nodes = orderNodes(model.graph);
  const importer = new Importer(model.graph, readers, opset);
  importer.addInputs(options);
  for (const node of nodes) importer.addNode(node);
  for (const output of model.graph.outputs) importer.addOutput(output);
  return importer.builder.graph;
}

/** One error that names every node kinglet cannot run, so that nobody meets them one by one. */
function refuseUnsupportedOps(graph: GraphRecord, readers: ReadonlyMap<string, OnnxReader>): void {
  const unsupported: RefusedOp[] = [];
  graph.nodes.forEach((record, index) => {
    const isDefault = record.domain === '' || record.domain === 'ai.onnx';
    if (isDefault && readers.has(record.opType)) return;
    unsupported.push({ op: isDefault ? record.opType : `${record.domain}.${record.opType}`, node: nodeName({ record, index }) });
  });
  refuseOps(unsupported);
}

function opsetOf(model: ModelRecord): number {
  const opset = model.opsets.get('');
  if (opset === undefined) throw new KingletError('ERR_MODEL_INVALID', 'the model does not say which ONNX operator set it uses');
  if (opset < opsetRange.first || opset > opsetRange.last) {
    throw new KingletError('ERR_UNSUPPORTED', `the model uses ONNX operator set ${opset}; kinglet reads ${opsetRange.first} to ${opsetRange.last}`, {
      hint: 'Convert it with onnx.version_converter or export it again with another opset_version.',
    });
  }
  return opset;
}

class Importer {
  readonly builder = new Builder();
  readonly #graph: GraphRecord;
  readonly #readers: ReadonlyMap<string, OnnxReader>;
  readonly #opset: number;
  readonly #initializers: ReadonlyMap<string, TensorRecord>;
  readonly #bound = new Map<string, Bound>();
  /** Values that already carry a name of the file: readers may return one of them again. */
  readonly #named = new Set<Value>();

  constructor(graph: GraphRecord, readers: ReadonlyMap<string, OnnxReader>, opset: number) {
    this.#graph = graph;
    this.#readers = readers;
    this.#opset = opset;
    this.#initializers = new Map(graph.initializers.map((record) => [record.name, record]));
  }

  /** Graph inputs that have an initializer are constants: IR versions below 4 list every weight as an input. */
  addInputs(options: ImportOptions): void {
    const inputs = this.#graph.inputs.filter((info) => !this.#initializers.has(info.name));
    const overrides = shapeOverrides(options);
    checkOverrideNames(overrides, inputs.map((info) => info.name));
    for (const info of inputs) {
      const source = tensorSource(info, `input ${quote(info.name)}`);
      const shape = resolveShape(info.name, info.shape, overrides.get(info.name));
      this.#bind(info.name, addInput(this.builder, info.name, { source, shape }), source === 'uint8');
    }
    for (const value of this.builder.graph.inputs) this.#named.add(value);
  }

  addNode(placed: PlacedNode): void {
    const { record } = placed;
    const name = nodeName(placed);
    const inputs = record.inputs.map((input) => (input === '' ? null : this.#resolve(input)));
    const node = new NodeReader(record, { name, opset: this.#opset, inputs });
    this.builder.from(name, record.outputs.find((output) => output !== '') ?? name);
    const values = this.#read(node);
    if (node.unread.length > 0) node.unsupported(`attributes ${node.unread.map(quote).join(', ')} are not known to kinglet`);
    record.outputs.forEach((output, index) => {
      const value = values[index];
      if (output === '' || value === undefined) return;
      if (!this.#named.has(value)) value.name = output;
      this.#bind(output, value, value.dtype === 'int8' && node.makesUint8);
    });
  }

  addOutput(info: ValueInfoRecord): void {
    const { value, wasUint8 } = this.#resolve(info.name);
    const undeclared = wasUint8 ? 'uint8' : undefined;
    const source = info.elemType === 0 ? undeclared : tensorSource(info, `output ${quote(info.name)}`);
    addOutput(this.builder, info.name, value, source);
  }

  #read(node: NodeReader): Value[] {
    const reader = this.#readers.get(node.opType);
    if (!reader) throw new KingletError('ERR_INTERNAL', `no reader for ${quote(node.opType)}`);
    try {
      return reader(node, this.builder);
    } catch (error) {
      throw named(asKingletError(error, `node ${quote(node.name)} (${node.opType})`), node.opType, node.name);
    }
  }

  #bind(name: string, value: Value, wasUint8: boolean): void {
    this.#bound.set(name, { value, wasUint8 });
    this.#named.add(value);
  }

  /** The value behind a name; weights are decoded when the first node asks for them. */
  #resolve(name: string): Bound {
    const bound = this.#bound.get(name);
    if (bound) return bound;
    const record = this.#initializers.get(name);
    if (!record) throw new KingletError('ERR_UNSUPPORTED', `${quote(name)} is an additional output of its node, which kinglet does not compute`);
    const tensor = decodeTensor(record, `initializer ${quote(name)}`);
    this.#bind(name, this.builder.constant(tensor, name), sourceType(record.dataType, name) === 'uint8');
    return this.#resolve(name);
  }
}

function tensorSource(info: ValueInfoRecord, what: string): ReturnType<typeof sourceType> {
  if (info.elemType === -1) throw new KingletError('ERR_UNSUPPORTED', `${what} is not a tensor`);
  return sourceType(info.elemType, what);
}
