// Guards the hot loops of the tile kernels against vector registers that V8 keeps on the stack.
// In: an x64 node binary (Node 24) as argument, build/host/kinglet.*.wasm. Out: a line for each kernel; exit 1 when one spills more
// than it may. A hot loop is the innermost loop with the densest multiplications; names come from the modules' exports.
// A kernel that is not listed may not spill at all. docs/kernels.md tells why the listed ones do.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const KERNEL = /^(f32|qs8)_/;
const builds = {
  relaxed: {
    allowed: { qs8_dwconv_x4: 2, qs8_dwconv_3s1: 36, qs8_dwconv_dot_3s1: 45, qs8_dwconv_dot_3s2: 19 },
    notRun: /^$/,
  },
  simd: {
    allowed: { qs8_dwconv_x4: 2, qs8_dwconv_3s1: 36 },
    // Chosen only where relaxed SIMD exists; compiled here to nothing useful.
    notRun: /_6x8|_dot_|^qs8_gemm_1x8$/,
  },
};

const [node = process.execPath] = process.argv.slice(2);
let failed = 0;
for (const [build, { allowed, notRun }] of Object.entries(builds)) {
  const file = `build/host/kinglet.${build}.wasm`;
  const loops = hotLoops(file);
  const names = [...loops.keys()].filter((name) => KERNEL.test(name) && !notRun.test(name)).sort();
  if (names.length === 0) report(build, 'no kernel was found in the machine code');
  for (const stale of Object.keys(allowed).filter((name) => !loops.has(name))) report(build, `${stale} is listed but not exported`);
  for (const name of names) {
    const loop = loops.get(name);
    const most = allowed[name] ?? 0;
    const spills = loop.filter(isSpill).length;
    const text = `${name}: ${loop.length} instructions, ${loop.filter(isMultiply).length} multiplications, ${spills} vector spills`;
    if (spills > most) report(build, `${text}, allowed ${most}`);
    else console.log(`${build}: ${text}`);
  }
}
console.log(failed === 0 ? 'no spills beyond the allowed ones' : `${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

function report(build, text) {
  failed++;
  console.log(`${build}: FAILED: ${text}`);
}

function isMultiply(text) { return /^v?(mulp[sd]|fn?m(add|sub)\d|pmadd|pdp|pmull)/.test(text); }
function isSpill(text) { return /[xy]mm/.test(text) && /\[r[bs]p[-+]/.test(text); }

/** Exported name → instructions of its hot loop, from the optimising compiler's machine code. */
function hotLoops(file) {
  const code = `new WebAssembly.Module(require('node:fs').readFileSync(${JSON.stringify(file)}))`;
  const flags = ['--no-liftoff', '--no-wasm-lazy-compilation', '--print-wasm-code', '-e', code];
  const { stdout, status } = spawnSync(node, flags, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`${node} ended with status ${status}`);
  const names = exportedFunctions(readFileSync(file));
  const loops = new Map();
  for (const text of stdout.split('--- WebAssembly code ---').slice(1)) {
    const name = names.get(Number(/index: (\d+)/.exec(text)?.[1]));
    if (name !== undefined) loops.set(name, hotLoop(text));
  }
  return loops;
}

function hotLoop(text) {
  const lines = [...text.matchAll(/^(0x[0-9a-f]+) +[0-9a-f]+ +[0-9a-f]+ +(.*)$/gm)].map(([, at, what]) => ({ at: Number(at), what }));
  const loops = lines.flatMap(({ at, what }) => {
    const target = Number(/^j\w+ (0x[0-9a-f]+)/.exec(what)?.[1]);
    return target <= at ? [{ from: target, to: at }] : [];
  });
  const innermost = loops.filter((a) => !loops.some((b) => b !== a && b.from >= a.from && b.to <= a.to));
  const bodies = innermost.map(({ from, to }) => lines.filter((l) => l.at >= from && l.at <= to).map((l) => l.what));
  const density = (body) => body.filter(isMultiply).length / body.length;
  return bodies.sort((a, b) => density(b) - density(a))[0] ?? [];
}

/** Function index → export name. */
function exportedFunctions(bytes) {
  const names = new Map();
  let p = 8;
  const number = () => {
    let value = 0, shift = 0, byte;
    do { byte = bytes[p++]; value |= (byte & 127) << shift; shift += 7; } while (byte & 128);
    return value >>> 0;
  };
  while (p < bytes.length) {
    const id = bytes[p++], size = number(), end = p + size;
    if (id === 7) {
      for (let left = number(); left > 0; left--) {
        const length = number();
        const name = bytes.toString('utf8', p, p += length);
        const kind = bytes[p++], index = number();
        if (kind === 0) names.set(index, name);
      }
    }
    p = end;
  }
  return names;
}
