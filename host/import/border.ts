// The graph's border, the same for both formats: inputs and outputs keep the file's types, everything between has the inner ones.
// In: names, the file's types, shapes. Out: values in a Builder, with flipSign and cast where the types differ. Must not know ONNX or TFLite.

import { KingletError, quote } from '../error.ts';
import { isConstant, type Value } from '../graph/graph.ts';
import type { Builder } from '../graph/builder.ts';
import { cast } from '../ops/cast.ts';
import { flipSign } from '../ops/flip-sign.ts';
import { reshape } from '../ops/reshape.ts';
import type { DType, Quantization, Shape } from '../tensor.ts';
import { innerDtype, type SourceType } from './decode-data.ts';
import { checkLimit, type ImportOptions } from './limits.ts';

/** Most inputs, and most outputs, of a graph. */
const MAX_BORDER_VALUES = 1000;

/** What a caller of the compiled model sees of the file's types: uint8, int64 and bool stay, the others as inside. */
function borderDtype(source: SourceType): DType {
  return source === 'uint8' || source === 'int64' || source === 'bool' ? source : innerDtype[source];
}

export interface InputType {
  readonly source: SourceType;
  readonly shape: Shape;
  readonly quantization?: Quantization | undefined;
}

/** Adds a graph input; returns the value that nodes use. */
export function addInput(b: Builder, name: string, type: InputType): Value {
  b.from(name, name);
  checkLimit(b.graph.inputs.length + 1, MAX_BORDER_VALUES, 'inputs');
  const outer = b.input(name, { dtype: borderDtype(type.source), shape: type.shape, quantization: type.quantization });
  if (type.source === 'uint8') return b.add(flipSign, {}, [outer]);
  return type.source === 'int64' || type.source === 'bool' ? b.add(cast, { to: 'int32' }, [outer]) : outer;
}

/** Adds a graph output. A value that is an input, a constant or another output gets a copy of its own. */
export function addOutput(b: Builder, name: string, value: Value, source: SourceType | undefined): void {
  b.from(name, name);
  checkLimit(b.graph.outputs.length + 1, MAX_BORDER_VALUES, 'outputs');
  if (source !== undefined && innerDtype[source] !== value.dtype) {
    throw new KingletError('ERR_MODEL_INVALID', `output ${quote(name)} is declared as ${source}, but its node makes ${value.dtype}`);
  }
  let outer = value;
  if (source === 'uint8') outer = b.add(flipSign, {}, [value], { fold: false });
  if (source === 'int64' || source === 'bool') outer = b.add(cast, { to: source }, [value], { fold: false });
  if (isConstant(outer) || b.graph.inputs.includes(outer) || b.graph.outputs.includes(outer)) {
    outer = b.add(reshape, { shape: [...outer.shape] }, [outer], { fold: false });
  }
  b.output(outer, name);
}

/** The caller's shapes by name, each a list of positive integers. */
export function shapeOverrides(options: ImportOptions): ReadonlyMap<string, readonly number[]> {
  const shapes = options.shapes;
  const entries = shapes === undefined ? [] : shapes instanceof Map ? [...shapes as ReadonlyMap<string, readonly number[]>] : Object.entries(shapes);
  const result = new Map<string, readonly number[]>();
  for (const [name, shape] of entries) {
    if (!Array.isArray(shape) || !shape.every((dim) => Number.isSafeInteger(dim) && dim > 0)) {
      throw new KingletError('ERR_USAGE', `the shape given for input ${quote(name)} is not a list of positive integers`);
    }
    result.set(name, [...shape as readonly number[]]);
  }
  return result;
}

/** Refuses shapes for inputs that the model does not have. */
export function checkOverrideNames(overrides: ReadonlyMap<string, readonly number[]>, inputs: readonly string[]): void {
  for (const name of overrides.keys()) {
    if (!inputs.includes(name)) {
      throw new KingletError('ERR_INPUT', `the model has no input ${quote(name)}; its inputs are ${inputs.map(quote).join(', ')}`);
    }
  }
}

/** The caller's shape, or the file's with every open dimension (negative) as 1. */
export function resolveShape(name: string, declared: Shape | undefined, override: Shape | undefined): Shape {
  if (override === undefined) {
    if (declared === undefined) throw new KingletError('ERR_UNSUPPORTED', `input ${quote(name)} has no shape`, { hint: 'Give the input a shape.' });
    return declared.map((dim) => (dim >= 0 ? dim : 1));
  }
  if (declared !== undefined && declared.length !== override.length) {
    throw new KingletError('ERR_INPUT', `input ${quote(name)} has ${declared.length} dimensions, the shape given has ${override.length}`);
  }
  return override;
}

/** Names an error's place; whatever else escaped a reader becomes a typed error too. */
export function asKingletError(error: unknown, place: string): KingletError {
  if (error instanceof KingletError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const memory = error instanceof RangeError && /alloc|array length|memory/i.test(text);
  return new KingletError(memory ? 'ERR_MEMORY' : 'ERR_INTERNAL', `${place}: ${text}`, { cause: error });
}
