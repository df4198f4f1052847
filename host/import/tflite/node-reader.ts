// One TFLite operator as op files see it: resolved inputs, the file's output types, checked access to its options.
// In: a resolved operator. Out: TfliteNode. Must not know any op.

import { KingletError, quote } from '../../error.ts';
import { isConstant, type Constant, type Value } from '../../graph/graph.ts';
import type { TensorType } from '../../tensor.ts';
import type { TfliteNode } from './node.ts';
import type { Table } from './table.ts';

export interface ResolvedOperator {
  readonly opName: string;
  readonly name: string;
  readonly inputs: readonly (Value | null)[];
  readonly outputs: readonly TensorType[];
  /** Undefined: every option has its default. */
  readonly options: Table | undefined;
}

export class NodeReader implements TfliteNode {
  readonly opName: string;
  readonly name: string;
  readonly inputs: readonly (Value | null)[];
  readonly outputs: readonly TensorType[];
  readonly #options: Table | undefined;

  constructor(operator: ResolvedOperator) {
    this.opName = operator.opName;
    this.name = operator.name;
    this.inputs = operator.inputs;
    this.outputs = operator.outputs;
    this.#options = operator.options;
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
  output(index: number): TensorType {
    return this.outputs[index] ?? this.fail(`output ${index} is missing`);
  }
  i32(field: number, fallback: number): number {
    return this.#options?.i32(field, fallback) ?? fallback;
  }
  u8(field: number, fallback: number): number {
    return this.#options?.u8(field, fallback) ?? fallback;
  }
  f32(field: number, fallback: number): number {
    const value = this.#options?.f32(field, fallback) ?? fallback;
    if (Number.isNaN(value)) this.fail(`option ${field} is not a number`);
    return value;
  }
  bool(field: number, fallback: boolean): boolean {
    return this.#options?.bool(field, fallback) ?? fallback;
  }
  i32s(field: number): number[] {
    return this.#options?.i32s(field, `option ${field}`) ?? [];
  }
  fail(message: string): never {
    throw new KingletError('ERR_MODEL_INVALID', this.#placed(message), { details: { node: this.name } });
  }
  unsupported(message: string): never {
    throw new KingletError('ERR_UNSUPPORTED', this.#placed(message), { details: { node: this.name } });
  }
  #placed(message: string): string {
    return `node ${quote(this.name)} (${this.opName}): ${message}`;
  }
}
