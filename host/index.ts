// kinglet: loads .kgl, .onnx and .tflite and runs them.
// In: model bytes or where to find them. Out: a Model. Importing this file touches no global.

import { referenceBackend } from './backends/reference.ts';
import { placePlan } from './backends/wasm.ts';
import { compile, toGraph, type CompileOptions } from './compile.ts';
import { KingletError } from './error.ts';
import { sniff } from './import/index.ts';
import { Model } from './model.ts';
import { givenBytes, readSource, startEngine, startPlan, throwIfAborted, type LoadOptions, type Source } from './load.ts';

export * from './run.ts';
export { compile, type CompileOptions } from './compile.ts';

export interface ModelOptions extends LoadOptions, CompileOptions {
  /** 'reference': the definitions in plain TypeScript, slow. */
  readonly backend?: 'auto' | 'wasm' | 'reference' | undefined;
}

/**
 * Loads a model of any supported format. Throws KingletError: ERR_FILE, ERR_MODEL_FORMAT, ERR_MODEL_INVALID,
 * ERR_UNSUPPORTED_OP, ERR_UNSUPPORTED, ERR_EXTERNAL_DATA, ERR_LIMIT, ERR_PLAN_INVALID, ERR_PLAN_VERSION, ERR_MEMORY, ERR_ENGINE,
 * ERR_WASM_VERSION, ERR_ABORTED.
 */
export async function loadModel(source: Source, options: ModelOptions = {}): Promise<Model> {
  if (options.backend === 'reference') return loadReference(await readSource(source, options.signal), options);
  throwIfAborted(options.signal);
  const engine = startEngine(options);
  const bytes = givenBytes(source) ?? await readSource(source, options.signal);
  const plan = sniff(bytes) === 'kgl' ? bytes : compile(bytes, options);
  throwIfAborted(options.signal);
  return startPlan(placePlan(plan), options, engine);
}

function loadReference(bytes: Uint8Array, options: ModelOptions): Model {
  if (sniff(bytes) === 'kgl') throw new KingletError('ERR_USAGE', 'the reference backend needs the .onnx or .tflite file, a plan has no graph');
  const { graph, facts } = toGraph(bytes, options);
  return new Model(referenceBackend(graph, facts));
}
