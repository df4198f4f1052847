// The WASI programs that bundles begin with, which lie beside this file. In: which one. Out: its bytes and where its slot is.
// Must not know plans.

import { KingletError } from './error.ts';
import { openUrl, readAll } from './open-url.ts';

export interface Program {
  readonly bytes: Uint8Array;
  /** Address that assembly/bundle-slot.ts gives. */
  readonly slot: number;
}

/** Throws ERR_FILE, ERR_WASM_FILE, ERR_ENGINE: the relaxed programs are asked for their slot, so this engine must know relaxed SIMD. */
export async function openProgram(kind: 'cmd' | 'embed', build: 'simd' | 'relaxed'): Promise<Program> {
  const bytes = await readAll(await openUrl(kind === 'cmd'
    ? build === 'simd' ? new URL('./kinglet-cmd.simd.wasm', import.meta.url) : new URL('./kinglet-cmd.relaxed.wasm', import.meta.url)
    : build === 'simd' ? new URL('./kinglet-embed.simd.wasm', import.meta.url) : new URL('./kinglet-embed.relaxed.wasm', import.meta.url)));
  try {
    const module = await WebAssembly.compile(bytes as Uint8Array<ArrayBuffer>);
    const imports: WebAssembly.Imports = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) imports[from] = { ...imports[from], [name]: () => 0 };
    const { exports } = await WebAssembly.instantiate(module, imports);
    return { bytes, slot: (exports['bundleSlot'] as () => number)() };
  } catch (cause) {
    throw new KingletError('ERR_ENGINE', `this engine refuses kinglet-${kind}.${build}.wasm`, { hint: 'Use --kernels simd128, or Node 22 or later.', cause });
  }
}
