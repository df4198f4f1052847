// A TFLite tensor record → its type and constant data as kinglet has them inside the graph.
// In: records and buffers. Out: TensorType, Tensor. Must not know operators.

import { KingletError, quote } from '../../error.ts';
import { elementCount, type Quantization, type Tensor, type TensorData, type TensorType } from '../../tensor.ts';
import { decodeData, innerDtype, sourceBytes, type SourceType } from '../decode-data.ts';
import { checkLimit } from '../limits.ts';
import type { QuantizationRecord, SparsityRecord, TensorRecord } from './schema.ts';
import { spread } from './sparse.ts';

/** TensorType → name, by number. */
const typeNames = [
  'float32', 'float16', 'int32', 'uint8', 'int64', 'string', 'bool', 'int16', 'complex64', 'int8', 'float64', 'complex128',
  'uint64', 'resource', 'variant', 'uint32', 'uint16', 'int4', 'bfloat16', 'int2',
] as const;

export function describe(tensor: TensorRecord, index: number): string {
  return `tensor ${index} ${quote(tensor.name)}`;
}

export function sourceType(tensor: TensorRecord, what: string): SourceType {
  const name = typeNames[tensor.type];
  if (name === undefined) throw new KingletError('ERR_MODEL_INVALID', `${what} has unknown element type ${tensor.type}`);
  if (!(name in innerDtype)) throw new KingletError('ERR_UNSUPPORTED', `${what} has elements of type ${name}, which kinglet does not run`);
  return name as SourceType;
}

/** The type of a tensor that lies dense in memory. */
export function innerType(tensor: TensorRecord, what: string): TensorType {
  if (tensor.sparsity) throw new KingletError('ERR_UNSUPPORTED', `${what} is sparse, but not a constant`);
  return denseType(tensor, what);
}

/** The file's type with kinglet's inner dtype; uint8's zero point moves with its data. */
function denseType(tensor: TensorRecord, what: string): TensorType {
  const source = sourceType(tensor, what);
  const quantization = quantizationOf(tensor, what);
  return { dtype: innerDtype[source], shape: tensor.shape.map((dim) => (dim === -1 ? 1 : dim)), quantization: source === 'uint8' ? shifted(quantization) : quantization };
}

/** Range of the zero point of each quantised type; other types carry no parameters (converters leave some on floats). */
const zeroPointRange: Partial<Record<SourceType, readonly [number, number]>> = {
  uint8: [0, 255], int8: [-128, 127], int32: [-(2 ** 31), 2 ** 31 - 1],
};

/** The file's own parameters, uint8 not yet shifted. */
export function quantizationOf(tensor: TensorRecord, what: string): Quantization | undefined {
  const record = tensor.quantization;
  const range = zeroPointRange[sourceType(tensor, what)];
  if (!record || !range) return undefined;
  if (record.details !== 0) throw new KingletError('ERR_UNSUPPORTED', `${what} is quantised in a scheme of its own`);
  checkCounts(record, tensor, what);
  if (!record.scale.every((scale) => scale > 0 && scale < Infinity)) throw new KingletError('ERR_MODEL_INVALID', `${what} has a scale that is not a positive number`);
  const [low, high] = range;
  const stray = record.zeroPoint.find((zero) => zero < low || zero > high);
  if (stray !== undefined) throw new KingletError('ERR_MODEL_INVALID', `${what} has zero point ${stray}, not within ${low} and ${high}`);
  return { scale: Float32Array.from(record.scale), zeroPoint: Int32Array.from(record.zeroPoint), axis: record.scale.length === 1 ? 0 : axisOf(record, tensor) };
}

/** Converters copy the filter's dimension to the bias, which has only one. */
function axisOf(record: QuantizationRecord, tensor: TensorRecord): number {
  return tensor.shape.length === 1 ? 0 : record.axis;
}

function checkCounts(record: QuantizationRecord, tensor: TensorRecord, what: string): void {
  const count = record.scale.length;
  if (record.zeroPoint.length !== count) throw new KingletError('ERR_MODEL_INVALID', `${what} has ${count} scales and ${record.zeroPoint.length} zero points`);
  if (count !== 1 && tensor.shape[axisOf(record, tensor)] !== count) {
    throw new KingletError('ERR_MODEL_INVALID', `${what} has ${count} scales for dimension ${record.axis} of shape [${tensor.shape.join(', ')}]`);
  }
}

function shifted(quantization: Quantization | undefined): Quantization | undefined {
  return quantization && { ...quantization, zeroPoint: quantization.zeroPoint.map((zero) => zero - 128) };
}

/** Elements that the sparse tensors of one file may have together: a few bytes can stand for any number of zeros. */
const MAX_SPARSE_ELEMENTS = 2 ** 26;

/** Decodes constants once per buffer: tensors that share a buffer share its data. */
export class Constants {
  readonly #buffers: readonly Uint8Array[];
  #sparseElements = 0;
  readonly #decoded = new Map<string, Tensor>();

  constructor(buffers: readonly Uint8Array[]) {
    this.#buffers = buffers;
  }

  /** Whether the file has data for a tensor. Buffer 0 stands for "none". A sparse tensor may have no values. */
  has(tensor: TensorRecord, what: string): boolean {
    const bytes = this.#buffers[tensor.buffer];
    if (!bytes && tensor.buffer !== 0) throw new KingletError('ERR_MODEL_INVALID', `${what} is in buffer ${tensor.buffer} of ${this.#buffers.length}`);
    return tensor.buffer !== 0 && bytes !== undefined && (bytes.byteLength > 0 || tensor.sparsity !== undefined);
  }

  /** The constant behind a tensor; empty tensors need no data. */
  tensor(tensor: TensorRecord, what: string): Tensor {
    const type = denseType(tensor, what);
    const source = sourceType(tensor, what);
    const bytes = this.has(tensor, what) ? this.#buffers[tensor.buffer] : undefined;
    const key = `${tensor.buffer} ${source}`;
    const known = this.#decoded.get(key);
    if (known && bytes && !tensor.sparsity && known.data.length === elementCount(type.shape)) return { ...type, data: known.data };
    try {
      if (tensor.sparsity) return { ...type, data: this.#spread(bytes ?? new Uint8Array(0), source, tensor.sparsity, type) };
      const decoded = decodeData(bytes ?? new Uint8Array(0), source, type.shape);
      this.#decoded.set(key, decoded);
      return { ...type, data: decoded.data };
    } catch (error) {
      if (error instanceof KingletError) throw new KingletError(error.code, `${what}: ${error.message}`);
      throw error;
    }
  }

  /** The values that the file holds, in their places among zeros. uint8 is not sparse in TFLite: its zero is a number like any other. */
  #spread(bytes: Uint8Array, source: SourceType, sparsity: SparsityRecord, type: TensorType): TensorData {
    if (source === 'uint8') throw new KingletError('ERR_UNSUPPORTED', 'sparse tensors of uint8 are not supported');
    this.#sparseElements += elementCount(type.shape);
    checkLimit(this.#sparseElements, MAX_SPARSE_ELEMENTS, 'elements in sparse tensors');
    return spread(decodeData(bytes, source, [Math.floor(bytes.byteLength / sourceBytes[source])]), sparsity, type.shape);
  }
}
