// Bundles tsc's output into dist/: one ES module per entry, shared chunks and both executors beside them, so that the literal
// `new URL('./kinglet.simd.wasm', import.meta.url)` holds in build/host/ (tests) and in dist/ (what people install).
import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { minify } from 'terser';

const executors = {
  name: 'executors',
  generateBundle() {
    rmSync('dist', { recursive: true, force: true }); // what an older build left would be packed too
    for (const build of ['simd', 'relaxed']) {
      const fileName = `kinglet.${build}.wasm`;
      this.emitFile({ type: 'asset', fileName, source: readFileSync(`build/host/${fileName}`) });
    }
  },
};

/** abi.ts's constants as constants of each module that names them: shared between chunks they would cost twice their own size in exports. */
const constants = {
  name: 'constants',
  async buildStart() { this.abi = await import(`./build/assembly/abi.js?${Date.now()}`); },
  transform(code) {
    const literal = (name) => {
      if (!(name in this.abi)) this.error(`abi.ts has no ${name}`);
      return `${name} = ${this.abi[name]}`;
    };
    return { map: null, code: code
      .replace(/^import \{([^}]+)\} from "[./]+\/assembly\/abi\.js";$/gm, (_, names) => `const ${names.split(',').map((n) => n.trim()).filter(Boolean).map(literal).join(', ')};`)
      .replace(/^import \* as abi from "[./]+\/assembly\/abi\.js";$/gm, () =>
        `const ${[...new Set(Array.from(code.matchAll(/\babi\.([A-Z0-9_]+)\b/g), (m) => m[1]))].map((n) => `abi_${literal(n)}`).join(', ')};`)
      .replace(/\babi\.([A-Z0-9_]+)\b/g, 'abi_$1') };
  },
};

/** Pages load dist/ as it is: nobody else will make it small. Names that callers see (exports, properties, classes) stay. */
const minified = {
  name: 'minified',
  renderChunk: async (code) => {
    const { code: small } = await minify(code, { module: true, ecma: 2020, keep_classnames: true, compress: { passes: 2 }, format: { comments: false } });
    return { code: small, map: null };
  },
};

const command = {
  name: 'command',
  renderChunk: (code, chunk) => (chunk.isEntry && chunk.name === 'cli' ? { code: `#!/usr/bin/env node\n${code}`, map: null } : null),
  writeBundle: () => { chmodSync('dist/cli.js', 0o755); },
};

/** kinglet/inline: the executors' bytes in the place of the module that would fetch them. */
const embedded = {
  name: 'embedded',
  load(id) {
    if (id !== resolve('build/host/wasm-files.js')) return null;
    const packed = (build) => JSON.stringify(gzipSync(readFileSync(`build/host/kinglet.${build}.wasm`), { level: 9 }).toString('base64'));
    return `import { unpackFile } from './embedded-file.js';
      const files = { simd: ${packed('simd')}, relaxed: ${packed('relaxed')} };
      export const kernelFile = (build) => unpackFile(files[build]);`;
  },
};

/**
 * A page waits for few requests and for nothing that it does not use: what kinglet/run needs is one file, what every importer needs
 * another, and each importer a third. In this order, because each needs what the ones before hold.
 */
const chunks = { run: ['run'], core: ['load-model', 'import/import-with'], onnx: ['import/onnx/import'], tflite: ['import/tflite/import'] };
function chunkOf(id, { getModuleInfo }) {
  const reaches = (module, seen = new Set()) => {
    if (!seen.has(module)) {
      seen.add(module);
      getModuleInfo(module).importedIds.forEach((next) => reaches(next, seen));
    }
    return seen;
  };
  return Object.keys(chunks).find((name) => chunks[name].some((root) => reaches(resolve(`build/host/${root}.js`)).has(id)));
}

const entries = {
  input: {
    index: 'build/host/index.js',
    run: 'build/host/run.js',
    onnx: 'build/host/onnx.js',
    tflite: 'build/host/tflite.js',
    compile: 'build/host/compile.js',
    image: 'build/host/image/index.js',
    tasks: 'build/host/tasks/index.js',
    models: 'build/models/zoo.js',
    cli: 'build/host/cli/cli.js',
  },
  external: [/^node:/, 'commander', 'fast-png', 'flatbuffers', 'jpeg-js', 'pbf'],
  output: { dir: 'dist', format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunk-[name].js', manualChunks: chunkOf },
  plugins: [constants, executors, minified, command],
};
const inline = { input: 'build/host/inline.js', output: { file: 'dist/inline.js', format: 'es' }, plugins: [constants, embedded, minified] };

export default [entries, inline];
