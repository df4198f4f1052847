// A page with kinglet/webgpu as the package has it. In: calls from the test. Out: globalThis.kingletWebgpu, and every device that was made,
// so that a test can destroy one.

import * as kinglet from '../../../host/webgpu.ts';

declare global {
  var kingletWebgpu: typeof kinglet;
  var gpuDevices: GPUDevice[];
}

globalThis.gpuDevices = [];
// eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with its own adapter
const { requestDevice } = GPUAdapter.prototype;
GPUAdapter.prototype.requestDevice = async function (...words) {
  const device = await requestDevice.apply(this, words);
  gpuDevices.push(device);
  return device;
};
globalThis.kingletWebgpu = kinglet;
Object.assign(globalThis, { kingletPage: true }); // the page is ready
