// onnxruntime-web behind the bench's interface: its CPU-only build, all graph optimisations.
// In: where the rivals are, a Response, thread count. Out: { run, stop }. Runs in pages and in Node.

const folderOf = (urls) => `${urls.rivals}onnxruntime-web/dist/`;
export const libraryOf = ({ urls, where }) => `${folderOf(urls)}ort.${where === 'node' ? 'node' : 'wasm'}.min.mjs`;

export async function start({ library: ort, urls, file, inputs, threads }) {
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = folderOf(urls);
  ort.env.logLevel = 'error';
  const session = await ort.InferenceSession.create(await (await file).bytes(), { executionProviders: ['wasm'], graphOptimizationLevel: 'all' });
  const names = session.outputNames;
  return {
    async run(arrays) {
      const feeds = {};
      inputs.forEach(({ name, dtype, shape }, i) => { feeds[name] = new ort.Tensor(dtype, arrays[i], shape); });
      const results = await session.run(feeds);
      return names.map((name) => results[name].data);
    },
    stop: () => session.release(),
  };
}
