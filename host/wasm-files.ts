// Finds the two wasm builds beside this file. The names never change; bundlers see literal URLs.
// In: a build's name. Out: its bytes, perhaps still on their way. The only file that knows how to read a URL in Node and in a browser.

import { KingletError } from './error.ts';

const simd = new URL('./kinglet.simd.wasm', import.meta.url);
const relaxed = new URL('./kinglet.relaxed.wasm', import.meta.url);

export function kernelFile(build: 'simd' | 'relaxed'): Promise<Response | Uint8Array> {
  return openUrl(build === 'simd' ? simd : relaxed);
}

/** What a URL leads to: bytes of the file system for file:, fetch()'s response otherwise. Throws ERR_FILE, ERR_ABORTED. */
export async function openUrl(url: URL, signal?: AbortSignal): Promise<Response | Uint8Array> {
  try {
    if (url.protocol === 'file:') {
      const { readFile } = await import('node:fs/promises');
      return await readFile(url, signal ? { signal } : {});
    }
    const response = await fetch(url, signal ? { signal } : {});
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    return response;
  } catch (cause) {
    throw unreadable(url.href, cause, signal);
  }
}

export async function readAll(from: Response | Uint8Array, signal?: AbortSignal): Promise<Uint8Array> {
  if (from instanceof Uint8Array) return from;
  try {
    return new Uint8Array(await from.arrayBuffer());
  } catch (cause) {
    throw unreadable(from.url, cause, signal);
  }
}

export function unreadable(where: string, cause: unknown, signal?: AbortSignal): KingletError {
  if (signal?.aborted) return new KingletError('ERR_ABORTED', 'loading was aborted', { cause });
  return new KingletError('ERR_FILE', `cannot read ${where}: ${cause instanceof Error ? cause.message : 'unknown error'}`, { cause });
}
