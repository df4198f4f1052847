// `kinglet inspect --backend webgpu`: whether the GPU can run a network, and in which dispatches. In: a model. Out: the operators that it
// lacks, or its dispatches; no GPU is needed for either, the limits are those that every device has. Must not run the model.

import { KingletError } from '../error.ts';
import { checkLimits, defaultLimits } from '../webgpu/gpu-limits.ts';
import { gpuBlockers, type GpuBlocker } from '../webgpu/gpu-rules.ts';
import { lowerGpu, type GpuStep } from '../webgpu/lower-gpu.ts';
import type { CompilingOptions, NetworkWords } from './options.ts';
import { graphOf } from './source.ts';
import { print, printJson, printTable, printable } from './text.ts';

interface Outlook {
  readonly blockers: readonly GpuBlocker[];
  /** The limit of WebGPU that is exceeded, as a sentence. */
  readonly limit: string | null;
  /** None where something stands in the way. */
  readonly dispatches: readonly GpuStep[];
}

export async function inspectWebgpu(source: string, options: CompilingOptions & NetworkWords & { readonly json?: true }): Promise<void> {
  const outlook = await outlookOf(source, options);
  if (options.json) printObjects(outlook);
  else printForPeople(outlook);
}

async function outlookOf(source: string, options: CompilingOptions & NetworkWords): Promise<Outlook> {
  const { graph } = await graphOf(source, options);
  const blockers = gpuBlockers(graph);
  const limit = exceeded(() => { checkLimits(graph, defaultLimits); });
  return { blockers, limit, dispatches: blockers.length === 0 && limit === null ? lowerGpu(graph).steps : [] };
}

function exceeded(check: () => void): string | null {
  try {
    check();
    return null;
  } catch (error) {
    if (error instanceof KingletError && error.code === 'ERR_LIMIT') return error.message;
    throw error;
  }
}

function printObjects({ blockers, limit, dispatches }: Outlook): void {
  for (const blocker of blockers) printJson({ type: 'blocker', ...blocker });
  dispatches.forEach(({ op, name, dispatch: { kernel, workgroups } }, index) => { printJson({ type: 'dispatch', index, kernel, op, name, workgroups }); });
  printJson({ type: 'total', backend: 'webgpu', runs: dispatches.length > 0, blockers: blockers.length, limit, dispatches: dispatches.length });
}

function printForPeople({ blockers, limit, dispatches }: Outlook): void {
  if (blockers.length > 0) {
    print(`the GPU lacks ${blockers.length} of the network's operators; the whole network runs on wasm`);
    printTable(['op', 'name', 'why'], blockers.map(({ op, name, why }) => [op, printable(name, 48), why]));
  }
  if (limit !== null) print(`the network is too large for the GPU and runs on wasm: ${printable(limit, 300)}`);
  if (dispatches.length === 0) return;
  printTable(['#>', 'kernel', 'op', 'name', 'workgroups>'], dispatches.map(({ op, name, dispatch: { kernel, workgroups } }, i) => (
    [String(i), kernel, op, printable(name, 48), String(workgroups.reduce((a, b) => a * b, 1))])));
  print('');
  print(`dispatches          ${dispatches.length} of ${new Set(dispatches.map(({ dispatch: { kernel } }) => kernel)).size} kernels`);
}
