// Stand-ins for the nodes that importers hand to op files. In: attributes and options as literals. Out: OnnxNode, TfliteNode.
// Like the importers' own, they refuse attributes that nobody read.

import { KingletError } from '../../host/error.ts';
import { isConstant, type Constant, type Value } from '../../host/graph/graph.ts';
import type { OnnxNode } from '../../host/import/onnx/node.ts';
import type { TfliteNode } from '../../host/import/tflite/node.ts';
import type { Tensor, TensorType } from '../../host/tensor.ts';

function fail(message: string): never {
  throw new KingletError('ERR_MODEL_INVALID', message);
}
function unsupported(message: string): never {
  throw new KingletError('ERR_UNSUPPORTED', message);
}
function inputAt(inputs: readonly (Value | null)[], index: number): Value {
  return inputs[index] ?? fail(`input ${index} is missing`);
}
function constantAt(inputs: readonly (Value | null)[], index: number): Constant {
  const value = inputAt(inputs, index);
  return isConstant(value) ? value : unsupported(`input ${index} must be a constant`);
}

export type OnnxAttributes = Readonly<Record<string, number | string | readonly number[] | Tensor>>;
export interface OnnxSpec {
  readonly op?: string;
  readonly opset?: number;
  readonly attrs?: OnnxAttributes;
  readonly inputs: readonly (Value | null)[];
  readonly outputCount?: number;
}

export function onnxNode(spec: OnnxSpec): OnnxNode & { unread(): string[] } {
  const attrs = spec.attrs ?? {};
  const unread = new Set(Object.keys(attrs));
  const take = <T>(name: string, fallback: T | undefined): T => {
    unread.delete(name);
    return (attrs[name] as T | undefined) ?? fallback ?? fail(`attribute ${name} is missing`);
  };
  return {
    opType: spec.op ?? '', name: 'test', opset: spec.opset ?? 13, inputs: spec.inputs, outputCount: spec.outputCount ?? 1,
    input: (index) => inputAt(spec.inputs, index),
    optional: (index) => spec.inputs[index] ?? null,
    constant: (index) => constantAt(spec.inputs, index),
    wasUint8: () => false,
    has: (name) => name in attrs,
    int: (name, fallback) => take<number>(name, fallback),
    float: (name, fallback) => take<number>(name, fallback),
    string: (name, fallback) => take<string>(name, fallback),
    ints: (name, fallback) => [...take<readonly number[]>(name, fallback)],
    floats: (name, fallback) => [...take<readonly number[]>(name, fallback)],
    tensor: (name) => take<Tensor>(name, undefined),
    ignore: (...names) => { for (const name of names) unread.delete(name); },
    unread: () => [...unread],
    fail,
    unsupported,
  };
}

export interface TfliteSpec {
  readonly inputs: readonly (Value | null)[];
  /** By field index in schema.fbs. */
  readonly options?: Readonly<Record<number, number | boolean | readonly number[]>>;
  readonly outputs?: readonly TensorType[];
}

export function tfliteNode(spec: TfliteSpec): TfliteNode {
  const outputs = spec.outputs ?? [{ dtype: 'float32', shape: [] }];
  const field = <T>(index: number, fallback: T): T => (spec.options?.[index] as T | undefined) ?? fallback;
  return {
    opName: '', name: 'test', inputs: spec.inputs, outputs,
    input: (index) => inputAt(spec.inputs, index),
    optional: (index) => spec.inputs[index] ?? null,
    constant: (index) => constantAt(spec.inputs, index),
    output: (index) => outputs[index] ?? fail(`output ${index} is missing`),
    i32: field,
    u8: field,
    f32: field,
    bool: field,
    i32s: (index) => [...field<readonly number[]>(index, [])],
    fail,
    unsupported,
  };
}
