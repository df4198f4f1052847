// The passes in the order in which they run: this list is the design of the optimiser. In: nothing. Out: the list.
// A graph comes in as the importers made it (every NCHW op between two transposes, batch normalisation, activations and padding
// as nodes of their own, quantised models perhaps as QDQ) and leaves as what lowering likes: NHWC, few nodes, integers where
// the model has them. Each pass stands alone and keeps the meaning of the graph; the whole list repeats until nothing changes.

import type { Graph } from '../graph/graph.ts';
import { cancelTransposes } from './cancel-transposes.ts';
import { convolveBatchNorm } from './convolve-batch-norm.ts';
import { dropIdentities } from './drop-identities.ts';
import { foldBatchNorm } from './fold-batch-norm.ts';
import { foldConstants, foldDequantisedWeights } from './fold-constants.ts';
import { foldDilation } from './fold-dilation.ts';
import { foldPad } from './fold-pad.ts';
import { foldQuantize } from './fold-quantize.ts';
import { fuseActivation } from './fuse-activation.ts';
import { fuseClamp } from './fuse-clamp.ts';
import { mergeEqualNodes } from './merge-equal-nodes.ts';
import type { Pass } from './pass.ts';
import { permuteDenseWeights } from './permute-dense-weights.ts';
import { recogniseSwish } from './recognise-swish.ts';
import { recogniseShuffle } from './recognise-shuffle.ts';
import { removeDead } from './remove-dead.ts';
import { runPasses, type AfterPass, type Optimised } from './run.ts';

export type { Optimised } from './run.ts';

/** Repeated together until a round changes nothing. */
export const passes: readonly Pass[] = [
  // What is known now need not be computed on every run, and dead ends and repetitions only hide the patterns below.
  removeDead,
  foldConstants,
  dropIdentities,
  mergeEqualNodes,
  // Before transposes move: in the exporter's own spelling a shuffle is three nodes, later it may lie among other transposes.
  recogniseShuffle,
  cancelTransposes,
  // Now neighbours are neighbours. Padding first, so that pad → conv → batch norm → relu collapses in one round.
  foldPad,
  foldDilation,
  foldBatchNorm,
  fuseClamp,
  recogniseSwish,
  // After the clamps are inside their ops: then a quantize stands right behind the op it belongs to.
  foldQuantize,
  // A classifier on flattened pictures: the last place where NCHW order can hide, and integer weights are constants by now.
  permuteDenseWeights,
];

/** Run once, when nothing above finds anything more. */
export const finalPasses: readonly Pass[] = [
  // What no integer op wanted becomes float32 weights.
  foldDequantisedWeights,
  foldConstants,
  // What no convolution took in is one itself, before the last look at what convolutions take in.
  convolveBatchNorm,
  foldBatchNorm,
  fuseClamp,
  mergeEqualNodes,
  // Nothing folds into a convolution behind its activation, so this comes when all else is done.
  fuseActivation,
  removeDead,
];

/** The graph as lowering wants it, changed in place. */
export function optimise(graph: Graph, after?: AfterPass): Optimised {
  return runPasses(graph, { repeated: passes, final: finalPasses }, after);
}
