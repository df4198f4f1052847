// How the reference ops move elements: reads a dense tensor through strides. In: a tensor, a shape, strides, a start.
// Out: the elements in row-major order of that shape. Must not know ops, views or kernels.

import { allocate, elementCount, numbers, type Shape, type Tensor, type TensorData } from '../tensor.ts';

type Elements = ReturnType<typeof numbers>;
interface Axis {
  readonly dim: number;
  readonly stride: number;
}

/** The same walk with as few axes as possible: no axes of length 1, and neighbours that continue each other joined. */
function joinAxes(shape: Shape, strides: readonly number[]): Axis[] {
  const axes: Axis[] = [];
  shape.forEach((dim, i) => {
    const stride = strides[i];
    const outer = axes.at(-1);
    if (dim === 1) return;
    if (outer?.stride === stride * dim) axes[axes.length - 1] = { dim: outer.dim * dim, stride };
    else axes.push({ dim, stride });
  });
  return axes;
}

/** Side of the square in which a matrix is transposed: its rows and columns stay in the first-level cache together. */
const TILE = 16;

/** target[r * width + c] = source[start + r + c * step]: whole cache lines are used on both sides. */
function transposeInto(target: Elements, source: Elements, m: { start: number; height: number; width: number; step: number }): void {
  for (let top = 0; top < m.height; top += TILE) for (let left = 0; left < m.width; left += TILE) {
    const bottom = Math.min(m.height, top + TILE), right = Math.min(m.width, left + TILE);
    for (let r = top; r < bottom; r++) for (let c = left; c < right; c++) target[r * m.width + c] = source[m.start + r + c * m.step];
  }
}

/** Element (i0, i1, …) of the result is source[start + sum(i_k * strides[k])]. Strides may be 0 or negative. */
export function pick(tensor: Tensor, shape: Shape, strides: readonly number[], start = 0): TensorData {
  const source = numbers(tensor);
  const count = elementCount(shape);
  const data = allocate(tensor.dtype, count);
  const target = numbers({ dtype: tensor.dtype, shape, data });
  const axes = joinAxes(shape, strides);
  const { dim: inner, stride: step } = axes.pop() ?? { dim: 1, stride: 0 };
  if (axes.length === 1 && axes[0].stride === 1 && step > 1) {
    transposeInto(target, source, { start, height: axes[0].dim, width: inner, step });
    return data;
  }
  const index = new Array<number>(axes.length).fill(0);
  let from = start;
  for (let at = 0; at < count; at += inner) {
    if (step === 0) target.fill(source[from], at, at + inner);
    else if (step === 1) target.set(source.subarray(from, from + inner), at);
    else for (let i = 0; i < inner; i++) target[at + i] = source[from + i * step];
    for (let d = axes.length - 1; d >= 0; d--) {
      from += axes[d].stride;
      if (++index[d] < axes[d].dim) break;
      from -= axes[d].stride * axes[d].dim;
      index[d] = 0;
    }
  }
  return data;
}
