// What a MODEL word means: a file, a URL, or a network of the zoo. In: a word and options. Out: bytes, a plan, or a model.
// A file of that name wins. Must not know what the commands do.

import { existsSync } from 'node:fs';
import { networkGraph, networkNames, nearestHint } from '../../models/zoo.ts';
import { referenceBackend } from '../backends/reference.ts';
import { compile, compileGraph, importGraph, optimiseGraph, type Optimised, type WrittenGraph } from '../compile.ts';
import { KingletError, quote } from '../error.ts';
import { sniff } from '../import/sniff.ts';
import { loadModel } from '../index.ts';
import { readSource } from '../load.ts';
import { Model } from '../model.ts';
import { startOnGpu } from '../webgpu/load-on-gpu.ts';
import { findGpu } from './find-gpu.ts';
import type { ModelOptions, NetworkWords, CompilingOptions } from './options.ts';
import { notice } from './text.ts';

/** The network that `word` names; null when it names a file or a URL. Throws ERR_FILE where it can be neither. */
export async function networkOf(word: string, options: NetworkWords & CompilingOptions): Promise<WrittenGraph | null> {
  const plain = /^[A-Za-z0-9_.-]+$/.test(word) && !/\.(onnx|tflite|kgl)$/.test(word);
  if (!plain || existsSync(word)) {
    const [given] = (['batch', 'size', 'classes', 'int8'] as const).filter((key) => options[key] !== undefined);
    if (given !== undefined) throw new KingletError('ERR_USAGE', `--${given} is for networks of the zoo, and ${quote(word)} is a file`, { hint: 'Sizes of a file\'s inputs are given with --shape.' });
    return null;
  }
  if (!networkNames.includes(word)) throw new KingletError('ERR_FILE', `there is neither a file nor a network ${quote(word)}`, { hint: nearestHint(word) });
  if (Object.keys(options.shape).length > 0) throw new KingletError('ERR_USAGE', `--shape is for files; the input of ${word} is set by --size and --batch`);
  const { batch, size, classes, int8 } = options;
  return { graph: await networkGraph(word, { batch, size, classes, int8 }), layout: 'NHWC' };
}

/** The plan bytes of a file or network. */
export async function planOf(word: string, options: NetworkWords & CompilingOptions): Promise<Uint8Array> {
  const network = await networkOf(word, options);
  const { shape: shapes, tolerance } = options;
  return network ? compileGraph(optimiseGraph(network), tolerance) : compile(await readSource(word), { shapes, tolerance });
}

/** The optimised graph of a file or network. Throws ERR_USAGE for a plan. */
export async function graphOf(word: string, options: NetworkWords & CompilingOptions): Promise<Optimised> {
  const network = await networkOf(word, options);
  if (network) return optimiseGraph(network);
  const bytes = await readSource(word);
  if (sniff(bytes) === 'kgl') throw new KingletError('ERR_USAGE', 'a plan (.kgl) has no graph to compile for the GPU', { hint: 'Give the .onnx or .tflite file that it was compiled from.' });
  return optimiseGraph(importGraph(bytes, { shapes: options.shape }));
}

/** Loads the model, lets `work` use it, and frees it. */
export async function withModel(word: string, options: ModelOptions, work: (model: Model) => void | Promise<void>): Promise<void> {
  const model = await openModel(word, options);
  try {
    await work(model);
  } finally {
    model.dispose();
  }
}

async function openModel(word: string, options: ModelOptions): Promise<Model> {
  if (options.backend === 'webgpu' || options.backend === 'auto') {
    const { backend, kernels, threads, tolerance } = options;
    const gpu = await findGpu().catch((error: unknown) => {
      if (backend === 'webgpu' || !(error instanceof KingletError)) throw error;
      notice(error.message);
      return undefined;
    });
    return startOnGpu(await graphOf(word, options), { backend, gpu, kernels, threads, tolerance, warmup: false, onNotice: notice });
  }
  const built = await networkOf(word, options);
  const network = built && optimiseGraph(built);
  if (network && options.backend === 'reference') return new Model(referenceBackend(network.graph, network.facts));
  const { shape: shapes, tolerance, backend, kernels, threads } = options;
  return loadModel(network ? compileGraph(network, tolerance) : word, { shapes, tolerance, backend, kernels, threads, warmup: false, onNotice: notice });
}
