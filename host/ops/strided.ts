// How the reference ops move elements: reads a dense tensor through strides. In: a tensor, a shape, strides, a start.
// Out: the elements in row-major order of that shape. Must not know ops, views or kernels.

import { allocate, elementCount, numbers, type Shape, type Tensor, type TensorData } from '../tensor.ts';

/** Element (i0, i1, …) of the result is source[start + sum(i_k * strides[k])]. Strides may be 0 or negative. */
export function pick(tensor: Tensor, shape: Shape, strides: readonly number[], start = 0): TensorData {
  const source = numbers(tensor);
  const count = elementCount(shape);
  const data = allocate(tensor.dtype, count);
  const target = numbers({ dtype: tensor.dtype, shape, data });
  const last = shape.length - 1;
  const inner = last < 0 ? 1 : shape[last];
  const step = last < 0 ? 0 : strides[last];
  const index = new Array<number>(shape.length).fill(0);
  let from = start;
  for (let at = 0; at < count; at += inner) {
    for (let i = 0; i < inner; i++) target[at + i] = source[from + i * step];
    for (let d = last - 1; d >= 0; d--) {
      from += strides[d];
      if (++index[d] < shape[d]) break;
      from -= strides[d] * shape[d];
      index[d] = 0;
    }
  }
  return data;
}
