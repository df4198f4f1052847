// kinglet/compile: model bytes → plan bytes. Pure: no file, no wasm, no clock.
// In: .onnx or .tflite bytes, or a graph. Out: a .kgl image, or the optimised graph for the reference backend.

import { importModel, sniff } from './import/index.ts';
import { is, type Graph } from './graph/graph.ts';
import { channelShuffle } from './ops/channel-shuffle.ts';
import { optimise } from './passes/index.ts';
import { encodePlan, type PlanFacts } from './plan/encode.ts';
import { lower } from './plan/lower.ts';

export { KingletError } from './error.ts';

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

/** Imports. */
export function importGraph(bytes: Uint8Array, options: CompileOptions = {}): WrittenGraph {
  const layout = sniff(bytes) === 'tflite' ? 'NHWC' : 'NCHW';
  return { graph: importModel(bytes, { shapes: options.shapes }), layout };
}

/** Imports and optimises. */
export function toGraph(bytes: Uint8Array, options: CompileOptions = {}): Optimised {
  return optimiseGraph(importGraph(bytes, options));
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

/**
 * Compiles .onnx or .tflite bytes to a plan (.kgl). Throws ERR_MODEL_FORMAT, ERR_MODEL_INVALID, ERR_UNSUPPORTED_OP (all of
 * them at once), ERR_UNSUPPORTED, ERR_EXTERNAL_DATA, ERR_LIMIT, ERR_USAGE.
 */
export function compile(bytes: Uint8Array, options: CompileOptions = {}): Uint8Array<ArrayBuffer> {
  return compileGraph(toGraph(bytes, options), options.tolerance);
}
