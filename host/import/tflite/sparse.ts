// TFLite's sparse tensors → dense ones: a tree with a level per dimension, dense or compressed (CSR), and the values at its leaves.
// Dimensions may be split into blocks, whose inside is a dimension of its own. In: records (hostile) and the values. Out: data.
// https://github.com/tensorflow/tensorflow/blob/master/tensorflow/lite/schema/schema.fbs, SparsityParameters. Must not know operators.

import { KingletError } from '../../error.ts';
import { allocate, denseStrides, elementCount, numbers, type Shape, type Tensor, type TensorData } from '../../tensor.ts';
import type { SparsityRecord } from './schema.ts';

/** DimensionType. */
const DENSE = 0;
const SPARSE_CSR = 1;

/** One dimension in the order in which the values are stored. */
interface Level {
  readonly size: number;
  /** Elements of the dense tensor from one index to the next. */
  readonly stride: number;
  /** Compressed: the children of node i are `indices` from segments[i] to segments[i + 1]. */
  readonly compressed?: { readonly segments: readonly number[]; readonly indices: readonly number[] };
}

/** The dense tensor of `shape`, zeros where the tree has no leaf. Throws ERR_MODEL_INVALID when the tree does not fit the shape. */
export function spread(values: Tensor, record: SparsityRecord, shape: Shape): TensorData {
  const levels = levelsOf(record, shape);
  const leaves = levels.reduce(checkLevel, 1);
  const source = numbers(values);
  if (leaves !== source.length) wrong(`${source.length} values for ${leaves} places`);
  const data = allocate(values.dtype, elementCount(shape));
  const target = numbers({ dtype: values.dtype, shape, data });
  const walk = (depth: number, node: number, at: number): void => {
    if (depth === levels.length) {
      target[at] = source[node];
      return;
    }
    const { size, stride, compressed } = levels[depth];
    if (!compressed) {
      for (let k = 0; k < size; k++) walk(depth + 1, node * size + k, at + k * stride);
      return;
    }
    for (let k = compressed.segments[node]; k < compressed.segments[node + 1]; k++) walk(depth + 1, k, at + compressed.indices[k] * stride);
  };
  walk(0, 0, 0);
  return data;
}

/** Dimensions 0 … rank-1 are the tensor's own, those behind them the insides of its blocks: at most 16, as a tensor's rank is at most 8. */
function levelsOf({ order, blockMap, dimensions }: SparsityRecord, shape: Shape): Level[] {
  const count = shape.length + blockMap.length;
  const isPermutation = order.length === count && new Set(order).size === count && order.every((d) => Number.isInteger(d) && d >= 0 && d < count);
  const areBlocks = new Set(blockMap).size === blockMap.length && blockMap.every((d) => d >= 0 && d < shape.length);
  if (!isPermutation || !areBlocks || dimensions.length !== count) wrong(`a traversal [${order.join(', ')}] with blocks of [${blockMap.join(', ')}]`);
  const metadata = new Map(order.map((d, i) => [d, dimensions[i]]));
  const strides = denseStrides(shape);
  const blockOf = (d: number): number => {
    const block = blockMap.indexOf(d);
    return block < 0 ? 1 : metadata.get(shape.length + block)?.size ?? 1;
  };
  return order.map((d, i): Level => {
    const { format, size, segments, indices } = dimensions[i];
    const inside = d >= shape.length;
    const own = inside ? blockMap[d - shape.length] : d;
    const whole = inside ? size : shape[d] / blockOf(d);
    const stride = inside ? strides[own] : strides[own] * blockOf(d);
    if (format === DENSE && size === whole && Number.isInteger(whole) && whole >= 1) return { size, stride };
    if (format === SPARSE_CSR && !inside && Number.isInteger(whole)) return { size: whole, stride, compressed: { segments, indices } };
    return wrong(`dimension ${d} of format ${format} and size ${size}`);
  });
}

/** Nodes below a level of `parents`; every index is inside its dimension and comes once. */
function checkLevel(parents: number, { size, compressed }: Level): number {
  if (!compressed) return parents * size;
  const { segments, indices } = compressed;
  if (segments.length !== parents + 1 || segments[0] !== 0 || segments[parents] !== indices.length) wrong(`${segments.length} segments of ${indices.length} indices for ${parents} nodes`);
  for (let node = 0; node < parents; node++) {
    if (segments[node + 1] < segments[node] || segments[node + 1] > indices.length) wrong('segments that run backwards');
    for (let k = segments[node]; k < segments[node + 1]; k++) {
      const before = k > segments[node] ? indices[k - 1] : -1;
      if (!(indices[k] > before && indices[k] < size)) wrong(`index ${indices[k]} behind ${before} in a dimension of ${size}`);
    }
  }
  return indices.length;
}

function wrong(what: string): never {
  throw new KingletError('ERR_MODEL_INVALID', `its sparse form does not fit its shape: ${what}`);
}
