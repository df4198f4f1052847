// Checked access to an op's operands and axes. In: lists of inputs as an op gets them. Out: one of them, or a typed error.
// Must not know any particular op.

import { KingletError } from '../error.ts';
import { makeValue, type Constant } from '../graph/graph.ts';
import type { Need } from '../plan/lowering.ts';
import { allocate, elementCount, type Shape, type Tensor, type TensorData, type TensorType } from '../tensor.ts';

/** Input or output `index`; throws ERR_MODEL_INVALID when it is missing. */
export function operand<T>(list: readonly (T | null)[], index: number): T {
  const value = list.at(index);
  if (value === undefined || value === null) throw new KingletError('ERR_MODEL_INVALID', `operand ${index} is missing`);
  return value;
}

/** An operand that must be float32 or int8. */
export function activation(inputs: readonly (TensorType | null)[], index: number): TensorType {
  const type = operand(inputs, index);
  if (type.dtype !== 'float32' && type.dtype !== 'int8') {
    throw new KingletError('ERR_UNSUPPORTED', `operand ${index} is ${type.dtype}; float32 and int8 are supported here`);
  }
  return type;
}

/** A negative axis counts from the end. */
export function normalizeAxis(axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || positive < 0 || positive >= rank) {
    throw new KingletError('ERR_MODEL_INVALID', `axis ${axis} is outside of a tensor of rank ${rank}`);
  }
  return positive;
}

/** A dense tensor as outer × length × inner around one axis. */
export function aroundAxis(shape: Shape, axis: number): { outer: number; length: number; inner: number } {
  return { outer: elementCount(shape.slice(0, axis)), length: shape[axis] ?? 1, inner: elementCount(shape.slice(axis + 1)) };
}

/** A fresh zeroed tensor of a type. */
export function emptyTensor(type: TensorType): Tensor {
  return tensorOf(type, allocate(type.dtype, elementCount(type.shape)));
}

export function tensorOf(type: TensorType, data: TensorData): Tensor {
  return { dtype: type.dtype, shape: type.shape, quantization: type.quantization, data };
}

/** No axis runs backwards: every kernel but the copy needs it. */
export const forward: Need = (view) => view.shape.every((dim, i) => dim <= 1 || (view.strides[i] ?? 0) >= 0);

/** A constant outside of any graph, for packing. */
export function constantOf(tensor: Tensor): Constant {
  return { ...makeValue(tensor, ''), data: tensor.data };
}
