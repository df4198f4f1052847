// The rules of all ops that the GPU can run: one table, as ops/index.ts is for importers. In: nothing. Out: rules by an op's kind, and what
// of a graph they cannot run. Must not know devices.

import type { Graph, Node } from '../graph/graph.ts';
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

/** Every node of an optimised graph that the GPU cannot run. Needs no device; a device's limits are checked when it is given one. */
export function gpuBlockers(graph: Graph): readonly GpuBlocker[] {
  return graph.nodes.flatMap((node) => {
    const why = blocked(node);
    return why === undefined ? [] : [{ op: node.op.kind, name: node.name, why }];
  });
}

function blocked(node: Node): string | undefined {
  const rule = gpuRules.get(node.op.kind);
  if (!rule) return 'there is no kernel for it';
  const other = [...node.inputs, ...node.outputs].find((value) => value && value.dtype !== 'float32');
  if (other) return `it works on ${other.dtype}, the GPU on float32 alone`;
  return rule.blocks?.(node as Node<never>);
}
