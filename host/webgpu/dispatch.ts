// One dispatch of a compute shader, as kernels describe it, and its WGSL text. In: a body, operands as views, sizes. Out: a module's text
// and the words of its uniform slot. Structure (windows, activations, variants) is text; sizes and places are uniforms, so that layers
// that differ in size alone share a pipeline. Must not know ops, devices or where regions lie.

import type { Address, Region, View } from '../plan/lowering.ts';

/** A tensor as a shader sees it: an array of floats, or of four channels at a time. */
export interface Operand {
  readonly name: string;
  readonly as: 'f32' | 'vec4f';
  readonly view: View;
}
/** An integer, or a float of the uniform slot. */
export type Param = number | { readonly f32: number };
export type Params = Readonly<Record<string, Param>>;
export type Workgroups = readonly [number, number, number];

export interface Dispatch {
  /** Family and variant, for people: "pointwise tiled". */
  readonly kernel: string;
  /** WGSL behind the declarations of `p` (the params) and the operands. Each operand NAME starts at element p.NAME_at. */
  readonly body: string;
  readonly params: Params;
  readonly reads: readonly Operand[];
  readonly write: Operand;
  readonly workgroups: Workgroups;
  /** The text uses subgroups. */
  readonly subgroups?: boolean;
}

/** Threads of a workgroup whose threads do not work together. */
export const WORKGROUP = 64;
/** Default limit maxComputeWorkgroupsPerDimension. */
export const MAX_WORKGROUPS = 65535;

/** Workgroups for `threads` threads that find their index with `threadIndex`. */
export function linear(threads: number): Workgroups {
  const groups = Math.max(1, Math.ceil(threads / WORKGROUP));
  const rows = Math.ceil(groups / MAX_WORKGROUPS);
  return [Math.ceil(groups / rows), rows, 1];
}
/** Head of an entry point of `linear` workgroups: `i` is the thread's index; there may be more threads than work. */
export const linearMain = `@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = i32(id.x + id.y * groups.x * ${WORKGROUP}u);`;

/** A region of packed weights; `half`: stored as 16-bit floats. */
export interface WeightRegion extends Region {
  readonly half: boolean;
}

/** Packed weights (pack-weights.ts), which kernels convert to float32 as they read them: they may be stored in half precision. */
export function weightRows(name: string, at: Address, as: Operand['as'] = 'vec4f'): Operand {
  return { name, as, view: { dtype: 'float32', shape: [], strides: [], at } };
}
function isHalf({ view }: Operand): boolean {
  return (view.at.region as Partial<WeightRegion>).half === true;
}

/** Params with the operands' starts. */
export function allParams({ params, reads, write }: Dispatch): Params {
  const starts = [...reads, write].map(({ name, as, view }) => [`${name}_at`, view.at.offsetBytes / (as === 'f32' ? 4 : 16)] as const);
  return { ...params, ...Object.fromEntries(starts) };
}

/** The whole module. Binding 0 is the uniform slot, then come what is read and what is written. */
export function moduleText(dispatch: Dispatch): string {
  const fields = Object.entries(allParams(dispatch)).map(([name, value]) => `  ${name}: ${typeof value === 'number' ? 'i32' : 'f32'},`);
  const all = [...dispatch.reads, dispatch.write];
  const element = (operand: Operand): string => (!isHalf(operand) ? operand.as : operand.as === 'f32' ? 'f16' : 'vec4h');
  const operands = all.map((operand, i) => (
    `@group(0) @binding(${i + 1}) var<storage, ${i < dispatch.reads.length ? 'read' : 'read_write'}> ${operand.name}: array<${element(operand)}>;`));
  const extensions = [...(all.some(isHalf) ? ['enable f16;'] : []), ...(dispatch.subgroups ? ['enable subgroups;', 'requires subgroup_id;'] : [])];
  return [...extensions, 'struct Params {', ...fields, '}', '@group(0) @binding(0) var<uniform> p: Params;', ...operands, dispatch.body.trim(), ''].join('\n');
}

/** The uniform slot's words. */
export function paramWords(dispatch: Dispatch): ArrayBuffer {
  const values = Object.values(allParams(dispatch));
  const view = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((value, i) => {
    if (typeof value === 'number') view.setInt32(4 * i, value, true);
    else view.setFloat32(4 * i, value.f32, true);
  });
  return view.buffer;
}
