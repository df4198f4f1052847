// How F32_CONV, QS8_CONV and F32_WINOGRAD are shared: by pictures, rows, pixels, groups or panels of 8 output channels.
// In: a step. Out: one smaller step per thread, which together compute the same. Must not know how steps depend on each other.
//
// Every element is summed in the same order as by one thread. A lone row of a float32 block has a kernel of its own that sums in another
// order (assembly/kernels/f32-gemm.ts): rows are cut only where the same rows stay lone.

import * as abi from '../../assembly/abi.ts';
import { alone, cut, sharesOf, worst, type Cut, type Shares, type StepWords } from './step-words.ts';

/** Below this many multiply-accumulates a convolution takes less time than threads need to meet. */
const LEAST_MACS = 60_000;
/** Weights that are larger do not stay in a core's own cache: each thread reads its own part of them once. */
const LARGE_WEIGHTS = 512 * 1024;
const PANEL = 8;

export function shareConv(step: StepWords, threads: number, least: number): Shares {
  const macs = step.get(abi.CONV_BATCH) * pixelsOf(step) * step.get(abi.CONV_GROUPS) * step.get(abi.CONV_OC) * rowLength(step);
  if (macs < LEAST_MACS * least) return alone(step, threads);
  const rows = byPictures(step, threads) ?? byRows(step, threads);
  const columns = byGroups(step, threads) ?? byPanels(step, threads);
  const packs = step.get(abi.CONV_DIRECT) === 0 ? 1 / Math.ceil(step.get(abi.CONV_OC) / PANEL) : 0;
  const large = panelBytes(step) * Math.ceil(step.get(abi.CONV_OC) / PANEL) > LARGE_WEIGHTS;
  const rowCost = rows ? worst(rows.cuts) * (large ? 1.1 : 1) : Infinity;
  const columnCost = columns ? worst(columns.cuts) + packs : Infinity;
  const best = rowCost <= columnCost * 1.04 ? rows : columns;
  return best ? sharesOf(best.cuts, best.part) : alone(step, threads);
}

interface Way {
  readonly cuts: readonly Cut[];
  readonly part: (cut: Cut) => StepWords;
}

function pixelsOf(step: StepWords): number { return step.get(abi.CONV_OH) * step.get(abi.CONV_OW); }
function rowLength(step: StepWords): number { return step.get(abi.CONV_KH) * step.get(abi.CONV_KW) * step.get(abi.CONV_IC); }
function srcBytes(step: StepWords): number { return step.opcode === abi.QS8_CONV ? 1 : 4; }
function dstBytes(step: StepWords): number { return step.opcode === abi.QS8_CONV && step.get(abi.CONV_OUT_I32) === 0 ? 1 : 4; }

/** Bytes of the weights of 8 output channels. */
function panelBytes(step: StepWords): number {
  if (step.opcode === abi.QS8_CONV) return abi.QS8_PANEL_HEAD + 32 * Math.ceil(rowLength(step) / 4);
  return step.opcode === abi.F32_CONV ? 32 * (rowLength(step) + 1) : 36 * 32 * (step.get(abi.CONV_IC) + 1);
}

function byPictures(step: StepWords, threads: number): Way | null {
  const batch = step.get(abi.CONV_BATCH);
  if (batch % threads !== 0) return null;
  return {
    cuts: cut(batch, threads, 1),
    part: ({ from, count }) => step.with({ set: { [abi.CONV_BATCH]: count }, add: {
      [abi.CONV_SRC]: from * step.get(abi.CONV_SRC_BATCH) * srcBytes(step), [abi.CONV_DST]: from * step.get(abi.CONV_DST_BATCH) * dstBytes(step),
    } }),
  };
}

function byRows(step: StepWords, threads: number): Way | null {
  const oh = step.get(abi.CONV_OH), ow = step.get(abi.CONV_OW);
  if (step.opcode === abi.F32_WINOGRAD) {
    const cuts = cut(oh, threads, 4);
    return noLoneTiles(step, [...cuts, { from: 0, count: oh }]) ? { cuts, part: (one) => rowsOf(step, one) } : null;
  }
  const direct = step.get(abi.CONV_DIRECT) !== 0;
  // Whole rows where they divide well: then the rows around a depthwise step stay on one thread.
  const whole = cut(oh, threads, 1).map(({ from, count }) => ({ from: from * ow, count: count * ow }));
  const pixels = cut(oh * ow, threads, 12);
  const cuts = sumsAlike(step, whole) && (!direct || worst(whole) <= worst(pixels) * 1.02) ? whole : direct ? pixels : null;
  if (cuts === null) return null;
  return { cuts, part: (one) => (direct ? pixelsOfDirect(step, one) : rowsOf(step, { from: one.from / ow, count: one.count / ow })) };
}

function rowsOf(step: StepWords, { from, count }: Cut): StepWords {
  return step.with({ set: { [abi.CONV_OH]: count }, add: {
    [abi.CONV_PT]: -from * step.get(abi.CONV_SH), [abi.CONV_DST]: from * step.get(abi.CONV_OW) * step.get(abi.CONV_DST_PIXEL) * dstBytes(step),
  } });
}

/** A picture of one row. */
function pixelsOfDirect(step: StepWords, { from, count }: Cut): StepWords {
  const pixel = step.get(abi.CONV_SRC_PIXEL);
  return step.with({
    set: { [abi.CONV_IH]: 1, [abi.CONV_OH]: 1, [abi.CONV_IW]: count, [abi.CONV_OW]: count, [abi.CONV_SRC_ROW]: count * pixel },
    add: { [abi.CONV_SRC]: from * pixel * srcBytes(step), [abi.CONV_DST]: from * step.get(abi.CONV_DST_PIXEL) * dstBytes(step) },
  });
}

/** Which ways of walking so many rows end with a lone one: tiles of 6, tiles of 4, tiles of 4 in chunks of 6. */
function loneRows(rows: number): number { return (rows % 6 === 1 ? 1 : 0) + (rows % 4 === 1 ? 2 : 0) + (rows % 6 === 5 ? 4 : 0); }

/** The last row is lone exactly if it is for one thread, and no other is. */
function sumsAlike(step: StepWords, cuts: readonly Cut[]): boolean {
  if (step.opcode === abi.QS8_CONV) return true;
  const parts = cuts.filter(({ count }) => count > 0);
  return parts.every(({ count }, i) => loneRows(count) === (i === parts.length - 1 ? loneRows(pixelsOf(step)) : 0));
}

/** No block of the Winograd form has a lone tile, cut or not. */
function noLoneTiles(step: StepWords, cuts: readonly Cut[]): boolean {
  const block = step.get(abi.CONV_BLOCK_ROWS), across = Math.ceil(step.get(abi.CONV_OW) / 4);
  return cuts.every(({ count }) => {
    const tiles = Math.ceil(count / 4) * across;
    return loneRows(tiles % block) === 0 && (tiles < block || loneRows(block) === 0);
  });
}

function byGroups(step: StepWords, threads: number): Way | null {
  const groups = step.get(abi.CONV_GROUPS), panels = Math.ceil(step.get(abi.CONV_OC) / PANEL);
  if (groups === 1) return null;
  return {
    cuts: cut(groups, threads, 1),
    part: ({ from, count }) => step.with({ set: { [abi.CONV_GROUPS]: count }, add: {
      [abi.CONV_SRC]: from * step.get(abi.CONV_IC) * step.get(abi.CONV_SRC_CHANNEL) * srcBytes(step),
      [abi.CONV_DST]: from * step.get(abi.CONV_OC) * step.get(abi.CONV_DST_CHANNEL) * dstBytes(step),
      [abi.CONV_WEIGHTS]: from * panels * panelBytes(step),
    } }),
  };
}

function byPanels(step: StepWords, threads: number): Way | null {
  if (step.get(abi.CONV_GROUPS) !== 1) return null;
  return {
    cuts: cut(step.get(abi.CONV_OC), threads, PANEL),
    part: ({ from, count }) => step.with({ set: { [abi.CONV_OC]: count }, add: {
      [abi.CONV_DST]: from * step.get(abi.CONV_DST_CHANNEL) * dstBytes(step), [abi.CONV_WEIGHTS]: (from / PANEL) * panelBytes(step),
    } }),
  };
}
