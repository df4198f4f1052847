// How depthwise convolutions, pools and resizes are shared: by rows of the output, or by channels where there are few rows.
// In: a step. Out: one smaller step per thread. Must not know how steps depend on each other.

import * as abi from '../../assembly/abi.ts';
import { alone, cut, sharesOf, worst, type Shares, type StepWords } from './step-words.ts';

/** Below this many multiplications a step takes less time than threads need to meet. */
const LEAST_PRODUCTS = 20_000;
const LEAST_ELEMENTS = 4_000;
/** Channels are cut at multiples of this: whole blocks of weights, and whole cache lines of float32. */
const CHANNELS = 16;

export function shareDwconv(step: StepWords, threads: number, least: number): Shares {
  const c = step.get(abi.DW_C), oh = step.get(abi.DW_OH), taps = step.get(abi.DW_KH) * step.get(abi.DW_KW), float = step.opcode === abi.F32_DWCONV;
  if (step.get(abi.DW_BATCH) * oh * step.get(abi.DW_OW) * c * taps < LEAST_PRODUCTS * least) return alone(step, threads);
  const bytes = float ? 4 : 1;
  const rows = cut(oh, threads, 1), channels = cut(c, threads, CHANNELS);
  // The border columns of float32 are summed in another order where fewer than 4 windows lie inside.
  const enough = !float || rows.every(({ count }) => count >= step.get(abi.DW_KH) + 4);
  if (step.get(abi.DW_CHUNK) === 0 && enough && worst(rows) <= worst(channels) * 1.1) {
    return sharesOf(rows, ({ from, count }) => step.with({ set: { [abi.DW_OH]: count }, add: {
      [abi.DW_PT]: -from * step.get(abi.DW_SH), [abi.DW_DST]: from * step.get(abi.DW_DST_ROW) * bytes,
    } }));
  }
  const blockBytes = float ? 16 * (taps + 1) : 64 + 32 * Math.ceil(taps / 2), block = float ? 4 : 8;
  return sharesOf(channels, ({ from, count }) => step.with({ set: { [abi.DW_C]: count }, add: {
    [abi.DW_SRC]: from * bytes, [abi.DW_DST]: from * bytes, [abi.DW_WEIGHTS]: (from / block) * blockBytes,
  } }));
}

export function sharePool(step: StepWords, threads: number, least: number): Shares {
  const c = step.get(abi.POOL_C), oh = step.get(abi.POOL_OH), bytes = step.opcode === abi.F32_POOL ? 4 : 1;
  if (step.get(abi.POOL_BATCH) * oh * step.get(abi.POOL_OW) * c * step.get(abi.POOL_KH) * step.get(abi.POOL_KW) < LEAST_PRODUCTS * least) return alone(step, threads);
  const rows = cut(oh, threads, 1), channels = cut(c, threads, CHANNELS);
  if (worst(rows) <= worst(channels) * 1.1) {
    return sharesOf(rows, ({ from, count }) => step.with({ set: { [abi.POOL_OH]: count }, add: {
      [abi.POOL_PT]: -from * step.get(abi.POOL_SH), [abi.POOL_DST]: from * step.get(abi.POOL_DST_ROW) * bytes,
    } }));
  }
  return sharesOf(channels, ({ from, count }) => step.with({
    set: { [abi.POOL_C]: count }, add: { [abi.POOL_SRC]: from * bytes, [abi.POOL_DST]: from * bytes },
  }));
}

/** Bytes of a resize's elements, and of a row's entry in its table. */
export function resizeBytes(step: StepWords): { element: number; entry: number } {
  switch (step.opcode) {
    case abi.QS8_RESIZE: return { element: 1, entry: 12 };
    case abi.F32_RESIZE_CUBIC: return { element: 4, entry: 32 };
    case abi.X_RESIZE_NEAREST: return { element: step.get(abi.RESIZE_ELEMENT_BYTES), entry: 4 };
    default: return { element: 4, entry: 12 };
  }
}

export function shareResize(step: StepWords, threads: number, least: number): Shares {
  const oh = step.get(abi.RESIZE_OH), { element, entry } = resizeBytes(step);
  if (step.get(abi.RESIZE_BATCH) * oh * step.get(abi.RESIZE_OW) * step.get(abi.RESIZE_C) < LEAST_ELEMENTS * least) return alone(step, threads);
  return sharesOf(cut(oh, threads, 1), ({ from, count }) => step.with({ set: { [abi.RESIZE_OH]: count }, add: {
    [abi.RESIZE_Y_TABLE]: from * entry, [abi.RESIZE_DST]: from * step.get(abi.RESIZE_DST_ROW) * element,
  } }));
}
