// Every tensor that a plan computes, against its op's definition on what the plan itself computed before: no error adds up, and a
// network of 20 GMAC is checked in seconds, because of large products only some output channels are recomputed.
// In: an optimised graph, its running model, an input. Out: one record per checked tensor.

import { is, isConstant, type Graph, type Node, type Value } from '../../host/graph/graph.ts';
import type { Model, StepInfo } from '../../host/model.ts';
import { conv2d } from '../../host/ops/conv2d.ts';
import { matmul } from '../../host/ops/matmul.ts';
import { elementCount, numbers, type Tensor, type TensorData } from '../../host/tensor.ts';

export interface CheckedTensor {
  readonly op: string;
  readonly name: string;
  /** Largest difference as a share of the largest expected value. */
  readonly error: number;
  /** Standard deviation of what was compared. */
  readonly deviation: number;
}

/** Multiply-accumulates of one node that the definition may cost, unless that leaves fewer channels of a group than these. */
const MOST_MACS = 20e6;
const FEWEST_CHANNELS = 4;

export function checkSteps(graph: Graph, model: Model, input: Float32Array): CheckedTensor[] {
  const traced: { step: StepInfo; data: TensorData }[] = [];
  model.trace([input], (step, data) => { traced.push({ step, data }); });
  const known = new Map<Value, Tensor>(graph.inputs.map((value) => [value, { ...value, data: input }]));
  const tensorOf = (value: Value | null): Tensor | null => value && (isConstant(value) ? value : known.get(value) ?? null);
  const checked: CheckedTensor[] = [];
  for (const node of graph.nodes) {
    const [y] = node.outputs;
    const inputs = node.inputs.map(tensorOf);
    const at = traced.findIndex(({ step }) => step.op === node.op.kind && step.name === y.name);
    if (at < 0) { // a view: nothing was computed
      known.set(y, node.op.reference(inputs, node.attrs, node.outputs)[0]);
      continue;
    }
    // Steps come in the order of the nodes: what lies before belongs to copies that no node asked for.
    const [{ data }] = traced.splice(0, at + 1).slice(-1);
    known.set(y, { ...y, data });
    checked.push({ op: node.op.kind, name: y.name, ...compared(...expectation(node, inputs, { ...y, data })) });
  }
  return checked;
}

/** What the definition says and what was computed, for all or some channels. */
function expectation(node: Node, inputs: (Tensor | null)[], y: Tensor): [Tensor, Tensor] {
  const share = MOST_MACS / (node.op.macs?.(node) ?? 0);
  if (share >= 1 || !(is(node, conv2d) || is(node, matmul))) return [node.op.reference(inputs, node.attrs, node.outputs)[0], y];
  const channels = y.shape.at(-1) ?? 1;
  const groups = is(node, conv2d) ? node.attrs.groups : 1;
  const perGroup = channels / groups;
  const stride = Math.max(1, Math.min(Math.ceil(1 / share), Math.floor(perGroup / FEWEST_CHANNELS)));
  const chosen = Array.from({ length: channels }, (_, c) => c).filter((c) => (c % perGroup) % stride === stride - 1);
  const [x, w, bias] = inputs;
  const part = [x, w && lastAxis(w, chosen), bias ? lastAxis(bias, chosen) : null];
  return [node.op.reference(part, node.attrs, [lastAxis({ ...y }, chosen)])[0], lastAxis(y, chosen)];
}

/** The chosen indices of the last axis. */
function lastAxis(tensor: Tensor, chosen: readonly number[]): Tensor {
  const source = numbers(tensor);
  const width = tensor.shape.at(-1) ?? 1;
  const data = new Float32Array(elementCount(tensor.shape) / width * chosen.length);
  for (let i = 0; i < data.length; i++) data[i] = source[Math.floor(i / chosen.length) * width + chosen[i % chosen.length]];
  return { dtype: 'float32', shape: [...tensor.shape.slice(0, -1), chosen.length], data };
}

function compared(want: Tensor, got: Tensor): { error: number; deviation: number } {
  const [a, b] = [numbers(want), numbers(got)];
  let [largest, difference, sum, squares] = [0, 0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    largest = Math.max(largest, Math.abs(a[i]));
    difference = Math.max(difference, Math.abs(a[i] - b[i]));
    sum += a[i];
    squares += a[i] ** 2;
  }
  const mean = sum / a.length;
  return { error: a.length === b.length ? difference / largest : NaN, deviation: Math.sqrt(squares / a.length - mean ** 2) };
}
