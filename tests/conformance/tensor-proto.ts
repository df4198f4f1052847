// ONNX's TensorProto files (input_0.pb, output_0.pb) as numbers. In: bytes of the conformance data. Out: type, dims, values.
// The independent side of the comparison: it must not use the importer's own reading of tensors.

import { PbfReader } from 'pbf';

/** TensorProto.DataType by the names that NumPy uses. */
export const dataTypes = [
  'undefined', 'float32', 'uint8', 'int8', 'uint16', 'int16', 'int32', 'int64', 'string', 'bool', 'float16', 'float64', 'uint32', 'uint64',
  'complex64', 'complex128', 'bfloat16',
] as const;
export type DataType = typeof dataTypes[number];

export interface ProtoTensor {
  readonly name: string;
  readonly dataType: DataType;
  readonly dims: readonly number[];
  /** Row-major; bigint for the 64-bit integers. */
  readonly values: readonly (number | bigint)[];
}

interface Fields {
  name: string;
  dataType: DataType;
  readonly dims: number[];
  raw: Uint8Array | null;
  readonly typed: (number | bigint)[];
}

/** Null: the bytes are no tensor of numbers (a sequence, an optional, strings). */
export function readTensorProto(bytes: Uint8Array): ProtoTensor | null {
  const fields: Fields = { name: '', dataType: 'undefined', dims: [], raw: null, typed: [] };
  try {
    new PbfReader(bytes).readFields(readField, fields);
  } catch {
    return null; // another message, whose fields have other types
  }
  const { name, dataType, dims, raw, typed } = fields;
  const count = dims.reduce((a, d) => a * d, 1);
  const values = raw === null ? typed : fromBytes(raw, dataType);
  return values?.length === count && dataType !== 'undefined' && dataType !== 'string' ? { name, dataType, dims, values } : null;
}

function readField(field: number, into: Fields, pbf: PbfReader): void {
  switch (field) {
    case 1: pbf.readPackedVarint(into.dims, true); break;
    case 2: into.dataType = dataTypes[pbf.readVarint()] ?? 'undefined'; break;
    case 4: pbf.readPackedFloat(into.typed as number[]); break;
    case 5: pbf.readPackedVarint(into.typed as number[], true); break;
    case 7: into.typed.push(...wide(pbf)); break;
    case 8: into.name = pbf.readString(); break;
    case 9: into.raw = pbf.readBytes().slice(); break;
    case 10: pbf.readPackedDouble(into.typed as number[]); break;
    case 11: into.typed.push(...wide(pbf)); break;
  }
}

/** int64_data and uint64_data: pbf reads them as numbers, exact below 2^53, which the data is. */
function wide(pbf: PbfReader): bigint[] {
  return pbf.readPackedVarint([], true).map(BigInt);
}

function fromBytes(raw: Uint8Array, type: DataType): readonly (number | bigint)[] | null {
  const { buffer } = raw;
  switch (type) {
    case 'float32': return [...new Float32Array(buffer)];
    case 'float64': return [...new Float64Array(buffer)];
    case 'float16': return [...new Uint16Array(buffer)].map(halfValue);
    case 'bfloat16': return [...new Uint16Array(buffer)].map((bits) => new Float32Array(Uint32Array.of(bits << 16).buffer)[0]);
    case 'uint8': case 'bool': return [...raw];
    case 'int8': return [...new Int8Array(buffer)];
    case 'uint16': return [...new Uint16Array(buffer)];
    case 'int16': return [...new Int16Array(buffer)];
    case 'int32': return [...new Int32Array(buffer)];
    case 'uint32': return [...new Uint32Array(buffer)];
    case 'int64': return [...new BigInt64Array(buffer)];
    case 'uint64': return [...new BigUint64Array(buffer)];
    default: return null;
  }
}

/** IEEE 754 binary16: sign, 5 bits of exponent, 10 of fraction. */
function halfValue(bits: number): number {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 1 + fraction / 1024 : fraction / 1024) * 2 ** (exponent ? exponent - 15 : -14);
}
