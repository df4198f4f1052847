// Loads a model, compiling it first where it is not a plan yet, whichever importer the entry point brings.
// In: an importer, a source, options. Out: a Model. Must not import an importer.

import { referenceBackend } from './backends/reference.ts';
import { placePlan } from './backends/wasm.ts';
import { compileGraph, importWritten, optimiseGraph, type CompileOptions, type ImportModel } from './compile-graph.ts';
import { KingletError } from './error.ts';
import { sniff } from './import/sniff.ts';
import { givenBytes, readSource, roomFor, startEngine, startPlan, throwIfAborted, type LoadOptions, type Source } from './load.ts';
import { Model } from './model.ts';

export interface ModelOptions extends LoadOptions, CompileOptions {
  /** 'reference': the definitions in plain TypeScript, slow. */
  readonly backend?: 'auto' | 'wasm' | 'reference' | undefined;
}

export async function loadWith(importModel: ImportModel, source: Source, options: ModelOptions): Promise<Model> {
  if (options.backend === 'reference') return loadReference(importModel, await readSource(source, options.signal), options);
  throwIfAborted(options.signal);
  const room = roomFor(options);
  const engine = startEngine(options, room);
  const bytes = givenBytes(source) ?? await readSource(source, options.signal);
  const plan = sniff(bytes) === 'kgl' ? bytes : compileGraph(optimiseGraph(importWritten(importModel, bytes, options)), options.tolerance);
  throwIfAborted(options.signal);
  return startPlan(placePlan(plan, room), options, engine);
}

function loadReference(importModel: ImportModel, bytes: Uint8Array, options: ModelOptions): Model {
  if (sniff(bytes) === 'kgl') throw new KingletError('ERR_USAGE', 'the reference backend needs the .onnx or .tflite file, a plan has no graph');
  const { graph, facts } = optimiseGraph(importWritten(importModel, bytes, options));
  return new Model(referenceBackend(graph, facts));
}
