// The fused activations of TFLite operators as clamps. In: the option field of an operator. Out: real bounds.
// Must not know any particular op.

import type { TfliteNode } from '../import/tflite/node.ts';

/** Real-valued bounds of a fused clamp; infinite where there is none. */
export interface Clamp {
  readonly min: number;
  readonly max: number;
}

export const noClamp: Clamp = { min: -Infinity, max: Infinity };

/** ActivationFunctionType (schema.fbs order): the ones that are clamps, by number. */
const clamps: readonly Clamp[] = [noClamp, { min: 0, max: Infinity }, { min: -1, max: 1 }, { min: 0, max: 6 }];

/** The fused activation in option `field`; throws ERR_UNSUPPORTED for those that are not clamps. */
export function tfliteClamp(node: TfliteNode, field: number): Clamp {
  const kind = node.u8(field, 0);
  return clamps[kind] ?? node.unsupported(`fused activation ${kind} is not supported`);
}
