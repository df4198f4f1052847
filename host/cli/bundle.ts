// `kinglet bundle`: a model in; one WASI program, or a module for embedding, with the network and its labels inside, out.
// The plan is loaded, and so verified, before it is written. Must not run anything else.

import { bundle } from '../bundle/bundle.ts';
import { KingletError } from '../error.ts';
import type { Preset } from '../image/presets.ts';
import type { Fit } from '../image/region.ts';
import { sniff } from '../import/index.ts';
import { loadPlan } from '../index.ts';
import { readSource } from '../load.ts';
import { openProgram } from '../program-files.ts';
import { readBytes, writeWhole } from './files.ts';
import type { CompilingOptions, NetworkWords } from './options.ts';
import { networkOf, planOf } from './source.ts';
import { grouped, print, printable } from './text.ts';

export interface BundleOptions extends CompilingOptions, NetworkWords {
  readonly output: string;
  readonly kernels: 'simd128' | 'relaxed';
  readonly labels?: string;
  readonly preset?: Preset;
  readonly fit?: Fit;
  readonly top?: number;
  readonly embed?: true;
}

/** Positions in the lists of assembly/picture-input.ts, where 0 means: by the input, or by the preset. */
export const bundledPresets: readonly string[] = ['', 'signed', 'unit', 'raw', 'torchvision', 'bytes', 'tflite-uint8', 'mobilenet', 'teachable-machine', 'rfb-320', 'nanodet'];
export const bundledFits: readonly string[] = ['', 'stretch', 'crop', 'pad', 'middle'];

export async function bundleCommand(source: string, options: BundleOptions): Promise<void> {
  if (!options.output.endsWith('.wasm')) throw new KingletError('ERR_USAGE', 'the bundle must be named .wasm', { hint: 'For example: kinglet bundle model.onnx -o app.wasm' });
  const preset = bundledPresets.indexOf(options.preset ?? ''), fit = bundledFits.indexOf(options.fit ?? '');
  const plan = await planOrCompiled(source, options);
  (await loadPlan(plan, { warmup: false })).dispose();
  const labels = options.labels === undefined ? undefined : await readBytes(options.labels);
  const { bytes, slot } = await openProgram(options.embed ? 'embed' : 'cmd', options.kernels === 'relaxed' ? 'relaxed' : 'simd');
  const module = bundle(bytes, slot, plan, { labels, preset, fit, top: options.top });
  await writeWhole(options.output, module);
  print(`${printable(options.output, 200)} ${grouped(module.length)} bytes`);
}

/** A plan as it is; everything else compiled. */
async function planOrCompiled(source: string, options: BundleOptions): Promise<Uint8Array> {
  if (await networkOf(source, options)) return planOf(source, options);
  const bytes = await readSource(source);
  return sniff(bytes) === 'kgl' ? bytes : planOf(source, options);
}
