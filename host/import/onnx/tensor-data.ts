// A TensorProto record → a Tensor in kinglet's dtypes. The data must fill the stated shape exactly, wherever it is stored.
// Must not know nodes, graphs or ops.

import { KingletError } from '../../error.ts';
import { elementCount, type Tensor } from '../../tensor.ts';
import { clampToInt32, decodeData, flipSignBit, halfToFloat, innerDtype, type SourceType } from '../decode-data.ts';
import { eachTypedEntry, type TensorRecord } from './records.ts';

/** TensorProto.DataType → name, by number. */
const dataTypeNames = [
  'undefined', 'float32', 'uint8', 'int8', 'uint16', 'int16', 'int32', 'int64', 'string', 'bool', 'float16', 'float64',
  'uint32', 'uint64', 'complex64', 'complex128', 'bfloat16', 'float8', 'float8', 'float8', 'float8', 'uint4', 'int4', 'float4',
] as const;

/** The element type behind TensorProto.DataType; throws ERR_UNSUPPORTED for those that have no stand-in. */
export function sourceType(dataType: number, what: string): SourceType {
  const name = dataTypeNames[dataType] ?? 'undefined';
  if (name in innerDtype) return name as SourceType;
  if (name === 'undefined') throw new KingletError('ERR_MODEL_INVALID', `${what} has no known element type (${dataType})`);
  throw new KingletError('ERR_UNSUPPORTED', `${what} has elements of type ${name}, which kinglet does not run`);
}

export function decodeTensor(record: TensorRecord, what: string): Tensor {
  if (record.external) throw new KingletError('ERR_EXTERNAL_DATA', `the data of ${what} is in another file`);
  if (record.segment) throw new KingletError('ERR_UNSUPPORTED', `${what} is one segment of a larger tensor`);
  const source = sourceType(record.dataType, what);
  try {
    return record.raw === undefined ? decodeTyped(record, source) : decodeRaw(record, record.raw, source);
  } catch (error) {
    if (error instanceof KingletError) throw new KingletError(error.code, `${what}: ${error.message}`);
    throw error;
  }
}

function decodeRaw(record: TensorRecord, raw: Uint8Array, source: SourceType): Tensor {
  if (record.typedFields.size > 0) throw new KingletError('ERR_MODEL_INVALID', 'has both raw_data and typed data');
  return decodeData(raw, source, record.dims);
}

/** Which TensorProto field holds each element type when raw_data does not, and what an entry must be. */
const typedForms: Readonly<Record<SourceType, { field: number; low: number; high: number; readonly convert: (entry: number) => number }>> = {
  float32: { field: 4, low: -Infinity, high: Infinity, convert: (x) => x },
  float64: { field: 10, low: -Infinity, high: Infinity, convert: (x) => x },
  float16: { field: 5, low: 0, high: 65535, convert: halfToFloat },
  uint8: { field: 5, low: 0, high: 255, convert: flipSignBit },
  int8: { field: 5, low: -128, high: 127, convert: (x) => x },
  int32: { field: 5, low: -(2 ** 31), high: 2 ** 31 - 1, convert: (x) => x },
  bool: { field: 5, low: 0, high: 1, convert: (x) => x },
  int64: { field: 7, low: -Infinity, high: Infinity, convert: clampToInt32 },
};

function decodeTyped(record: TensorRecord, source: SourceType): Tensor {
  const { field, low, high, convert } = typedForms[source];
  const shape = record.dims;
  const count = elementCount(shape);
  // An entry takes a byte at least: a shape that claims more is refused before it is allocated.
  if (count > record.bytes.byteLength) throw new KingletError('ERR_MODEL_INVALID', `${record.bytes.byteLength} bytes cannot fill shape [${shape.join(', ')}]`);
  const data = innerDtype[source] === 'float32' ? new Float32Array(count) : innerDtype[source] === 'int8' ? new Int8Array(count) : new Int32Array(count);
  let filled = 0;
  eachTypedEntry(record, field, (entry) => {
    if (filled === count) throw new KingletError('ERR_MODEL_INVALID', `has more than the ${count} entries of shape [${shape.join(', ')}]`);
    if (entry < low || entry > high) throw new KingletError('ERR_MODEL_INVALID', `entry ${entry} is no ${source}`);
    data[filled++] = convert(entry);
  });
  if (filled < count) throw new KingletError('ERR_MODEL_INVALID', `has ${filled} entries, shape [${shape.join(', ')}] needs ${count}`);
  return { dtype: innerDtype[source], shape, data };
}
