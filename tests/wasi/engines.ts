// The engines that run kinglet-cmd here: this Node always, wasmtime and wazero where the environment names them.
//   KINGLET_WASMTIME_PYTHON  a python that has the package wasmtime
//   KINGLET_WAZERO           tests/wasi/wazero, built

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../../', import.meta.url));
export type Build = 'simd' | 'relaxed';

export interface Engine {
  readonly name: string;
  readonly builds: readonly Build[];
  /** False: not skipped. */
  readonly skip: false | string;
  readonly command: readonly string[];
}
export interface Result {
  readonly code: number | null;
  readonly out: Buffer;
  readonly err: string;
}

const python = process.env['KINGLET_WASMTIME_PYTHON'], wazero = process.env['KINGLET_WAZERO'];
const major = Number(process.versions.node.split('.')[0]);

export const engines: readonly Engine[] = [
  { name: `node ${process.version}`, builds: major >= 22 ? ['simd', 'relaxed'] : ['simd'], skip: false, command: [process.execPath, '--no-warnings', join(root, 'build/tests/wasi/node-wasi.js')] },
  { name: 'wasmtime', builds: ['simd', 'relaxed'], skip: python ? false : 'KINGLET_WASMTIME_PYTHON is not set', command: [python ?? '', join(root, 'scripts/wasmtime-run')] },
  { name: 'wazero', builds: ['simd'], skip: wazero ? false : 'KINGLET_WAZERO is not set', command: [wazero ?? ''] },
];

export function programOf(build: Build): string {
  return join(root, `build/host/kinglet-cmd.${build}.wasm`);
}

/** Runs a program in `folder`, which is granted as "." unless `dirs` says otherwise. */
export function runIn(engine: Engine, program: string, words: readonly string[], { folder, dirs = ['.'], input }: { folder: string; dirs?: readonly string[]; input?: Uint8Array }): Result {
  const [file, ...before] = engine.command;
  const { status, stdout, stderr } = spawnSync(file, [...before, ...dirs.flatMap((dir) => ['--dir', dir]), program, ...words],
    { cwd: folder, input: input ?? '', timeout: 120_000, maxBuffer: 2 ** 26, env: { ...process.env, KINGLET_WAZERO_CACHE: join(root, 'build/wazero-cache') } });
  return { code: status, out: stdout, err: stderr.toString() };
}
