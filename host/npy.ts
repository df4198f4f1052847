// NumPy's .npy files, versions 1.0 and 2.0. In: bytes of a file, or a tensor. Out: a tensor, or bytes.
// Only what kinglet computes with: little-endian f4, i1, u1, i4, i8, b1 in C order. Everything else is refused by name.
// Must not know models or files.

import { KingletError } from './error.ts';
import { elementBytes, elementCount, tensorFromBytes } from './tensor.ts';
import type { DType, Shape, Tensor, TensorData } from './tensor.ts';

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // "\x93NUMPY"
const descrOf: Readonly<Record<DType, string>> = { float32: '<f4', int8: '|i1', uint8: '|u1', int32: '<i4', int64: '<i8', bool: '|b1' };
const dtypeOf: ReadonlyMap<string, DType> = new Map([['<f4', 'float32'], ['|i1', 'int8'], ['|u1', 'uint8'], ['<i4', 'int32'], ['<i8', 'int64'], ['|b1', 'bool']]);
const MAX_HEADER_BYTES = 65536;

export function readNpy(bytes: Uint8Array): Tensor {
  if (bytes.length < 10 || MAGIC.some((byte, i) => bytes[i] !== byte)) throw bad('this is not a .npy file');
  const version = `${bytes[6] ?? 0}.${bytes[7] ?? 0}`;
  if (version !== '1.0' && version !== '2.0') throw bad(`.npy version ${version} is not supported (only 1.0 and 2.0)`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const from = version === '1.0' ? 10 : 12;
  if (bytes.length < from) throw bad('the .npy header is cut off');
  const headerBytes = version === '1.0' ? view.getUint16(8, true) : view.getUint32(8, true);
  if (headerBytes > MAX_HEADER_BYTES || from + headerBytes > bytes.length) throw bad('the .npy header is longer than the file');
  const header = String.fromCharCode(...bytes.subarray(from, from + Math.min(headerBytes, 4096)));
  const { dtype, shape } = parseHeader(header);
  const data = bytes.subarray(from + headerBytes);
  const need = elementCount(shape) * elementBytes[dtype];
  if (data.length !== need) throw bad(`the .npy file holds ${data.length} bytes of data, but shape [${shape.join(', ')}] of ${dtype} needs ${need}`);
  return tensorFromBytes(data, dtype, shape);
}

/** The header is a Python dict literal with exactly three keys. */
function parseHeader(header: string): { dtype: DType; shape: Shape } {
  const fields = /^\{(.*)\}\s*$/s.exec(header)?.[1];
  if (fields === undefined) throw bad('the .npy header is not a dict');
  const descr = /(?:^|,)\s*'descr'\s*:\s*'([^']{1,16})'\s*(?:,|$)/.exec(fields)?.[1];
  const order = /(?:^|,)\s*'fortran_order'\s*:\s*(True|False)\s*(?:,|$)/.exec(fields)?.[1];
  const dims = /(?:^|,)\s*'shape'\s*:\s*\(([\d\s,]*)\)\s*(?:,|$)/.exec(fields)?.[1];
  if (descr === undefined || order === undefined || dims === undefined) throw bad('the .npy header lacks descr, fortran_order or shape');
  const dtype = dtypeOf.get(descr);
  if (dtype === undefined) throw bad(`.npy dtype ${JSON.stringify(descr)} is not supported (only ${[...dtypeOf.keys()].join(' ')})`, 'Save it with astype(numpy.float32), uint8, int8, int32, int64 or bool.');
  if (order === 'True') throw bad('the .npy file is in Fortran order', 'Save it with numpy.ascontiguousarray(x).');
  return { dtype, shape: parseDims(dims.trim()) };
}

function parseDims(dims: string): number[] {
  if (dims === '') return [];
  const parts = dims.split(',').map((part) => part.trim());
  // Python writes (3,) for one dim: only the last part may be empty.
  if (parts.length > 1 && parts.at(-1) === '') parts.pop();
  else if (parts.length === 1) throw bad('the .npy shape is not a tuple');
  if (!parts.every((part) => /^\d{1,15}$/.test(part))) throw bad('the .npy shape has an impossible dimension');
  return parts.map(Number);
}

export function writeNpy(tensor: { dtype: DType; shape: Shape; data: TensorData }): Uint8Array {
  const { dtype, shape, data } = tensor;
  if (data.length !== elementCount(shape)) throw new KingletError('ERR_INTERNAL', `${data.length} elements do not fill shape [${shape.join(', ')}]`);
  const tuple = shape.length === 1 ? `(${shape[0] ?? 0},)` : `(${shape.join(', ')})`;
  const dict = `{'descr': '${descrOf[dtype]}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const headerBytes = Math.ceil((10 + dict.length + 1) / 64) * 64 - 10;
  const bytes = new Uint8Array(10 + headerBytes + data.byteLength);
  bytes.set(MAGIC);
  bytes[6] = 1;
  new DataView(bytes.buffer).setUint16(8, headerBytes, true);
  const header = `${dict.padEnd(headerBytes - 1, ' ')}\n`;
  for (let i = 0; i < header.length; i++) bytes[10 + i] = header.charCodeAt(i);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + headerBytes);
  return bytes;
}

function bad(message: string, hint?: string): KingletError {
  return new KingletError('ERR_INPUT', message, { hint: hint ?? 'Save the array with numpy.save.' });
}
