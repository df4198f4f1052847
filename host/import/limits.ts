// What a model file may ask of the importers. In: the caller's wishes. Out: complete limits. Must not know any format.

import { KingletError } from '../error.ts';

/** Every limit holds before the thing it bounds is allocated; over it is ERR_LIMIT. */
export interface ImportLimits {
  /** Size of the whole file. */
  readonly maxModelBytes: number;
  /** Nodes (operators) of the graph. */
  readonly maxNodes: number;
  /** Constants, inputs and outputs that the file lists (ONNX) or tensors (TFLite). */
  readonly maxTensors: number;
  /** Entries of all lists together (dimensions, attribute lists, names of inputs and outputs): each costs more memory here than in the file. */
  readonly maxListEntries: number;
}

export const defaultLimits: ImportLimits = {
  maxModelBytes: 2 ** 30,
  maxNodes: 100_000,
  maxTensors: 200_000,
  maxListEntries: 4_000_000,
};

export interface ImportOptions {
  /** Shapes for graph inputs by name; they win over the file's, whose symbolic dimensions otherwise become 1. */
  readonly shapes?: ReadonlyMap<string, readonly number[]> | Readonly<Record<string, readonly number[]>> | undefined;
  readonly limits?: Partial<ImportLimits> | undefined;
}

export function limitsOf(options: ImportOptions): ImportLimits {
  return { ...defaultLimits, ...options.limits };
}

export function checkLimit(count: number, limit: number, what: string): void {
  if (count > limit) throw new KingletError('ERR_LIMIT', `the model has ${count} ${what}; the limit is ${limit}`);
}
