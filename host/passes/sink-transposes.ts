// Moves transposes from the inputs of an op to its output: op(transpose(x)) becomes transpose(op'(x)).
// In: an editor. Out: the number of ops passed, without dequantizes: cancelTransposes moves back what was of no use there. "free": every input comes transposed alike, or is a constant or small enough
// that transposing it is a reshape. "profit": other inputs get a transpose of their own, if fewer transposes remain.
// Must not know particular ops beyond the three whose rank changes (reshape, reduce, argMax) and those that broadcast.

import { onlyOutput, type Editor } from '../graph/edit.ts';
import { is, isConstant, type Node, type Value } from '../graph/graph.ts';
import { argmax } from '../ops/argmax.ts';
import { binary } from '../ops/binary.ts';
import { dequantize } from '../ops/dequantize.ts';
import { expand } from '../ops/expand.ts';
import { reduce } from '../ops/reduce.ts';
import { reshape } from '../ops/reshape.ts';
import { transpose } from '../ops/transpose.ts';
import { extendTo, invert, isIdentity, movesNothing, permuteShape, samePermutation, transposeAfterReshape, type Permutation } from './permutation.ts';

export function sinkTransposes(editor: Editor, mode: 'free' | 'profit'): number {
  let count = 0;
  for (const node of [...editor.nodes()]) {
    if (!editor.has(node) || is(node, transpose) || node.outputs.length !== 1) continue;
    const passed = sinkPastReshape(editor, node) || sinkPastReduction(editor, node) || sinkPast(editor, node, mode);
    if (passed && !is(node, dequantize)) count++;
  }
  return count;
}

/** The transpose that makes `value`. */
export function transposeOf(editor: Editor, value: Value | null): Node<{ readonly perm: Permutation }> | undefined {
  const producer = editor.producer(value);
  return is(producer, transpose) ? producer : undefined;
}

function sinkPastReshape(editor: Editor, node: Node): boolean {
  const above = transposeOf(editor, node.inputs[0]);
  if (!is(node, reshape) || above === undefined) return false;
  const x = above.inputs[0] as Value;
  const swapped = transposeAfterReshape(x.shape, above.attrs.perm, node.attrs.shape);
  if (swapped === undefined) return false;
  const { quantization } = onlyOutput(node);
  const moved = editor.add(node, reshape, { shape: swapped.shape }, [x], { quantization });
  putTranspose(editor, node, moved, swapped.perm);
  return true;
}

/** Reductions that drop their axes: what remains is transposed as the remaining axes were. */
function sinkPastReduction(editor: Editor, node: Node): boolean {
  const above = transposeOf(editor, node.inputs[0]);
  if (above === undefined) return false;
  const { perm } = above.attrs;
  const x = above.inputs[0] as Value;
  const { quantization } = onlyOutput(node);
  let moved: Value;
  let axes: number[];
  if (is(node, reduce) && !node.attrs.keepDims) {
    axes = node.attrs.axes.map((axis) => perm[axis]).sort((a, b) => a - b);
    moved = editor.add(node, reduce, { ...node.attrs, axes }, [x], { quantization });
  } else if (is(node, argmax) && !node.attrs.keepDims) {
    axes = [perm[node.attrs.axis]];
    moved = editor.add(node, argmax, { ...node.attrs, axis: axes[0] }, [x], { quantization });
  } else {
    return false;
  }
  const remaining = perm.filter((axis) => !axes.includes(axis));
  const order = [...remaining].sort((a, b) => a - b);
  putTranspose(editor, node, moved, remaining.map((axis) => order.indexOf(axis)));
  return true;
}

/** transpose(value, perm) in the place of `node`. */
function putTranspose(editor: Editor, node: Node, value: Value, perm: Permutation): void {
  if (isIdentity(perm)) editor.replaceValue(onlyOutput(node), value);
  else editor.replaceNode(node, transpose, { perm }, [value]);
}

/** Inputs that permute() expects transposed. */
export function permutedInputs(node: Node): readonly number[] {
  const all = node.inputs.flatMap((value, i) => (value === null ? [] : [i]));
  return node.op.permutedInputs?.(node) ?? all;
}

/** Ops whose inputs may have fewer axes than their output. */
function broadcasts(node: Node): boolean {
  return is(node, binary) || is(node, expand);
}

/** The same node with every operand in the rank of the output: what permute() needs. */
function withFullRank(editor: Editor, node: Node, rank: number): Node {
  const indices = permutedInputs(node);
  if (!broadcasts(node) || indices.every((i) => node.inputs[i]?.shape.length === rank)) return node;
  const inputs = node.inputs.map((value, i) => (indices.includes(i) ? raised(editor, node, value as Value, rank) : value));
  const value = editor.replaceNode(node, node.op, node.attrs, inputs, { quantization: onlyOutput(node).quantization });
  return editor.producer(value) ?? node;
}

function sinkPast(editor: Editor, original: Node, mode: 'free' | 'profit'): boolean {
  const rank = onlyOutput(original).shape.length;
  if ((onlyOutput(original).quantization?.scale.length ?? 1) !== 1) return false;
  if (original.op.permute === undefined || candidates(editor, original, permutedInputs(original)).length === 0) return false;
  const node = withFullRank(editor, original, rank);
  const indices = permutedInputs(node);
  for (const perm of candidates(editor, node, indices)) {
    const inverse = invert(perm);
    if (!indices.every((i) => node.inputs[i]?.shape.length === rank)) continue;
    const costs = indices.map((i) => costOfInput(editor, node, node.inputs[i] as Value, perm));
    if (mode === 'free' ? costs.some((cost) => cost > 0) : profit(editor, node, costs, inverse) <= 0) continue;
    const attrs = node.op.permute?.(node.attrs, inverse, node);
    if (attrs === undefined) continue;
    const inputs = node.inputs.map((value, i) => (indices.includes(i) ? transposed(editor, node, value as Value, inverse) : value));
    const moved = editor.add(node, node.op, attrs, inputs, { quantization: onlyOutput(node).quantization });
    putTranspose(editor, node, moved, perm);
    return true;
  }
  return false;
}

/** The permutations that inputs arrive with, each once, in the rank of the output. */
function candidates(editor: Editor, node: Node, indices: readonly number[]): Permutation[] {
  const rank = onlyOutput(node).shape.length;
  const found: Permutation[] = [];
  for (const i of indices) {
    const above = transposeOf(editor, node.inputs[i]);
    if (above === undefined || above.attrs.perm.length > rank) continue;
    const perm = extendTo(above.attrs.perm, rank);
    if (!found.some((other) => samePermutation(other, perm))) found.push(perm);
  }
  return found;
}

/** Transposes that appear (1), stay (0) or disappear (-1) on the way to one input when the node moves in front of `perm`. */
function costOfInput(editor: Editor, node: Node, value: Value, perm: Permutation): number {
  if (isConstant(value)) return 0;
  const above = transposeOf(editor, value);
  if (above !== undefined && samePermutation(above.attrs.perm, perm)) {
    return editor.soleConsumer(value) === node ? -1 : 0;
  }
  return movesNothing(value.shape, invert(perm)) ? 0 : 1;
}

/** Transposes removed minus transposes added: inputs, the one at the output, and those behind it that cancel it. */
function profit(editor: Editor, node: Node, costs: readonly number[], inverse: Permutation): number {
  const y = onlyOutput(node);
  const users = editor.consumers(y);
  const cancelled = users.filter((user) => is(user, transpose) && samePermutation(user.attrs.perm, inverse)).length;
  const stays = users.length > cancelled || editor.isOutput(y) ? 1 : 0;
  return cancelled - stays - costs.reduce((a, cost) => a + cost, 0);
}

function fullShape(value: Value, rank: number): number[] {
  return [...new Array<number>(rank - value.shape.length).fill(1), ...value.shape];
}

/** transpose(value, perm), without a node where the value is a constant or the transpose cancels another. */
export function transposed(editor: Editor, near: Node, value: Value, perm: Permutation): Value {
  const above = transposeOf(editor, value);
  if (above !== undefined && samePermutation(above.attrs.perm, invert(perm))) return above.inputs[0] as Value;
  if (movesNothing(value.shape, perm)) {
    return isIdentity(perm) ? value : editor.add(near, reshape, { shape: permuteShape(value.shape, perm) }, [value]);
  }
  const twin = editor.consumers(value).find((user) => is(user, transpose) && samePermutation(user.attrs.perm, perm));
  return twin === undefined ? editor.add(near, transpose, { perm }, [value]) : onlyOutput(twin);
}

function raised(editor: Editor, near: Node, value: Value, rank: number): Value {
  return value.shape.length === rank ? value : editor.add(near, reshape, { shape: fullShape(value, rank) }, [value]);
}
