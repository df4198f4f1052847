// Finds the two wasm builds beside this file. The names never change; bundlers see literal URLs.
// In: a build's name. Out: its bytes. The only file that knows how to read a URL in Node and in a browser.

import { KingletError } from './error.ts';

const simd = new URL('./kinglet.simd.wasm', import.meta.url);
const relaxed = new URL('./kinglet.relaxed.wasm', import.meta.url);

export async function kernelBytes(build: 'simd' | 'relaxed'): Promise<Uint8Array> {
  return readUrl(build === 'simd' ? simd : relaxed);
}

/** Bytes behind a URL: the file system for file:, fetch() otherwise. Throws ERR_FILE. */
export async function readUrl(url: URL, signal?: AbortSignal): Promise<Uint8Array> {
  try {
    if (url.protocol === 'file:') {
      const { readFile } = await import('node:fs/promises');
      return await readFile(url, signal ? { signal } : {});
    }
    const response = await fetch(url, signal ? { signal } : {});
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    if (signal?.aborted) throw new KingletError('ERR_ABORTED', 'loading was aborted', { cause });
    throw new KingletError('ERR_FILE', `cannot read ${url.href}: ${cause instanceof Error ? cause.message : 'unknown error'}`, { cause });
  }
}
