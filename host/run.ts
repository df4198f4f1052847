// kinglet/run: loads precompiled plans and runs them. Small on purpose: no importer, no graph, no pass.
// In: .kgl bytes. Out: a Model. Must not import graph, ops, import, passes or the reference backend.

import { getEngine, type EngineOptions } from './backends/engine.ts';
import { wasmBackend } from './backends/wasm.ts';
import { KingletError } from './error.ts';
import { Model } from './model.ts';
import { readUrl } from './wasm-files.ts';

export { KingletError, errorTable, type ErrorCode } from './error.ts';
export { Model, type IoInfo, type Inputs, type ModelStats, type Peak, type StepInfo } from './model.ts';
export type { KernelChoice, WasmSource } from './backends/engine.ts';
export type { DType, TensorData } from './tensor.ts';

/** Bytes, or where to get them: a URL, a path (Node), a fetch Response. */
export type Source = Uint8Array | ArrayBuffer | URL | string | Response;

export interface LoadOptions extends EngineOptions {
  /** Run a few times at load so that the engine's optimising compiler is ready (default true for networks below 1 GMAC). */
  readonly warmup?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Reads a source to bytes that nobody else holds. Throws ERR_FILE, ERR_ABORTED. */
export async function readSource(source: Source, signal?: AbortSignal): Promise<Uint8Array> {
  throwIfAborted(signal);
  if (source instanceof Uint8Array) return source.slice();
  if (source instanceof ArrayBuffer || (typeof SharedArrayBuffer !== 'undefined' && source instanceof SharedArrayBuffer)) return new Uint8Array(source).slice();
  if (typeof Response !== 'undefined' && source instanceof Response) {
    if (!source.ok) throw new KingletError('ERR_FILE', `the server answered ${source.status}`);
    return new Uint8Array(await source.arrayBuffer());
  }
  const bytes = await readUrl(source instanceof URL ? source : await toUrl(source), signal);
  throwIfAborted(signal);
  return bytes;
}

async function toUrl(text: unknown): Promise<URL> {
  if (typeof text !== 'string') throw new KingletError('ERR_USAGE', 'a model is given as bytes, URL, path or Response');
  if (/^(https?|file|data|blob):/.test(text)) return new URL(text);
  if (typeof process !== 'undefined' && typeof process.versions.node === 'string') {
    const { pathToFileURL } = await import('node:url');
    return pathToFileURL(text);
  }
  return new URL(text, globalThis.location.href);
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new KingletError('ERR_ABORTED', 'loading was aborted', { cause: signal.reason });
}

/** Loads a compiled plan. Throws ERR_PLAN_INVALID, ERR_PLAN_VERSION, ERR_LIMIT, ERR_MEMORY, ERR_ENGINE, ERR_ABORTED, ERR_FILE. */
export async function loadPlan(source: Source, options: LoadOptions = {}): Promise<Model> {
  const bytes = await readSource(source, options.signal);
  return startPlan(bytes, options);
}

/** The same for bytes already at hand. */
export async function startPlan(bytes: Uint8Array, options: LoadOptions): Promise<Model> {
  const engine = await getEngine(options);
  throwIfAborted(options.signal);
  const backend = wasmBackend(bytes, engine);
  if (options.warmup ?? backend.stats.macs < 1e9) warmUp(backend);
  return new Model(backend);
}

/** At most three runs and about 50 ms, on zeros: the inputs' memory is zero at load. */
function warmUp(backend: ReturnType<typeof wasmBackend>): void {
  const start = performance.now();
  for (let i = 0; i < 3 && performance.now() - start < 50; i++) backend.runOnce();
}
