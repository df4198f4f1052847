// Regions → a few buffers: WebGPU takes a whole buffer as read or written by a dispatch, so what a dispatch writes lies in another buffer
// than whatever it reads. In: lowered dispatches. Out: for every region a buffer and an offset. Must not know kernels or devices.
// Greedy colouring in the order of first use, then an arena per colour.

import { planArena, type Lifetime } from '../plan/arena.ts';
import type { Region } from '../plan/lowering.ts';
import type { GpuLowered } from './lower-gpu.ts';

/** Default limit minStorageBufferOffsetAlignment. */
export const BUFFER_ALIGN = 256;

export interface Place {
  readonly buffer: number;
  readonly offsetBytes: number;
}
export interface Colouring {
  readonly places: ReadonlyMap<Region, Place>;
  /** Bytes of each buffer. */
  readonly bufferBytes: readonly number[];
}

interface Life extends Lifetime {
  readonly region: Region;
  bytes: number;
  first: number;
  last: number;
  /** Regions that some dispatch reads while it writes this one, or the other way round. */
  readonly apart: Set<Region>;
}

export function colourRegions(lowered: Pick<GpuLowered, 'steps' | 'inputs' | 'outputs'>): Colouring {
  const lives = livesOf(lowered);
  const colours = new Map<Region, number>();
  const members: Life[][] = [];
  for (const life of lives) {
    const taken = new Set([...life.apart].map((region) => colours.get(region)));
    const free = members.flatMap((_, colour) => (taken.has(colour) ? [] : [colour]));
    const colour = free.length > 0 ? leastLoaded(free, members, life) : members.length;
    (members[colour] ??= []).push(life);
    colours.set(life.region, colour);
  }
  const places = new Map<Region, Place>();
  const bufferBytes = members.map((list, buffer) => {
    const { offsets, arenaBytes } = planArena(list, lowered.steps.length);
    list.forEach(({ region }, i) => places.set(region, { buffer, offsetBytes: offsets[i] }));
    return arenaBytes;
  });
  return { places, bufferBytes };
}

/** The colour with the fewest bytes alive together with `life`. */
function leastLoaded(free: readonly number[], members: readonly Life[][], life: Life): number {
  const load = (colour: number): number => members[colour].reduce((sum, other) => (
    other.first <= life.last && life.first <= other.last ? sum + other.bytes : sum), 0);
  return free.reduce((best, colour) => (load(colour) < load(best) ? colour : best));
}

/** In the order of their first use. Inputs live from before the first dispatch, outputs until after the last one. */
function livesOf({ steps, inputs, outputs }: Pick<GpuLowered, 'steps' | 'inputs' | 'outputs'>): Life[] {
  const lives = new Map<Region, Life>();
  const touch = (region: Region, step: number): void => {
    if (region.kind !== 'arena') return;
    const known = lives.get(region);
    if (known) known.last = Math.max(known.last, step);
    else lives.set(region, { region, bytes: Math.max(1, Math.ceil(region.bytes / BUFFER_ALIGN)) * BUFFER_ALIGN, first: step, last: step, apart: new Set() });
  };
  for (const { view } of inputs) touch(view.at.region, -1);
  steps.forEach(({ dispatch: { reads, write } }, i) => {
    const written = write.view.at.region;
    touch(written, i);
    for (const { view: { at: { region } } } of reads) {
      touch(region, i);
      if (region.kind !== 'arena') continue;
      lives.get(region)?.apart.add(written);
      lives.get(written)?.apart.add(region);
    }
  });
  for (const { view } of outputs) touch(view.at.region, steps.length);
  return [...lives.values()];
}
