// One ONNX node as op files see it: resolved inputs, attributes with checked types, and a record of what was read.
// In: a NodeRecord and resolved inputs. Out: OnnxNode. Must not know any op.

import { KingletError, quote } from '../../error.ts';
import { isConstant, type Constant, type Value } from '../../graph/graph.ts';
import type { Tensor } from '../../tensor.ts';
import type { OnnxNode } from './node.ts';
import { attributeType, type AttributeRecord, type NodeRecord } from './records.ts';
import { decodeTensor, sourceType } from './tensor-data.ts';

/** A value and what the file's type behind it was. */
export interface Bound {
  readonly value: Value;
  readonly wasUint8: boolean;
}

/** What a node needs to know of its surroundings. */
export interface NodeContext {
  readonly name: string;
  readonly opset: number;
  readonly inputs: readonly (Bound | null)[];
}

export class NodeReader implements OnnxNode {
  readonly opType: string;
  readonly name: string;
  readonly opset: number;
  readonly inputs: readonly (Value | null)[];
  readonly outputCount: number;
  readonly #bound: readonly (Bound | null)[];
  readonly #attributes = new Map<string, AttributeRecord>();
  readonly #unread = new Set<string>();
  /** Whether the last tensor attribute read was uint8; undefined when it was not 8-bit or there was none. */
  #tensorWasUint8: boolean | undefined;

  constructor(record: NodeRecord, context: NodeContext) {
    this.opType = record.opType;
    this.name = context.name;
    this.opset = context.opset;
    this.outputCount = record.outputs.length;
    this.#bound = context.inputs;
    this.inputs = context.inputs.map((bound) => bound?.value ?? null);
    for (const attribute of record.attributes) {
      if (this.#attributes.has(attribute.name)) this.fail(`attribute ${quote(attribute.name)} occurs twice`);
      this.#attributes.set(attribute.name, attribute);
      if (attribute.name !== 'doc_string') this.#unread.add(attribute.name);
    }
  }

  /** Attributes that nobody asked for. */
  get unread(): string[] {
    return [...this.#unread];
  }

  /** Whether an 8-bit output is uint8 in the file: what the node says, else like its last 8-bit input, else ONNX's default. */
  get makesUint8(): boolean {
    const stated = this.#attributes.get('output_dtype')?.i ?? this.#attributes.get('to')?.i ?? 0;
    if (stated !== 0) return stated === 2;
    const source = this.#bound.findLast((bound) => bound?.value.dtype === 'int8');
    return source?.wasUint8 ?? this.#tensorWasUint8 ?? true;
  }

  input(index: number): Value {
    return this.inputs[index] ?? this.fail(`input ${index} is missing`);
  }
  optional(index: number): Value | null {
    return this.inputs[index] ?? null;
  }
  constant(index: number): Constant {
    const value = this.input(index);
    if (!isConstant(value)) this.unsupported(`input ${index} (${quote(value.name)}) must be a constant`);
    return value;
  }
  wasUint8(index: number): boolean {
    return this.#bound[index]?.wasUint8 ?? false;
  }

  has(attribute: string): boolean {
    return this.#attributes.has(attribute);
  }
  int(attribute: string, fallback?: number): number {
    return this.#take(attribute, attributeType.int)?.i ?? fallback ?? this.#missing(attribute);
  }
  float(attribute: string, fallback?: number): number {
    const value = this.#take(attribute, attributeType.float)?.f ?? fallback ?? this.#missing(attribute);
    if (Number.isNaN(value)) this.fail(`attribute ${quote(attribute)} is not a number`);
    return value;
  }
  string(attribute: string, fallback?: string): string {
    return this.#take(attribute, attributeType.string)?.s ?? fallback ?? this.#missing(attribute);
  }
  ints(attribute: string, fallback?: readonly number[]): number[] {
    return [...(this.#take(attribute, attributeType.ints)?.ints ?? fallback ?? this.#missing(attribute))];
  }
  floats(attribute: string, fallback?: readonly number[]): number[] {
    const values = [...(this.#take(attribute, attributeType.floats)?.floats ?? fallback ?? this.#missing(attribute))];
    if (values.some((value) => Number.isNaN(value))) this.fail(`attribute ${quote(attribute)} has an entry that is not a number`);
    return values;
  }
  tensor(attribute: string): Tensor {
    const record = this.#take(attribute, attributeType.tensor)?.t ?? this.#missing(attribute);
    const what = `attribute ${quote(attribute)}`;
    const tensor = decodeTensor(record, what);
    this.#tensorWasUint8 = tensor.dtype === 'int8' ? sourceType(record.dataType, what) === 'uint8' : undefined;
    return tensor;
  }
  ignore(...attributes: string[]): void {
    for (const attribute of attributes) this.#unread.delete(attribute);
  }

  fail(message: string): never {
    throw new KingletError('ERR_MODEL_INVALID', this.#placed(message), { details: { node: this.name } });
  }
  unsupported(message: string): never {
    throw new KingletError('ERR_UNSUPPORTED', this.#placed(message), { details: { node: this.name } });
  }

  #placed(message: string): string {
    return `node ${quote(this.name)} (${this.opType}): ${message}`;
  }
  #missing(attribute: string): never {
    this.fail(`attribute ${quote(attribute)} is missing`);
  }
  /** The attribute if it is there, marked as read. Its stated type and its value fields must agree. */
  #take(name: string, type: number): AttributeRecord | undefined {
    const attribute = this.#attributes.get(name);
    if (!attribute) return undefined;
    this.#unread.delete(name);
    const hasOther = [...attribute.present].some((present) => present !== type);
    if (hasOther || (attribute.type !== 0 && attribute.type !== type)) this.fail(`attribute ${quote(name)} has another type than it should`);
    return attribute;
  }
}
