// Runs a pass on a small graph and proves that the meaning stayed. In: a function that builds the graph, passes, a tolerance.
// Out: the text of the graph before and after and the number of rewrites.

import assert from 'node:assert/strict';
import { runReference } from '../../host/backends/reference.ts';
import { Builder } from '../../host/graph/builder.ts';
import type { Graph } from '../../host/graph/graph.ts';
import { printGraph } from '../../host/graph/print.ts';
import { verifyGraph } from '../../host/graph/verify.ts';
import type { Pass } from '../../host/passes/pass.ts';
import { allocate, elementCount, type DType, type Quantization, type Shape, type Tensor, type TensorData } from '../../host/tensor.ts';
import { random } from '../random.ts';

export interface Rewritten {
  readonly before: string;
  readonly after: string;
  readonly count: number;
  readonly graph: Graph;
}

/** `allowed`: largest difference, for float32 as a share of the largest expected value, for integers in units; 0: equal. */
export function rewritten(build: (b: Builder) => void, passes: Pass | readonly Pass[], allowed = 0): Rewritten {
  const b = new Builder();
  build(b);
  const { graph } = b;
  verifyGraph(graph);
  const inputs = graph.inputs.map((value, i) => filled(value.dtype, value.shape, i + 1).data);
  const names = graph.outputs.map((value) => value.name);
  const expected = runReference(graph, inputs);
  const before = printGraph(graph);
  let count = 0;
  for (const pass of Array.isArray(passes) ? passes as readonly Pass[] : [passes as Pass]) {
    count += pass.run(graph);
    verifyGraph(graph);
  }
  assert.deepEqual(graph.outputs.map((value) => value.name), names);
  const actual = runReference(graph, inputs);
  expected.forEach((tensor, i) => { assertClose(actual[i], tensor, allowed); });
  return { before, after: printGraph(graph), count, graph };
}

export function assertClose(actual: Tensor, expected: Tensor, allowed: number): void {
  assert.equal(actual.dtype, expected.dtype);
  assert.deepEqual([...actual.shape], [...expected.shape]);
  const magnitudes = Array.from(expected.data as ArrayLike<number>, (v) => Math.abs(v));
  const bound = allowed * (expected.dtype === 'float32' ? Math.max(...magnitudes) : 1);
  for (let i = 0; i < expected.data.length; i++) {
    const [a, e] = [Number(actual.data[i]), Number(expected.data[i])];
    assert.ok(a === e || Math.abs(a - e) <= bound, `element ${i}: ${String(actual.data[i])} instead of ${String(expected.data[i])}`);
  }
}

/** A tensor of seeded numbers: float32 in [-2, 2), integers over the whole int8 range. */
export function filled(dtype: DType, shape: Shape, seed: number, quantization?: Quantization): Tensor {
  const next = random(seed);
  const data: TensorData = allocate(dtype, elementCount(shape));
  for (let i = 0; i < data.length; i++) {
    if (data instanceof BigInt64Array) data[i] = BigInt(i);
    else data[i] = dtype === 'float32' ? next() * 4 - 2 : Math.floor(next() * 256) - (dtype === 'uint8' ? 0 : 128);
  }
  return { dtype, shape, data, quantization };
}

export function perTensor(scale: number, zeroPoint: number): Quantization {
  return { scale: Float32Array.of(scale), zeroPoint: Int32Array.of(zeroPoint), axis: 0 };
}

/** The lines of a golden text, without the indentation of the source. */
export function text(source: string): string {
  return `${source.trim().split('\n').map((line) => line.trim()).join('\n')}\n`;
}
