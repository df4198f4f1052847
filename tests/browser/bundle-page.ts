// The tests' page scripts, bundled as an application would bundle them: with the package from dist/, not with the files it is made of.
// In: scripts of page/. Out: a site with one file per script and the wasm files beside them.

import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build as bundle, type Plugin } from 'esbuild';
import { root } from '../repo/files.ts';
import { serveSite, type Site } from './site.ts';

/** `../../../host/run.js` and the like in a page script are the package's entries. */
const fromPackage: Plugin = {
  name: 'from-package',
  setup: (build) => {
    build.onResolve({ filter: /\/host\/(index|run|inline|onnx|tflite|webgpu|image\/index)\.js$/ }, ({ path }) => {
      const entry = path.replace(/^.*\/host\//, '').replace(/\/index\.js$/, '.js');
      return { path: join(root, 'dist', entry) };
    });
  },
};

async function bundlePages(...scripts: readonly string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'kinglet-pages-'));
  await bundle({
    entryPoints: scripts.map((script) => join(root, 'build', 'tests', 'browser', 'page', `${script}.js`)),
    bundle: true, format: 'esm', outdir: folder, plugins: [fromPackage], logLevel: 'warning',
    logOverride: { 'ignored-bare-import': 'silent' }, // dist/ lies in no node_modules here, where esbuild would not mention it
  });
  const dist = join(root, 'dist');
  for (const name of readdirSync(dist).filter((file) => file.endsWith('.wasm') || file === 'kinglet-worker.js')) copyFileSync(join(dist, name), join(folder, name));
  return folder;
}

/** The scripts at /NAME.js, the package as it is at /kinglet/, and what else is given. */
export async function servePages(scripts: readonly string[], folders: Readonly<Record<string, string>> = {}): Promise<Site> {
  const folder = await bundlePages(...scripts);
  const site = await serveSite({ ...folders, '/kinglet/': join(root, 'dist'), '/': folder });
  return { ...site, close: async () => {
    await site.close();
    rmSync(folder, { recursive: true, force: true });
  } };
}
