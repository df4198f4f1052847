// kinglet/compile: model bytes → plan bytes. Pure: no file, no wasm, no clock.
// In: .onnx or .tflite bytes. Out: a .kgl image, or the optimised graph for the reference backend.

import { importModel, sniff } from './import/index.ts';
import type { Graph } from './graph/graph.ts';
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

/** Imports and optimises. */
export function toGraph(bytes: Uint8Array, options: CompileOptions = {}): Optimised {
  const format = sniff(bytes);
  const imported = importModel(bytes, { shapes: options.shapes });
  const { graph, counts } = optimise(imported);
  return { graph, facts: { shuffles: counts.get('recognise-shuffle') ?? 0, layout: format === 'tflite' ? 'NHWC' : 'NCHW' } };
}

/**
 * Compiles .onnx or .tflite bytes to a plan (.kgl). Throws ERR_MODEL_FORMAT, ERR_MODEL_INVALID, ERR_UNSUPPORTED_OP (all of
 * them at once), ERR_UNSUPPORTED, ERR_EXTERNAL_DATA, ERR_LIMIT, ERR_USAGE.
 */
export function compile(bytes: Uint8Array, options: CompileOptions = {}): Uint8Array<ArrayBuffer> {
  const { graph, facts } = toGraph(bytes, options);
  return encodePlan(lower(graph, options.tolerance), facts);
}
