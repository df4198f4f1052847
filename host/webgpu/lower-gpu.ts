// Graph → dispatches: places every value, has each unit's rule describe its dispatch, inserts the copies that views cannot avoid.
// In: an optimised graph of float32 values. Out: dispatches on regions, weights, where inputs and outputs lie.
// Must not know kernels (but the copy) or devices.

import { KingletError } from '../error.ts';
import { named } from '../graph/builder.ts';
import { isConstant, type Graph, type Node, type Value } from '../graph/graph.ts';
import { type Address, type Need, type Region, type View } from '../plan/lowering.ts';
import { denseStrides, elementCount, type Shape } from '../tensor.ts';
import { MAX_WORKGROUPS, type Dispatch, type WeightRegion } from './dispatch.ts';
import { fuseUnits, type Unit } from './fuse-units.ts';
import { ceil4, type GpuFeatures, type GpuLowering, type GpuRegion } from './gpu-lowering.ts';
import { toHalves } from './half-floats.ts';
import { copy } from './kernels/elementwise.ts';
import { gpuRules } from './gpu-rules.ts';
import { placeParts } from '../plan/place-parts.ts';

export interface GpuStep {
  readonly dispatch: Dispatch;
  /** Of the node that it computes, for people. */
  readonly op: string;
  readonly name: string;
}
export interface GpuLowered {
  readonly steps: readonly GpuStep[];
  readonly weights: ReadonlyMap<Region, Float32Array | Uint16Array>;
  readonly inputs: readonly { readonly value: Value; readonly view: View }[];
  readonly outputs: readonly { readonly value: Value; readonly view: View }[];
}

/** Rows of channels whose pitch is a multiple of four. */
function pitchedView(value: Value): View {
  const { shape, name } = value;
  const channels = shape.at(-1) ?? 1;
  const pitched = [...shape.slice(0, -1), ceil4(channels)];
  const region: GpuRegion = { kind: 'arena', bytes: 4 * elementCount(pitched), name, channels };
  return { dtype: 'float32', shape, strides: shape.length === 0 ? [] : denseStrides(pitched), at: { region, offsetBytes: 0 } };
}
function denseView({ shape, name }: { readonly shape: Shape; readonly name: string }): View {
  const region: GpuRegion = { kind: 'arena', bytes: 4 * elementCount(shape), name, channels: shape.at(-1) ?? 1 };
  return { dtype: 'float32', shape, strides: denseStrides(shape), at: { region, offsetBytes: 0 } };
}
function sameView(a: View, b: View): boolean {
  return a.at.region === b.at.region && a.at.offsetBytes === b.at.offsetBytes && a.shape.every((dim, i) => dim <= 1 || a.strides[i] === b.strides[i]);
}

class GpuLowerer implements GpuLowering {
  readonly steps: GpuStep[] = [];
  readonly #stored = new Map<Region, Float32Array | Uint16Array>();
  readonly subgroups: boolean;
  readonly #half: boolean;
  /** Where a value must be written. */
  readonly #places = new Map<Value, View>();
  /** Where a value lies. */
  readonly #views = new Map<Value, View>();
  readonly #copies = new Map<Value, View[]>();
  #pending: { readonly from: View; readonly to: View }[] = [];
  #current = { op: '', name: '' };

  constructor({ half, subgroups }: GpuFeatures) {
    this.#half = half;
    this.subgroups = subgroups;
  }

  lower(graph: Graph): GpuLowered {
    const inputs = graph.inputs.map((value) => ({ value, view: denseView(value) }));
    for (const { value, view } of inputs) this.#views.set(value, view);
    const units = fuseUnits(graph);
    placeParts(graph, units.map(({ node }) => node), this.#places, pitchedView);
    for (const unit of units) this.#lowerUnit(unit);
    const outputs = graph.outputs.map((value) => ({ value, view: this.#viewOf(value) }));
    return { steps: this.steps, weights: this.#stored, inputs, outputs };
  }

  #lowerUnit(unit: Unit): void {
    const { node, output } = unit;
    if (!output || node.outputs.every((v) => elementCount(v.shape) === 0)) return;
    const rule = gpuRules.get(node.op.kind);
    if (!rule) throw new KingletError('ERR_INTERNAL', `no rule for ${node.op.kind}`);
    this.#current = { op: node.op.kind, name: output.name };
    try {
      rule.lower(unit as Unit & { node: Node<never> }, this);
    } catch (error) {
      throw named(error, node.op.kind, node.name);
    }
    for (const { from, to } of this.#pending) this.emit(copy(from, to));
    this.#pending = [];
  }

  read(value: Value, need?: Need): View {
    const view = this.#viewOf(value);
    if (!need || need(view)) return view;
    const known = this.#copies.get(value) ?? [];
    const fitting = known.find(need);
    if (fitting) return fitting;
    const own = [pitchedView(value), denseView(value)].find(need);
    if (!own) throw new KingletError('ERR_INTERNAL', `no place for ${value.name} is as a kernel needs it`);
    this.emit(copy(view, own));
    this.#copies.set(value, [...known, own]);
    return own;
  }

  #viewOf(value: Value): View {
    const known = this.#views.get(value);
    if (known) return known;
    const view = isConstant(value)
      ? { ...denseView(value), at: this.constant(value.data as Float32Array) }
      : denseView(value); // only tensors without elements have no producer here
    this.#views.set(value, view);
    return view;
  }

  write(value: Value, need?: Need): View {
    const place = this.#places.get(value) ?? pitchedView(value);
    this.#views.set(value, place);
    if (!need || need(place)) return place;
    const own = pitchedView(value);
    if (!need(own)) throw new KingletError('ERR_INTERNAL', `no place for ${value.name} is as a kernel needs it`);
    this.#pending.push({ from: own, to: place });
    return own;
  }

  alias(value: Value, view: View): void {
    const place = this.#places.get(value);
    this.#views.set(value, place ?? view);
    if (place && !sameView(place, view)) this.emit(copy(view, place));
  }

  constant(data: Float32Array): Address {
    const region: Region = { kind: 'weights', bytes: data.byteLength };
    this.#stored.set(region, data);
    return { region, offsetBytes: 0 };
  }

  weights(data: Float32Array): Address {
    const halves = this.#half ? toHalves(data) : null;
    if (!halves) return this.constant(data);
    const region: WeightRegion = { kind: 'weights', bytes: halves.byteLength, half: true };
    this.#stored.set(region, halves);
    return { region, offsetBytes: 0 };
  }

  /** A dispatch may not write the region that it reads: then it writes a copy of that region's extent first. */
  emit(dispatch: Dispatch): void {
    const { view } = dispatch.write;
    if (elementCount(view.shape) === 0) return;
    if (dispatch.workgroups.some((count) => count > MAX_WORKGROUPS)) {
      throw new KingletError('ERR_LIMIT', `${dispatch.workgroups.join(' x ')} workgroups exceed WebGPU's limit maxComputeWorkgroupsPerDimension of ${MAX_WORKGROUPS}`,
        { details: { limit: 'maxComputeWorkgroupsPerDimension' } });
    }
    if (!dispatch.reads.some((operand) => operand.view.at.region === view.at.region)) {
      this.steps.push({ dispatch, ...this.#current });
      return;
    }
    const elsewhere: View = { ...view, at: { ...view.at, region: { ...view.at.region } } };
    this.steps.push({ dispatch: { ...dispatch, write: { ...dispatch.write, view: elsewhere } }, ...this.#current });
    this.steps.push({ dispatch: copy(elsewhere, view), ...this.#current });
  }
}

/** Lowers an optimised graph that gpuBlockers() has nothing against; without features any device runs what comes out. */
export function lowerGpu(graph: Graph, features: Partial<GpuFeatures> = {}): GpuLowered {
  return new GpuLowerer({ half: false, subgroups: false, ...features }).lower(graph);
}
