// kinglet/tflite: kinglet for pages whose models are .tflite or .kgl: the .onnx importer and what it needs stay away.
// In: model bytes or where to find them. Out: a Model. Must not import the other importer.

import { compileGraph, importWritten, optimiseGraph, type CompileOptions } from './compile-graph.ts';
import type { Graph } from './graph/graph.ts';
import { importWith } from './import/import-with.ts';
import type { ImportOptions } from './import/limits.ts';
import { importTflite } from './import/tflite/import.ts';
import { loadWith, type ModelOptions } from './load-model.ts';
import type { Source } from './load.ts';
import type { Model } from './model.ts';

export * from './run.ts';
export type { CompileOptions } from './compile-graph.ts';
export type { ModelOptions } from './load-model.ts';

function importModel(bytes: Uint8Array, options: ImportOptions): Graph {
  return importWith({ tflite: importTflite }, bytes, options);
}

/** As loadModel() of `kinglet`; another format than .tflite and .kgl is ERR_MODEL_FORMAT. */
export function loadModel(source: Source, options: ModelOptions = {}): Promise<Model> {
  return loadWith(importModel, source, options);
}

/** As compile() of `kinglet/compile`, for .tflite alone. */
export function compile(bytes: Uint8Array, options: CompileOptions = {}): Uint8Array<ArrayBuffer> {
  return compileGraph(optimiseGraph(importWritten(importModel, bytes, options)), options.tolerance);
}
