// A short textual form of a graph, for golden tests, messages and comparing nodes. In: a graph. Out: text.
// Values are numbered in order of appearance; small constants are shown whole. Must not know any particular op.

import type { Quantization, TensorType } from '../tensor.ts';
import { isConstant, type Constant, type Graph, type Value } from './graph.ts';

/** Longest constant shown element by element. */
const SHOWN_ELEMENTS = 8;

export function printGraph(graph: Graph): string {
  const names = new Map<Value, string>();
  const nameOf = (value: Value | null): string => {
    if (value === null) return '-';
    const known = names.get(value);
    if (known !== undefined) return known;
    if (isConstant(value)) return formatConstant(value);
    const name = `%${names.size}`;
    names.set(value, name);
    return name;
  };
  const lines = graph.inputs.map((value) => `input ${nameOf(value)} ${JSON.stringify(value.name)}: ${formatType(value)}`);
  for (const node of graph.nodes) {
    const inputs = node.inputs.map(nameOf).join(', ');
    const outputs = node.outputs.map((value) => `${nameOf(value)}: ${formatType(value)}`).join(', ');
    const attrs = formatAttrs(node.attrs);
    lines.push(`${outputs} = ${node.op.kind}(${inputs})${attrs === '{}' ? '' : ` ${attrs}`}`);
  }
  for (const value of graph.outputs) lines.push(`output ${nameOf(value)} ${JSON.stringify(value.name)}`);
  return `${lines.join('\n')}\n`;
}

/** A number per graph: equal for graphs that compute the same things from the same things, whatever the order of their nodes. */
export function fingerprint(graph: Graph): number {
  const known = new Map<Value | null, number>();
  graph.inputs.forEach((value, i) => known.set(value, hash(`input ${i} ${formatType(value)}`)));
  const of = (value: Value | null): number => known.get(value) ?? (isConstant(value) ? hash(formatConstant(value)) : 0);
  for (const node of graph.nodes) {
    const made = `${node.op.kind}${formatAttrs(node.attrs)}(${node.inputs.map(of).join()})`;
    node.outputs.forEach((value, i) => known.set(value, hash(`${made} ${i} ${formatType(value)}`)));
  }
  return hash(`${graph.nodes.length} nodes, outputs ${graph.outputs.map(of).join()}`);
}

/** 53 bits of two FNV-like hashes. */
function hash(text: string): number {
  let [low, high] = [0x811c9dc5, 0x01000193];
  for (let i = 0; i < text.length; i++) {
    low = Math.imul(low ^ text.charCodeAt(i), 0x01000193);
    high = Math.imul(high ^ text.charCodeAt(i), 0x85ebca6b);
  }
  return (high >>> 11) * 2 ** 32 + (low >>> 0);
}

/** For example int8[1,4,4,8]{0.5,-3}: dtype, shape, scale and zero point. */
export function formatType(type: TensorType): string {
  return `${type.dtype}[${type.shape.join(',')}]${formatQuantization(type.quantization)}`;
}

function formatQuantization(q: Quantization | undefined): string {
  if (q === undefined) return '';
  if (q.scale.length === 1) return `{${q.scale[0]},${q.zeroPoint[0]}}`;
  return `{${q.scale.length} scales along ${q.axis}}`;
}

function formatConstant(value: Constant): string {
  const elements = value.data.length <= SHOWN_ELEMENTS ? `=[${[...value.data].map(String).join(',')}]` : '';
  return `${formatType(value)}${elements}`;
}

/** Attributes without loss, keys sorted; absent bounds (infinite min and max) are left out. Equal text means equal attributes. */
export function formatAttrs(attrs: unknown): string {
  if (Array.isArray(attrs) || ArrayBuffer.isView(attrs)) return `[${Array.from(attrs as ArrayLike<unknown>, formatAttrs).join(',')}]`;
  if (typeof attrs === 'object' && attrs !== null) {
    const entries = Object.entries(attrs).filter(([key, value]) => !isAbsentBound(key, value)).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, value]) => `${key}: ${formatAttrs(value)}`).join(', ')}}`;
  }
  return typeof attrs === 'string' ? attrs : String(attrs);
}

function isAbsentBound(key: string, value: unknown): boolean {
  return value === undefined || (key === 'min' && value === -Infinity) || (key === 'max' && value === Infinity);
}
