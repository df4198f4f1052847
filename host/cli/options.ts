// The options that several commands share, and their parsers. In: words from the command line. Out: checked values.
// Must not know what the commands do.

import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';

export interface CompilingOptions {
  readonly shape: Readonly<Record<string, number[]>>;
  readonly tolerance?: number;
}
/** How a network of the zoo is built. */
export interface NetworkWords {
  readonly batch?: number;
  readonly size?: readonly [number, number];
  readonly classes?: number;
  readonly int8?: true;
}
export interface ModelOptions extends CompilingOptions, NetworkWords {
  readonly backend: 'wasm' | 'reference' | 'webgpu' | 'auto';
  readonly kernels: 'auto' | 'simd128' | 'relaxed';
  readonly threads?: number | 'auto';
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

/** `--threads 2` or `--threads auto`. */
export function parseThreads(word: string): number | 'auto' {
  return word === 'auto' ? word : parseCount(word);
}

export function parseTolerance(word: string): number {
  if (!/^[0-9.]{1,20}(e-?\d{1,2})?$/.test(word) || !(Number(word) <= 1)) throw new InvalidArgumentError('It is a share from 0 to 1, for example 1e-5.');
  return Number(word);
}

/** `--size 96` or `--size 96x128` (height x width). */
export function parseSize(word: string): [number, number] {
  if (!/^[1-9]\d{0,4}(x[1-9]\d{0,4})?$/.test(word)) throw new InvalidArgumentError('It reads 96 or 96x128, height first.');
  const [height, width = height] = word.split('x').map(Number);
  return [height, width];
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

/** For commands that build networks of the zoo. */
export function withNetworks(command: Command): Command {
  return command
    .option('--batch <N>', 'pictures at once (networks of the zoo)', parseCount)
    .option('--size <N|HxW>', 'size of the picture (networks of the zoo)', parseSize)
    .option('--classes <N>', 'how many classes (networks of the zoo)', parseCount)
    .option('--int8', 'the quantised form (networks of the zoo)');
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

/** For commands that run models over and over. */
export function withThreads(command: Command): Command {
  return command.option('--threads <N|auto>', 'workers that compute one inference (default: 1)', parseThreads);
}
