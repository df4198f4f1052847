// Memory over time: which tensor lies where in the arena during which steps. In: lowered steps and the arena's layout.
// Out: blocks with names, and the step at which most is in use. Must not know how they are drawn.

import { kernelNames } from '../plan/kernel-names.ts';
import type { ArenaLayout, PlacedRegion } from '../plan/layout.ts';
import type { Lowered, Step } from '../plan/lower.ts';
import type { Region } from '../plan/lowering.ts';
import type { Family } from './node-facts.ts';

/** A region of the arena. */
export interface Block {
  /** Of the tensor, or of the step that keeps something aside here. */
  readonly name: string;
  readonly role: 'input' | 'output' | 'tensor' | 'scratch';
  readonly family: Family;
  readonly bytes: number;
  readonly offset: number;
  /** Steps from the first that writes to the last that reads, inclusive. */
  readonly first: number;
  readonly last: number;
}
export interface MemoryMap {
  readonly blocks: readonly Block[];
  /** Name of what each step computes. */
  readonly steps: readonly string[];
  /** Bytes from the arena's start to the end of its last block. */
  readonly arenaBytes: number;
  /** Largest sum of blocks in use at one step, and that step. */
  readonly peakBytes: number;
  readonly peakStep: number;
}

export function memoryMapOf(lowered: Lowered, { regions, arenaBytes, liveBytes }: ArenaLayout): MemoryMap {
  const { steps } = lowered;
  const roles = new Map<Region, Block['role']>([
    ...lowered.inputs.map(({ view }) => [view.at.region, 'input'] as const), ...lowered.outputs.map(({ view }) => [view.at.region, 'output'] as const),
  ]);
  const writers = writersOf(steps);
  const last = Math.max(0, steps.length - 1);
  const blocks = regions.map(({ region, bytes, offset, ...life }): Block => {
    const [first, end] = [Math.max(0, life.first), Math.min(last, life.last)];
    const tensor = region.name === undefined ? undefined : { name: region.name, role: roles.get(region) ?? 'tensor', family: familyOf(region.name, writers.get(region)) };
    const user = steps.at(first);
    return { ...(tensor ?? { name: `scratch of ${user?.trace.name ?? ''}`, role: 'scratch', family: user ? stepFamily(user) : 'other' }), bytes, offset, first, last: end };
  });
  return { blocks, steps: steps.map((step) => step.trace.name), arenaBytes, peakBytes: liveBytes, peakStep: peakStepOf(regions, steps.length) };
}

/** The steps that compute tensors, or parts of them, in a region. */
function writersOf(steps: readonly Step[]): Map<Region, Step[]> {
  const writers = new Map<Region, Step[]>();
  for (const step of steps) {
    const { region } = step.trace.view.at;
    const known = writers.get(region);
    if (known) known.push(step); else writers.set(region, [step]);
  }
  return writers;
}

/** A tensor that no step computes as a whole is joined from what lies in it. */
function familyOf(name: string, writers: readonly Step[] = []): Family {
  if (writers.length === 0) return 'other';
  const own = writers.find((step) => step.trace.name === name);
  return own ? stepFamily(own) : 'join';
}

const families: Readonly<Record<string, Family>> = {
  conv2d: 'conv', convTranspose2d: 'conv', matmul: 'dense', pool2d: 'pool', reduce: 'pool', concat: 'join', binary: 'join', channelShuffle: 'join', slice: 'join',
};
function stepFamily({ opcode, trace }: Step): Family {
  const family = families[trace.op] ?? 'other';
  return family === 'conv' && kernelNames[opcode]?.includes('dwconv') ? 'depthwise' : family;
}

function peakStepOf(regions: readonly PlacedRegion[], stepCount: number): number {
  const change = new Float64Array(stepCount + 2);
  for (const { bytes, first, last } of regions) {
    change[Math.max(0, first)] += bytes;
    change[Math.min(stepCount, last) + 1] -= bytes;
  }
  let [sum, most, at] = [0, -1, 0];
  for (let step = 0; step < stepCount; step++) {
    sum += change[step];
    if (sum > most) [most, at] = [sum, step];
  }
  return at;
}
