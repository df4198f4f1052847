// kinglet/compile: model bytes → plan bytes. Pure: no file, no wasm, no clock.
// In: .onnx or .tflite bytes, or a graph. Out: a .kgl image, or the optimised graph for the reference backend.

import { compileGraph, importWritten, optimiseGraph, type CompileOptions, type WrittenGraph } from './compile-graph.ts';
import { importModel } from './import/index.ts';

export { compileGraph, optimiseGraph, type CompileOptions, type Optimised, type WrittenGraph } from './compile-graph.ts';
export { KingletError } from './error.ts';

/** Imports. */
export function importGraph(bytes: Uint8Array, options: CompileOptions = {}): WrittenGraph {
  return importWritten(importModel, bytes, options);
}

/**
 * Compiles .onnx or .tflite bytes to a plan (.kgl). Throws ERR_MODEL_FORMAT, ERR_MODEL_INVALID, ERR_UNSUPPORTED_OP (all of
 * them at once), ERR_UNSUPPORTED, ERR_EXTERNAL_DATA, ERR_LIMIT, ERR_USAGE.
 */
export function compile(bytes: Uint8Array, options: CompileOptions = {}): Uint8Array<ArrayBuffer> {
  return compileGraph(optimiseGraph(importGraph(bytes, options)), options.tolerance);
}
