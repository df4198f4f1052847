// tfjs-backend-wasm behind the bench's interface, with the MobileNetV2 that nsfwjs carries: the same body, other weights, five classes.
// In: where the rivals are (a file URL). Out: { run, stop }. Node only.

/** CommonJS: required below, from the rivals' folder. */
export const libraryOf = () => 'node:module';

export async function start({ library: { createRequire }, urls }) {
  const { fileURLToPath } = await import('node:url');
  const folder = fileURLToPath(urls.rivals);
  const require = createRequire(`${folder}x.js`);
  const tf = require('@tensorflow/tfjs-core');
  const { loadLayersModel } = require('@tensorflow/tfjs-layers');
  const { setWasmPaths } = require('@tensorflow/tfjs-backend-wasm');
  setWasmPaths(`${folder}@tensorflow/tfjs-backend-wasm/dist/`);
  await tf.setBackend('wasm');
  const { modelTopology, weightsManifest } = require(`${folder}nsfwjs/dist/models/mobilenet_v2/model.min.js`);
  const base64 = require(`${folder}nsfwjs/dist/models/mobilenet_v2/group1-shard1of1.min.js`);
  const weightData = Uint8Array.from(Buffer.from(base64, 'base64')).buffer;
  const model = await loadLayersModel({ load: async () => ({ modelTopology, weightSpecs: weightsManifest[0].weights, weightData }) });
  return {
    otherWeights: true,
    run([array]) {
      const input = tf.tensor4d(array, [1, 224, 224, 3]);
      const result = model.predict(input);
      const data = result.dataSync();
      input.dispose();
      result.dispose();
      return [data];
    },
    stop: () => { model.dispose(); },
  };
}
