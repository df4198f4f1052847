// Everything that can be said of a network without running it. In: a graph as imported or built. Out: its layers, its plan, and
// where the plan keeps what. Must not know files, terminals or pages.

import { optimiseGraph, type WrittenGraph } from '../compile.ts';
import { encodePlan } from '../plan/encode.ts';
import { layOutArena } from '../plan/layout.ts';
import { lower } from '../plan/lower.ts';
import { overviewOf, type Overview } from './layers.ts';
import { memoryMapOf, type MemoryMap } from './memory.ts';

export interface Study {
  readonly overview: Overview;
  readonly memory: MemoryMap;
  readonly plan: Uint8Array<ArrayBuffer>;
}

/** Compiles the graph, which is changed on the way; `tolerance` as in CompileOptions. Throws what compile() throws. */
export function studyGraph(source: WrittenGraph, tolerance?: number): Study {
  const overview = overviewOf(source.graph);
  const { graph, facts } = optimiseGraph(source);
  const lowered = lower(graph, tolerance);
  return { overview, memory: memoryMapOf(lowered, layOutArena(lowered)), plan: encodePlan(lowered, facts) };
}
