// LiteRT.js behind the bench's interface: XNNPACK on the CPU, relaxed SIMD where the browser has it (its own choice).
// In: where the rivals are, a Response, thread count. Out: { run, stop }. Runs in pages only: its loader needs a document.

export const libraryOf = ({ urls }) => `${urls.rivals}@litertjs/core/dist/index.js`;

export async function start({ library: { loadLiteRt, loadAndCompile, Tensor }, urls, file, inputs, threads }) {
  await loadLiteRt(`${urls.rivals}@litertjs/core/wasm/`, { threads: threads > 1 });
  const model = await loadAndCompile((await file).body.getReader(), { accelerator: 'wasm', cpuOptions: { numThreads: threads } });
  return {
    async run(arrays) {
      const tensors = inputs.map(({ shape }, i) => new Tensor(arrays[i], shape));
      const results = await model.run(tensors);
      const data = results.map((result) => result.toTypedArray());
      for (const tensor of [...tensors, ...results]) tensor.delete();
      return data;
    },
    stop: () => { model.delete(); },
  };
}
