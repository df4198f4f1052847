// A deployed page or folder: whether kinglet's wasm files are found there and served well. In: an address. Out: findings.
// Follows scripts of the same origin only, runs nothing of what it finds, and stops at the bounds below.

import { ABI_VERSION } from '../../assembly/abi.ts';
import { KingletError } from '../error.ts';
import { printable } from '../plain-text.ts';
import { BoundedFetcher, type Bounds, type Fetched } from './fetch-bounded.ts';
import { failure, ok, warning, type Finding } from './finding.ts';
import { embeds, examineIsolation, examinePolicy } from './page-headers.ts';
import { abiVersionOf, isWasm } from './wasm-file.ts';

export const siteBounds: Bounds = { bytes: 4_000_000, requests: 60, milliseconds: 30_000 };
/** How kinglet/inline begins its embedded files: gzip in base64. */
const EMBEDDED = /["'`]H4sI[A-Za-z0-9+/]{1000}/;

/** Throws ERR_FILE when nothing answers at the address. */
export async function examineSite(address: URL, bounds = siteBounds): Promise<Finding[]> {
  const fetcher = new BoundedFetcher(bounds);
  const start = await fetcher.fetch(address).catch((cause: unknown) => {
    throw new KingletError('ERR_FILE', `nothing answers at ${address.href}: ${reasonOf(cause)}`, { cause, hint: 'Check the address and whether the server runs.' });
  });
  const text = new TextDecoder().decode(start.bytes);
  const isPage = /^text\/html\b/i.test(start.headers.get('Content-Type') ?? '');
  const page = isPage && start.status < 400 ? [ok('page', `${start.url.href} answers ${start.status}`), examineIsolation(start.headers), ...examinePolicy(start.headers, text)] : [];
  const { wasm, scripts, worker, embedded } = await follow(fetcher, start, text);
  if (wasm.size === 0 && !embedded && start.url.pathname.endsWith('/')) {
    for (const build of ['simd', 'relaxed']) wasm.add(new URL(`kinglet.${build}.wasm`, start.url).href);
  }
  if (wasm.size === 0) return [...page, embedded ? ok('wasm', 'embedded in a script: nothing else is fetched') : notFound(scripts)];
  const files = await Promise.all([...wasm].slice(0, 8).map((href) => examineFile(fetcher, new URL(href), start.url)));
  return [...page, ...(worker ? [examineWorker(worker, start)] : []), ...files.flat()];
}

function notFound(scripts: number): Finding {
  return failure('wasm', `none of ${scripts} scripts of this origin names a kinglet .wasm file`,
    'Give the address of the folder that holds the .wasm files, ending in "/", or of the script that imports kinglet.');
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown error';
  return printable(cause.cause instanceof Error ? cause.cause.message || cause.message : cause.message, 120);
}

/** Everything in quotes that ends like a script or a wasm file, and unquoted src attributes. Lengths are bounded: the text is hostile. */
function references(text: string): string[] {
  const quoted = [...text.matchAll(/["'`]([^"'`\s]{1,200}\.(?:m?js|wasm))(?:\?[^"'`\s]{0,100})?["'`]/g)].map(([, path]) => path);
  const bare = [...text.matchAll(/\bsrc=([^\s"'>]{1,200}\.m?js)\b/g)].map(([, path]) => path);
  return [...quoted, ...bare];
}

interface Followed {
  readonly wasm: Set<string>;
  readonly scripts: number;
  /** The threads' script, or why it cannot be fetched. */
  readonly worker: Fetched | string | null;
  readonly embedded: boolean;
}

/** Breadth first from the page, through every script of the same origin. */
async function follow(fetcher: BoundedFetcher, start: Fetched, text: string): Promise<Followed> {
  const wasm = new Set<string>(), scripts = new Set<string>([start.url.href]);
  const queue: { readonly base: URL; readonly text: string }[] = [{ base: start.url, text }];
  let embedded = false, worker: Fetched | string | null = null;
  for (let next = queue.shift(); next; next = queue.shift()) {
    embedded ||= EMBEDDED.test(next.text);
    for (const path of references(next.text)) {
      const url = resolved(path, next.base);
      if (url?.origin !== start.url.origin) continue;
      if (url.pathname.endsWith('.wasm')) {
        if (/kinglet/i.test(url.pathname)) wasm.add(url.href);
      } else if (!scripts.has(url.href) && fetcher.mayAsk) {
        scripts.add(url.href);
        const script = await fetcher.fetch(url).catch(reasonOf);
        if (/kinglet-worker/.test(url.pathname)) worker = script;
        if (typeof script !== 'string' && script.status < 400) queue.push({ base: script.url, text: new TextDecoder().decode(script.bytes) });
      }
    }
  }
  return { wasm, scripts: scripts.size, worker, embedded };
}

function resolved(path: string, base: URL): URL | null {
  try {
    return new URL(path, base);
  } catch {
    return null;
  }
}

function examineWorker(worker: Fetched | string, page: Fetched): Finding {
  const topic = 'kinglet-worker.js';
  if (typeof worker === 'string' || worker.status >= 400) {
    return warning(topic, `cannot be fetched (${typeof worker === 'string' ? worker : worker.status}): networks run on one thread`, 'Serve it beside the script that imports kinglet.');
  }
  if (!embeds(page.headers) || embeds(worker.headers)) return ok(topic, 'is there, for threads');
  return failure(topic, 'lacks Cross-Origin-Embedder-Policy: an isolated page does not start it', 'Send Cross-Origin-Embedder-Policy: require-corp with it too.');
}

async function examineFile(fetcher: BoundedFetcher, url: URL, page: URL): Promise<Finding[]> {
  const topic = printable(url.href.replace(page.origin, ''), 120);
  const file = await fetcher.fetch(url).catch((cause: unknown) => reasonOf(cause));
  const deploy = "Serve the .wasm files of kinglet's dist/ there, as they are.";
  if (typeof file === 'string') return [failure(topic, `cannot be fetched: ${file}`, deploy)];
  if (file.status !== 200) return [failure(topic, `the server answers ${file.status}`, deploy)];
  if (!isWasm(file.bytes)) return [failure(topic, `${file.bytes.length === 0 ? 'an empty file' : 'something else'} comes instead of a wasm file`, deploy)];
  return [...examineContent(topic, file), examineType(topic, file), examineCompression(topic, file), examineCaching(topic, file)];
}

function examineContent(topic: string, { bytes, cut }: Fetched): Finding[] {
  const abi = cut ? null : abiVersionOf(bytes);
  if (abi === null) return [failure(topic, 'is no executor of kinglet, or was cut off', 'Deploy it again.')];
  if (abi === ABI_VERSION) return [ok(topic, `${bytes.length} bytes, plan version ${abi}, as this kinglet's`)];
  return [failure(topic, `speaks plan version ${abi}, this kinglet ${ABI_VERSION}`, 'Deploy JavaScript, .wasm files and plans of one version.')];
}

function examineType(topic: string, { headers }: Fetched): Finding {
  const type = headers.get('Content-Type')?.toLowerCase() ?? 'missing';
  if (type === 'application/wasm') return ok(topic, 'Content-Type is application/wasm');
  return warning(topic, `Content-Type is ${printable(type, 60)}: it works, but is compiled only after it has arrived`, 'Serve it as application/wasm.');
}

function examineCompression(topic: string, { headers, bytes }: Fetched): Finding {
  const coding = headers.get('Content-Encoding');
  if (coding && coding !== 'identity') return ok(topic, `travels compressed (${printable(coding, 20)})`);
  return warning(topic, `travels uncompressed, ${bytes.length} bytes`, 'Compress it with gzip or brotli: less than half remains.');
}

/** The name never changes, unless a bundler put a hash into it. */
function examineCaching(topic: string, { headers, url }: Fetched): Finding {
  const control = headers.get('Cache-Control')?.toLowerCase() ?? '';
  const age = Number(/max-age=(\d{1,10})/.exec(control)?.[1] ?? 0);
  const fixedName = /\/kinglet(-[a-z]+)?\.(simd|relaxed)\.wasm$/.test(url.pathname);
  if (control.includes('no-store')) return warning(topic, 'is never cached (no-store)', 'Allow caching: Cache-Control: no-cache with an ETag asks only whether it changed.');
  if (fixedName && age > 86_400) return warning(topic, `is cached for ${Math.round(age / 86_400)} days under a name that never changes`, 'After an update pages may get the old file: use no-cache with an ETag, or a folder with the version in its name.');
  if (age > 0 || headers.has('ETag') || headers.has('Last-Modified')) return ok(topic, 'can be cached');
  return warning(topic, 'cannot be cached: no max-age, no ETag, no Last-Modified', 'Let the server send an ETag.');
}
