// The way from model bytes to a plan, whichever importer reads them.
// In: an importer and bytes, or a graph. Out: a .kgl image, or the optimised graph for the reference backend.
// Must not import an importer: the entry points bring theirs.

import { is, type Graph } from './graph/graph.ts';
import type { ImportOptions } from './import/limits.ts';
import { sniff } from './import/sniff.ts';
import { channelShuffle } from './ops/channel-shuffle.ts';
import { optimise } from './passes/index.ts';
import { encodePlan, type PlanFacts } from './plan/encode.ts';
import { lower } from './plan/lower.ts';

export interface CompileOptions {
  /** Shapes of inputs with symbolic dimensions, by input name. A symbolic dimension that is not given becomes 1. */
  readonly shapes?: Readonly<Record<string, readonly number[]>> | undefined;
  /**
   * Largest error that a faster algorithm (Winograd) may add to a float32 convolution, as a share of the layer's largest output;
   * default 1e-5. 0: plain sums everywhere, and smaller plans.
   */
  readonly tolerance?: number | undefined;
}

export interface Optimised {
  readonly graph: Graph;
  readonly facts: PlanFacts;
}

/** A graph as it was written, and how its source format orders images. */
export interface WrittenGraph {
  readonly graph: Graph;
  readonly layout: PlanFacts['layout'];
}

/** Model bytes → Graph: importModel, or one that knows a single format. */
export type ImportModel = (bytes: Uint8Array, options: ImportOptions) => Graph;

/** Imports. */
export function importWritten(importModel: ImportModel, bytes: Uint8Array, options: CompileOptions): WrittenGraph {
  const layout = sniff(bytes) === 'tflite' ? 'NHWC' : 'NCHW';
  return { graph: importModel(bytes, { shapes: options.shapes }), layout };
}

/** Optimises a graph, which is changed in place. */
export function optimiseGraph({ graph: source, layout }: WrittenGraph): Optimised {
  const { graph } = optimise(source);
  return { graph, facts: { shuffles: graph.nodes.filter((node) => is(node, channelShuffle)).length, layout } };
}

/** An optimised graph as a plan; `tolerance` as in CompileOptions. */
export function compileGraph({ graph, facts }: Optimised, tolerance?: number): Uint8Array<ArrayBuffer> {
  return encodePlan(lower(graph, tolerance), facts);
}
