// The engine: which of the two wasm builds runs here, and what its relaxed dot product really does.
// In: a preference. Out: a compiled module and a dot mode, cached per process. Must not know plans' contents.

import { ABI_VERSION, DOT_I16, DOT_S8S8, DOT_U8S8 } from '../../assembly/abi.ts';
import { KingletError } from '../error.ts';
import { openUrl } from '../open-url.ts';
import { kernelFile } from '../wasm-files.ts';
import { compileModule } from './compile-module.ts';
import { probeDot } from './probe.ts';

/** Exports of all builds (assembly/executor.ts). */
export interface Executor {
  abiVersion(): number;
  init(base: number, planBytes: number, memoryBytes: number): number;
  refusedStep(): number;
  /** Inner-loop iterations of the plan that init() accepted. */
  planWork(): number;
  run(base: number, first: number, end: number): void;
  setDotMode(mode: number): void;
  /** What init() left: a plan whose weights would make the chosen mode inexact falls back to DOT_I16. */
  dotMode(): number;
  probeDot(a: number, b: number, c: number, out: number, count: number): number;
  peakF32(iterations: number, x: number, y: number): number;
  peakF32Operations(): number;
  peakI8(iterations: number, x: number, y: number): number;
  peakI8Operations(): number;
}
/** What the builds for threads export besides (assembly/threads.ts). */
export interface TeamExecutor extends Executor {
  verifyList(base: number, list: number, bytes: number, arenaBytes: number): number;
  runList(base: number, list: number, bytes: number, control: number, threads: number, spins: number): number;
  stays(word: number, value: number, spins: number): number;
}

export type KernelChoice = 'auto' | 'simd128' | 'relaxed';
/** A wasm build to use instead of the shipped one. */
export type WasmSource = URL | Uint8Array | WebAssembly.Module;

export interface Engine {
  readonly kernels: 'simd128' | 'relaxed';
  readonly module: WebAssembly.Module;
  readonly dotMode: number;
}
export interface EngineOptions {
  readonly kernels?: KernelChoice | undefined;
  readonly wasm?: WasmSource | undefined;
  readonly onNotice?: ((text: string) => void) | undefined;
}

/** i32x4.relaxed_dot_i8x16_i7x16_add_s in a minimal module: validates only where relaxed SIMD exists. */
const RELAXED_PROBE = Uint8Array.of(
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0,
  65, 0, 253, 15, 65, 0, 253, 15, 65, 0, 253, 15, 253, 147, 2, 11,
);

/** Barriers are for workers, which have instances of their own (host/kinglet-worker.ts). */
function neverWaits(): void { throw new KingletError('ERR_INTERNAL', 'the calling thread waited'); }

/** A fresh instance over `memory`. Throws ERR_WASM_VERSION when the file does not belong to this JavaScript. */
export function instantiate(engine: Pick<Engine, 'module' | 'dotMode'>, memory: WebAssembly.Memory): Executor {
  let executor: Executor;
  try {
    executor = new WebAssembly.Instance(engine.module, { env: { memory, wait: neverWaits } }).exports as unknown as Executor;
  } catch (cause) {
    throw new KingletError('ERR_WASM_VERSION', 'the wasm module does not fit this kinglet', { cause });
  }
  if (typeof executor.abiVersion !== 'function' || executor.abiVersion() !== ABI_VERSION) {
    throw new KingletError('ERR_WASM_VERSION', 'the wasm module speaks another plan version');
  }
  executor.setDotMode(engine.dotMode);
  return executor;
}

/** A memory to probe in, of the kind that the build imports. */
function smallMemory(threaded: boolean): WebAssembly.Memory {
  return new WebAssembly.Memory(threaded ? { initial: 1, maximum: 1, shared: true } : { initial: 1 });
}

async function makeRelaxed(threaded: boolean): Promise<Engine> {
  const module = await compileModule(kernelFile('relaxed', threaded));
  const memory = smallMemory(threaded);
  const dotMode = probeDot(instantiate({ module, dotMode: DOT_I16 }, memory), memory);
  return { kernels: 'relaxed', module, dotMode };
}
async function makeSimd(threaded: boolean): Promise<Engine> {
  return { kernels: 'simd128', module: await compileModule(kernelFile('simd', threaded)), dotMode: DOT_I16 };
}

const cache = new Map<string, Promise<Engine>>();
function cached(kernels: 'simd128' | 'relaxed', threaded: boolean): Promise<Engine> {
  const key = `${kernels} ${threaded ? 'threads' : ''}`;
  const known = cache.get(key);
  if (known) return known;
  const fresh = kernels === 'simd128' ? makeSimd(threaded) : makeRelaxed(threaded);
  cache.set(key, fresh);
  fresh.catch(() => cache.delete(key));
  return fresh;
}

let noticed = false;

/**
 * The engine for a preference. `auto` takes relaxed SIMD where it exists and computes legal products rightly. `threaded`: a build for
 * shared memory.
 */
export async function getEngine(options: EngineOptions = {}, threaded = false): Promise<Engine> {
  if (options.wasm !== undefined) return customEngine(options.wasm);
  const choice = options.kernels ?? 'auto';
  if (choice === 'simd128' || (choice === 'auto' && !WebAssembly.validate(RELAXED_PROBE))) return cached('simd128', threaded);
  if (!WebAssembly.validate(RELAXED_PROBE)) {
    throw new KingletError('ERR_ENGINE', 'this engine has no relaxed SIMD', { hint: 'Use kernels "auto" or "simd128".' });
  }
  const relaxed = await cached('relaxed', threaded);
  if (relaxed.dotMode >= 0) return relaxed;
  if (!noticed) {
    noticed = true;
    options.onNotice?.('this engine computes relaxed SIMD dot products wrongly; using the simd128 kernels instead');
  }
  return cached('simd128', threaded);
}

async function customEngine(wasm: WasmSource): Promise<Engine> {
  const module = wasm instanceof WebAssembly.Module ? wasm : await compileModule(wasm instanceof URL ? openUrl(wasm) : wasm);
  const memory = smallMemory(false);
  const executor = instantiate({ module, dotMode: DOT_I16 }, memory);
  const dotMode = probeDot(executor, memory);
  return { kernels: dotMode === DOT_I16 ? 'simd128' : 'relaxed', module, dotMode: Math.max(DOT_I16, dotMode) };
}

export function dotName(mode: number): 'i16' | 'u8s8' | 's8s8' {
  return mode === DOT_U8S8 ? 'u8s8' : mode === DOT_S8S8 ? 's8s8' : 'i16';
}
