// Model bytes → which format they are. The format is recognised by content, never by a file's name.
// In: bytes that nobody vouches for. Out: a format, or a KingletError that says what the file is instead. Must not know any importer.

import { KingletError } from '../error.ts';

export type ModelFormat = 'kgl' | 'onnx' | 'tflite';

/** Recognises a model's format by its first bytes; throws ERR_MODEL_FORMAT with what the file seems to be instead. */
export function sniff(bytes: Uint8Array): ModelFormat {
  if (bytes.byteLength === 0) throw notAModel('the file is empty', 'Download or export it again.');
  if (startsWith(bytes, 'KGL1')) return 'kgl';
  if (startsWith(bytes, 'TFL3', 4)) return 'tflite';
  for (const { magic, at, what, hint } of otherFormats) if (startsWith(bytes, magic, at)) throw notAModel(`this is ${what}`, hint);
  refuseText(bytes);
  if (looksLikeOnnx(bytes)) return 'onnx';
  throw notAModel('this is not a model that kinglet knows', 'kinglet reads .onnx, .tflite and .kgl files.');
}

interface OtherFormat {
  readonly magic: string;
  readonly at?: number;
  readonly what: string;
  readonly hint: string;
}
const exportHint = 'Export the model as .onnx or .tflite.';
const unpackHint = 'Unpack it first.';
/** Files that people hand over by mistake, by the bytes they begin with. */
const otherFormats: readonly OtherFormat[] = [
  { magic: 'PK\x03\x04', what: 'a ZIP archive (a PyTorch or Keras file, perhaps)', hint: `${unpackHint} ${exportHint}` },
  { magic: '\x1f\x8b', what: 'a gzip file', hint: unpackHint },
  { magic: '\x28\xb5\x2f\xfd', what: 'a Zstandard file', hint: unpackHint },
  { magic: '\xfd7zXZ', what: 'an xz file', hint: unpackHint },
  { magic: 'BZh', what: 'a bzip2 file', hint: unpackHint },
  { magic: '\x80\x02', what: 'a Python pickle (a PyTorch file, perhaps)', hint: exportHint },
  { magic: '\x80\x03', what: 'a Python pickle', hint: exportHint },
  { magic: '\x80\x04', what: 'a Python pickle', hint: exportHint },
  { magic: '\x80\x05', what: 'a Python pickle', hint: exportHint },
  { magic: '\x89HDF', what: 'an HDF5 file (a Keras model, perhaps)', hint: exportHint },
  { magic: '\x93NUMPY', what: 'a NumPy array', hint: exportHint },
  { magic: 'GGUF', what: 'a GGUF file', hint: exportHint },
  { magic: 'ORTM', at: 4, what: 'an ONNX Runtime (.ort) file', hint: 'Use the .onnx file that it was made from.' },
  { magic: '\0asm', what: 'a WebAssembly module', hint: exportHint },
  { magic: '\x89PNG', what: 'a PNG picture', hint: 'Give the model first and the picture as its input.' },
  { magic: '\xff\xd8\xff', what: 'a JPEG picture', hint: 'Give the model first and the picture as its input.' },
  { magic: 'version https://git-lfs', what: 'a Git LFS pointer, not the model', hint: 'Run `git lfs pull` to get the model.' },
];

function startsWith(bytes: Uint8Array, magic: string, at = 0): boolean {
  for (let i = 0; i < magic.length; i++) if (bytes[at + i] !== magic.charCodeAt(i)) return false;
  return true;
}

/** How much of a file decides whether it is text. */
const TEXT_BYTES = 256;

function refuseText(bytes: Uint8Array): void {
  const start = startsWith(bytes, '\xef\xbb\xbf') ? 3 : 0;
  const head = bytes.subarray(start, start + TEXT_BYTES);
  const isText = head.every((byte) => byte >= 0x20 || byte === 9 || byte === 10 || byte === 13);
  const text = String.fromCharCode(...head).trimStart().toLowerCase();
  if (text.startsWith('<!doctype') || text.startsWith('<html')) {
    throw notAModel('this is an HTML page, not a model', 'The download probably answered with an error page. Check the address.');
  }
  if (!isText) return;
  if (text.startsWith('<')) throw notAModel('this is an XML or HTML document, not a model', 'Check where the file comes from.');
  if (text.startsWith('{') || text.startsWith('[')) throw notAModel('this is a JSON file (a TensorFlow.js model, perhaps)', exportHint);
  throw notAModel('this is a text file, not a model', 'Check where the file comes from.');
}

/** Wire type of each field of ONNX's outermost message: 0 number, 2 anything with a length. */
const modelFields: Readonly<Record<number, number>> = { 1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2 };

/** Protobuf has no magic number: the first tag must be one of the message's. The importer finds out the rest. */
function looksLikeOnnx(bytes: Uint8Array): boolean {
  const first = bytes[0] ?? 0;
  const tag = first < 0x80 ? first : (first & 0x7f) | ((bytes[1] ?? 0) << 7);
  return modelFields[tag >> 3] === (tag & 7);
}

function notAModel(message: string, hint: string): KingletError {
  return new KingletError('ERR_MODEL_FORMAT', message, { hint });
}
