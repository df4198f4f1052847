// onnxruntime-web behind the bench's interface: its CPU-only build, all graph optimisations.
// In: where the rivals are, a Response, thread count. Out: { run, stop }. Runs in pages and in Node.

export async function start({ urls, file, inputs, threads, where }) {
  const folder = `${urls.rivals}onnxruntime-web/dist/`;
  const ort = await import(folder + (where === 'node' ? 'ort.node.min.mjs' : 'ort.wasm.min.mjs'));
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = folder;
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
