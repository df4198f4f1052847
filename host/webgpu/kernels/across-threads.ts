// One number of each thread of a workgroup → their sum, product or extreme, for all of these threads: through workgroup memory, and where the
// device has subgroups through them first, so that fewer numbers meet there. In: a kind. Out: WGSL. Must not know what is reduced.

import type { ReduceKind } from '../../ops/reduce.ts';
import { WORKGROUP } from '../dispatch.ts';

/** Longest line that a thread takes alone rather than with its workgroup. */
export const SHORT_LINE = 32;

/** What a kind starts from: combined with it a number stays as it is. */
export const neutral: Readonly<Record<ReduceKind, string>> = { mean: '0.0', sum: '0.0', prod: '1.0', max: '-3.4028234e38', min: '3.4028234e38' };

/** Two numbers, or vectors, as one. */
export function combined(kind: ReduceKind, a: string, b: string): string {
  return kind === 'max' || kind === 'min' ? `${kind}(${a}, ${b})` : `${a} ${kind === 'prod' ? '*' : '+'} ${b}`;
}

const subgroupFunctions: Readonly<Record<ReduceKind, string>> = { mean: 'subgroupAdd', sum: 'subgroupAdd', prod: 'subgroupMul', max: 'subgroupMax', min: 'subgroupMin' };

/** Head of an entry point with a workgroup of `linear` threads on each of `count` items: `item` is its index, `lane` the thread's. */
export function acrossMain(count: string, subgroups: boolean): string {
  return `
var<workgroup> part: array<f32, ${WORKGROUP}>;
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32, @builtin(num_workgroups) groups: vec3u${subgroups
    ? ',\n    @builtin(subgroup_id) team: u32, @builtin(num_subgroups) teams: u32, @builtin(subgroup_invocation_id) place: u32' : ''}) {
  // Workgroups that are too many repeat the last item: barriers are for all.
  let item = min(i32(group.x + group.y * groups.x), ${count} - 1);`;
}

/** Makes variable `own` of every thread what all of them combine to. */
export function acrossText(kind: ReduceKind, own: string, subgroups: boolean): string {
  return `${subgroups ? `${own} = ${subgroupFunctions[kind]}(${own});
  if (place == 0u) { part[team] = ${own}; }` : `part[lane] = ${own};`}
  workgroupBarrier();
  ${own} = part[0];
  for (var l = 1u; l < ${subgroups ? 'teams' : `${WORKGROUP}u`}; l++) { ${own} = ${combined(kind, own, 'part[l]')}; }
  workgroupBarrier();`;
}
