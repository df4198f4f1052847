// What op files see of lowering: views, needs, weights, steps. host/plan/lower.ts implements it.
// A view says where a tensor's elements lie; transpose, slice, reshape and concat become views and cost nothing.
// Must not know any op or opcode.

import type { Value } from '../graph/graph.ts';
import { denseStrides, type DType, type Shape } from '../tensor.ts';

/** A piece of memory that the arena planner places: `weights` are constant, `arena` lives from its first to its last step. */
export interface Region {
  readonly kind: 'weights' | 'arena';
  readonly bytes: number;
  /** Of the tensor that an arena region was made for; temporaries have none. For people. */
  readonly name?: string;
}
export interface Address {
  readonly region: Region;
  readonly offsetBytes: number;
}
/** Element (i0, i1, …) of the tensor lies at `at` + sum(i_k * strides[k]) elements. Strides of views of 0-size dims are irrelevant. */
export interface View {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly at: Address;
}
/** What a kernel can work with; anything else is copied to a dense temporary. */
export type Need = (view: View) => boolean;

/** An operand: an integer, a plan address, or a float stored as its bits. */
export type Word = number | Address | { readonly f32: number };
/** Operand byte offset (assembly/abi.ts) → word, or successive words from there on. */
export type Words = Readonly<Record<number, Word | readonly Word[]>>;

export interface Lowering {
  /** Largest error that a step may add to what the plain algorithm computes, as a share of its largest output; 0: none. */
  readonly tolerance: number;
  /** Where to read `value`; a dense copy is emitted first when its view does not meet `need` (default: any view). */
  read(value: Value, need?: Need): View;
  /** Where to write `value`; when its place does not meet `need`, a dense temporary that is copied to the place after finish(). */
  write(value: Value, need?: Need): View;
  /** Declares that `value` is what `view` shows (no data moves); copies only if `value` must lie somewhere else. */
  alias(value: Value, view: View): void;
  /** Constant data, deduplicated, 64-byte aligned. */
  weights(data: ArrayBufferView): Address;
  /** Arena memory for the steps of the current node. */
  temporary(bytes: number): Address;
  /** Appends a step. All operands of the opcode's struct that are not given are 0. */
  emit(opcode: number, stepBytes: number, words: Words): void;
}

export const isDense: Need = (view) => {
  const dense = denseStrides(view.shape);
  return view.shape.every((dim, i) => dim <= 1 || view.strides[i] === dense[i]);
};
/** The last axis has stride 1: what NHWC kernels with vector channels need. */
export const channelsTogether: Need = (view) => (view.shape.at(-1) ?? 1) <= 1 || view.strides.at(-1) === 1;

export function offset(at: Address, bytes: number): Address {
  return { region: at.region, offsetBytes: at.offsetBytes + bytes };
}
