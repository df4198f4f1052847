// A static server on the loopback address, and a mailbox for jobs and results.
// In: folders by prefix. Out: { post(job), close }. Nothing outside the folders is served. Files are read once: the disk is nobody's handicap.

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { join, normalize, sep } from 'node:path';

const types = { html: 'text/html', js: 'text/javascript', mjs: 'text/javascript', wasm: 'application/wasm', json: 'application/json' };
const embedder = { 'Cross-Origin-Embedder-Policy': 'require-corp' };
const headers = { 'Cross-Origin-Resource-Policy': 'same-origin', 'Cache-Control': 'no-store' };
/** Threads and a precise clock need an isolated page, and that a process of its own: pages that start one engine from nothing are plain. */
const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', ...embedder };

/**
 * A page that holds its job. One for a lone engine also has its script and, as a well-built page does, asks for the model and the
 * engine's WebAssembly before anything else (preloading begins some 10 ms before the first script runs): only the engines' own start is compared.
 */
const html = ({ job, page: { script, model, fetches = [] } }) => `<!doctype html>
<meta charset="utf-8">
<title>bench</title>
<link rel="icon" href="data:,">
<script type="importmap">{ "imports": { "pbf": "/packages/pbf/index.js", "flatbuffers": "/packages/flatbuffers/mjs/flatbuffers.js",
  "@litertjs/wasm-utils": "/rivals/@litertjs/wasm-utils/dist/index.js" } }</script>
${[model, ...fetches].filter(Boolean).map((path) => `<link rel="preload" as="fetch" crossorigin href="${path}">`).join('\n')}
${model ? `<script>globalThis.early = { path: "${model}", response: fetch("${model}") };</script>` : ''}
<script type="application/json" id="job">${JSON.stringify(job).replaceAll('<', '\\u003c')}</script>
${script ? `<script type="module">${script.replaceAll('</script', '<\\/script')}</script>` : '<script type="module" src="/bench/page.mjs"></script>'}
`;

export async function serve(folders) {
  const jobs = new Map();
  const contents = new Map();
  const server = createServer((request, response) => {
    answer(request, response).catch((error) => { response.writeHead(404, headers).end(String(error.message)); });
  });
  async function answer(request, response) {
    const url = new URL(request.url, 'http://localhost');
    const job = jobs.get(url.searchParams.get('id'));
    if (url.pathname === '/page') {
      response.writeHead(200, { ...headers, ...(job.job.solo ? {} : isolation), 'Content-Type': types.html }).end(html(job));
    } else if (url.pathname === '/result') {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      response.writeHead(204, headers).end();
      job.done(JSON.parse(Buffer.concat(chunks).toString()));
    } else {
      const file = locate(folders, decodeURIComponent(url.pathname));
      const bytes = contents.get(file) ?? await readFile(file);
      contents.set(file, bytes);
      for (const open of jobs.values()) open.files.add(file);
      // Without the embedder's policy an isolated page may not start a script as its worker.
      response.writeHead(200, { ...headers, ...embedder, 'Content-Type': types[file.split('.').pop()] ?? 'application/octet-stream', 'Content-Length': bytes.length }).end(bytes);
    }
  }
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const origin = `http://127.0.0.1:${server.address().port}`;
  let count = 0;
  return {
    /** A page address that does the job, a promise of its result, and the files that were asked for while it ran. */
    post(job, page = {}) {
      const id = String(++count);
      const files = new Set();
      const result = new Promise((resolve) => { jobs.set(id, { job, page, files, done: (value) => { jobs.delete(id); resolve(value); } }); });
      return { url: `${origin}/page?id=${id}`, result, files };
    },
    close: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }),
  };
}

function locate(folders, path) {
  for (const [prefix, folder] of Object.entries(folders)) {
    if (!path.startsWith(prefix)) continue;
    const file = normalize(join(folder, path.slice(prefix.length)));
    if (file.startsWith(normalize(folder + sep))) return file;
  }
  throw new Error(`nothing at ${path}`);
}
