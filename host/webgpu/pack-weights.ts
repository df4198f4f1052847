// Weights in the order in which GPU kernels read them: a row of biases, then rows of output channels rounded up to a multiple of four.
// In: HWIO constants. Out: float arrays. Must not know views or kernels.

import { numbers, type Tensor } from '../tensor.ts';
import { ceil4 } from './gpu-lowering.ts';

/** How the input channels of each tap are spread: `lead` rows of zeros in front, and zeros behind up to a multiple of four. */
export interface Spread {
  readonly lead: number;
  /** False: the channels as they are. */
  readonly vectors: boolean;
}

/** w [taps, IC, OC] (HWIO flattened) → [1 + taps * rows, OC rounded up]. */
export function packRows(w: Tensor, bias: Tensor | null, { lead, vectors }: Spread = { lead: 0, vectors: true }): Float32Array {
  const [ic, oc] = w.shape.slice(-2);
  const taps = w.shape.slice(0, -2).reduce((a, d) => a * d, 1);
  const [rows, columns] = [vectors ? ceil4(lead + ic) : ic, ceil4(oc)];
  const [source, offsets] = [numbers(w), bias && numbers(bias)];
  const packed = new Float32Array((1 + taps * rows) * columns);
  if (offsets) for (let c = 0; c < oc; c++) packed[c] = offsets[c];
  for (let tap = 0; tap < taps; tap++) for (let i = 0; i < ic; i++) {
    const [from, to] = [(tap * ic + i) * oc, (1 + tap * rows + lead + i) * columns];
    for (let c = 0; c < oc; c++) packed[to + c] = source[from + c];
  }
  return packed;
}
