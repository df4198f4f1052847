// What GPU rules see of lowering, and which views GPU kernels can work with. lower-gpu.ts implements it.
// Tensors lie as NHWC with the channel pitch rounded up to 4; the pad lanes between hold anything, and no kernel uses what it reads there.
// Must not know any op or kernel.

import { KingletError } from '../error.ts';
import type { Value } from '../graph/graph.ts';
import type { Address, Need, Region, View } from '../plan/lowering.ts';
import { reshapeView } from '../plan/views.ts';
import { elementCount, type Shape } from '../tensor.ts';
import type { Dispatch } from './dispatch.ts';

/** A region of an activation: `channels` of its last axis are real, the lanes behind them up to the next multiple of 4 are nobody's. */
export interface GpuRegion extends Region {
  readonly channels: number;
}

/** Optional features of a device that texts may use. */
export interface GpuFeatures {
  /** Weights in 16-bit floats; sums stay float32. */
  readonly half: boolean;
  /** Reductions by subgroups. */
  readonly subgroups: boolean;
}

export interface GpuLowering extends Pick<GpuFeatures, 'subgroups'> {
  /** Where to read `value`; copied to a place of its own when its view does not meet `need`. */
  read(value: Value, need?: Need): View;
  /** Where to write `value`; a place of its own that is copied afterwards when its place does not meet `need`. */
  write(value: Value, need?: Need): View;
  /** Declares that `value` is what `view` shows. */
  alias(value: Value, view: View): void;
  /** Constant data in the weight buffers, in float32. */
  constant(data: Float32Array): Address;
  /** Packed weights, in half precision where the caller wants that. */
  weights(data: Float32Array): Address;
  emit(dispatch: Dispatch): void;
}

export function ceil4(n: number): number {
  return Math.ceil(n / 4) * 4;
}

/** Channels lie together and every pixel starts at a multiple of four floats. */
export const vectorRead: Need = (view) => {
  const last = view.shape.length - 1;
  return last >= 0 && (view.shape[last] <= 1 || view.strides[last] === 1) && view.at.offsetBytes % 16 === 0
    && view.shape.every((dim, i) => i === last || dim <= 1 || (view.strides[i] >= 0 && view.strides[i] % 4 === 0));
};
/** The same, and whole vectors may be written: no other tensor owns the lanes behind the last channel. */
export const vectorWrite: Need = (view) => vectorRead(view) && ownsLanes(view);

function ownsLanes(view: View): boolean {
  const channels = view.shape.at(-1) ?? 1;
  const region = view.at.region as Partial<GpuRegion>;
  if (channels % 4 === 0) return true;
  return region.channels !== undefined && (view.at.offsetBytes / 4) % ceil4(region.channels) + channels === region.channels;
}

/** [N, H, W, C] (or any rank) as [pixels, channels]; undefined where the pixels are not equally far apart. */
export function asPixels(view: View): View | undefined {
  const channels = view.shape.at(-1) ?? 1;
  return reshapeView(view, [elementCount(view.shape) / Math.max(1, channels), channels]);
}
/** A Need on the view as pixels. */
export function pixels(need: Need): Need {
  return (view) => {
    const flat = asPixels(view);
    return flat !== undefined && need(flat);
  };
}

/** `view` by a shape that it was checked to have. */
export function shaped(view: View, shape: Shape): View {
  const result = reshapeView(view, shape);
  if (!result) throw new KingletError('ERR_INTERNAL', `no [${shape.join(', ')}] in [${view.shape.join(', ')}]`);
  return result;
}
