// Model bytes of any known format → Graph. In: bytes that nobody vouches for. Out: a Graph, or a KingletError that says what the file is.
// Must not know any op.

import type { Graph } from '../graph/graph.ts';
import { importWith } from './import-with.ts';
import type { ImportOptions } from './limits.ts';
import { importOnnx } from './onnx/import.ts';
import { importTflite } from './tflite/import.ts';

export type { ImportLimits, ImportOptions } from './limits.ts';
export { sniff, type ModelFormat } from './sniff.ts';

/** Imports an .onnx or .tflite file. */
export function importModel(bytes: Uint8Array, options: ImportOptions = {}): Graph {
  return importWith({ onnx: importOnnx, tflite: importTflite }, bytes, options);
}
