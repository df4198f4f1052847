// The rules of all ops that the GPU can run: one table, as ops/index.ts is for importers. In: nothing. Out: rules by an op's kind, and what
// of a graph they cannot run. Must not know devices.

import { isConstant, type Graph, type Node, type Value } from '../graph/graph.ts';
import type { DType } from '../tensor.ts';
import type { AnyRule } from './gpu-rule.ts';
import { convRules } from './conv-rules.ts';
import { elementRules } from './element-rules.ts';
import { moveRules } from './move-rules.ts';

export const gpuRules: ReadonlyMap<string, AnyRule> = new Map([...convRules, ...elementRules, ...moveRules].map((rule) => [rule.kind, rule]));

export interface GpuBlocker {
  readonly op: string;
  readonly name: string;
  readonly why: string;
}

/**
 * Every node of an optimised graph that the GPU cannot run, and outputs that no node makes and the GPU cannot hold. Needs no device; a
 * device's limits are checked when it is given one.
 */
export function gpuBlockers(graph: Graph): readonly GpuBlocker[] {
  const positions = new Set<Value>();
  const nodes = graph.nodes.flatMap((node): GpuBlocker[] => {
    const why = blocked(node, positions);
    return why === undefined ? [] : [{ op: node.op.kind, name: node.name, why }];
  });
  const bare = graph.outputs.filter((value) => value.dtype !== 'float32' && (isConstant(value) || graph.inputs.includes(value)));
  return [...nodes, ...bare.map(({ name, dtype }) => ({ op: 'output', name, why: unfit(dtype) }))];
}

function unfit(dtype: DType): string {
  return `it works on ${dtype}, the GPU on float32 alone`;
}

/** Adds the outputs of a node that makes or carries positions. */
function blocked(node: Node, positions: Set<Value>): string | undefined {
  const rule = gpuRules.get(node.op.kind);
  if (!rule) return 'there is no kernel for it';
  const carries = rule.positions === 'carries' && node.inputs.every((value) => value && positions.has(value));
  const makes = carries || rule.positions === 'makes';
  const other = [...(carries ? [] : node.inputs), ...(makes ? [] : node.outputs)].find((value) => value && value.dtype !== 'float32');
  if (other) return unfit(other.dtype);
  if (makes) for (const value of node.outputs) positions.add(value);
  return rule.blocks?.(node as Node<never>);
}
