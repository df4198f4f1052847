// Files for the command. In: paths from the command line. Out: bytes, or whole files (never half-written ones).
// Must not know what the bytes mean.

import { lstat, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KingletError, quote } from '../error.ts';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file', EACCES: 'access is denied', EPERM: 'access is denied', EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is not a folder', ENOSPC: 'the disk is full', EROFS: 'the disk is read-only', ENAMETOOLONG: 'the name is too long',
};

export function fileError(verb: string, path: string, cause: unknown): KingletError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return new KingletError('ERR_FILE', `cannot ${verb} ${quote(path)}: ${reasons[code] ?? (code || 'the file system refused')}`, { cause });
}

/** The same error, saying which of several files it is about. */
export function aboutFile(path: string, error: unknown): unknown {
  if (!(error instanceof KingletError)) return error;
  return new KingletError(error.code, `${quote(path)}: ${error.message}`, { hint: error.hint, cause: error });
}

export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw fileError('read', path, cause);
  }
}

/** A text file's lines: labels, one a line. */
export async function readLines(path: string): Promise<string[]> {
  const lines = new TextDecoder().decode(await readBytes(path)).split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** Writes beside the target and renames, so that a reader sees the old file or the new one. Devices and pipes are written in place. */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const target = await lstat(path).catch(() => undefined);
    if (target && !target.isFile()) {
      await writeFile(path, bytes);
      return;
    }
    await writeFile(temporary, bytes, { flag: 'wx' });
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw fileError('write', path, cause);
  }
}
