// TFLite bytes → Graph: indices resolved, every operator handed to the reader of its builtin.
// In: bytes, options, the readers by builtin name. Out: a Graph with inner dtypes and the file's types at its border.
// Must not know any op; schema.ts knows the file format.

import { KingletError, quote } from '../../error.ts';
import { Builder, named } from '../../graph/builder.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import { tfliteReaders } from '../../ops/index.ts';
import type { TfliteReader } from '../../ops/op.ts';
import { elementCount } from '../../tensor.ts';
import { addInput, addOutput, asKingletError, checkOverrideNames, resolveShape, shapeOverrides } from '../border.ts';
import { limitsOf, type ImportOptions } from '../limits.ts';
import { refuseOps, type RefusedOp } from '../refuse-ops.ts';
import { checkOptionsTag } from './builtin.ts';
import { NodeReader } from './node-reader.ts';
import { readModel, type ModelRecord, type OperatorRecord, type TensorRecord } from './schema.ts';
import { Constants, describe, innerType, quantizationOf, sourceType } from './tensor.ts';

/** `bytes` must not change meanwhile (importModel copies them). */
export function importTflite(bytes: Uint8Array, options: ImportOptions = {}, readers: ReadonlyMap<string, TfliteReader> = tfliteReaders): Graph {
  const model = readModel(bytes, limitsOf(options));
  refuseUnsupportedOps(model, readers);
  const importer = new Importer(model, readers);
  importer.addInputs(options);
  model.operators.forEach((operator, index) => { importer.addOperator(operator, index); });
  importer.addOutputs();
  return importer.builder.graph;
}

/** One error that names every operator kinglet cannot run, so that nobody meets them one by one. */
function refuseUnsupportedOps(model: ModelRecord, readers: ReadonlyMap<string, TfliteReader>): void {
  const refused: RefusedOp[] = [];
  model.operators.forEach((operator, index) => {
    const op = opNameOf(model, operator);
    if (!readers.has(op)) refused.push({ op, node: nodeName(model, operator, index) });
  });
  refuseOps(refused);
}

function opNameOf(model: ModelRecord, operator: OperatorRecord): string {
  const name = model.opNames[operator.opcode];
  if (name === undefined) throw new KingletError('ERR_MODEL_INVALID', `an operator has code ${operator.opcode} of ${model.opNames.length}`);
  return name;
}

/** Operators have no names of their own: that of the first output says where in the network one is. */
function nodeName(model: ModelRecord, operator: OperatorRecord, index: number): string {
  const name = model.tensors[operator.outputs[0] ?? -1]?.name ?? '';
  return name === '' ? `${opNameOf(model, operator)}_${index}` : name;
}

class Importer {
  readonly builder = new Builder();
  readonly #model: ModelRecord;
  readonly #readers: ReadonlyMap<string, TfliteReader>;
  readonly #constants: Constants;
  /** Tensor index → value. */
  readonly #values = new Map<number, Value>();
  /** Values that already carry a name of the file: readers may return one of them again. */
  readonly #named = new Set<Value>();

  constructor(model: ModelRecord, readers: ReadonlyMap<string, TfliteReader>) {
    this.#model = model;
    this.#readers = readers;
    this.#constants = new Constants(model.buffers);
  }

  addInputs(options: ImportOptions): void {
    const overrides = shapeOverrides(options);
    checkOverrideNames(overrides, this.#model.inputs.map((index) => this.#record(index).name));
    for (const index of this.#model.inputs) {
      const record = this.#record(index);
      const what = describe(record, index);
      if (this.#constants.has(record, what)) throw new KingletError('ERR_MODEL_INVALID', `${what} is an input of the graph and a constant`);
      const quantization = quantizationOf(record, what);
      const shape = resolveShape(record.name, openShape(record, what), overrides.get(record.name));
      this.#define(index, addInput(this.builder, record.name, { source: sourceType(record, what), shape, quantization }), what);
    }
    for (const value of this.builder.graph.inputs) this.#named.add(value);
  }

  addOperator(operator: OperatorRecord, index: number): void {
    const opName = opNameOf(this.#model, operator);
    const name = nodeName(this.#model, operator, index);
    checkOptionsTag(opName, operator.optionsTag);
    const inputs = operator.inputs.map((input) => (input === -1 ? null : this.#resolve(input)));
    const outputs = operator.outputs.map((output) => innerType(this.#record(output), describe(this.#record(output), output)));
    const options = operator.optionsTag === 0 ? undefined : operator.options;
    const node = new NodeReader({ opName, name, inputs, outputs, options });
    this.builder.from(name, operator.outputs.length > 0 ? this.#record(operator.outputs[0]).name : name);
    const values = this.#read(node);
    operator.outputs.forEach((output, place) => {
      const value = values[place] ?? node.unsupported(`output ${place} is not computed by kinglet`);
      const record = this.#record(output);
      const declared = outputs[place]?.dtype;
      if (value.dtype !== declared) node.fail(`output ${place} is ${value.dtype}, the file says ${declared ?? 'nothing'}`);
      if (this.#constants.has(record, name)) node.fail(`output ${place} is a constant of the file`);
      if (!this.#named.has(value)) value.name = record.name;
      this.#define(output, value, describe(record, output));
    });
  }

  addOutputs(): void {
    for (const index of this.#model.outputs) {
      const record = this.#record(index);
      addOutput(this.builder, record.name, this.#resolve(index), sourceType(record, describe(record, index)));
    }
  }

  #read(node: NodeReader): Value[] {
    const reader = this.#readers.get(node.opName);
    if (!reader) throw new KingletError('ERR_INTERNAL', `no reader for ${quote(node.opName)}`);
    try {
      return reader(node, this.builder);
    } catch (error) {
      throw named(asKingletError(error, `node ${quote(node.name)} (${node.opName})`), node.opName, node.name);
    }
  }

  #record(index: number): TensorRecord {
    const record = this.#model.tensors[index];
    if (!record) throw new KingletError('ERR_MODEL_INVALID', `the model refers to tensor ${index} of ${this.#model.tensors.length}`);
    return record;
  }

  #define(index: number, value: Value, what: string): void {
    if (this.#values.has(index)) throw new KingletError('ERR_MODEL_INVALID', `${what} is produced twice`);
    this.#values.set(index, value);
    this.#named.add(value);
  }

  /** The value of a tensor that exists by now; constants are decoded when the first operator asks for them. */
  #resolve(index: number): Value {
    const known = this.#values.get(index);
    if (known) return known;
    const record = this.#record(index);
    const what = describe(record, index);
    if (!this.#constants.has(record, what)) {
      if (record.isVariable) throw new KingletError('ERR_UNSUPPORTED', `${what} is a variable that keeps its value between runs`);
      if (elementCount(innerType(record, what).shape) > 0) throw new KingletError('ERR_MODEL_INVALID', `${what} is used before anything produces it`);
    }
    const value = this.builder.constant(this.#constants.tensor(record, what), record.name);
    this.#define(index, value, what);
    return value;
  }
}

/** Open dimensions are -1 in shape_signature and some number in shape; old files have the -1 in shape. */
function openShape(record: TensorRecord, what: string): readonly number[] {
  const { shape, signature } = record;
  if (shape.some((dim) => dim < -1)) throw new KingletError('ERR_MODEL_INVALID', `${what} has the impossible shape [${shape.join(', ')}]`);
  if (signature === undefined || signature.length === 0) return shape;
  if (signature.length !== shape.length) throw new KingletError('ERR_MODEL_INVALID', `${what} has two shapes of different rank`);
  return shape.map((dim, i) => (signature[i] === -1 ? -1 : dim));
}
