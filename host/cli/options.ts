// The options that several commands share, and their parsers. In: words from the command line. Out: checked values, a loaded model.
// Must not know what the commands do.

import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { loadModel } from '../index.ts';
import type { Model } from '../model.ts';
import { notice } from './text.ts';

export interface ModelOptions {
  readonly shape: Readonly<Record<string, number[]>>;
  readonly tolerance?: number;
  readonly backend: 'wasm' | 'reference';
  readonly kernels: 'auto' | 'simd128' | 'relaxed';
}

/** `--shape NAME=1x3x224x224`, repeatable; the last `=` divides, since names may hold one. */
export function parseShape(word: string, earlier: Record<string, number[]> = {}): Record<string, number[]> {
  const at = word.lastIndexOf('=');
  const dims = word.slice(at + 1).split('x');
  if (at < 1 || !dims.every((dim) => /^[1-9]\d{0,8}$/.test(dim))) throw new InvalidArgumentError('It reads NAME=1x3x224x224.');
  return Object.assign(Object.create(null) as Record<string, number[]>, earlier, { [word.slice(0, at)]: dims.map(Number) });
}

export function parseCount(word: string): number {
  if (!/^[1-9]\d{0,6}$/.test(word)) throw new InvalidArgumentError('It is a whole number from 1 on.');
  return Number(word);
}

export function parseTolerance(word: string): number {
  if (!/^[0-9.]{1,20}(e-?\d{1,2})?$/.test(word) || !(Number(word) <= 1)) throw new InvalidArgumentError('It is a share from 0 to 1, for example 1e-5.');
  return Number(word);
}

/** Collects a repeatable option. */
export function collect(word: string, earlier: readonly string[] = []): string[] {
  return [...earlier, word];
}

/** How a model becomes a plan. */
export function withCompiling(command: Command): Command {
  return command
    .option('--shape <NAME=DIMS>', 'dimensions of a symbolic input, for example data=1x3x224x224 (repeatable)', parseShape, {})
    .option('--tolerance <SHARE>', 'error that faster float32 convolutions may add, as a share of a layer\'s largest output; 0: none (default: 1e-5)', parseTolerance);
}

/** For commands that only wasm can serve. */
export function withKernels(command: Command): Command {
  return withCompiling(command)
    .addOption(new Option('--kernels <NAME>', 'which executor').choices(['auto', 'simd128', 'relaxed']).default('auto'));
}

export function withModelOptions(command: Command): Command {
  return withKernels(command)
    .addOption(new Option('--backend <NAME>', 'what computes').choices(['wasm', 'reference']).default('wasm'));
}

/** Loads the model, lets `work` use it, and frees it. */
export async function withModel(source: string, options: ModelOptions, work: (model: Model) => void | Promise<void>): Promise<void> {
  const model = await loadModel(source, { shapes: options.shape, tolerance: options.tolerance, backend: options.backend, kernels: options.kernels, warmup: false, onNotice: notice });
  try {
    await work(model);
  } finally {
    model.dispose();
  }
}
