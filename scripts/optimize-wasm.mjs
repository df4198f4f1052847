// Optimises what asc compiled without optimising, for two ends at once: tiles for speed, everything else for size.
// In: a module's bytes with names (asc --debug), its features. Out: the same module, smaller, without names.
//
// asc has one -O and one shrink level for a whole module. At shrink level 2 the tiles begin to spill (scripts/check-spills.mjs); at 0
// the rest of a program weighs a tenth more. A tile is a function of assembly/kernels/ that is exported by its name, f32_… or qs8_….

import binaryen from 'assemblyscript/binaryen';

const TILE = /\/kernels\/[\w-]+\/(f32|qs8)_/;
const BRANCHES = ['remove-unused-brs', 'remove-unused-names', 'merge-blocks'];
const FOLD = ['rse', 'vacuum', 'code-folding', 'ssa-nomerge', 'local-cse', ...BRANCHES, 'precompute-propagate'];
const SIMPLIFY = [
  'optimize-instructions', 'avoid-reinterprets', 'dce', ...BRANCHES, 'precompute-propagate', 'pick-load-signs', 'simplify-locals-notee-nostructure',
  'vacuum', 'local-cse', 'reorder-locals', 'coalesce-locals', 'simplify-locals', 'coalesce-locals', 'reorder-locals', 'vacuum', 'rse', 'vacuum',
];
const FINISH = [
  'precompute-propagate', 'code-folding', 'ssa-nomerge', 'rse', 'code-pushing', 'optimize-instructions', ...BRANCHES, 'vacuum', 'remove-unused-brs',
  'optimize-instructions', 'vacuum',
];
const SHRINK = [...FINISH, ...FOLD, ...SIMPLIFY, 'merge-locals', 'simplify-locals', 'coalesce-locals', 'reorder-locals', 'vacuum', ...BRANCHES, 'vacuum'];

/** What asc's `--enable` adds to the features that it always uses. */
const FEATURES = { simd: binaryen.Features.SIMD128, 'relaxed-simd': binaryen.Features.RelaxedSIMD, threads: binaryen.Features.Atomics };

/** `program` says that its tiles are not exported and yet stay functions, and that more of the rest is inlined where it is called once. */
export function optimize(bytes, enabled, { program = false } = {}) {
  const { MutableGlobals, NontrappingFPToInt, SignExt, BulkMemory, BulkMemoryOpt } = binaryen.Features;
  const module = binaryen.readBinary(bytes);
  module.setFeatures(enabled.reduce((all, name) => all | FEATURES[name], MutableGlobals | NontrappingFPToInt | SignExt | BulkMemory | BulkMemoryOpt));
  binaryen.setOptimizeLevel(2);
  binaryen.setShrinkLevel(2);
  binaryen.setFastMath(true); // as asc does: kernels are written for it
  binaryen.setAlwaysInlineMaxSize(2);
  binaryen.setFlexibleInlineMaxSize(65);
  binaryen.setOneCallerInlineMaxSize(program ? 1500 : 200);
  binaryen.setDebugInfo(true);
  if (program) keepTiles(module);
  module.runPasses(['duplicate-function-elimination', 'remove-unused-module-elements', 'once-reduction', 'inlining', 'simplify-globals', 'generate-global-effects']);
  runOn(module, false, FOLD);
  module.runPasses(['simplify-globals', 'dae']);
  runOn(module, true, SIMPLIFY);
  runOn(module, false, [...SIMPLIFY, 'merge-locals', 'vacuum', ...BRANCHES]);
  module.runPasses(['simplify-globals', 'dae', 'inlining', 'duplicate-import-elimination', 'simplify-globals', 'directize', 'dae']);
  runOn(module, true, [...BRANCHES, ...FINISH]);
  runOn(module, false, SHRINK);
  module.runPasses([
    'simplify-globals', 'reorder-globals', 'reorder-functions', 'duplicate-function-elimination', 'merge-similar-functions', 'memory-packing',
    'remove-unused-module-elements',
  ]);
  if (!module.validate()) throw new Error('the optimised module is not valid');
  binaryen.setDebugInfo(false);
  binaryen.setGenerateStackIR(true);
  binaryen.setOptimizeStackIR(true);
  const optimized = Buffer.from(module.emitBinary());
  module.dispose();
  return optimized;
}

function keepTiles(module) {
  for (const pattern of ['*/kernels/*/f32_*', '*/kernels/*/qs8_*']) {
    binaryen.setPassArgument('no-inline', pattern);
    module.runPasses(['no-inline']);
  }
  binaryen.clearPassArguments();
}

function runOn(module, tiles, passes) {
  binaryen.setShrinkLevel(tiles ? 0 : 2);
  for (let i = 0; i < module.getNumFunctions(); i++) {
    const reference = module.getFunctionByIndex(i), { name, module: imported } = binaryen.getFunctionInfo(reference);
    if (!imported && TILE.test(name) === tiles) module.runPassesOnFunction(reference, passes);
  }
  binaryen.setShrinkLevel(2);
}
