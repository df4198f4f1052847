// Everything that makes each element of elements at the same place: functions and arithmetic with broadcasting, one or a chain of them, and
// copies between any two views. Works on vectors of four where the innermost axis allows it. In: views of one shape, functions. Out: a dispatch.
// Must not know which op it serves.

import type { View } from '../../plan/lowering.ts';
import { makeNest, type Nest } from '../../plan/views.ts';
import type { BinaryAttrs } from '../../ops/binary.ts';
import type { UnaryAttrs } from '../../ops/unary.ts';
import { linear, linearMain, type Dispatch, type Operand, type Params } from '../dispatch.ts';
import { binaryText, bound, clampText, powerText, unaryText, type WgslType } from '../elementwise-text.ts';
import { ceil4, vectorRead, vectorWrite } from '../gpu-lowering.ts';
import { nestParams, nestText } from '../nest-text.ts';

/** A function, and what it is a function of: sources by number, or the result of the step before. */
export interface ElementStep {
  readonly attrs: UnaryAttrs | BinaryAttrs;
  readonly of: readonly (number | 'before')[];
}

/** Longest chain, so that its params fit a slot of 64 words beside the loops over CHAIN_SOURCES + 1 tensors of CHAIN_RANK dims. */
export const CHAIN_STEPS = 8;
export const CHAIN_SOURCES = 4;
export const CHAIN_RANK = 6;

export function copy(src: View, dst: View): Dispatch {
  return elementwise('copy', [], [src], dst);
}

/** `sources`: stretched to the shape of `dst`. */
export function elements(steps: readonly ElementStep[], sources: readonly View[], dst: View): Dispatch {
  const kinds = steps.map(({ attrs }) => attrs.kind).join(', ');
  return elementwise(steps.length > 1 ? `chain ${kinds}` : `${isBinary(steps[0].attrs) ? 'binary' : 'unary'} ${kinds}`, steps, sources, dst);
}

function isBinary(attrs: UnaryAttrs | BinaryAttrs): attrs is BinaryAttrs {
  return 'min' in attrs;
}

function stepText({ attrs, of }: ElementStep, k: number, type: WgslType): string {
  const [a, b] = of.map((source) => (source === 'before' ? 'v' : `s${source}`));
  const [low, high] = [`p.low${k}`, `p.high${k}`];
  return isBinary(attrs) ? clampText(binaryText(attrs.kind, a, b, type), attrs, type, [low, high]) : unaryText(attrs.kind, a, type, low, high);
}
/** A clamp's bounds, or a function's two parameters. */
function stepParams({ attrs }: ElementStep, k: number): Params {
  const [low, high] = isBinary(attrs) ? [attrs.min, attrs.max] : [attrs.p0, attrs.p1];
  return { [`low${k}`]: bound(low), [`high${k}`]: bound(high) };
}

/** Without steps: the source as it is. */
function elementwise(kernel: string, steps: readonly ElementStep[], sources: readonly View[], dst: View): Dispatch {
  const vectors = vectorNest(sources, dst);
  const nest = vectors ?? makeNest([dst, ...sources]);
  const type: WgslType = vectors ? 'vec4f' : 'f32';
  const isSplat = (k: number): boolean => vectors !== undefined && nest.strides[k + 1].at(-1) === 0;
  const units = vectors ? [4 as const, ...sources.map((_, k) => (isSplat(k) ? 1 as const : 4 as const))] : [];
  const inner = nest.dims.length - 1;
  // In vectors: a step of the innermost dim is four floats, or none for what is the same for all channels.
  const counted: Nest = vectors
    ? { dims: nest.dims.map((d, i) => (i === inner ? d / 4 : d)), strides: nest.strides.map((s) => s.map((v, i) => (i === inner ? 4 * v : v))) }
    : nest;
  const load = sources.map((_, k) => `let s${k} = ${isSplat(k) ? 'vec4f' : ''}(x${k}[at${k}]);`);
  const count = counted.dims.reduce((a, d) => a * d, 1);
  const operands = [{ offset: 'to', first: 'p.y_at', name: 'e0' }, ...sources.map((_, k) => ({ offset: `at${k}`, first: `p.x${k}_at`, name: `e${k + 1}` }))];
  return {
    kernel: `${kernel}${vectors ? '' : ' by element'}`,
    body: `
${steps.some(({ attrs }) => attrs.kind === 'pow') ? powerText(type) : ''}
${linearMain}
  if (i >= p.count) { return; }
  ${nestText(counted, 'i', operands, 'e')}
  ${[...load, 'var v = s0;', ...steps.map((step, k) => `v = ${stepText(step, k, type)};`)].join('\n  ')}
  y[to] = v;
}`,
    params: { count, ...nestParams(counted, 'e', units), ...Object.assign({}, ...steps.map(stepParams)) as Params },
    reads: sources.map((view, k): Operand => ({ name: `x${k}`, as: isSplat(k) ? 'f32' : type, view })),
    write: { name: 'y', as: type, view: dst },
    workgroups: linear(count),
  };
}

/** The nest in which the innermost dim is a multiple of four channels that lie together, or the same everywhere, in all operands. */
function vectorNest(sources: readonly View[], dst: View): Nest | undefined {
  if (!vectorWrite(dst)) return undefined;
  const last = dst.shape.length - 1;
  const channels = dst.shape[last];
  const shape = dst.shape.map((dim, i) => (i === last ? ceil4(channels) : dim));
  // The lanes behind the last channel may be computed too: nobody uses them.
  const fits = sources.every((view) => (view.strides[last] === 0 && channels > 1) || (vectorRead(view) && view.strides[last] === 1));
  if (!fits) return undefined;
  const nest = makeNest([{ ...dst, shape }, ...sources.map((view) => ({ ...view, shape }))]);
  const inner = nest.dims.length - 1;
  const together = nest.dims[inner] % 4 === 0 && nest.strides.every((s, k) => s[inner] === 1 || (k > 0 && s[inner] === 0))
    && nest.strides[0][inner] === 1
    && nest.strides.every((strides) => strides.every((s, i) => i === inner || nest.dims[i] === 1 || strides[inner] === 0 || s % 4 === 0));
  return together ? nest : undefined;
}
