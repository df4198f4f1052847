// NumPy broadcasting: shapes that stretch to one another. In: shapes. Out: the common shape, and strides that stretch a dense tensor.
// Must not know any particular op.

import { KingletError } from '../error.ts';
import { denseStrides, numbers, sameShape, type Shape, type Tensor } from '../tensor.ts';
import { pick } from './strided.ts';

/** The shape both stretch to; ERR_MODEL_INVALID when there is none. */
export function broadcastShape(a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  const shape: number[] = [];
  for (let i = 0; i < rank; i++) {
    const da = a[i - rank + a.length] ?? 1;
    const db = b[i - rank + b.length] ?? 1;
    if (da !== db && da !== 1 && db !== 1) {
      throw new KingletError('ERR_MODEL_INVALID', `shapes [${a.join(', ')}] and [${b.join(', ')}] do not broadcast`);
    }
    shape.push(da === 1 ? db : da);
  }
  return shape;
}

/** Strides that read a dense tensor of shape `from` as if it had shape `to`. */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const dense = denseStrides(from);
  const lead = to.length - from.length;
  return to.map((_, i) => (i < lead || from[i - lead] === 1 ? 0 : dense[i - lead]));
}

/** The tensor's elements stretched to `shape`, row-major. */
export function stretched(tensor: Tensor, shape: Shape): ReturnType<typeof numbers> {
  if (sameShape(tensor.shape, shape)) return numbers(tensor);
  return numbers({ dtype: tensor.dtype, shape, data: pick(tensor, shape, broadcastStrides(tensor.shape, shape)) });
}
