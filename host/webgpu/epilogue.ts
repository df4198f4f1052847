// What convolutions do with a finished sum of four channels before and while they store it: clamp, activation, residual add, the channel
// shuffle's interleave. In: what was fused into the layer, and views. Out: the WGSL function `store`, its operands and params.
// Must not know how the sum was made.

import type { View } from '../plan/lowering.ts';
import type { UnaryAttrs } from '../ops/unary.ts';
import type { Clamp } from '../ops/activation.ts';
import { bound, unaryText } from './elementwise-text.ts';
import { ceil4 } from './gpu-lowering.ts';
import type { Operand, Params } from './dispatch.ts';

export interface Epilogue {
  readonly clamp: Clamp;
  readonly activation?: UnaryAttrs | undefined;
  /** [pixels, channels], added behind the activation; then comes its own clamp. */
  readonly residual?: { readonly view: View; readonly clamp: Clamp } | undefined;
  /** [pixels, channels]: the other half of a shuffle of two groups; `first`: its channels come first. `dst` then has both halves. */
  readonly shuffle?: { readonly view: View; readonly first: boolean } | undefined;
}

export interface StoreText {
  /** fn store(m: i32, n: i32, sum: vec4f): pixel m, channels 4n to 4n + 3. */
  readonly text: string;
  readonly reads: readonly Operand[];
  readonly write: Operand;
  readonly params: Params;
}

/** `dst`: [pixels, channels], of which whole vectors may be written. */
export function storeText(epilogue: Epilogue, dst: View): StoreText {
  const { clamp, activation, residual, shuffle } = epilogue;
  const pitch = (view: View): number => view.strides[0] / 4;
  // Every layer clamps, if only to all floats: layers with and without an activation share their pipelines.
  const lines = ['var v = clamp(sum, vec4f(p.low), vec4f(p.high));'];
  if (activation) lines.push(`v = ${unaryText(activation.kind, 'v', 'vec4f', 'p.act0', 'p.act1')};`);
  if (residual) {
    lines.push('v = clamp(v + residual[p.residual_at + m * p.residual_pixel + n], vec4f(p.low2), vec4f(p.high2));');
  }
  if (shuffle) {
    const [a, b] = shuffle.first ? ['other', 'v'] : ['v', 'other'];
    lines.push(
      'let other = twin[p.twin_at + m * p.twin_pixel + n];',
      'let at = p.y_at + m * p.y_pixel + 2 * n;',
      `y[at] = vec4f(${a}.x, ${b}.x, ${a}.y, ${b}.y);`,
      `if (2 * n + 1 < p.y_c4) { y[at + 1] = vec4f(${a}.z, ${b}.z, ${a}.w, ${b}.w); }`,
    );
  } else {
    lines.push('y[p.y_at + m * p.y_pixel + n] = v;');
  }
  return {
    text: `fn store(m: i32, n: i32, sum: vec4f) {\n  ${lines.join('\n  ')}\n}`,
    reads: [
      ...(residual ? [{ name: 'residual', as: 'vec4f', view: residual.view } as const] : []),
      ...(shuffle ? [{ name: 'twin', as: 'vec4f', view: shuffle.view } as const] : []),
    ],
    write: { name: 'y', as: 'vec4f', view: dst },
    params: {
      y_pixel: pitch(dst), low: bound(clamp.min), high: bound(clamp.max),
      ...(activation ? { act0: { f32: activation.p0 }, act1: { f32: activation.p1 } } : {}),
      ...(residual ? { residual_pixel: pitch(residual.view), low2: bound(residual.clamp.min), high2: bound(residual.clamp.max) } : {}),
      ...(shuffle ? { twin_pixel: pitch(shuffle.view), y_c4: ceil4(dst.shape[1]) / 4 } : {}),
    },
  };
}
