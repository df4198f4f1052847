// Sparse TFLite tensors: what an encoder written here stores comes back dense, and damaged trees are refused.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isConstant, type Value } from '../../host/graph/graph.ts';
import { importTflite } from '../../host/import/tflite/import.ts';
import { tfliteReaders } from '../../host/ops/index.ts';
import type { TfliteReader } from '../../host/ops/op.ts';
import { random, randomInt } from '../random.ts';
import { buildTflite, type SparsitySpec } from './tflite-bytes.ts';
import { throws } from './throws.ts';

const SEED = 20261122;
const [DENSE, CSR] = [0, 1];
type Dimension = SparsitySpec['dimensions'][number];
interface Sparse { readonly shape: readonly number[]; readonly sparsity: SparsitySpec; readonly values: readonly number[] }

/** Index of each level for every element, in the traversal order. */
function places(shape: readonly number[], order: readonly number[], blockMap: readonly number[], blocks: readonly number[]): number[][] {
  return Array.from({ length: shape.reduce((a, d) => a * d, 1) }, (_, at) => {
    const index = shape.map((dim, d) => Math.floor(at / shape.slice(d + 1).reduce((a, v) => a * v, 1)) % dim);
    const blockOf = (d: number): number => (blockMap.includes(d) ? blocks[blockMap.indexOf(d)] : 1);
    return order.map((d) => (d < shape.length ? Math.floor(index[d] / blockOf(d)) : index[blockMap[d - shape.length]] % blocks[d - shape.length]));
  });
}

function encode(data: readonly number[], shape: readonly number[], form: { order: number[]; blockMap: number[]; blocks: number[]; formats: number[]; vectorType: number }): Sparse {
  const tuples = places(shape, form.order, form.blockMap, form.blocks);
  const sizes = form.order.map((_, level) => Math.max(...tuples.map((tuple) => tuple[level])) + 1);
  const filled = new Set(tuples.flatMap((tuple, at) => (data[at] === 0 ? [] : tuple.map((_, level) => tuple.slice(0, level + 1).join()))));
  let nodes: number[][] = [[]];
  const dimensions: Dimension[] = form.formats.map((format, level) => {
    const segments = [0];
    const indices: number[] = [];
    const next: number[][] = [];
    for (const node of nodes) {
      for (let k = 0; k < sizes[level]; k++) {
        if (format === CSR && !filled.has([...node, k].join())) continue;
        indices.push(k);
        next.push([...node, k]);
      }
      segments.push(indices.length);
    }
    nodes = next;
    return format === CSR ? { format, size: 0, segments, indices, vectorType: form.vectorType } : { format, size: sizes[level], segments: [], indices: [] };
  });
  const at = new Map(tuples.map((tuple, i) => [tuple.join(), i]));
  return { shape, sparsity: { order: form.order, blockMap: form.blockMap, dimensions }, values: nodes.map((node) => data[at.get(node.join()) ?? 0]) };
}

/** y = DENSIFY(w); what its reader gets. */
function imported({ shape, sparsity, values }: Sparse, type: 'float32' | 'int8' | 'uint8' = 'float32'): number[] {
  const stored = type === 'float32' ? new Uint8Array(Float32Array.from(values).buffer) : Uint8Array.from(values);
  const code = { float32: 0, int8: 9, uint8: 3 }[type];
  let seen: Value | undefined;
  const densify: TfliteReader = (node, b) => {
    seen = node.input(0);
    return tfliteReaders.get('DENSIFY')?.(node, b) ?? [];
  };
  importTflite(buildTflite({
    buffers: [[], [...stored]], codes: [{ builtin: 124 }], operators: [{ code: 0, inputs: [0], outputs: [1] }], inputs: [], outputs: [1],
    tensors: [{ name: 'w', shape, type: code, buffer: 1, sparsity }, { name: 'y', shape, type: code }],
  }), {}, new Map([['DENSIFY', densify]]));
  assert.ok(isConstant(seen));
  assert.deepEqual(seen.shape, shape);
  return Array.from(seen.data, Number);
}

test(`random tensors, orders, blocks and formats come back, seed ${SEED}`, () => {
  const next = random(SEED);
  for (let round = 0; round < 60; round++) {
    const rank = 1 + randomInt(next, 4);
    const blockMap = Array.from({ length: rank }, (_, d) => d).filter(() => next() < 0.4);
    const blocks = blockMap.map(() => 1 + randomInt(next, 3));
    const shape = Array.from({ length: rank }, (_, d) => (1 + randomInt(next, 4)) * (blockMap.includes(d) ? blocks[blockMap.indexOf(d)] : 1));
    const order = Array.from({ length: rank }, (_, d) => d).sort(() => next() - 0.5).concat(blockMap.map((_, i) => rank + i));
    const formats = order.map((d) => (d < rank && next() < 0.6 ? CSR : DENSE));
    const data = Array.from({ length: shape.reduce((a, d) => a * d, 1) }, () => (next() < 0.3 ? 1 + randomInt(next, 100) : 0));
    const sparse = encode(data, shape, { order, blockMap, blocks, formats, vectorType: 1 + randomInt(next, 3) });
    assert.deepEqual(imported(sparse), data, JSON.stringify(sparse));
    assert.deepEqual(imported(sparse, 'int8'), data);
  }
});

/** [[0, 0, 5], [7, 0, 0]] with compressed columns. */
const matrix = { shape: [2, 3], values: [5, 7] };
const rows: Dimension = { format: DENSE, size: 2, segments: [], indices: [] };
const columns: Dimension = { format: CSR, size: 0, segments: [0, 1, 2], indices: [2, 0] };
const tree = (changes: Partial<SparsitySpec> = {}): SparsitySpec => ({ order: [0, 1], blockMap: [], dimensions: [rows, columns], ...changes });
const withColumns = (changes: Partial<Dimension>): SparsitySpec => tree({ dimensions: [rows, { ...columns, ...changes }] });

describe('damaged sparse tensors', () => {
  test('the undamaged one', () => { assert.deepEqual(imported({ ...matrix, sparsity: tree() }), [0, 0, 5, 7, 0, 0]); });
  const damaged: [string, Partial<Sparse>, RegExp][] = [
    ['nothing at all', { sparsity: { order: [], blockMap: [], dimensions: [] } }, /traversal \[\]/],
    ['a dimension twice', { sparsity: tree({ order: [0, 0] }) }, /traversal/],
    ['a dimension outside', { sparsity: tree({ order: [0, 2] }) }, /traversal/],
    ['a missing dimension', { sparsity: tree({ dimensions: [rows] }) }, /traversal/],
    ['a block of a dimension outside', { sparsity: tree({ order: [0, 1, 2], blockMap: [5], dimensions: [rows, columns, rows] }) }, /blocks/],
    ['a block that does not divide', { sparsity: tree({ order: [0, 1, 2], blockMap: [1], dimensions: [rows, columns, rows] }) }, /dimension 1/],
    ['a block of 0', { sparsity: tree({ order: [0, 1, 2], blockMap: [1], dimensions: [rows, columns, { ...rows, size: 0 }] }) }, /dimension/],
    ['a compressed block', { sparsity: tree({ order: [0, 1, 2], blockMap: [1], dimensions: [rows, { ...rows, size: 3 }, columns] }) }, /dimension/],
    ['a dense size beyond the shape', { sparsity: tree({ dimensions: [{ ...rows, size: 3 }, columns] }) }, /dimension 0/],
    ['an unknown format', { sparsity: withColumns({ format: 2 }) }, /format 2/],
    ['too few segments', { sparsity: withColumns({ segments: [0, 2] }) }, /2 segments/],
    ['segments that begin late', { sparsity: withColumns({ segments: [1, 1, 2] }) }, /segments/],
    ['segments that run backwards', { sparsity: withColumns({ segments: [0, 3, 2] }) }, /backwards/],
    ['segments beyond the indices', { sparsity: withColumns({ segments: [0, 1, 3] }) }, /segments/],
    ['an index outside', { sparsity: withColumns({ indices: [3, 0] }) }, /index 3/],
    ['a negative index', { sparsity: withColumns({ indices: [2, -1] }) }, /index -1/],
    ['an index twice', { sparsity: withColumns({ segments: [0, 2, 2], indices: [1, 1] }) }, /index 1 behind 1/],
    ['too few values', { values: [5] }, /1 values for 2/],
    ['too many values', { values: [5, 7, 9] }, /3 values for 2/],
    ['an unknown vector', { sparsity: withColumns({ vectorType: 4 }) }, /unknown type/],
  ];
  for (const [name, changes, pattern] of damaged) {
    test(name, () => { throws('ERR_MODEL_INVALID', pattern, () => imported({ ...matrix, sparsity: tree(), ...changes })); });
  }
  test('sparse bytes', () => { throws('ERR_UNSUPPORTED', /uint8/, () => imported({ ...matrix, sparsity: tree() }, 'uint8')); });
  test('a desert of zeros', () => {
    const shape = [2 ** 13, 2 ** 13 + 1];
    const one: Dimension = { ...columns, segments: [0, 1], indices: [0] };
    throws('ERR_LIMIT', /elements in sparse tensors/, () => imported({ shape, values: [1], sparsity: tree({ dimensions: [one, one] }) }));
  });
});
