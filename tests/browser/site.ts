// A site on the loopback address, as a deployment would serve it, and a log of what was asked for.
// In: files and folders by path. Out: an origin, the log, close(). Nothing outside the folders is served.
// /page.html is an empty page that runs one script: ?script=PATH, with ?isolated for COOP and COEP, with ?csp=NAME for a policy.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm', '.json': 'application/json',
};
const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
const policies = {
  /** As strict as a page with WebAssembly can be. */
  wasm: "default-src 'none'; connect-src 'self'; worker-src 'self'; script-src 'self' 'wasm-unsafe-eval'",
  /** Stricter: WebAssembly is forbidden. */
  none: "default-src 'none'; connect-src 'self'; script-src 'self'",
};

/** What is served at a path: a file's bytes, or whatever a test wants a broken server to do. */
export type Served = Uint8Array | ((request: IncomingMessage, response: ServerResponse) => void);

export interface Site {
  readonly origin: string;
  /** Paths in the order of their requests; tests may clear it. */
  readonly log: string[];
  /** Further things to serve; they win over folders. */
  readonly files: Map<string, Served>;
  page(script: string, options?: { readonly isolated?: boolean; readonly csp?: keyof typeof policies }): string;
  close(): Promise<void>;
}

/** Folders by prefix ("/kinglet/" → dist). */
export async function serveSite(folders: Readonly<Record<string, string>>): Promise<Site> {
  const log: string[] = [];
  const files = new Map<string, Served>();
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => { response.writeHead(404, { 'Content-Type': 'text/plain' }).end(String(error)); });
  });
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const path = decodeURIComponent(url.pathname);
    log.push(path);
    if (path === '/page.html') {
      sendPage(url.searchParams, response);
      return;
    }
    const served = files.get(path);
    if (typeof served === 'function') served(request, response);
    else send(response, path, served ?? await readFile(locate(folders, path)));
  }
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin, log, files,
    page: (script, options = {}) => `${origin}/page.html?script=${script}${options.isolated ? '&isolated' : ''}${options.csp ? `&csp=${options.csp}` : ''}`,
    close: () => new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => { resolve(); });
    }),
  };
}

/** COEP stands on every file, because an isolated page starts workers only from scripts that have it; and pages that are files are isolated. */
function send(response: ServerResponse, path: string, bytes: Uint8Array): void {
  response.writeHead(200, {
    'Content-Type': types[extname(path)] ?? 'application/octet-stream', 'Content-Length': bytes.length,
    ...isolation, 'Cache-Control': 'no-store',
  });
  response.end(bytes);
}

function sendPage(options: URLSearchParams, response: ServerResponse): void {
  const policy = options.get('csp') as keyof typeof policies | null;
  const headers = { 'Content-Type': 'text/html', ...(options.has('isolated') ? isolation : {}), ...(policy ? { 'Content-Security-Policy': policies[policy] } : {}) };
  const script = options.get('script') ?? '';
  response.writeHead(200, headers).end(`<!doctype html><meta charset="utf-8"><title>test</title><link rel="icon" href="data:,"><script type="module" src="${script}"></script>`);
}

function locate(folders: Readonly<Record<string, string>>, path: string): string {
  for (const [prefix, folder] of Object.entries(folders)) {
    if (!path.startsWith(prefix)) continue;
    const file = normalize(join(folder, path.slice(prefix.length)));
    if (file.startsWith(normalize(folder + sep))) return file;
  }
  throw new Error(`nothing at ${path}`);
}
