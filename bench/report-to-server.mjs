// The browser's side of a job: reads it from the page, does it and posts the result to the server.
// In: what to do with (job, urls). Out: POST /result?id=…

const scriptMs = performance.now(); // what the browser needed before any engine could begin

export async function report(work) {
  const id = new URLSearchParams(location.search).get('id');
  const urls = {
    kinglet: new URL('/kinglet/', location.href).href,
    rivals: new URL('/rivals/', location.href).href,
    open: (path) => (globalThis.early?.path === path ? globalThis.early.response : fetch(path)),
  };
  let result;
  try {
    result = { ...await work(JSON.parse(document.getElementById('job').textContent), urls), scriptMs };
  } catch (error) {
    result = { failed: String(error?.stack ?? error) };
  }
  await fetch(`/result?id=${id}`, { method: 'POST', body: JSON.stringify(result, (key, value) => (value === Infinity ? 'Infinity' : value)) });
}
