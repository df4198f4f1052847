// kinglet: loads .kgl, .onnx and .tflite and runs them.
// In: model bytes or where to find them. Out: a Model. Importing this file touches no global.

import { importModel } from './import/index.ts';
import { loadWith, type ModelOptions } from './load-model.ts';
import type { Source } from './load.ts';
import type { Model } from './model.ts';

export * from './run.ts';
export { compile, type CompileOptions } from './compile.ts';
export type { ModelOptions } from './load-model.ts';

/**
 * Loads a model of any supported format. Throws KingletError: ERR_FILE, ERR_MODEL_FORMAT, ERR_MODEL_INVALID,
 * ERR_UNSUPPORTED_OP, ERR_UNSUPPORTED, ERR_EXTERNAL_DATA, ERR_LIMIT, ERR_PLAN_INVALID, ERR_PLAN_VERSION, ERR_MEMORY, ERR_ENGINE,
 * ERR_WASM_VERSION, ERR_ABORTED.
 */
export function loadModel(source: Source, options: ModelOptions = {}): Promise<Model> {
  return loadWith(importModel, source, options);
}
