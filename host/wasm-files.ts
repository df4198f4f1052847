// Finds the wasm builds beside this file. The names never change; bundlers see literal URLs.
// In: a build's name. Out: its bytes, perhaps still on their way. kinglet/inline has another file in its place: embedded-files.ts.

import { openUrl } from './open-url.ts';

/** `threaded`: the build for a shared memory. Throws ERR_FILE. The URLs are made here and not at import: who bundles to a script without import.meta may still pass `wasm`. */
export function kernelFile(build: 'simd' | 'relaxed', threaded = false): Promise<Response | Uint8Array> {
  if (threaded) return openUrl(build === 'simd' ? new URL('./kinglet-threads.simd.wasm', import.meta.url) : new URL('./kinglet-threads.relaxed.wasm', import.meta.url));
  return openUrl(build === 'simd' ? new URL('./kinglet.simd.wasm', import.meta.url) : new URL('./kinglet.relaxed.wasm', import.meta.url));
}

/** Whether workers and their builds lie beside this file. */
export const workersBeside: boolean = true;
