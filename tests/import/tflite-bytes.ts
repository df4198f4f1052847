// Writes TFLite files with the flatbuffers builder for the import tests. In: a description. Out: bytes.
// Must not use the importer's own code: it is the independent side.

import { Builder } from 'flatbuffers';

export interface TensorSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: number;
  readonly buffer?: number;
  readonly quantization?: { readonly scale: readonly number[]; readonly zeroPoint: readonly number[]; readonly axis?: number; readonly details?: number };
  readonly signature?: readonly number[];
  readonly isVariable?: boolean;
  readonly sparsity?: SparsitySpec;
}
/** Formats are DimensionType; `vectorType` is the SparseIndexVector that both lists are written as. */
export interface SparsitySpec {
  readonly order: readonly number[];
  readonly blockMap: readonly number[];
  readonly dimensions: readonly { readonly format: number; readonly size: number; readonly segments: readonly number[]; readonly indices: readonly number[]; readonly vectorType?: number }[];
}
export interface OperatorSpec {
  readonly code: number;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly optionsTag?: number;
  /** new_shape of ReshapeOptions. */
  readonly optionShape?: readonly number[];
}
export interface ModelSpec {
  readonly version?: number;
  readonly identifier?: string;
  /** Data of each buffer inside the FlatBuffer, or where it is in the file. */
  readonly buffers: readonly (readonly number[] | { readonly offset: bigint; readonly size: bigint })[];
  readonly tensors: readonly TensorSpec[];
  readonly operators: readonly OperatorSpec[];
  readonly codes: readonly { readonly builtin?: number; readonly short?: number; readonly custom?: string }[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly subgraphs?: number;
}

export function buildTflite(spec: ModelSpec): Uint8Array {
  const b = new Builder(1024);
  const codes = offsets(b, spec.codes.map((code) => {
    const custom = code.custom === undefined ? 0 : b.createString(code.custom);
    b.startObject(4);
    b.addFieldInt8(0, code.short ?? Math.min(code.builtin ?? 0, 127), 0);
    b.addFieldOffset(1, custom, 0);
    b.addFieldInt32(3, code.builtin ?? 0, 0);
    return b.endObject();
  }));
  const buffers = offsets(b, spec.buffers.map((buffer) => writeBuffer(b, buffer)));
  const graph = writeSubgraph(b, spec);
  const subgraphs = offsets(b, new Array<number>(spec.subgraphs ?? 1).fill(graph));
  b.startObject(5);
  b.addFieldInt32(0, spec.version ?? 3, 0);
  b.addFieldOffset(1, codes, 0);
  b.addFieldOffset(2, subgraphs, 0);
  b.addFieldOffset(4, buffers, 0);
  b.finish(b.endObject(), spec.identifier ?? 'TFL3');
  return b.asUint8Array().slice();
}

function writeSubgraph(b: Builder, spec: ModelSpec): number {
  const tensors = offsets(b, spec.tensors.map((tensor) => writeTensor(b, tensor)));
  const operators = offsets(b, spec.operators.map((operator) => writeOperator(b, operator)));
  const inputs = int32s(b, spec.inputs);
  const outputs = int32s(b, spec.outputs);
  b.startObject(4);
  b.addFieldOffset(0, tensors, 0);
  b.addFieldOffset(1, inputs, 0);
  b.addFieldOffset(2, outputs, 0);
  b.addFieldOffset(3, operators, 0);
  return b.endObject();
}

function writeBuffer(b: Builder, buffer: ModelSpec['buffers'][number]): number {
  if (!('offset' in buffer)) {
    const data = buffer.length === 0 ? 0 : b.createByteVector(Uint8Array.from(buffer));
    b.startObject(1);
    b.addFieldOffset(0, data, 0);
    return b.endObject();
  }
  b.startObject(3);
  b.addFieldInt64(1, buffer.offset, 0n);
  b.addFieldInt64(2, buffer.size, 0n);
  return b.endObject();
}

function writeTensor(b: Builder, tensor: TensorSpec): number {
  const name = b.createString(tensor.name);
  const shape = int32s(b, tensor.shape);
  const signature = tensor.signature ? int32s(b, tensor.signature) : 0;
  const quantization = tensor.quantization ? writeQuantization(b, tensor.quantization) : 0;
  const sparsity = tensor.sparsity ? writeSparsity(b, tensor.sparsity) : 0;
  b.startObject(8);
  b.addFieldOffset(0, shape, 0);
  b.addFieldInt8(1, tensor.type, 0);
  b.addFieldInt32(2, tensor.buffer ?? 0, 0);
  b.addFieldOffset(3, name, 0);
  b.addFieldOffset(4, quantization, 0);
  b.addFieldInt8(5, tensor.isVariable ? 1 : 0, 0);
  b.addFieldOffset(6, sparsity, 0);
  b.addFieldOffset(7, signature, 0);
  return b.endObject();
}

function writeSparsity(b: Builder, { order, blockMap, dimensions }: SparsitySpec): number {
  const traversal = int32s(b, order);
  const blocks = int32s(b, blockMap);
  const metadata = offsets(b, dimensions.map(({ format, size, segments, indices, vectorType = 1 }) => {
    const [first, second] = [writeIndices(b, segments, vectorType), writeIndices(b, indices, vectorType)];
    b.startObject(6);
    b.addFieldInt8(0, format, 0);
    b.addFieldInt32(1, size, 0);
    if (format !== 0) {
      b.addFieldInt8(2, vectorType, 0);
      b.addFieldOffset(3, first, 0);
      b.addFieldInt8(4, vectorType, 0);
      b.addFieldOffset(5, second, 0);
    }
    return b.endObject();
  }));
  b.startObject(3);
  b.addFieldOffset(0, traversal, 0);
  b.addFieldOffset(1, blocks, 0);
  b.addFieldOffset(2, metadata, 0);
  return b.endObject();
}

/** Int32Vector, Uint16Vector or Uint8Vector. */
function writeIndices(b: Builder, values: readonly number[], vectorType: number): number {
  const bytes = vectorType === 2 ? 2 : vectorType === 3 ? 1 : 4;
  b.startVector(bytes, values.length, bytes);
  for (const value of [...values].reverse()) {
    if (bytes === 4) b.addInt32(value);
    else if (bytes === 2) b.addInt16(value);
    else b.addInt8(value);
  }
  const vector = b.endVector();
  b.startObject(1);
  b.addFieldOffset(0, vector, 0);
  return b.endObject();
}

function writeQuantization(b: Builder, quantization: NonNullable<TensorSpec['quantization']>): number {
  b.startVector(4, quantization.scale.length, 4);
  for (const scale of [...quantization.scale].reverse()) b.addFloat32(scale);
  const scale = b.endVector();
  b.startVector(8, quantization.zeroPoint.length, 8);
  for (const zero of [...quantization.zeroPoint].reverse()) b.addInt64(BigInt(zero));
  const zeroPoint = b.endVector();
  b.startObject(7);
  b.addFieldOffset(2, scale, 0);
  b.addFieldOffset(3, zeroPoint, 0);
  b.addFieldInt8(4, quantization.details ?? 0, 0);
  b.addFieldInt32(6, quantization.axis ?? 0, 0);
  return b.endObject();
}

function writeOperator(b: Builder, operator: OperatorSpec): number {
  const inputs = int32s(b, operator.inputs);
  const outputs = int32s(b, operator.outputs);
  let options = 0;
  if (operator.optionShape) {
    const shape = int32s(b, operator.optionShape);
    b.startObject(1);
    b.addFieldOffset(0, shape, 0);
    options = b.endObject();
  }
  b.startObject(5);
  b.addFieldInt32(0, operator.code, 0);
  b.addFieldOffset(1, inputs, 0);
  b.addFieldOffset(2, outputs, 0);
  b.addFieldInt8(3, operator.optionsTag ?? 0, 0);
  b.addFieldOffset(4, options, 0);
  return b.endObject();
}

function int32s(b: Builder, values: readonly number[]): number {
  b.startVector(4, values.length, 4);
  for (const value of [...values].reverse()) b.addInt32(value);
  return b.endVector();
}
function offsets(b: Builder, values: readonly number[]): number {
  b.startVector(4, values.length, 4);
  for (const value of [...values].reverse()) b.addOffset(value);
  return b.endVector();
}
