// Serves examples/demo/build on the loopback address. Usage: node examples/demo/serve.mjs [--port N] [--no-isolation]
// Without isolation (the COOP and COEP headers) the page runs on one thread, as on a host that does not send them.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { contentSecurityPolicy } from './policy.mjs';

const built = join(dirname(fileURLToPath(import.meta.url)), 'build');
const types = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm', '.svg': 'image/svg+xml',
  '.jpg': 'image/jpeg', '.webmanifest': 'application/manifest+json', '.tflite': 'application/octet-stream',
};
const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/** Resolves to the page's address and a way to stop. Port 0: any free one. */
export async function serveDemo({ port = 0, isolated = true, folder = built } = {}) {
  const headers = {
    'Content-Security-Policy': contentSecurityPolicy, 'Cross-Origin-Resource-Policy': 'same-origin', 'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-cache', ...(isolated ? isolation : {}),
  };
  const server = createServer((request, response) => {
    const name = new URL(request.url, 'http://localhost').pathname.slice(1) || 'index.html';
    const isPlain = /^[A-Za-z0-9_.-]+$/.test(name) && !name.startsWith('.');
    readFile(join(folder, isPlain ? name : '.')).then(
      (bytes) => { response.writeHead(200, { ...headers, 'Content-Type': types[extname(name)] ?? 'application/octet-stream' }).end(bytes); },
      () => { response.writeHead(404, headers).end('not here'); },
    );
  });
  await new Promise((resolve, reject) => { server.once('error', reject).listen(port, '127.0.0.1', resolve); });
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    stop: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { port: { type: 'string', default: '8080' }, 'no-isolation': { type: 'boolean', default: false } } });
  const { url } = await serveDemo({ port: Number(values.port), isolated: !values['no-isolation'] });
  console.log(`the demo: ${url} (end with Ctrl+C)`);
}
