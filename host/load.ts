// What every way of loading shares: sources to bytes, the engine, a plan to a running and warm model.
// In: a source, options, plan bytes. Out: bytes or a Model. Must not import graph, ops, import, passes or the reference backend.

import { requireSimd } from './backends/compile-module.ts';
import { getEngine, type Engine, type EngineOptions } from './backends/engine.ts';
import type { Room } from './backends/memory-group.ts';
import { placePlan, receivePlan, wasmBackend, type PlacedPlan, type WasmBackend } from './backends/wasm.ts';
import { KingletError } from './error.ts';
import { Model, type Backend } from './model.ts';
import { inNode, openUrl, readAll } from './open-url.ts';
import { AUTO_MACS, chooseThreads, type ThreadChoice } from './threads/choose-threads.ts';
import { workersBeside } from './wasm-files.ts';

/** Bytes, or where to get them: a URL, a path (Node), a fetch Response. */
export type Source = Uint8Array | ArrayBuffer | URL | string | Response;

export interface LoadOptions extends EngineOptions {
  /**
   * Run a few times at load, so that the engine's optimising compiler has done its work before the first input comes (default
   * true for networks below 1 GMAC). False brings the one first result sooner.
   */
  readonly warmup?: boolean | undefined;
  /**
   * Threads that run() uses (default 1). 'auto': as many as pay off here, see docs/threads.md. Where threads are not allowed the model
   * has one, and `onNotice` hears why.
   */
  readonly threads?: ThreadChoice | undefined;
  /**
   * Largest size in bytes of the memory that this model shares with others of as many threads (default: 4 GiB on one thread, 1 GiB
   * shared between threads). A shared memory's limit is that of the first model in it.
   */
  readonly maxMemory?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Which memory the options ask for. Throws ERR_USAGE. */
export function roomFor(options: LoadOptions): Room {
  const { maxMemory } = options;
  if (maxMemory !== undefined && !(maxMemory > 0)) throw new KingletError('ERR_USAGE', 'maxMemory is a number of bytes');
  return { threads: chosen(options).threads, maxBytes: maxMemory };
}
function chosen(options: LoadOptions): ReturnType<typeof chooseThreads> {
  const own = options.wasm !== undefined ? 'a wasm file of your own is not for threads' : workersBeside ? null : 'kinglet/inline has no workers';
  if (own !== null && options.threads !== undefined && options.threads !== 1) return { threads: 1, notice: `one thread: ${own}` };
  return chooseThreads(options.threads);
}

/** Bytes that the caller holds, not copied: to be used before anybody else runs. Null for a source that must be read first. */
export function givenBytes(source: Source): Uint8Array | null {
  const shared = typeof SharedArrayBuffer !== 'undefined' && source instanceof SharedArrayBuffer;
  if (!(source instanceof Uint8Array || source instanceof ArrayBuffer || shared)) return null;
  const bytes = source instanceof Uint8Array ? source : new Uint8Array(source as ArrayBuffer);
  return bytes.buffer instanceof ArrayBuffer ? bytes : bytes.slice(); // other threads may write to shared memory
}

/** Reads a source to bytes that nobody else holds. Throws ERR_FILE, ERR_ABORTED. */
export async function readSource(source: Source, signal?: AbortSignal): Promise<Uint8Array> {
  throwIfAborted(signal);
  const given = givenBytes(source);
  if (given) return given.slice();
  const bytes = await readAll(await open(source, signal), signal);
  throwIfAborted(signal);
  return bytes;
}

/** A plan's bytes or where they come from → a plan in its place. What the caller holds is copied before this returns. */
export async function placeSource(source: Source, room: Room, signal?: AbortSignal): Promise<PlacedPlan> {
  throwIfAborted(signal);
  const given = givenBytes(source) ?? await open(source, signal);
  if (given instanceof Uint8Array) return placePlan(given, room);
  const pieces = given.body?.getReader();
  if (!pieces) return placePlan(new Uint8Array(0), room);
  try {
    return await receivePlan(pieces, room);
  } catch (error) {
    pieces.cancel().catch(() => undefined); // whoever sends the rest may stop
    throwIfAborted(signal);
    throw error instanceof KingletError ? error : new KingletError('ERR_FILE', 'the plan did not arrive whole', { cause: error });
  }
}

async function open(source: Source, signal: AbortSignal | undefined): Promise<Response | Uint8Array> {
  if (typeof Response === 'undefined' || !(source instanceof Response)) return openUrl(source instanceof URL ? source : toUrl(source), signal);
  if (!source.ok) throw new KingletError('ERR_FILE', `the server answered ${source.status}`);
  return source;
}

function toUrl(text: unknown): URL {
  if (typeof text !== 'string') throw new KingletError('ERR_USAGE', 'a model is given as bytes, URL, path or Response');
  if (/^(https?|file|data|blob):/.test(text)) return new URL(text);
  if (inNode()) return process.getBuiltinModule('node:url').pathToFileURL(text);
  return new URL(text, globalThis.location.href);
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new KingletError('ERR_ABORTED', 'loading was aborted', { cause: signal.reason });
}

/** The engine, made ready while the model is still being read. Throws ERR_ENGINE at once where there cannot be one. */
export function startEngine(options: LoadOptions, room: Room): Promise<Engine> {
  requireSimd();
  const engine = getEngine(options, room.threads > 1);
  engine.catch(() => undefined); // who awaits it hears of it
  return engine;
}

/** A plan in its place → a model. */
export async function startPlan(placed: PlacedPlan, options: LoadOptions, engine = startEngine(options, placed.region.group)): Promise<Model> {
  return new Model(await startBackend(placed, options, engine));
}

/** A plan in its place → a backend that is warm and has its threads. */
export async function startBackend(placed: PlacedPlan, options: LoadOptions, engine: Promise<Engine>): Promise<WasmBackend> {
  const ready = await engine.catch((error: unknown) => { placed.region.free(); throw error; });
  const backend = wasmBackend(placed, ready);
  try {
    throwIfAborted(options.signal);
    await join(placed, backend, ready, options);
    if (options.warmup ?? backend.stats.macs < 1e9) await warmUp(backend);
    throwIfAborted(options.signal);
  } catch (error) {
    backend.release();
    throw error;
  }
  return backend;
}

/** Threads for a network that is worth them; one notice where they were asked for and are not to be had. */
async function join(placed: PlacedPlan, backend: WasmBackend, engine: Engine, options: LoadOptions): Promise<void> {
  const { notice } = chosen(options);
  if (notice !== undefined) options.onNotice?.(notice);
  if (placed.region.group.threads === 1) return;
  if (options.threads === 'auto' && backend.stats.macs < AUTO_MACS) {
    options.onNotice?.('one thread: the network is too small to gain from more');
    return;
  }
  const { joinTeam } = await import('./threads/join-team.ts');
  try {
    backend.join(await joinTeam(placed, engine));
  } catch (error) {
    if (!(error instanceof KingletError) || error.code !== 'ERR_WORKER') throw error;
    options.onNotice?.(`one thread: ${error.message}`);
  }
}

const WARM_UP_MS = 25;
const WARM_UP_RUNS = 20;

/**
 * On zeros: the inputs' memory is zero at load. V8 compiles a kernel again, on another thread, once it has done about a
 * millisecond of work: one run is enough for large networks, tiny ones need several (docs/cold-start.md).
 */
async function warmUp(backend: Backend): Promise<void> {
  const start = performance.now();
  for (let run = 0; run < WARM_UP_RUNS && (run === 0 || performance.now() - start < WARM_UP_MS); run++) {
    if (backend.runAsync) await backend.runAsync();
    else backend.runOnce();
  }
}
