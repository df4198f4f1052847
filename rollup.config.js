// Bundles tsc's output into dist/: one ES module per entry, shared chunks and both executors beside them, so that the literal
// `new URL('./kinglet.simd.wasm', import.meta.url)` holds in build/host/ (tests) and in dist/ (what people install).
import { chmodSync, readFileSync } from 'node:fs';

const executors = {
  name: 'executors',
  generateBundle() {
    for (const build of ['simd', 'relaxed']) {
      const fileName = `kinglet.${build}.wasm`;
      this.emitFile({ type: 'asset', fileName, source: readFileSync(`build/host/${fileName}`) });
    }
  },
};

const command = {
  name: 'command',
  renderChunk: (code, chunk) => (chunk.isEntry && chunk.name === 'cli' ? { code: `#!/usr/bin/env node\n${code}`, map: null } : null),
  writeBundle: () => { chmodSync('dist/cli.js', 0o755); },
};

export default {
  input: {
    index: 'build/host/index.js',
    run: 'build/host/run.js',
    compile: 'build/host/compile.js',
    image: 'build/host/image/index.js',
    tasks: 'build/host/tasks/index.js',
    cli: 'build/host/cli/cli.js',
  },
  external: [/^node:/, 'commander', 'fast-png', 'flatbuffers', 'jpeg-js', 'pbf'],
  output: { dir: 'dist', format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunk-[name].js' },
  plugins: [executors, command],
};
