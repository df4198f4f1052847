// Runs one graph by definition and by steps. In: a builder's graph, inputs. Out: the outputs of both ways, to be compared.

import { Builder } from '../../host/graph/builder.ts';
import type { Graph, Value } from '../../host/graph/graph.ts';
import { runReference } from '../../host/backends/reference.ts';
import { encodePlan } from '../../host/plan/encode.ts';
import { lower } from '../../host/plan/lower.ts';
import { placePlan } from '../../host/backends/wasm.ts';
import { startPlan } from '../../host/load.ts';
import { allocate, elementCount, type DType, type Quantization, type Shape, type Tensor, type TensorData, type TensorType } from '../../host/tensor.ts';
import { random } from '../random.ts';

export function scale(real: number, zeroPoint: number): Quantization {
  return { scale: Float32Array.of(real), zeroPoint: Int32Array.of(zeroPoint), axis: 0 };
}

/** Seeded data: float32 in [-4, 4), the whole range of int8, small int32. */
export function randomTensor(seed: number, type: TensorType): Tensor {
  const next = random(seed);
  const data = allocate(type.dtype, elementCount(type.shape));
  if (data instanceof BigInt64Array) throw new TypeError('int64 has no place here');
  const draw: Record<Exclude<DType, 'int64'>, () => number> = {
    bool: () => Math.floor(next() * 2),
    float32: () => next() * 8 - 4, int8: () => Math.floor(next() * 256) - 128, uint8: () => Math.floor(next() * 256), int32: () => Math.floor(next() * 41) - 20,
  };
  for (let i = 0; i < data.length; i++) data[i] = draw[type.dtype as Exclude<DType, 'int64'>]();
  return { ...type, data };
}

export function floatTensor(shape: Shape, data: readonly number[]): Tensor {
  return { dtype: 'float32', shape, data: Float32Array.from(data) };
}
export function intTensor(shape: Shape, data: readonly number[]): Tensor {
  return { dtype: 'int32', shape, data: Int32Array.from(data) };
}

/** A graph with these inputs; `build` returns its outputs. */
export function graphOf(inputs: readonly TensorType[], build: (b: Builder, values: Value[]) => Value[]): Graph {
  const b = new Builder();
  const values = inputs.map((type, i) => b.input(`x${i}`, type));
  build(b, values).forEach((value, i) => { b.output(value, `y${i}`); });
  return b.graph;
}

/** [by definition, by steps]. The graph is lowered as it is, without passes. */
export async function bothWays(graph: Graph, inputs: readonly Tensor[]): Promise<[TensorData[], TensorData[]]> {
  const expected = runReference(graph, inputs.map((x) => x.data)).map((y) => y.data);
  const plan = encodePlan(lower(graph), { shuffles: 0, layout: 'NHWC' });
  const model = await startPlan(placePlan(plan), { kernels: 'simd128', warmup: false });
  const actual = model.runSync(inputs.map((x) => x.data)).map((y) => y.slice() as TensorData);
  model.dispose();
  return [expected, actual];
}
