// Removes the transpose before a flattened classifier: matmul(reshape(transpose(x)), w) reads x in its own order when the rows
// of w are reordered instead. In: a graph. Out: the same products summed in another order. Only constant weights.

import { onlyOutput, type Editor } from '../graph/edit.ts';
import { is, isConstant, makeValue, type Constant, type Node, type Value } from '../graph/graph.ts';
import { matmul } from '../ops/matmul.ts';
import { reshape } from '../ops/reshape.ts';
import { transpose } from '../ops/transpose.ts';
import { allocate, denseStrides, elementCount, numbers, type Shape, type TensorData } from '../tensor.ts';
import { nodePass } from './pass.ts';
import { invert } from './permutation.ts';

export const permuteDenseWeights = nodePass('permute-dense-weights', reorder);

function reorder(editor: Editor, node: Node): boolean {
  const flat = editor.producer(node.inputs[0]);
  const above = editor.producer(flat?.inputs[0]);
  const w = node.inputs[1];
  if (!is(node, matmul) || !is(flat, reshape) || !is(above, transpose) || !isConstant(w)) return false;
  const { perm } = above.attrs;
  const x = above.inputs[0] as Value;
  const [rows, depth] = flat.attrs.shape;
  // One image per row of the product, flattened whole; the batch stays in front.
  if (perm[0] !== 0 || flat.attrs.shape.length !== 2 || x.shape[0] !== rows || w.shape.length !== 2 || w.shape[0] !== depth) return false;
  if (w.quantization !== undefined && w.quantization.scale.length !== 1 && w.quantization.axis !== 1) return false;
  const weights = makeValue(w, w.name, reorderRows(w, sourceRows(x.shape.slice(1), invert(perm).slice(1).map((axis) => axis - 1))));
  const input = editor.add(node, reshape, { shape: flat.attrs.shape }, [x], { quantization: onlyOutput(flat).quantization });
  editor.replaceNode(node, matmul, node.attrs, [input, weights, ...node.inputs.slice(2)], { quantization: onlyOutput(node).quantization });
  return true;
}

/** For every element of one image as it lies in x: the row of weights that belongs to it. `order`: axis k of x is that axis of the flattened order. */
function sourceRows(shape: Shape, order: readonly number[]): Int32Array {
  const flattened = order.map((_, axis) => shape[order.indexOf(axis)]);
  const strides = denseStrides(flattened);
  const rows = new Int32Array(elementCount(shape));
  const index = new Array<number>(shape.length).fill(0);
  for (let i = 0; i < rows.length; i++) {
    rows[i] = order.reduce((row, axis, k) => row + index[k] * strides[axis], 0);
    for (let k = shape.length - 1; k >= 0 && ++index[k] === shape[k]; k--) index[k] = 0;
  }
  return rows;
}

function reorderRows(w: Constant, rows: Int32Array): TensorData {
  const source = numbers(w);
  const width = w.shape[1];
  const data = allocate(w.dtype, source.length);
  const target = numbers({ ...w, data });
  for (let r = 0; r < rows.length; r++) target.set(source.subarray(rows[r] * width, (rows[r] + 1) * width), r * width);
  return data;
}
