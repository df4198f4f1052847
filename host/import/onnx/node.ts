// What an op file sees of an ONNX node: resolved inputs and checked attribute access. The importer implements it.
// Must not know any op. An attribute that no reader asked for is an import error.

import type { Constant, Value } from '../../graph/graph.ts';
import type { Tensor } from '../../tensor.ts';

export interface OnnxNode {
  readonly opType: string;
  readonly name: string;
  /** Version of the default operator set that the model imports. */
  readonly opset: number;
  /** Missing optional inputs are null. uint8 tensors arrive as int8 with shifted zero point, int64 as int32. */
  readonly inputs: readonly (Value | null)[];
  readonly outputCount: number;
  /** Required input; throws ERR_MODEL_INVALID when absent. */
  input(index: number): Value;
  optional(index: number): Value | null;
  /** Required input that must be known at compile time; throws ERR_UNSUPPORTED otherwise. */
  constant(index: number): Constant;
  /** True when the file's tensor behind this input is uint8 (its int8 stand-in has value - 128). */
  wasUint8(index: number): boolean;
  has(attribute: string): boolean;
  int(attribute: string, fallback?: number): number;
  float(attribute: string, fallback?: number): number;
  string(attribute: string, fallback?: string): string;
  ints(attribute: string, fallback?: readonly number[]): number[];
  floats(attribute: string, fallback?: readonly number[]): number[];
  tensor(attribute: string): Tensor;
  /** Marks attributes as understood and irrelevant here. */
  ignore(...attributes: string[]): void;
  /** Throws ERR_MODEL_INVALID with the node's name. */
  fail(message: string): never;
  /** Throws ERR_UNSUPPORTED with the node's name. */
  unsupported(message: string): never;
}
