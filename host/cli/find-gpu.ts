// A GPU for the command. In: this process. Out: navigator.gpu, or the one that the package `webgpu` (Dawn for Node) makes of a Vulkan,
// Metal or Direct3D driver; else ERR_DEVICE with what is missing. Must not know networks.

import { pathToFileURL } from 'node:url';
import { KingletError } from '../error.ts';
import { gpuHere } from '../webgpu/open-device.ts';

interface Dawn {
  create(options: readonly string[]): GPU;
}

/** KINGLET_DAWN: the package's index.js where it does not lie beside kinglet. */
async function importDawn(): Promise<Dawn> {
  const { KINGLET_DAWN } = process.env;
  const name = KINGLET_DAWN ? pathToFileURL(KINGLET_DAWN).href : 'webgpu';
  try {
    return await import(name) as Dawn; // a name of our own or the user's, never a model's
  } catch (cause) {
    throw new KingletError('ERR_DEVICE', 'Node has no WebGPU of its own, and the package webgpu cannot be loaded', {
      hint: 'Run `npm install webgpu` beside kinglet (Dawn, some 130 MB), or use a browser.', cause,
    });
  }
}

export async function findGpu(): Promise<GPU> {
  const gpu = gpuHere() ?? (await importDawn()).create([]);
  if (await gpu.requestAdapter()) return gpu;
  const hint = process.platform === 'linux' ? 'On Linux it needs libvulkan.so.1 and a driver that VK_ICD_FILENAMES may name.' : 'Its driver may be missing.';
  throw new KingletError('ERR_DEVICE', 'WebGPU finds no adapter', { hint });
}
