// The browser's side: does the job named in the address and posts the result to the server.
// In: ?id=… and the job in the document. Out: POST /result?id=…

import { duel, solo } from './duel.mjs';

const scriptMs = performance.now(); // what the browser needed before any engine could begin

const id = new URLSearchParams(location.search).get('id');
const urls = {
  kinglet: new URL('/kinglet/', location.href).href,
  rivals: new URL('/rivals/', location.href).href,
  open: (path) => (globalThis.early?.path === path ? globalThis.early.response : fetch(path)),
};
let result;
try {
  const job = JSON.parse(document.getElementById('job').textContent);
  result = { ...await (job.solo ? solo : duel)(job, urls), scriptMs };
} catch (error) {
  result = { failed: String(error?.stack ?? error) };
}
await fetch(`/result?id=${id}`, { method: 'POST', body: JSON.stringify(result, (key, value) => (value === Infinity ? 'Infinity' : value)) });
