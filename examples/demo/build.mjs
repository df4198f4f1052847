// Makes the demo's folder of static files, examples/demo/build. Run after `npm run build`.
// In: build/ (compiled by tsc), this folder, a network and a photo from two npm packages. Out: files that any server can serve.

import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rollup } from 'rollup';
import { minify } from 'terser';
import { contentSecurityPolicy } from './policy.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');
const compiled = join(root, 'build/examples/demo');
const { resolve: find } = createRequire(import.meta.url);
export const folder = join(here, 'build');

/** The importers' packages, by their ES modules. The others decode photo files, which the browser does for this page. */
const importers = { pbf: 'pbf/index.js', flatbuffers: 'flatbuffers/mjs/flatbuffers.js' };
const packages = { name: 'packages', resolveId: (id) => (id in importers ? join(root, 'node_modules', importers[id]) : null) };
const small = {
  name: 'small',
  renderChunk: async (code) => {
    const { code: text } = await minify(code, { module: true, ecma: 2020, keep_classnames: true, compress: { passes: 2 }, format: { comments: false } });
    return { code: text, map: null };
  },
};

/** One entry as one file; `define` gives free names their values. */
async function bundle(input, { from = compiled, define = {} } = {}) {
  const defined = {
    name: 'defined',
    renderChunk: (code) => ({ code: Object.entries(define).reduce((text, [name, value]) => text.replaceAll(name, () => JSON.stringify(value)), code), map: null }),
  };
  const built = await rollup({ input: join(from, input), plugins: [packages], external: [/^node:/, 'fast-png', 'jpeg-js'], treeshake: 'smallest' });
  const { output: [chunk] } = await built.write({ file: join(folder, input), format: 'es', inlineDynamicImports: true, plugins: [defined, small] });
  await built.close();
  if (chunk.imports.length > 0) throw new Error(`${input} still imports ${chunk.imports.join(', ')}`);
}

export async function buildDemo() {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  await bundle('main.js');
  await bundle('network-worker.js');
  await bundle('kinglet-worker.js', { from: join(root, 'build/host') }); // kinglet's own, for threads
  for (const name of readdirSync(join(root, 'build/host')).filter((file) => file.endsWith('.wasm'))) cpSync(join(root, 'build/host', name), join(folder, name));
  for (const name of ['style.css', 'icon.svg', 'manifest.webmanifest']) cpSync(join(here, name), join(folder, name));
  cpSync(resolve(dirname(find('@mediapipe/face_detection/package.json')), 'face_detection_short_range.tflite'), join(folder, 'face_detection_short_range.tflite'));
  cpSync(resolve(dirname(find('@vladmandic/face-api/package.json')), 'demo/sample6.jpg'), join(folder, 'sample.jpg'));
  writeFileSync(join(folder, 'index.html'), readFileSync(join(here, 'index.html'), 'utf8').replace('%CSP%', contentSecurityPolicy));
  const files = readdirSync(folder).sort();
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(readFileSync(join(folder, file)));
  await bundle('service-worker.js', { define: { DEMO_FILES: ['./', ...files], DEMO_VERSION: hash.digest('hex').slice(0, 16) } });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildDemo();
  console.log(`${folder}: static files for any server`);
}
