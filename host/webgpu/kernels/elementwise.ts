// Everything that makes each element of up to two elements at the same place: functions, arithmetic with broadcasting, and copies between
// any two views. Works on vectors of four where the innermost axis allows it. In: views of one shape, a kind. Out: a dispatch.
// Must not know which op it serves.

import type { View } from '../../plan/lowering.ts';
import { makeNest, type Nest } from '../../plan/views.ts';
import type { BinaryAttrs } from '../../ops/binary.ts';
import type { UnaryAttrs } from '../../ops/unary.ts';
import { linear, linearMain, type Dispatch, type Operand, type Params } from '../dispatch.ts';
import { binaryText, bound, clampText, powerText, unaryText, type WgslType } from '../elementwise-text.ts';
import { ceil4, vectorRead, vectorWrite } from '../gpu-lowering.ts';
import { nestParams, nestText } from '../nest-text.ts';

/** What is computed of a (and b). */
interface Computation {
  readonly kernel: string;
  /** WGSL of the result; a and b are values. */
  text(type: WgslType): string;
  functions?(type: WgslType): string;
  readonly params: Params;
}

export function copy(src: View, dst: View): Dispatch {
  return elementwise({ kernel: 'copy', text: () => 'a', params: {} }, [src], dst);
}

export function unaryElements(attrs: UnaryAttrs, src: View, dst: View): Dispatch {
  const p0 = bound(attrs.p0), p1 = bound(attrs.p1);
  return elementwise({ kernel: `unary ${attrs.kind}`, text: (type) => unaryText(attrs.kind, 'a', type), params: { p0, p1 } }, [src], dst);
}

/** `a`, `b`: stretched to the shape of `dst`. */
export function binaryElements(attrs: BinaryAttrs, a: View, b: View, dst: View): Dispatch {
  return elementwise({
    kernel: `binary ${attrs.kind}`,
    text: (type) => clampText(binaryText(attrs.kind, 'a', 'b', type), attrs, type, ['p.low', 'p.high']),
    ...(attrs.kind === 'pow' ? { functions: powerText } : {}),
    params: { low: bound(attrs.min), high: bound(attrs.max) },
  }, [a, b], dst);
}

function elementwise(c: Computation, sources: readonly View[], dst: View): Dispatch {
  const names = ['a', 'b'];
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
  const operand = (view: View, k: number): Operand => ({ name: `${names[k]}_in`, as: isSplat(k) ? 'f32' : type, view });
  const load = sources.map((_, k) => `let ${names[k]} = ${isSplat(k) ? 'vec4f' : ''}(${names[k]}_in[${names[k]}_at]);`).join(' ');
  const count = counted.dims.reduce((a, d) => a * d, 1);
  const operands = [{ offset: 'to', first: 'p.y_at', name: 'e0' },
    ...sources.map((_, k) => ({ offset: `${names[k]}_at`, first: `p.${names[k]}_in_at`, name: `e${k + 1}` }))];
  return {
    kernel: `${c.kernel}${vectors ? '' : ' by element'}`,
    body: `
${c.functions?.(type) ?? ''}
${linearMain}
  if (i >= p.count) { return; }
  ${nestText(counted, 'i', operands, 'e')}
  ${load}
  y[to] = ${c.text(type)};
}`,
    params: { count, ...nestParams(counted, 'e', units), ...c.params },
    reads: sources.map(operand),
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
