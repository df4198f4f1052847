// The engines that run kinglet-cmd here: this Node always, other ones, wasmtime and wazero where the environment names them.
//   KINGLET_NODES            node binaries, separated as in PATH
//   KINGLET_WASMTIME_PYTHON  a python that has the package wasmtime
//   KINGLET_WAZERO           tests/wasi/wazero, built

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
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
const others = (process.env['KINGLET_NODES'] ?? '').split(delimiter).filter(Boolean);

/** Relaxed SIMD is in V8 since Node 22. */
function nodeEngine(binary: string): Engine {
  const version = spawnSync(binary, ['--version'], { encoding: 'utf8' }).stdout.trim(), major = Number(version.slice(1).split('.')[0]);
  const command = [binary, '--no-warnings', join(root, 'build/tests/wasi/node-wasi.js')];
  return { name: `node ${version}`, builds: major >= 22 ? ['simd', 'relaxed'] : ['simd'], skip: false, command };
}

function versionOfWasmtime(binary: string): string {
  return spawnSync(binary, ['-c', 'from importlib.metadata import version; print(version("wasmtime"))'], { encoding: 'utf8' }).stdout.trim();
}
/** The one that tests/wasi/wazero pins. */
function versionOfWazero(): string {
  return /wazero v([\d.]+)/.exec(readFileSync(join(root, 'tests/wasi/wazero/go.mod'), 'utf8'))?.[1] ?? '';
}

export const engines: readonly Engine[] = [
  ...[process.execPath, ...others].map(nodeEngine),
  { name: `wasmtime ${python ? versionOfWasmtime(python) : ''}`.trim(), builds: ['simd', 'relaxed'], skip: python ? false : 'KINGLET_WASMTIME_PYTHON is not set', command: [python ?? '', join(root, 'scripts/wasmtime-run')] },
  { name: `wazero ${versionOfWazero()}`, builds: ['simd'], skip: wazero ? false : 'KINGLET_WAZERO is not set', command: [wazero ?? ''] },
];

export function programOf(build: Build): string {
  return join(root, `build/host/kinglet-cmd.${build}.wasm`);
}

export interface Setting {
  readonly folder: string;
  /** Granted folders; "." unless this says otherwise. */
  readonly dirs?: readonly string[];
  /** What stdin brings. */
  readonly input?: Uint8Array;
  /** The input comes through a pipe whose writer hands over so many bytes at a time. */
  readonly chunk?: number;
}

const WRITE_IN_CHUNKS = `
  const fs = require('node:fs'), bytes = fs.readFileSync(0), size = Number(process.argv[1]);
  for (let at = 0; at < bytes.length; at += size) fs.writeSync(1, bytes.subarray(at, at + size));`;

/** Runs a program in `folder`. */
export function runIn(engine: Engine, program: string, words: readonly string[], { folder, dirs = ['.'], input, chunk }: Setting): Result {
  const [file, ...before] = engine.command, all = [...before, ...dirs.flatMap((dir) => ['--dir', dir]), program, ...words];
  const [first, ...rest] = chunk === undefined ? [file, ...all]
    : ['sh', '-c', '"$0" -e "$1" "$2" | { shift 2; "$@"; }', process.execPath, WRITE_IN_CHUNKS, `${chunk}`, file, ...all];
  const { status, stdout, stderr } = spawnSync(first, rest,
    { cwd: folder, input: input ?? '', timeout: 120_000, maxBuffer: 2 ** 26, env: { ...process.env, KINGLET_WAZERO_CACHE: join(root, 'build/wazero-cache') } });
  return { code: status, out: stdout, err: stderr.toString() };
}
