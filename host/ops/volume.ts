// Three spatial axes by means of two: a window over [depth, height, width] is a window over [height, width] whose channels are all
// planes that it sees. In: volumes [N, D, H, W, C] and windows. Out: graph nodes that exist already: slices, joins and reshapes.
// Must not know which op uses the planes, or what it does with them.

import { KingletError } from '../error.ts';
import type { Builder } from '../graph/builder.ts';
import type { Value } from '../graph/graph.ts';
import { concat } from './concat.ts';
import { addPad } from './pad.ts';
import { reshape } from './reshape.ts';
import { slice } from './slice.ts';
import { outputSize, type Pads, type Window } from './window.ts';

/** Most planes that a window may see: each is a slice and a copy. */
const MAX_TAPS = 64;

export interface DepthWindow extends Window {
  readonly pads: Pads;
  readonly groups: number;
  /** Taps from the last to the first: what a transposed convolution needs. */
  readonly reversed?: boolean;
}

/** [N, D, H, W, G*C] → [N*OD, H, W, G*KD*C]: the planes of each depth window side by side in the channels, inside each group. */
export function depthToChannels(b: Builder, x: Value, window: DepthWindow): Value {
  const { groups, pads, reversed = false } = window;
  const [taps, stride, dilation] = [window.kernel[0], window.strides[0], window.dilations[0]];
  const [n, d, h, w, c] = x.shape;
  if (taps > MAX_TAPS) throw new KingletError('ERR_UNSUPPORTED', `windows ${taps} deep are not supported (at most ${MAX_TAPS})`);
  if (groups < 1 || c % groups !== 0) throw new KingletError('ERR_MODEL_INVALID', `${groups} groups do not divide ${c} channels`);
  const depth = outputSize(d, taps, stride, dilation, pads[0], pads[2]);
  const padded = addPad(b, x, { pads: [0, pads[0], 0, 0, 0, 0, pads[2], 0, 0, 0], mode: 'constant', value: 0 });
  const parts = Array.from({ length: taps }, (_, k) => {
    const first = (reversed ? taps - 1 - k : k) * dilation;
    const part = b.add(slice, { starts: [0, first, 0, 0, 0], sizes: [n, depth, h, w, c], steps: [1, stride, 1, 1, 1] }, [padded]);
    return b.add(reshape, { shape: [n, depth, h, w, groups, c / groups] }, [part]);
  });
  return b.add(reshape, { shape: [n * depth, h, w, taps * c] }, [b.add(concat, { axis: 5 }, parts)]);
}

/** [N, D, H, W, C] → [N*D, H, W, C]. */
export function volumeToPlanes(b: Builder, x: Value): Value {
  const [n, d, ...plane] = x.shape;
  return b.add(reshape, { shape: [n * d, ...plane] }, [x]);
}

/** [N*D, H, W, C] → [N, D, H, W, C]. */
export function planesToVolume(b: Builder, planes: Value, n: number): Value {
  const [count, ...plane] = planes.shape;
  return b.add(reshape, { shape: [n, count / n, ...plane] }, [planes]);
}

/** `stride - 1` planes of zeros between neighbours. */
export function spreadPlanes(b: Builder, x: Value, stride: number): Value {
  if (stride === 1) return x;
  const [n, d, h, w, c] = x.shape;
  const single = b.add(reshape, { shape: [n, d, 1, h, w, c] }, [x]);
  const apart = addPad(b, single, { pads: [0, 0, 0, 0, 0, 0, 0, 0, stride - 1, 0, 0, 0], mode: 'constant', value: 0 });
  const volume = b.add(reshape, { shape: [n, d * stride, h, w, c] }, [apart]);
  return addPad(b, volume, { pads: [0, 0, 0, 0, 0, 0, 1 - stride, 0, 0, 0], mode: 'constant', value: 0 });
}
