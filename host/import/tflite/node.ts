// What an op file sees of a TFLite operator: resolved inputs, the file's output types, checked option access.
// Must not know any op. Options are read by their FlatBuffers field index in schema.fbs order (0 = first field).

import type { Constant, Value } from '../../graph/graph.ts';
import type { TensorType } from '../../tensor.ts';

export interface TfliteNode {
  /** Builtin name, for example "CONV_2D". */
  readonly opName: string;
  readonly name: string;
  /** Omitted optional inputs (-1) are null. uint8 tensors arrive as int8 with shifted zero point, int64 as int32, f16 as float32. */
  readonly inputs: readonly (Value | null)[];
  /** The file's types of the outputs (uint8 as int8), with quantisation. */
  readonly outputs: readonly TensorType[];
  input(index: number): Value;
  optional(index: number): Value | null;
  constant(index: number): Constant;
  output(index: number): TensorType;
  i32(field: number, fallback: number): number;
  u8(field: number, fallback: number): number;
  f32(field: number, fallback: number): number;
  bool(field: number, fallback: boolean): boolean;
  i32s(field: number): number[];
  fail(message: string): never;
  unsupported(message: string): never;
}
