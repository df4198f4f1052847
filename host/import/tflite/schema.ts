// schema.fbs's tables as plain records: only the fields that importing needs, by their indices in the public schema.
// In: bytes of a model. Out: records; operators' options stay tables. Must not know kinglet's graph or ops.

import { KingletError, quote } from '../../error.ts';
import { checkLimit, type ImportLimits } from '../limits.ts';
import { builtinName, CUSTOM } from './builtin.ts';
import { FlatFile, type Table } from './table.ts';

export interface ModelRecord {
  readonly opNames: readonly string[];
  readonly buffers: readonly Uint8Array[];
  readonly tensors: readonly TensorRecord[];
  readonly operators: readonly OperatorRecord[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}
export interface TensorRecord {
  readonly name: string;
  readonly shape: readonly number[];
  /** The shape with -1 for open dimensions, where the file has one. */
  readonly signature: readonly number[] | undefined;
  /** TensorType. */
  readonly type: number;
  readonly buffer: number;
  readonly quantization: QuantizationRecord | undefined;
  readonly isVariable: boolean;
  readonly sparsity: SparsityRecord | undefined;
}
/** A sparse tensor: dimensions in the order in which its values are stored, those of blocks numbered behind the tensor's own. */
export interface SparsityRecord {
  readonly order: readonly number[];
  /** The dimension that each block divides. */
  readonly blockMap: readonly number[];
  /** In traversal order. `format` is DimensionType; `size` counts for dense ones, the lists for compressed ones. */
  readonly dimensions: readonly { readonly format: number; readonly size: number; readonly segments: readonly number[]; readonly indices: readonly number[] }[];
}
export interface QuantizationRecord {
  readonly scale: readonly number[];
  readonly zeroPoint: readonly number[];
  readonly axis: number;
  /** QuantizationDetails: anything but 0 is a scheme of its own. */
  readonly details: number;
}
export interface OperatorRecord {
  /** Index into opNames. */
  readonly opcode: number;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly optionsTag: number;
  readonly options: Table | undefined;
}

const IDENTIFIER = 'TFL3';
const SCHEMA_VERSION = 3;

export function readModel(bytes: Uint8Array, limits: ImportLimits): ModelRecord {
  const file = new FlatFile(bytes, limits);
  file.check(4, 4, 1, 'the file identifier');
  const identifier = String.fromCharCode(...bytes.subarray(4, 8));
  if (identifier !== IDENTIFIER) throw new KingletError('ERR_MODEL_FORMAT', `this is not a TFLite model: its identifier is ${quote(identifier)}`);
  const model = file.root('model');
  const version = model.u32(0, 0);
  if (version !== SCHEMA_VERSION) throw new KingletError('ERR_UNSUPPORTED', `TFLite schema version ${version} is not supported, only ${SCHEMA_VERSION}`);
  const opNames = model.tables(1, 'operator_codes').map(readOpName);
  const subgraphs = model.tables(2, 'subgraphs');
  const [main] = subgraphs;
  if (!main) throw new KingletError('ERR_MODEL_INVALID', 'the model has no subgraph');
  if (subgraphs.length > 1) throw new KingletError('ERR_UNSUPPORTED', `the model has ${subgraphs.length} subgraphs (control flow); kinglet runs one`);
  const buffers = model.tables(4, 'buffers').map((table) => readBuffer(table, bytes));
  const tensors = main.tables(0, 'tensors').map(readTensor);
  const operators = main.tables(3, 'operators').map(readOperator);
  checkLimit(tensors.length, limits.maxTensors, 'tensors');
  checkLimit(operators.length, limits.maxNodes, 'operators');
  return { opNames, buffers, tensors, operators, inputs: main.i32s(1, 'inputs') ?? [], outputs: main.i32s(2, 'outputs') ?? [] };
}

/** Old files have the number in the first field (one byte), newer ones in the fourth; the larger one counts. */
function readOpName(table: Table): string {
  const short = table.i8(0, 0);
  const long = table.i32(3, 0);
  if (short < 0 || long < 0) throw new KingletError('ERR_MODEL_INVALID', `${table.name} has operator number ${Math.min(short, long)}`);
  const code = Math.max(short, long);
  return code === CUSTOM ? `custom operator ${table.string(1, 'custom_code') ?? ''}` : builtinName(code);
}

/** Files over 2 GiB keep data behind the FlatBuffer: `offset` and `size` then point into the file. Offsets 0 and 1 mean that they do not. */
function readBuffer(table: Table, file: Uint8Array): Uint8Array {
  const offset = table.u64(1, 0);
  const size = table.u64(2, 0);
  if (offset <= 1) return table.bytes(0, table.name) ?? new Uint8Array(0);
  if (offset + size > file.byteLength) throw new KingletError('ERR_MODEL_FORMAT', `${table.name} points to byte ${offset + size}, the file has ${file.byteLength}`);
  return file.subarray(offset, offset + size);
}

function readTensor(table: Table): TensorRecord {
  return {
    name: table.string(3, 'name') ?? '',
    shape: table.i32s(0, 'shape') ?? [],
    signature: table.i32s(7, 'shape_signature'),
    type: table.i8(1, 0),
    buffer: table.u32(2, 0),
    quantization: readQuantization(table.table(4, 'quantization')),
    isVariable: table.bool(5, false),
    sparsity: readSparsity(table.table(6, 'sparsity')),
  };
}

function readQuantization(table: Table | undefined): QuantizationRecord | undefined {
  const scale = table?.f32s(2, 'scale') ?? [];
  const details = table?.u8(4, 0) ?? 0;
  if (!table || (scale.length === 0 && details === 0)) return undefined;
  return { scale, zeroPoint: table.i64s(3, 'zero_point') ?? [], axis: table.i32(6, 0), details };
}

function readSparsity(table: Table | undefined): SparsityRecord | undefined {
  return table && {
    order: table.i32s(0, 'traversal_order') ?? [],
    blockMap: table.i32s(1, 'block_map') ?? [],
    dimensions: table.tables(2, 'dim_metadata').map((dimension) => ({
      format: dimension.i8(0, 0),
      size: dimension.i32(1, 0),
      segments: readIndexVector(dimension, 2, 'array_segments'),
      indices: readIndexVector(dimension, 4, 'array_indices'),
    })),
  };
}

/** The union SparseIndexVector: its tag in `field`, a table with the numbers behind it. */
function readIndexVector(table: Table, field: number, name: string): readonly number[] {
  const vector = table.table(field + 1, name);
  switch (vector ? table.u8(field, 0) : 0) {
    case 0: return [];
    case 1: return vector?.i32s(0, name) ?? [];
    case 2: return vector?.u16s(0, name) ?? [];
    case 3: return vector?.u8s(0, name) ?? [];
    default: throw new KingletError('ERR_MODEL_INVALID', `${table.name} has a ${name} of unknown type`);
  }
}

function readOperator(table: Table): OperatorRecord {
  return {
    opcode: table.u32(0, 0),
    inputs: table.i32s(1, 'inputs') ?? [],
    outputs: table.i32s(2, 'outputs') ?? [],
    optionsTag: table.u8(3, 0),
    options: table.table(4, 'builtin_options'),
  };
}
