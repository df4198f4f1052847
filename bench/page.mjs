// The browser's side: does the job named in the address and posts the result to the server.
// In: ?id=… Out: POST /result?id=…

import { duel, solo } from './duel.mjs';

const id = new URLSearchParams(location.search).get('id');
const urls = {
  kinglet: new URL('/kinglet/', location.href).href,
  rivals: new URL('/rivals/', location.href).href,
  async read(path) {
    const response = await fetch(path);
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  },
};
let result;
try {
  const job = await (await fetch(`/job?id=${id}`)).json();
  result = await (job.solo ? solo : duel)(job, urls);
} catch (error) {
  result = { failed: String(error?.stack ?? error) };
}
await fetch(`/result?id=${id}`, { method: 'POST', body: JSON.stringify(result, (key, value) => (value === Infinity ? 'Infinity' : value)) });
