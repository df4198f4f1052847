// A file that travels inside JavaScript: gzip in base64, which a server's own compression cannot make much smaller.
// In: that text. Out: the file's bytes. Fetches nothing, so no CSP directive but 'wasm-unsafe-eval' matters.

/** Needs DecompressionStream: Node 18, Chrome 80, Firefox 113, Safari 16.4. */
export async function unpackFile(text: string): Promise<Uint8Array> {
  const packed = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
