// Graph → steps: places every value, asks each op for its steps, inserts the few copies that views cannot avoid.
// In: an optimised graph. Out: steps whose operands are regions, weights, and what lives where. Offsets come later (arena.ts).
// Must not know any op or opcode except X_COPY.

import * as abi from '../../assembly/abi.ts';
import { KingletError, quote } from '../error.ts';
import { named } from '../graph/builder.ts';
import { isConstant, type Graph, type Node, type Value } from '../graph/graph.ts';
import { denseStrides, elementBytes, elementCount, type TensorType } from '../tensor.ts';
import { type Address, type Lowering, type Need, type Region, type View, type Words } from './lowering.ts';
import { makeNest } from './views.ts';
import { placeParts } from './place-parts.ts';

/** What a step computes, for people: the trace records of the plan. */
export interface Trace {
  readonly op: string;
  readonly name: string;
  readonly view: View;
  /** The tensor is whole after this step. */
  complete: boolean;
  readonly macs: number;
  readonly params: number;
}
export interface Step {
  readonly opcode: number;
  readonly stepBytes: number;
  readonly words: Words;
  readonly trace: Trace;
}
export interface Lowered {
  readonly steps: Step[];
  readonly weights: ReadonlyMap<Region, Uint8Array>;
  readonly inputs: readonly { readonly value: Value; readonly view: View }[];
  readonly outputs: readonly { readonly value: Value; readonly view: View }[];
}

function denseView(type: TensorType, region: Region): View {
  return { dtype: type.dtype, shape: type.shape, strides: denseStrides(type.shape), at: { region, offsetBytes: 0 } };
}
function bytesOf(type: TensorType): number {
  return elementCount(type.shape) * elementBytes[type.dtype];
}
function sameView(a: View, b: View): boolean {
  return a.at.region === b.at.region && a.at.offsetBytes === b.at.offsetBytes
    && a.shape.every((dim, i) => dim <= 1 || a.strides[i] === b.strides[i]);
}

class Lowerer implements Lowering {
  readonly tolerance: number;
  readonly steps: Step[] = [];
  readonly #weights = new Map<Region, Uint8Array>();
  readonly #constants = new Map<Value, View>();
  readonly #byContent = new Map<string, Region>();
  /** Where a value must be written. */
  readonly #places = new Map<Value, View>();
  /** Where a value lies. */
  readonly #views = new Map<Value, View>();
  readonly #dense = new Map<Value, View>();
  /** Copies from a temporary to a value's place, due after the current node. */
  #pending: { value: Value; from: View; to: View }[] = [];
  /** What the steps being emitted belong to; the first of them carries the node's cost. */
  #current: { node: Node | null; value: Value; steps: number } | null = null;

  constructor(tolerance: number) {
    this.tolerance = tolerance;
  }

  lower(graph: Graph): Lowered {
    for (const value of graph.inputs) this.#views.set(value, this.#fresh(value));
    this.#placeOutputs(graph);
    placeParts(graph, graph.nodes, this.#places, (value) => this.#fresh(value));
    for (const node of graph.nodes) this.#lowerNode(node);
    const outputs = graph.outputs.map((value) => ({ value, view: this.#outputView(value) }));
    const inputs = graph.inputs.map((value) => ({ value, view: this.#views.get(value) ?? this.#fresh(value) }));
    return { steps: this.steps, weights: this.#weights, inputs, outputs };
  }

  #fresh(value: Value): View {
    return denseView(value, { kind: 'arena', bytes: bytesOf(value), name: value.name });
  }

  #placeOutputs(graph: Graph): void {
    for (const value of graph.outputs) {
      if (!isConstant(value) && !graph.inputs.includes(value)) this.#places.set(value, this.#fresh(value));
    }
  }

  #lowerNode(node: Node): void {
    const [first] = node.outputs;
    if (!first || node.outputs.every((v) => elementCount(v.shape) === 0)) return;
    const before = this.steps.length;
    this.#current = { node, value: first, steps: 0 };
    try {
      node.op.lower(node, this);
    } catch (error) {
      throw named(error, node.op.kind, node.name);
    }
    for (const { value, from, to } of this.#pending) this.#copy(value, from, to);
    this.#pending = [];
    const last = this.steps.at(-1);
    if (last && this.steps.length > before) last.trace.complete = true;
    this.#current = null;
  }

  /** Graph outputs lie dense in arena memory of their own. */
  #outputView(value: Value): View {
    const place = this.#places.get(value);
    if (place && !isConstant(value)) return place;
    const own = this.#fresh(value);
    this.#current = { node: null, value, steps: 0 };
    if (elementCount(value.shape) > 0) this.#copy(value, this.read(value), own);
    const last = this.steps.at(-1);
    if (last) last.trace.complete = true;
    return own;
  }

  read(value: Value, need?: Need): View {
    const view = this.#viewOf(value);
    if (!need || need(view)) return view;
    const known = this.#dense.get(value);
    if (known) return known;
    const dense = this.#fresh(value);
    this.#copy(value, view, dense);
    this.#dense.set(value, dense);
    return dense;
  }

  #viewOf(value: Value): View {
    const view = this.#views.get(value) ?? this.#constants.get(value);
    if (view) return view;
    if (isConstant(value)) {
      const constant = { ...denseView(value, this.weights(value.data).region) };
      this.#constants.set(value, constant);
      return constant;
    }
    const empty = this.#fresh(value); // only tensors without elements have no producer here
    this.#views.set(value, empty);
    return empty;
  }

  write(value: Value, need?: Need): View {
    const place = this.#places.get(value) ?? this.#fresh(value);
    this.#views.set(value, place);
    if (this.#current) this.#current.value = value;
    if (!need || need(place)) return place;
    const temporary = this.#fresh(value);
    this.#pending.push({ value, from: temporary, to: place });
    return temporary;
  }

  alias(value: Value, view: View): void {
    const place = this.#places.get(value);
    this.#views.set(value, place ?? view);
    if (place && !sameView(place, view)) this.#copy(value, view, place);
  }

  weights(data: ArrayBufferView): Address {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const key = contentKey(bytes);
    const known = this.#byContent.get(key);
    if (known && equalBytes(this.#weights.get(known), bytes)) return { region: known, offsetBytes: 0 };
    const region: Region = { kind: 'weights', bytes: bytes.byteLength };
    this.#weights.set(region, bytes);
    this.#byContent.set(key, region);
    return { region, offsetBytes: 0 };
  }

  temporary(bytes: number): Address {
    return { region: { kind: 'arena', bytes }, offsetBytes: 0 };
  }

  emit(opcode: number, stepBytes: number, words: Words): void {
    const current = this.#current;
    if (!current) return;
    const { node, value } = current;
    const costs = node !== null && current.steps++ === 0;
    const constants = node?.inputs.filter(isConstant) ?? [];
    const trace: Trace = {
      op: node?.op.kind ?? 'output',
      name: value.name,
      view: this.#views.get(value) ?? this.#places.get(value) ?? this.#fresh(value),
      complete: false,
      macs: costs ? (node.op.macs?.(node) ?? 0) : 0,
      params: costs ? constants.reduce((sum, c) => sum + elementCount(c.shape), 0) : 0,
    };
    this.steps.push({ opcode, stepBytes, words, trace });
  }

  #copy(value: Value, from: View, to: View): void {
    const nest = makeNest([to, from]);
    this.emit(abi.X_COPY, abi.COPY_STEP_BYTES, {
      [abi.COPY_SRC]: from.at, [abi.COPY_DST]: to.at, [abi.COPY_ELEMENT_BYTES]: elementBytes[value.dtype],
      [abi.COPY_DIMS]: nest.dims, [abi.COPY_SRC_STRIDES]: nest.strides[1] ?? [], [abi.COPY_DST_STRIDES]: nest.strides[0] ?? [],
    });
  }
}

/** FNV-1a over the bytes (sampled for large blocks): equal keys are compared byte by byte afterwards. */
function contentKey(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  const step = Math.max(1, Math.floor(bytes.length / 4096));
  for (let i = 0; i < bytes.length; i += step) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
  return `${bytes.length}:${hash >>> 0}`;
}
function equalBytes(a: Uint8Array | undefined, b: Uint8Array): boolean {
  if (a?.length !== b.length) return false;
  for (let i = 0; i < b.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** About what plain float32 sums over hundreds of channels lose by themselves (docs/kernels.md, Winograd). */
const TOLERANCE = 1e-5;

/**
 * Lowers an optimised graph. `tolerance`: what Lowering says. Throws ERR_UNSUPPORTED naming the node where no kernel can do what it
 * asks, ERR_USAGE for a tolerance that is no share.
 */
export function lower(graph: Graph, tolerance = TOLERANCE): Lowered {
  if (!(tolerance >= 0 && tolerance <= 1)) throw new KingletError('ERR_USAGE', `a tolerance is a share from 0 to 1, not ${quote(String(tolerance))}`);
  return new Lowerer(tolerance).lower(graph);
}
