// Keeps every file of the page, so that it works offline. In: the list and the version that the build writes in here.
// Out: answers from the one cache of that version; the caches of older ones go. A new version waits until the page asks for it.

/** What a service worker has and TypeScript's DOM library does not know. */
interface LastingEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface AskingEvent extends LastingEvent {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface Scope {
  readonly clients: { claim(): Promise<void> };
  readonly registration: { readonly scope: string };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', listener: (event: LastingEvent) => void): void;
  addEventListener(type: 'fetch', listener: (event: AskingEvent) => void): void;
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
}
declare const DEMO_FILES: readonly string[];
declare const DEMO_VERSION: string;

const scope = globalThis as unknown as Scope;
const PREFIX = 'kinglet-demo-';
const cacheName = `${PREFIX}${DEMO_VERSION}`;

async function fill(): Promise<void> {
  const cache = await caches.open(cacheName);
  await cache.addAll(DEMO_FILES.map((file) => new Request(new URL(file, scope.registration.scope), { cache: 'reload' })));
}

async function forgetOthers(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== cacheName).map((name) => caches.delete(name)));
  await scope.clients.claim();
}

/** A page that an older version serves keeps that version's files until it is reloaded. */
async function answer(request: Request): Promise<Response> {
  const cache = await caches.open(cacheName);
  return await cache.match(request, { ignoreSearch: request.mode === 'navigate' }) ?? fetch(request);
}

scope.addEventListener('install', (event) => { event.waitUntil(fill()); });
scope.addEventListener('activate', (event) => { event.waitUntil(forgetOthers()); });
scope.addEventListener('message', ({ data }) => { if (data === 'take over') void scope.skipWaiting(); });
scope.addEventListener('fetch', (event) => {
  if (event.request.method === 'GET' && event.request.url.startsWith(scope.registration.scope)) event.respondWith(answer(event.request));
});
