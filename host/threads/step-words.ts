// A step as its 32-bit words, and how a range is cut into one part per thread. In: plan bytes. Out: private copies, to be changed.
// Must not know opcodes.

import { STEP_BYTES, STEP_OPCODE } from '../../assembly/abi.ts';

/** A copy of one step; operands by the byte offsets of abi.ts. */
export class StepWords {
  readonly words: Int32Array;
  constructor(words: Int32Array) {
    this.words = words;
  }
  /** The step that begins at byte `at`, a multiple of 4, of a plan at byte `base` of a buffer. */
  static at(buffer: ArrayBufferLike, at: number): StepWords {
    const bytes = new DataView(buffer).getInt32(at + STEP_BYTES, true);
    return new StepWords(new Int32Array(buffer, at, bytes >> 2).slice());
  }
  get opcode(): number { return this.get(STEP_OPCODE); }
  get bytes(): number { return this.get(STEP_BYTES); }
  get(at: number): number { return this.words[at >> 2] ?? 0; }
  copy(): StepWords { return new StepWords(this.words.slice()); }
  /** This step with other operands; numbers are added where `add` names them. */
  with(changes: { set?: Readonly<Record<number, number>>; add?: Readonly<Record<number, number>> }): StepWords {
    const step = this.copy();
    for (const [at, value] of Object.entries(changes.set ?? {})) step.words[Number(at) >> 2] = value;
    for (const [at, value] of Object.entries(changes.add ?? {})) step.words[Number(at) >> 2] += value;
    return step;
  }
}

/** What each thread does of a step: thread t the t-th entry, null where it does nothing. */
export type Shares = readonly (StepWords | null)[];

/** The first thread alone. */
export function alone(step: StepWords, threads: number): Shares {
  return Array.from({ length: threads }, (_, t) => (t === 0 ? step : null));
}

export interface Cut {
  readonly from: number;
  readonly count: number;
}

/** 0…total cut at multiples of `unit` into parts as even as they go; parts may be empty. */
export function cut(total: number, threads: number, unit: number): Cut[] {
  const units = Math.ceil(total / unit);
  const edge = (t: number): number => Math.min(total, Math.round((units * t) / threads) * unit);
  return Array.from({ length: threads }, (_, t) => ({ from: edge(t), count: edge(t + 1) - edge(t) }));
}

/** The largest part's share of the whole: 1/threads at best. */
export function worst(cuts: readonly Cut[]): number {
  const counts = cuts.map(({ count }) => count);
  return Math.max(...counts) / counts.reduce((a, b) => a + b, 0);
}

export function sharesOf(cuts: readonly Cut[], part: (cut: Cut) => StepWords): Shares {
  return cuts.map((one) => (one.count > 0 ? part(one) : null));
}
