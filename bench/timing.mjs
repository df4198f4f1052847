// What both kinds of measurement share. Runs in pages and in Node.

const sorted = (list) => [...list].sort((a, b) => a - b);
export const median = (list) => sorted(list)[list.length >> 1];
export const lowerQuartile = (list) => sorted(list)[list.length >> 2];
export const reason = (error) => String(error?.message ?? error).replace(/\s+/g, ' ').replaceAll('|', '/').slice(0, 200);

/** One timed inference: from a filled typed array to readable ones. Nothing is awaited that is not a promise. */
export async function timed(runner, arrays, samples) {
  const start = performance.now();
  const result = runner.run(arrays);
  if (typeof result.then === 'function') await result;
  samples.push(performance.now() - start);
}
