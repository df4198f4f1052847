// The layers of a network: one per convolution, pool, join or fully connected layer, with what follows it merged into it.
// In: a graph as imported or built. Out: layers in order with sizes and costs, who feeds whom, and totals.
// Must not know steps, arenas, nor how a table looks.

import { is, isConstant, type Graph, type Node, type Value } from '../graph/graph.ts';
import { binary } from '../ops/binary.ts';
import { concat } from '../ops/concat.ts';
import { pool2d } from '../ops/pool2d.ts';
import { quantize } from '../ops/quantize.ts';
import { slice } from '../ops/slice.ts';
import { elementBytes, elementCount, sameShape, type DType, type Shape } from '../tensor.ts';
import { authoredGraph } from './authored.ts';
import { additionOf, factsOf, type Addition, type LayerFacts } from './node-facts.ts';

export interface Layer extends LayerFacts {
  readonly name: string;
  /** Shapes of the data that come in, NHWC where they are images. */
  readonly inputs: readonly Shape[];
  /** More than one for a split alone. */
  readonly outputs: readonly Shape[];
  readonly dtype: DType;
  /** Bytes of the outputs / 1024. */
  readonly memoryKB: number;
  /** Multiply-accumulates of convolutions and matrix products. */
  readonly macs: number;
  /** Where the inputs come from: an index of a layer, or -1 - i for input i of the network. */
  readonly from: readonly number[];
}
export interface Totals {
  /** Of convolutions and fully connected layers, without biases. */
  readonly weights: number;
  /** Weights, biases, and scales and shifts of normalisations. */
  readonly parameters: number;
  readonly macs: number;
}
export interface Overview {
  readonly inputs: readonly { readonly name: string; readonly dtype: DType; readonly shape: Shape }[];
  readonly layers: readonly Layer[];
  /** Where the network's outputs come from, as in Layer.from. */
  readonly outputs: readonly { readonly name: string; readonly from: number }[];
  readonly totals: Totals;
}

/** The word for an operation on two results of one layer. */
const GATE = 'gate';
/** Activations that files spell out in several nodes. */
const spellings: readonly { readonly words: readonly string[]; readonly means: string }[] = [
  { words: ['sigmoid', GATE], means: 'swish' },
  { words: ['hard sigmoid', GATE], means: 'hard swish' },
  ...['div', 'mul'].flatMap((sixth) => [
    { words: ['add', 'relu6', sixth], means: 'hard sigmoid' },
    { words: ['add', 'relu6', GATE, sixth], means: 'hard swish' },
  ]),
];

function recognised(words: readonly string[]): readonly string[] {
  const found = spellings.find((spelling) => spelling.words.every((word, i) => words.at(i - spelling.words.length) === word));
  return found ? [...words.slice(0, -found.words.length), found.means] : words;
}

/** The layers of a graph, which stays as it is. */
export function overviewOf(graph: Graph): Overview {
  return new Collector().collect(authoredGraph(graph));
}

type Draft = { -readonly [K in keyof Layer]: Layer[K] };
/** What a layer's elements take follows from its final shapes and dtype. */
type Unmeasured = Omit<Draft, 'memoryKB'>;

class Collector {
  readonly #layers: Unmeasured[] = [];
  /** Which layer (or input of the network) a value belongs to; absent: known before the network runs. */
  readonly #owners = new Map<Value, number>();
  /** The layer that cuts a value into parts. */
  readonly #splits = new Map<Value, number>();
  /** Words for what was done to a value so far. */
  readonly #done = new Map<Value, Set<string>>();

  collect(graph: Graph): Overview {
    graph.inputs.forEach((value, i) => this.#owners.set(value, -1 - i));
    for (const node of graph.nodes) this.#visit(node);
    const layers = this.#layers.map((layer) => ({ ...layer, memoryKB: kilobytes(layer) }));
    const sum = (of: (layer: Layer) => number): number => layers.reduce((total, layer) => total + of(layer), 0);
    return {
      inputs: graph.inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
      layers,
      outputs: graph.outputs.flatMap((value) => {
        const from = this.#owners.get(value);
        return from === undefined ? [] : [{ name: value.name, from }];
      }),
      totals: { weights: sum((l) => l.weights), parameters: sum((l) => l.parameters), macs: sum((l) => l.macs) },
    };
  }

  readonly #isFixed = (value: Value | null | undefined): boolean => !!value && (isConstant(value) || !this.#owners.has(value));

  #visit(node: Node): void {
    const data = node.inputs.filter((value): value is Value => value !== null && !this.#isFixed(value));
    if (data.length === 0) return;
    const owner = this.#extend(node, data) ?? this.#widenSplit(node, data[0]) ?? this.#add(node, data);
    for (const output of node.outputs) this.#owners.set(output, owner);
  }

  /** The layer that the node is a part of; undefined where it is one of its own. */
  #extend(node: Node, data: readonly Value[]): number | undefined {
    const owner = this.#owners.get(data[0]) ?? 0;
    const layer = owner < 0 ? undefined : this.#layers[owner];
    const addition = layer && this.#gates(node, data, layer) ? { word: GATE, parameters: 0 } : additionOf(node, this.#isFixed);
    if (addition === null || (!layer && addition.word !== null)) return undefined;
    if (layer) grow(layer, node, this.#isRepeated(data[0], addition) ? { ...addition, word: null } : addition);
    return owner;
  }

  /** Branches may begin alike: what each of them does to the layer's result is said once. */
  #isRepeated(value: Value, { word }: Addition): boolean {
    const words = this.#done.get(value) ?? new Set();
    this.#done.set(value, words);
    return word !== null && words.size === words.add(word).size;
  }

  /** x * sigmoid(x) and the like: both operands come from one layer. */
  #gates(node: Node, data: readonly Value[], layer: Unmeasured): boolean {
    const owners = new Set(data.map((value) => this.#owners.get(value)));
    return is(node, binary) && new Set(data).size === 2 && owners.size === 1 && layer.outputs.length === 1 && sameShape(node.outputs[0].shape, layer.outputs[0]);
  }

  /** What cuts a tensor into several is one split, however many nodes it was written with. */
  #widenSplit(node: Node, whole: Value): number | undefined {
    const index = is(node, slice) ? this.#splits.get(whole) : undefined;
    if (index === undefined) return undefined;
    const layer = this.#layers[index];
    layer.op = 'split';
    layer.outputs = [...layer.outputs, node.outputs[0].shape];
    return index;
  }

  /** Where quantised layers are spelled in float, what only moves or pools elements stays as small as they are. */
  #storedType(node: Node, data: readonly Value[]): DType {
    const dtypes = new Set(data.map((value) => this.#layers[this.#owners.get(value) ?? 0]?.dtype));
    const [dtype] = dtypes;
    const keeps = node.op.moves || is(node, concat) || is(node, pool2d);
    return keeps && dtype !== undefined && dtypes.size === 1 ? dtype : node.outputs[0].dtype;
  }

  #add(node: Node, data: readonly Value[]): number {
    const index = this.#layers.length;
    const [output] = node.outputs;
    this.#layers.push({
      ...factsOf(node, this.#isFixed),
      name: node.name === '' ? output.name : node.name,
      inputs: data.map((value) => value.shape),
      outputs: [output.shape],
      dtype: this.#storedType(node, data),
      macs: node.op.macs?.(node) ?? 0,
      from: [...new Set(data.map((value) => this.#owners.get(value) ?? 0))],
    });
    if (is(node, slice)) this.#splits.set(data[0], index);
    return index;
  }
}

/** A quantize decides how the layer's result is stored. */
function grow(layer: Unmeasured, node: Node, { word, parameters }: Addition): void {
  const [output] = node.outputs;
  if (is(node, quantize) && elementCount(output.shape) === elementCount(layer.outputs[0])) layer.dtype = output.dtype;
  layer.parameters += parameters;
  if (word !== null) layer.then = recognised([...layer.then, word]);
}

function kilobytes({ dtype, outputs }: Unmeasured): number {
  return outputs.reduce((sum, shape) => sum + elementCount(shape) * elementBytes[dtype], 0) / 1024;
}
