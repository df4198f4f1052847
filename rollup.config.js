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
    for (const build of ['kinglet.simd', 'kinglet.relaxed', 'kinglet-threads.simd', 'kinglet-threads.relaxed',
      'kinglet-cmd.simd', 'kinglet-cmd.relaxed', 'kinglet-embed.simd', 'kinglet-embed.relaxed']) {
      const fileName = `${build}.wasm`;
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
    const { code: small } = await minify(code, { module: true, ecma: 2020, keep_classnames: /^(KingletError|Model)$/, compress: { passes: 2 }, format: { comments: false } });
    return { code: small, map: null };
  },
};

const command = {
  name: 'command',
  renderChunk: (code, chunk) => (chunk.isEntry && chunk.name === 'cli' ? { code: `#!/usr/bin/env node\n${code}`, map: null } : null),
  writeBundle: () => { chmodSync('dist/cli.js', 0o755); },
};

/** kinglet/inline: the executors' bytes in the place of the module that would fetch them, and nothing of threads. */
const embedded = {
  name: 'embedded',
  load(id) {
    if (id === resolve('build/host/threads/join-team.js')) return 'export const joinTeam = null;';
    if (id !== resolve('build/host/wasm-files.js')) return null;
    const packed = (build) => JSON.stringify(gzipSync(readFileSync(`build/host/kinglet.${build}.wasm`), { level: 9 }).toString('base64'));
    return `import { unpackFile } from './embedded-file.js';
      const files = { simd: ${packed('simd')}, relaxed: ${packed('relaxed')} };
      export const workersBeside = false;
      export const kernelFile = (build) => unpackFile(files[build]);`;
  },
};

/**
 * A page waits for few requests and downloads nothing that it does not use: one file holds what kinglet/run needs, one more what both
 * importers need, and each importer has a third.
 */
function chunkOf(id, { getModuleInfo }) {
  const needs = (file, seen = new Set()) => {
    const visit = (module) => {
      if (seen.has(module)) return;
      seen.add(module);
      getModuleInfo(module).importedIds.forEach(visit);
    };
    visit(resolve(`build/host/${file}.js`));
    return seen.has(id);
  };
  if (needs('run')) return 'run';
  const [onnx, tflite] = [needs('import/onnx/import'), needs('import/tflite/import')];
  if (needs('load-model') || needs('import/import-with') || (onnx && tflite)) return 'core';
  return onnx ? 'onnx' : tflite ? 'tflite' : undefined;
}

const entries = {
  input: {
    index: 'build/host/index.js',
    run: 'build/host/run.js',
    'kinglet-worker': 'build/host/kinglet-worker.js', // beside other people's workers when they copy it
    onnx: 'build/host/onnx.js',
    tflite: 'build/host/tflite.js',
    webgpu: 'build/host/webgpu.js',
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
const inline = { input: 'build/host/inline.js', output: { file: 'dist/inline.js', format: 'es', inlineDynamicImports: true }, plugins: [constants, embedded, minified] };

export default [entries, inline];
