// A wasm file on its way → a compiled module, or an error that says what is wrong with the file, the server or the engine.
// In: the file. Out: a module. Must not know which build it is or what it exports.

import { KingletError } from '../error.ts';
import { readAll } from '../open-url.ts';

/** i8x16.popcnt(i8x16.splat(0)) in a minimal module: validates only where WebAssembly has SIMD. */
const SIMD_PROBE = Uint8Array.of(
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
);

/** Throws ERR_ENGINE before anything is downloaded for an engine that could not use it. */
export function requireSimd(): void {
  if (typeof WebAssembly === 'undefined') throw new KingletError('ERR_ENGINE', 'this engine has no WebAssembly');
  if (!WebAssembly.validate(SIMD_PROBE)) throw new KingletError('ERR_ENGINE', 'this engine has no WebAssembly SIMD');
}

/** A response is compiled as it arrives, off the main thread. Throws ERR_WASM_FILE, ERR_ENGINE. */
export async function compileModule(file: Promise<Response | Uint8Array> | Response | Uint8Array): Promise<WebAssembly.Module> {
  try {
    const opened = await file;
    // compileStreaming accepts this type alone, without parameters.
    if (!(opened instanceof Uint8Array) && opened.headers.get('Content-Type')?.toLowerCase() === 'application/wasm') {
      return await WebAssembly.compileStreaming(opened);
    }
    return await WebAssembly.compile(checkMagic(await readAll(opened)));
  } catch (cause) {
    throw refusal(cause);
  }
}

function refusal(cause: unknown): KingletError {
  const message = cause instanceof Error ? cause.message : 'unknown error';
  if (cause instanceof KingletError && cause.code === 'ERR_WASM_FILE') return cause;
  if (/content security policy|\bcsp\b|unsafe-eval/i.test(message)) {
    return new KingletError('ERR_ENGINE', 'the page\'s Content-Security-Policy forbids WebAssembly', { hint: "Add 'wasm-unsafe-eval' to its script-src.", cause });
  }
  if (cause instanceof WebAssembly.CompileError) return new KingletError('ERR_WASM_FILE', `the engine refuses the .wasm file, which may be cut off: ${message}`, { cause });
  return new KingletError('ERR_WASM_FILE', `the .wasm file did not arrive: ${message}`, { cause });
}

/** What a server sends instead of a file that it lacks is mostly a page. */
function checkMagic(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const start = String.fromCharCode(...bytes.subarray(0, 4));
  if (start === '\0asm') return bytes as Uint8Array<ArrayBuffer>;
  const what = bytes.length === 0 ? 'an empty file' : start.startsWith('<') ? 'a web page' : 'something else';
  throw new KingletError('ERR_WASM_FILE', `${what} came instead of the .wasm file`);
}
