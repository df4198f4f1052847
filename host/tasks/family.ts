// What the detector must know of a kind of network. In: a model's description. Out: how to read its outputs. Must not know pictures.

import type { Preset } from '../image/presets.ts';
import type { IoInfo } from '../model.ts';
import type { Candidate } from './candidates.ts';

export type DetectorKind = 'blazeface' | 'rfb' | 'nanodet';
/** Outputs in real numbers, in the model's order → proposals from the threshold on, the best first, in shares of the frame. */
export type Decoder = (outputs: readonly ArrayLike<number>[], threshold: number) => Candidate[];

export interface Family {
  readonly kind: DetectorKind;
  /** For people who gave an unknown network. */
  readonly about: string;
  readonly preset: Preset;
  readonly labels: readonly string[];
  /** Least score where nothing else is asked for. */
  readonly threshold: number;
  readonly overlap: number;
  merge(candidates: readonly Candidate[], overlap: number): Candidate[];
  /** null: another network. */
  decoderFor(frame: { width: number; height: number }, outputs: readonly IoInfo[]): Decoder | null;
}

/** The output with these last dimensions; -1 when there is none. */
export function outputOf(outputs: readonly IoInfo[], ...last: readonly number[]): number {
  return outputs.findIndex(({ shape }) => shape.length >= last.length && last.every((size, i) => shape[shape.length - last.length + i] === size)
    && shape.slice(0, shape.length - last.length).every((size) => size === 1));
}

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
