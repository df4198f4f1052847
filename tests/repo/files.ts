// The repository's own files, for tests that hold it to its rules.

import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../../', import.meta.url));
const NOT_OURS = new Set(['node_modules', 'build', 'dist', '.git', '.env']);

/** Paths relative to the root, with "/" between folders. */
export function filesUnder(folder = '.'): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '.' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : filesUnder(path);
    return [path];
  });
}
export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** The opcodes' names in the order of their numbers: the block of abi.ts between "// Opcodes." and OPCODE_COUNT. */
export function opcodeNames(): string[] {
  const text = read('assembly/abi.ts');
  const block = text.slice(text.indexOf('// Opcodes.'), text.indexOf('export const OPCODE_COUNT'));
  return [...block.matchAll(/^export const ([A-Z0-9_]+) = \d+;/gm)].map(([, name]) => name);
}

export interface Import {
  readonly from: string;
  readonly to: string;
  /** Erased by the compiler: no dependency at run time. */
  readonly typeOnly: boolean;
}
/** Relative imports of the given TypeScript files. */
export function importsOf(files: readonly string[]): Import[] {
  const statement = /^(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'(\.[^']+)'/gm;
  return files.flatMap((from) => [...read(from).matchAll(statement)].map(([, type, specifier]) => (
    { from, to: normalize(join(dirname(from), specifier)).replaceAll('\\', '/'), typeOnly: type !== undefined })));
}
