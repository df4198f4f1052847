// kinglet-embed in this Node, in wasmtime and in wazero, behind one interface. In: a module's file. Out: what its exports answer.
// Foreign engines run in a process that reads a line and answers with one:
//   call NAME WORD...    repeat COUNT NAME WORD... (until the answer is not 0)    pages    write ADDRESS FILE    read ADDRESS LENGTH FILE
// An answer is a number, or "trap" and why. Must not know plans.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from './engines.ts';

/** Everything rejects where the module traps. */
export interface EmbedHost {
  call: (name: string, ...words: number[]) => Promise<number>;
  /** Calls until the answer is not 0, `count` times at most; the last answer. */
  repeat: (count: number, name: string, ...words: number[]) => Promise<number>;
  /** Memory size in pages of 64 KiB. */
  pages: () => Promise<number>;
  write: (address: number, bytes: Uint8Array) => Promise<void>;
  read: (address: number, length: number) => Promise<Uint8Array>;
  close: () => Promise<void>;
}

type Export = (...words: number[]) => number | undefined;

async function openHere(file: string): Promise<EmbedHost> {
  const module = await WebAssembly.compile(readFileSync(file));
  const { exports } = await WebAssembly.instantiate(module);
  const memory = exports['memory'] as WebAssembly.Memory;
  const repeat = (count: number, name: string, ...words: number[]): Promise<number> => {
    const named = exports[name] as Export;
    let answer = 0;
    while (count-- > 0 && answer === 0) answer = named(...words) ?? 0;
    return Promise.resolve(answer);
  };
  return {
    repeat, call: async (name, ...words) => repeat(1, name, ...words),
    pages: () => Promise.resolve(memory.buffer.byteLength / 65536),
    write: async (address, bytes) => { new Uint8Array(memory.buffer).set(bytes, address); return Promise.resolve(); },
    read: (address, length) => Promise.resolve(new Uint8Array(memory.buffer, address, length).slice()),
    close: () => Promise.resolve(),
  };
}

/** Promises ask one after the other: a caller awaits each. */
function openProcess(program: string, words: readonly string[]): EmbedHost {
  const folder = mkdtempSync(join(tmpdir(), 'kinglet-embed-')), file = join(folder, 'bytes');
  const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines: AsyncIterator<string, undefined> = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (...line: (string | number)[]): Promise<number> => {
    child.stdin.write(`${line.join(' ')}\n`);
    const { value = '', done } = await lines.next();
    if (done || !/^-?\d+$/.test(value)) throw new Error(`${line.join(' ')}: ${done ? 'the host ended' : value}`);
    return Number(value);
  };
  return {
    call: (name, ...numbers) => ask('call', name, ...numbers),
    repeat: (count, name, ...numbers) => ask('repeat', count, name, ...numbers),
    pages: () => ask('pages'),
    write: async (address, bytes) => { writeFileSync(file, bytes); await ask('write', address, file); },
    read: async (address, length) => { await ask('read', address, length, file); return new Uint8Array(readFileSync(file)); },
    close: () => new Promise((resolve) => {
      child.on('exit', () => { rmSync(folder, { recursive: true }); resolve(); });
      child.stdin.end();
    }),
  };
}

const python = process.env['KINGLET_WASMTIME_PYTHON'], wazero = process.env['KINGLET_WAZERO'];

/** The module as instantiated: _initialize was not called yet. */
export const embedHosts: readonly { readonly name: string; readonly skip: false | string; readonly open: (file: string) => Promise<EmbedHost> }[] = [
  { name: `node ${process.version}`, skip: false, open: openHere },
  { name: 'wasmtime', skip: python ? false : 'KINGLET_WASMTIME_PYTHON is not set', open: (file) => Promise.resolve(openProcess(python ?? '', [join(root, 'tests/wasi/embed-host.py'), file])) },
  { name: 'wazero', skip: wazero ? false : 'KINGLET_WAZERO is not set', open: (file) => Promise.resolve(openProcess(wazero ?? '', ['--embed', file])) },
];
