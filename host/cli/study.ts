// A MODEL word as a study and a loaded model, for commands that look into networks. In: a word, options. Out: both to the caller's work.
// Must not know what the commands show.

import { importGraph, type WrittenGraph } from '../compile.ts';
import { sniff } from '../import/sniff.ts';
import { loadPlan } from '../index.ts';
import { studyGraph, type Study } from '../inspect/study.ts';
import { readSource } from '../load.ts';
import type { Model } from '../model.ts';
import type { ModelOptions } from './options.ts';
import { networkOf } from './source.ts';
import { notice } from './text.ts';

export type ModelWords = Omit<ModelOptions, 'backend'>;

/** Compiles and loads the model, lets `work` use it, and frees it. A plan (.kgl) has no study: its network is not in it. */
export async function withStudy<T>(word: string, options: ModelWords, work: (model: Model, study: Study | null) => T | Promise<T>): Promise<T> {
  const { study, plan } = await prepare(word, options);
  const model = await loadPlan(plan, { kernels: options.kernels, warmup: false, onNotice: notice });
  try {
    return await work(model, study);
  } finally {
    model.dispose();
  }
}

async function prepare(word: string, options: ModelWords): Promise<{ study: Study | null; plan: Uint8Array }> {
  const studied = (source: WrittenGraph): { study: Study; plan: Uint8Array } => {
    const study = studyGraph(source, options.tolerance);
    return { study, plan: study.plan };
  };
  const network = await networkOf(word, options);
  if (network) return studied(network);
  const bytes = await readSource(word);
  return sniff(bytes) === 'kgl' ? { study: null, plan: bytes } : studied(importGraph(bytes, { shapes: options.shape }));
}

/** What tables and pages call the model: a path's last part without its ending. */
export function titleOf(word: string): string {
  const name = word.split(/[/\\]/).at(-1) ?? word;
  return name.replace(/\.(onnx|tflite|kgl)$/, '');
}
