// Views of views against copies made element by element, and loop nests against plain index arithmetic.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { View } from '../../host/plan/lowering.ts';
import { broadcastView, makeNest, reshapeView, sliceView, transposeView } from '../../host/plan/views.ts';
import { denseStrides, elementCount } from '../../host/tensor.ts';
import { random, randomInt } from '../random.ts';

const region = { kind: 'arena', bytes: 1 << 20 } as const;
function dense(shape: readonly number[]): View {
  return { dtype: 'float32', shape, strides: denseStrides(shape), at: { region, offsetBytes: 0 } };
}
/** The memory positions a view shows, in row-major order. */
function positions(view: View): number[] {
  const list: number[] = [];
  const walk = (axis: number, at: number): void => {
    if (axis === view.shape.length) list.push(at);
    else for (let i = 0; i < view.shape[axis]; i++) walk(axis + 1, at + i * view.strides[axis]);
  };
  walk(0, view.at.offsetBytes / 4);
  return list;
}

it('transposes', () => {
  const view = transposeView(dense([2, 3, 4]), [2, 0, 1]);
  assert.deepEqual(view.shape, [4, 2, 3]);
  assert.deepEqual(positions(view).slice(0, 7), [0, 4, 8, 12, 16, 20, 1]);
});

it('slices with steps, also backwards', () => {
  const view = sliceView(dense([5, 4]), [4, 1], [-2, 2], [3, 2]);
  assert.deepEqual(positions(view), [17, 19, 9, 11, 1, 3]);
});

it('broadcasts', () => {
  assert.deepEqual(positions(broadcastView(dense([3, 1]), [2, 3, 2])), [0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2]);
});

it('reshapes exactly where strides allow (seed 11)', () => {
  const next = random(11);
  let expressed = 0;
  for (let round = 0; round < 2000; round++) {
    const factors = Array.from({ length: 4 }, () => 1 + randomInt(next, 3));
    const perm = [0, 1, 2, 3].sort(() => next() - 0.5);
    const view = transposeView(dense(factors), perm);
    // Any split of the same factors into other axes.
    const flat = view.shape.filter(() => true);
    const cut = randomInt(next, 4);
    const shape = [flat.slice(0, cut).reduce((a, b) => a * b, 1), ...flat.slice(cut, cut + 1), 1, flat.slice(cut + 1).reduce((a, b) => a * b, 1)];
    assert.equal(elementCount(shape), elementCount(view.shape));
    const reshaped = reshapeView(view, shape);
    if (!reshaped) continue;
    expressed++;
    assert.deepEqual(reshaped.shape, shape);
    assert.deepEqual(positions(reshaped), positions(view));
  }
  assert.ok(expressed > 500, `${expressed} reshapes were expressed`);
});

it('refuses what strides cannot say', () => {
  assert.equal(reshapeView(transposeView(dense([2, 3]), [1, 0]), [6]), undefined);
  assert.ok(reshapeView(dense([2, 3, 4]), [6, 4]));
});

it('makes nests that visit the same pairs (seed 12)', () => {
  const next = random(12);
  for (let round = 0; round < 500; round++) {
    const shape = Array.from({ length: 1 + randomInt(next, 4) }, () => 1 + randomInt(next, 4));
    const perm = shape.map((_, i) => i).sort(() => next() - 0.5);
    const inverse = shape.map((_, i) => perm.indexOf(i));
    const destination = dense(shape);
    const source = transposeView(dense(perm.map((p) => shape[p])), inverse);
    assert.deepEqual(source.shape, shape);
    const { dims, strides } = makeNest([destination, source]);
    const asView = (k: number): View => ({ ...destination, shape: dims, strides: strides[k] });
    const pairs = (d: number[], s: number[]): string[] => d.map((at, i) => `${at}:${s[i]}`).sort();
    assert.equal(dims.length, 6);
    assert.deepEqual(pairs(positions(asView(0)), positions(asView(1))), pairs(positions(destination), positions(source)));
  }
});
