// The int8 form of a float32 network: post-training static quantisation. In: a graph and sample inputs. Out: a graph of int8 ops.
// Every float value is written as quantize → dequantize with parameters from its range on the samples; the passes that read
// quantised models make integer ops of that. Must not know kernels, nor which ops have an integer form.

import { Builder } from '../graph/builder.ts';
import { is, isConstant, makeValue, type Constant, type Graph, type Node, type Value } from '../graph/graph.ts';
import { binary } from '../ops/binary.ts';
import { concat } from '../ops/concat.ts';
import { conv2d } from '../ops/conv2d.ts';
import { convTranspose2d } from '../ops/conv-transpose2d.ts';
import { dequantize } from '../ops/dequantize.ts';
import { matmul } from '../ops/matmul.ts';
import { pool2d } from '../ops/pool2d.ts';
import { quantize } from '../ops/quantize.ts';
import { fuseActivation } from '../passes/fuse-activation.ts';
import { finalPasses, optimise, passes } from '../passes/index.ts';
import { selects } from '../passes/integer-form.ts';
import { runPasses, type Optimised } from '../passes/run.ts';
import type { Quantization } from '../tensor.ts';
import { activationParameters, quantizeWeights } from './int8-parameters.ts';
import { joined, observeRanges, type Range, type Sample } from './observe-ranges.ts';

/**
 * The int8 network that `graph` becomes: inputs and outputs int8 (float32 ones only), weights symmetric per channel, activations
 * asymmetric per tensor, ranges from `samples`. `graph` is used up. Ops without an integer form keep float32 between a dequantize and
 * a quantize. Throws ERR_USAGE, ERR_INPUT.
 */
export async function quantizeGraph(graph: Graph, samples: readonly Sample[]): Promise<Optimised> {
  // Activations stay nodes: integer convolutions take in clamps only.
  const { counts } = runPasses(graph, { repeated: passes, final: finalPasses.filter((pass) => pass !== fuseActivation) });
  const parameters = await parametersOf(graph, samples);
  const quantized = optimise(withQuantization(graph, parameters));
  return { ...quantized, counts };
}

/** Parameters of every float value; those whose bytes are merely moved have the same ones as their source. */
async function parametersOf(graph: Graph, samples: readonly Sample[]): Promise<(value: Value) => Quantization> {
  const group = sharingGroups(graph);
  const made = graph.nodes.filter((node) => !selects(node)).flatMap((node) => node.outputs);
  const observed = [...graph.inputs, ...made, ...graph.nodes.flatMap(quantizedConstants)].filter((value) => value.dtype === 'float32');
  const ranges = await observeRanges(graph, observed, samples);
  const groupRanges = new Map<Value, Range>();
  for (const [value, range] of ranges) groupRanges.set(group(value), joined(groupRanges.get(group(value)), range));
  const parameters = new Map(Array.from(groupRanges, ([root, range]) => [root, activationParameters(range)]));
  return (value) => parameters.get(group(value)) ?? activationParameters({ min: 0, max: 0 });
}

/**
 * Value → a representative of those that share its parameters: what moves, joins or selects elements has them from its
 * inputs, so that it costs nothing and parts can be written in place.
 */
function sharingGroups(graph: Graph): (value: Value) => Value {
  const parents = new Map<Value, Value>();
  const root = (value: Value): Value => {
    let at = value;
    for (let up = parents.get(at); up !== undefined; up = parents.get(at)) at = up;
    return at;
  };
  for (const node of graph.nodes) {
    if (!selects(node) && !(is(node, pool2d) && node.attrs.kind === 'max')) continue;
    const values = [...node.outputs, ...node.inputs].filter((value) => value?.dtype === 'float32') as Value[];
    for (const value of values) if (root(value) !== root(values[0])) parents.set(root(value), root(values[0]));
  }
  return root;
}

/** Constants that take part in arithmetic as activations do. A single number is exact as it is. */
function quantizedConstants(node: Node): Constant[] {
  if (!is(node, binary) && !is(node, concat)) return [];
  return node.inputs.filter(isConstant).filter((value) => value.dtype === 'float32' && (value.data.length > 1 || is(node, concat)));
}

function withQuantization(graph: Graph, parameters: (value: Value) => Quantization): Graph {
  const b = new Builder();
  const known = new Map<Value, Value>();
  for (const input of graph.inputs) {
    if (input.dtype !== 'float32') known.set(input, b.input(input.name, input));
    else known.set(input, b.add(dequantize, {}, [b.input(input.name, { dtype: 'int8', shape: input.shape, quantization: parameters(input) })]));
  }
  const operand = (value: Value): Value => known.get(value) ?? value;
  const rounded = (real: Value, of: Value): Value => b.add(quantize, {}, [real], { quantization: parameters(of) });
  for (const node of graph.nodes) {
    b.from(node.name, node.outputs[0].name);
    const constants = new Map([...weightsOf(node, parameters), ...quantizedConstants(node).map((c) => [c, rounded(c, c)] as const)]);
    const inputs = node.inputs.map((value) => {
      const constant = value && constants.get(value);
      return constant ? b.add(dequantize, {}, [constant], { fold: false }) : value && operand(value);
    });
    b.addAll(node.op, node.attrs, inputs).forEach((real, i) => {
      const value = node.outputs[i];
      known.set(value, real.dtype !== 'float32' || selects(node) ? real : b.add(dequantize, {}, [rounded(real, value)]));
    });
  }
  for (const output of graph.outputs) {
    b.from(output.name, output.name);
    b.output(output.dtype === 'float32' ? rounded(operand(output), output) : operand(output), output.name);
  }
  return b.graph;
}

/** The constant weights of a node that multiplies by them, as int8. */
function weightsOf(node: Node, parameters: (value: Value) => Quantization): [Value, Value][] {
  const [x, w, bias = null] = node.inputs;
  const multiplies = is(node, conv2d) || is(node, convTranspose2d) || is(node, matmul);
  if (!multiplies || !x || !isConstant(w) || w.dtype !== 'float32' || (bias !== null && !isConstant(bias))) return [];
  const tensor = quantizeWeights(w, bias, parameters(x).scale[0]);
  return [[w, makeValue(tensor, w.name, tensor.data)]];
}
