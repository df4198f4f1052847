// The script of a page for one engine, everything in one piece, as an application's bundler would make it.
// In: an engine's name and where things lie. Out: code for an inline module, and the files that it is made of.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rollup } from 'rollup';

const here = fileURLToPath(new URL('.', import.meta.url));

export async function bundlePage({ engine, fromPlan, dist, root, rivals }) {
  const name = engine.split(' ')[0];
  const { libraryOf } = await import(`./engines/${name}.mjs`);
  const places = { kinglet: `${dist}/`, rivals: `${rivals}/` };
  const entry = `
    import * as library from ${JSON.stringify(libraryOf({ urls: places, fromPlan, where: 'chromium' }))};
    import { start } from ${JSON.stringify(join(here, `engines/${name}.mjs`))};
    import { solo } from ${JSON.stringify(join(here, 'solo.mjs'))};
    import { report } from ${JSON.stringify(join(here, 'report-to-server.mjs'))};
    report((job, urls) => solo(job, urls, library, start));`;
  const require = createRequire(join(root, 'package.json'));
  const rivalRequire = createRequire(join(rivals, 'package.json'));
  const bundle = await rollup({
    input: 'entry', external: [/^node:/], onwarn: () => undefined,
    plugins: [{
      name: 'bench',
      resolveId: (id) => (id === 'entry' ? id : /^[./]/.test(id) || id.startsWith('node:') ? null : esModule(id.startsWith('@') ? rivalRequire : require, id)),
      load: (id) => (id === 'entry' ? entry : null),
    }],
  });
  const { output: [chunk] } = await bundle.generate({ format: 'es', inlineDynamicImports: true });
  return { code: chunk.code, files: chunk.moduleIds.filter((id) => id !== 'entry' && !id.startsWith(here) || id.startsWith(rivals)) };
}

/** The ES module of a package, where Node would take its CommonJS. */
function esModule(require, id) {
  const folder = require.resolve.paths(id).map((path) => join(path, id)).find((path) => existsSync(path));
  const { module, main, exports } = require(join(folder, 'package.json'));
  return join(folder, module ?? exports?.['.']?.import?.default ?? exports?.['.']?.import ?? main ?? exports);
}
