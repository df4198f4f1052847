// kinglet on the GPU behind the bench's interface, or the reason why it is not there. In: where dist/ is, a Response.
// Out: { run, macs, detail, stop }. Runs in pages: run() includes the way to the GPU and back.

export const libraryOf = ({ urls }) => `${urls.kinglet}webgpu.js`;

export async function start({ library, file, threads = 1, gpu }) {
  const model = await library.loadModel(await file, { backend: 'webgpu', threads, gpu });
  return {
    run: async (arrays) => {
      const result = await model.run(arrays);
      if (model.stats.backend !== 'webgpu') throw new Error(model.stats.backendReason);
      return result;
    },
    macs: model.stats.macs,
    detail: `${model.stats.gpu.dispatches} dispatches, ${model.stats.gpu.pipelines} pipelines`,
    stop: () => { model.dispose(); },
  };
}
