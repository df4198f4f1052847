// What both ways of testing kernels share: the builds of the executor that this engine accepts, and a plan of one step.
// In: sizes and an opcode. Out: plan bytes whose operands and weights are still to be written. Must not know any kernel.

import { readFileSync } from 'node:fs';
import * as abi from '../../assembly/abi.ts';

export interface Build {
  readonly name: string;
  readonly memory: WebAssembly.Memory;
  readonly exports: WebAssembly.Exports;
}

/** simd always, relaxed where it is known; each over a memory of its own. */
export function builds(pages: number): Build[] {
  return ['simd', 'relaxed'].flatMap((name) => {
    const bytes = readFileSync(new URL(`../../host/kinglet.${name}.wasm`, import.meta.url));
    if (!WebAssembly.validate(bytes)) return [];
    const memory = new WebAssembly.Memory({ initial: pages });
    return { name, memory, exports: new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports };
  });
}

export const align = (bytes: number): number => Math.ceil(bytes / abi.PLAN_ALIGN) * abi.PLAN_ALIGN;

export interface OneStep {
  readonly opcode: number;
  readonly stepBytes: number;
  readonly weightBytes: number;
  /** Without slack. */
  readonly arenaBytes: number;
}
export interface OneStepPlan {
  readonly plan: Uint8Array;
  readonly view: DataView;
  readonly stepAt: number;
  readonly weightsAt: number;
}

/** Header, a trace record that claims no tensor, and the head of the step. */
export function oneStepPlan({ opcode, stepBytes, weightBytes, arenaBytes }: OneStep): OneStepPlan {
  const tracesAt = abi.HEADER_BYTES;
  const stepAt = align(tracesAt + abi.TRACE_BYTES);
  const weightsAt = align(stepAt + stepBytes);
  const planBytes = align(weightsAt + weightBytes);
  const plan = new Uint8Array(planBytes);
  const view = new DataView(plan.buffer);
  const words: readonly (readonly [number, number])[] = [
    [abi.HEADER_MAGIC, abi.PLAN_MAGIC], [abi.HEADER_VERSION, abi.ABI_VERSION], [abi.HEADER_PLAN_BYTES, planBytes],
    [abi.HEADER_ARENA_BYTES, align(arenaBytes) + abi.SLACK_BYTES], [abi.HEADER_IO_AT, tracesAt], [abi.HEADER_TRACES_AT, tracesAt],
    [abi.HEADER_STEPS_AT, stepAt], [abi.HEADER_STEPS_BYTES, stepBytes], [abi.HEADER_STEP_COUNT, 1],
    [abi.HEADER_STRINGS_AT, weightsAt], [abi.HEADER_WEIGHTS_AT, weightsAt], [abi.HEADER_WEIGHTS_BYTES, weightBytes],
    [tracesAt + abi.TRACE_DTYPE, abi.DTYPE_I8],
    [stepAt + abi.STEP_OPCODE, opcode], [stepAt + abi.STEP_BYTES, stepBytes],
  ];
  for (const [at, word] of words) view.setInt32(at, word, true);
  view.setFloat64(abi.HEADER_WORK, 1e15, true);
  return { plan, view, stepAt, weightsAt };
}
