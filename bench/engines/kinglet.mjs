// kinglet behind the bench's interface, from a model file (index.js) or a compiled plan (run.js alone).
// In: where dist/ is, bytes, a wasm build. Out: { run, peak, macs, stop }. Runs in pages and in Node.

export async function start({ urls, bytes, engine, fromPlan, warmup = true }) {
  const options = { kernels: engine.split(' ')[1], warmup };
  const load = fromPlan
    ? import(`${urls.kinglet}run.js`).then(({ loadPlan }) => loadPlan)
    : import(`${urls.kinglet}index.js`).then(({ loadModel }) => loadModel);
  const model = await (await load)(await bytes, options);
  return {
    run: (arrays) => model.runSync(arrays),
    peak: () => model.peak(),
    macs: model.stats.macs,
    detail: `dot ${model.stats.dot}`,
    stop: () => { model.dispose(); },
  };
}
