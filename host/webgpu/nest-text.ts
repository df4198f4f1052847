// A loop nest (plan/views.ts) as WGSL: from a running index to the offset of each operand. In: a nest. Out: text and params.
// Dims of length 1 cost nothing. Must not know kernels.

import type { Nest } from '../plan/views.ts';
import type { Params } from './dispatch.ts';

/** Variables for an operand: the name of its offset, an expression where it starts, the prefix of its strides' params. */
export interface NestOperand {
  readonly offset: string;
  readonly first: string;
  readonly name: string;
}

function usedDims(nest: Nest): number[] {
  return nest.dims.flatMap((dim, d) => (dim > 1 ? [d] : []));
}

/** Dims as PREFIX_dD, strides of operand k as PREFIXk_sD. `per`: floats per unit of all strides but those of the innermost dim. */
export function nestParams(nest: Nest, prefix: string, units: readonly (1 | 4)[] = []): Params {
  const entries = usedDims(nest).flatMap((d) => [
    [`${prefix}_d${d}`, nest.dims[d]] as const,
    ...nest.strides.map((strides, k) => [`${prefix}${k}_s${d}`, strides[d] / (units[k] ?? 1)] as const),
  ]);
  return Object.fromEntries(entries);
}

/** Declares the offsets of element `index` of the nest. */
export function nestText(nest: Nest, index: string, operands: readonly NestOperand[], prefix: string): string {
  const lines = [`var rest_${prefix} = ${index};`, ...operands.map(({ offset, first }) => `var ${offset} = ${first};`)];
  const dims = usedDims(nest).reverse();
  dims.forEach((d, i) => {
    const outermost = i === dims.length - 1;
    lines.push(`let ${prefix}_i${d} = ${outermost ? `rest_${prefix}` : `rest_${prefix} % p.${prefix}_d${d}`};`);
    if (!outermost) lines.push(`rest_${prefix} /= p.${prefix}_d${d};`);
    for (const { offset, name } of operands) lines.push(`${offset} += ${prefix}_i${d} * p.${name}_s${d};`);
  });
  return lines.join(' ');
}
