// What an op file says about one op. In: nothing. Out: the interface that importers, passes, reference and lowering read.
// One op, one file, in this order: attrs type, onnx, tflite, infer, reference, permute, lower.

import type { Builder } from '../graph/builder.ts';
import type { Node, Value } from '../graph/graph.ts';
import type { OnnxNode } from '../import/onnx/node.ts';
import type { TfliteNode } from '../import/tflite/node.ts';
import type { Lowering, View } from '../plan/lowering.ts';
import type { Tensor, TensorType } from '../tensor.ts';

/** Reads one ONNX node and adds graph nodes; returns one value per ONNX output. */
export type OnnxReader = (node: OnnxNode, b: Builder) => Value[];
/** Reads one TFLite operator (its attributes and the file's types of its outputs); returns one value per output. */
export type TfliteReader = (node: TfliteNode, b: Builder) => Value[];

export interface Op<A> {
  /** IR name, for example "conv2d": what inspect prints. */
  readonly kind: string;
  /** ONNX op_type → reader. */
  readonly onnx?: Readonly<Record<string, OnnxReader>>;
  /** TFLite builtin name → reader. */
  readonly tflite?: Readonly<Record<string, TfliteReader>>;
  /**
   * Shapes and dtypes of the outputs. Throws KingletError (ERR_MODEL_INVALID) naming what does not fit.
   * Quantisation: ops that only move elements (or keep their order, like max) pass it on; others return none and the
   * builder's caller states it. A node is quantised when its data inputs are int8.
   */
  infer(inputs: readonly (TensorType | null)[], attrs: A): TensorType[];
  /** The definition: plain loops on dense row-major tensors; shares nothing with the kernels. `outputs` has final quantisation. */
  reference(inputs: readonly (Tensor | null)[], attrs: A, outputs: readonly TensorType[]): Tensor[];
  /**
   * The same op on inputs whose axes were permuted, so that transposes can move past it: given that every data input x_i is
   * replaced by transpose(x_i, perm) (NumPy sense: out.shape[k] = in.shape[perm[k]]), the new attrs such that the outputs are
   * transpose(y, perm). Undefined result: not possible. Absent: never possible. Only rank-preserving ops have it.
   */
  permute?(attrs: A, perm: readonly number[], node: Node<A>): A | undefined;
  /** Inputs that permute() expects transposed; default: all. Constants among them are transposed by the caller. */
  permutedInputs?(node: Node<A>): readonly number[];
  /**
   * Where each input would have to lie so that the op needs no step when its first output must lie at `out`; undefined where
   * that is impossible. Only for ops that view or join their inputs (transpose, reshape, concat).
   */
  place?(node: Node<A>, out: View): (View | undefined)[];
  /** Emits the steps of one node. */
  lower(node: Node<A>, ctx: Lowering): void;
  /** Multiply-accumulates of one node, for inspect; absent: 0. */
  macs?(node: Node<A>): number;
  /** True: only moves or views elements, so quantisation parameters pass through unchanged. */
  readonly moves?: boolean;
}
