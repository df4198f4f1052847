// kinglet/run: loads precompiled plans and runs them. Small on purpose: no importer, no graph, no pass.
// In: .kgl bytes. Out: a Model. Must not import graph, ops, import, passes or the reference backend.

import { placeSource, roomFor, startEngine, startPlan, throwIfAborted, type LoadOptions, type Source } from './load.ts';
import type { Model } from './model.ts';

export { KingletError, errorTable, type ErrorCode } from './error.ts';
export { Model, type IoInfo, type Inputs, type ModelStats, type Peak, type StepInfo } from './model.ts';
export type { KernelChoice, WasmSource } from './backends/engine.ts';
export type { ThreadChoice } from './threads/choose-threads.ts';
export type { LoadOptions, Source } from './load.ts';
export type { DType, TensorData } from './dtype.ts';

/** Loads a compiled plan. Throws ERR_PLAN_INVALID, ERR_PLAN_VERSION, ERR_LIMIT, ERR_MEMORY, ERR_ENGINE, ERR_ABORTED, ERR_FILE. */
export async function loadPlan(source: Source, options: LoadOptions = {}): Promise<Model> {
  throwIfAborted(options.signal);
  const room = roomFor(options);
  const engine = startEngine(options, room);
  return startPlan(await placeSource(source, room, options.signal), options, engine);
}
