// URLs to bytes, the same in Node and in a browser. Node's own modules are asked for by name at run time: bundlers need not know them.
// In: a URL. Out: bytes or a response still on its way. Must not know what the bytes mean.

import { KingletError } from './error.ts';

/** Node, Deno or Bun, and not a page whose bundler made up a `process`. */
export function inNode(): boolean {
  return typeof process !== 'undefined' && typeof process.getBuiltinModule === 'function';
}

/** What a URL leads to: bytes of the file system for file:, fetch()'s response otherwise. Throws ERR_FILE, ERR_ABORTED. */
export async function openUrl(url: URL, signal?: AbortSignal): Promise<Response | Uint8Array> {
  try {
    if (url.protocol === 'file:' && inNode()) {
      return await process.getBuiltinModule('node:fs').promises.readFile(url, signal ? { signal } : {});
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
