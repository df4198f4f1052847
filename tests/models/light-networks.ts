// The lecture's networks as the ONNX project ships them ("light": weights are ConstantOfShape 0.02). In: names. Out: bytes, expected
// outputs, and graphs whose weights are seeded noise instead. Equal weights make all channels equal: then a swapped channel, a wrong
// group or misplaced weights change nothing, so only the noise proves arithmetic.

import { importModel } from '../../host/import/index.ts';
import { is, isConstant, type Constant, type Graph, type Node } from '../../host/graph/graph.ts';
import { batchNorm } from '../../host/ops/batch-norm.ts';
import { conv2d } from '../../host/ops/conv2d.ts';
import { matmul } from '../../host/ops/matmul.ts';
import { random } from '../../models/random.ts';
import { readTensorProto, type ProtoTensor } from '../conformance/tensor-proto.ts';
import { sharedBytes } from '../shared.ts';

export const lightNetworks = ['bvlc_alexnet', 'inception_v1', 'resnet50', 'shufflenet', 'squeezenet', 'vgg19'] as const;
export type LightNetwork = typeof lightNetworks[number];

export function lightBytes(name: LightNetwork): Uint8Array {
  return sharedBytes(`onnx-light/light_${name}.onnx`);
}
export function lightOutput(name: LightNetwork): ProtoTensor {
  const tensor = readTensorProto(sharedBytes(`onnx-light/light_${name}_output_0.pb`));
  if (!tensor) throw new Error(`the expected output of ${name} is no tensor`);
  return tensor;
}

/** What ONNX's own test runner feeds these networks: 0 … 1 in equal steps. */
export function ramp(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => i / count);
}

/** The network as imported, with every constant of equal elements refilled. The same seed gives the same graph. */
export function refilledNetwork(name: LightNetwork, seed: number): { graph: Graph; refilled: number } {
  const graph = importModel(lightBytes(name));
  const next = noiseOf(seed);
  let refilled = 0;
  for (const node of graph.nodes) {
    node.inputs.forEach((value, index) => {
      if (!isConstant(value) || !isUniform(value)) return;
      refill(value.data, rangeOf(node, index), next);
      refilled++;
    });
  }
  return { graph, refilled };
}

/** Numbers in [0, 1): a block whose prime length no row of weights shares, again and again. VGG-19 wants 144 million of them. */
function noiseOf(seed: number): () => number {
  const block = Float32Array.from({ length: 1_000_003 }, random(seed));
  let at = 0;
  return () => block[at = at + 1 < block.length ? at + 1 : 0];
}

/** More than the 128 elements that the ONNX project left alone, all of them 0.02. */
function isUniform(value: Constant): value is Constant & { data: Float32Array } {
  const filling = Math.fround(0.02);
  return value.data instanceof Float32Array && value.data.length > 128 && value.data.every((x) => x === filling);
}

function refill(data: Float32Array, [low, high]: readonly [number, number], next: () => number): void {
  for (let i = 0; i < data.length; i++) data[i] = low + (high - low) * next();
}

/**
 * Range of uniform noise. Weights: ±sqrt(6 / fan-in), the variance 2 / fan-in that keeps the power of ReLU networks (He et al.,
 * "Delving Deep into Rectifiers", arXiv 1502.01852). Scale and variance of a normalisation near 1; everything else near 0.
 */
function rangeOf(node: Node, index: number): readonly [number, number] {
  const shape = node.inputs[index]?.shape ?? [];
  const isWeights = index === 1 && (is(node, conv2d) || is(node, matmul));
  const fanIn = is(node, conv2d) ? shape.slice(0, 3).reduce((a, d) => a * d, 1) : (shape.at(-2) ?? 1);
  if (isWeights) return [-Math.sqrt(6 / fanIn), Math.sqrt(6 / fanIn)];
  if (is(node, batchNorm) && index === 1) return [0.25, 0.75];
  if (is(node, batchNorm) && index === 4) return [0.5, 1.5];
  return [-0.1, 0.1];
}
