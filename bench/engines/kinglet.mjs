// kinglet behind the bench's interface, from a model file (index.js) or a compiled plan (run.js alone).
// In: where dist/ is, a Response, a wasm build. Out: { run, peak, layers, macs, stop }. Runs in pages and in Node.

export const libraryOf = ({ urls, fromPlan }) => `${urls.kinglet}${fromPlan ? 'run' : 'index'}.js`;

export async function start({ library, file, engine, fromPlan, threads = 1, warmup = true }) {
  const options = { kernels: engine.split(' ')[1], warmup, threads };
  const model = await (fromPlan ? library.loadPlan : library.loadModel)(await file, options);
  return {
    run: (arrays) => (threads > 1 ? model.run(arrays) : model.runSync(arrays)),
    peak: () => model.peak(),
    macs: model.stats.macs,
    /** Every step with its median milliseconds. */
    layers: () => {
      const ms = model.profile(30);
      return model.steps().map(({ kernel, op, name, shape, macs }, i) => ({ kernel, op, name, shape, macs, ms: ms[i] }));
    },
    detail: `dot ${model.stats.dot}, threads ${model.stats.threads}`,
    stop: () => { model.dispose(); },
  };
}
