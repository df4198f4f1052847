// Runs a WASI program in this Node: node-wasi.js [--dir HOST[::GUEST]]... PROGRAM.wasm [WORD]...

import { readFileSync } from 'node:fs';
import { WASI } from 'node:wasi';

const words = process.argv.slice(2);
const preopens: Record<string, string> = {};
while (words[0] === '--dir') {
  const [host, guest = host] = words[1].split('::');
  preopens[guest] = host;
  words.splice(0, 2);
}
const wasi = new WASI({ version: 'preview1', args: words, preopens, returnOnExit: true });
const module = await WebAssembly.compile(readFileSync(words[0]));
process.exitCode = wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject() as WebAssembly.Imports));
