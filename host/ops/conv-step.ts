// The convolution step that conv2d, matmul and convTranspose2d share: picks depthwise, Winograd or GEMM, packs weights, emits.
// In: views of source and destination, HWIO weights, window. Out: one step. Must not know graphs or file formats.

import * as abi from '../../assembly/abi.ts';
import type { Constant } from '../graph/graph.ts';
import { type Address, type Lowering, type Need, type View, type Words } from '../plan/lowering.ts';
import { perTensor, type TensorType } from '../tensor.ts';
import { outputScales, packF32Conv, packF32Dwconv, packQs8Conv, packQs8Dwconv, PANEL, planarOrder, weightZero } from './pack-conv.ts';
import { quantizedClamp } from './quantized.ts';
import { unaryNumber, type UnaryAttrs } from './unary.ts';
import { packWinograd, winogradBlock, winogradPays, type WinogradShape } from './winograd.ts';
import type { Pads, Pair } from './window.ts';

export interface ConvStep {
  /** [N, H, W, C], any strides >= 0. */
  readonly src: View;
  /** [N, OH, OW, OC], meets `pixelsUniform`. */
  readonly dst: View;
  /** HWIO [KH, KW, C/groups, OC], or panels that earlier steps of this node packed. */
  readonly weights: Constant | { readonly kind: 'packed'; readonly at: Address; readonly shape: readonly [number, number, number, number] };
  readonly bias: Constant | null;
  readonly strides: Pair;
  readonly pads: Pads;
  readonly dilations: Pair;
  readonly groups: number;
  /** Clamp in real units. */
  readonly min: number;
  readonly max: number;
  /** Applied after the clamp; float32 only. */
  readonly activation?: UnaryAttrs;
  /** Dtypes and quantisation. */
  readonly srcType: TensorType;
  readonly dstType: TensorType;
}

/** Pixels of a destination follow each other at one stride. */
export const pixelsUniform: Need = ({ shape, strides }) =>
  (shape[1] ?? 1) <= 1 || (shape[2] ?? 1) <= 1 || strides[1] === (shape[2] ?? 1) * (strides[2] ?? 0);

/**
 * Bytes of rows, packed or read in place, that one block keeps in the first-level cache, with a line of results for each row: columns
 * are written eight at a time. All weights pass by once per block: where they are too large for the second-level cache themselves,
 * larger blocks fetch them less often. For int8 it is rows and all their results: a byte feeds four times as many operations there.
 */
const BLOCK_BYTES = { float32: 16 * 1024, quantized: 32 * 1024, largeWeights: 448 * 1024 };
const LARGE_WEIGHTS = 384 * 1024;
const CACHE_LINE = 64;
/** Tile heights 4 and 6 both divide it. */
const ROW_UNIT = 12;

const dim = (view: { readonly shape: readonly number[] }, i: number): number => view.shape[i] ?? 1;
const strideOf = (view: View, i: number): number => view.strides[i] ?? 0;

/** True when the layer is a depthwise convolution with multiplier 1 that the dwconv kernels take. */
export function isDepthwise(src: View | TensorType, weights: { readonly shape: readonly number[] }, groups: number): boolean {
  return groups > 1 && groups === (src.shape.at(-1) ?? 1) && dim(weights, 2) === 1 && dim(weights, 3) === groups;
}

export function emitConv(ctx: Lowering, c: ConvStep): void {
  if ('kind' in c.weights) emitGemm(ctx, c);
  else if (isDepthwise(c.src, c.weights, c.groups) && c.dstType.dtype !== 'int32') emitDwconv(ctx, c, c.weights);
  else if (isWinograd(c) && winogradPays(winogradShape(c), ctx.tolerance)) emitWinograd(ctx, c, c.weights);
  else emitGemm(ctx, c);
}

function clampWords(c: ConvStep): [Words[number], Words[number]] {
  if (c.dstType.dtype !== 'int8') return [{ f32: c.min }, { f32: c.max }];
  const { scale, zeroPoint } = perTensor(c.dstType, 'the output');
  return quantizedClamp(c.min, c.max, scale, zeroPoint);
}

/** [kind][p0][p1] from operand `at` on; nothing (0) where there is no activation. */
function activationWords({ activation }: ConvStep, at: number): Words {
  return activation ? { [at]: [unaryNumber(activation.kind), { f32: activation.p0 }, { f32: activation.p1 }] } : {};
}

/** Zero points and the weights' multipliers; zeros for float32. */
function quantizedWords(c: ConvStep): { srcZero: number; dstZero: number } {
  if (c.srcType.dtype !== 'int8') return { srcZero: 0, dstZero: 0 };
  return {
    srcZero: perTensor(c.srcType, 'the input').zeroPoint,
    dstZero: c.dstType.dtype === 'int8' ? perTensor(c.dstType, 'the output').zeroPoint : 0,
  };
}

/** An axis of length 1 never moves: it gets the stride that makes rows uniform. */
function srcStrides({ src }: ConvStep): { pixel: number; row: number } {
  const [ih, iw] = [dim(src, 1), dim(src, 2)];
  const pixel = iw > 1 ? strideOf(src, 2) : strideOf(src, 1);
  return { pixel, row: ih > 1 ? strideOf(src, 1) : iw * pixel };
}

/** Operands that say where and how large everything is, and what is applied to the sums: the same for all F32_CONV-like steps. */
function convWords(c: ConvStep): Words {
  const [ic, columns] = [dim(c.weights, 2), dim(c.weights, 3)];
  const { pixel, row } = srcStrides(c);
  const [min, max] = clampWords(c);
  return {
    [abi.CONV_SRC]: c.src.at, [abi.CONV_DST]: c.dst.at,
    [abi.CONV_BATCH]: dim(c.src, 0), [abi.CONV_IH]: dim(c.src, 1), [abi.CONV_IW]: dim(c.src, 2), [abi.CONV_IC]: ic,
    [abi.CONV_OH]: dim(c.dst, 1), [abi.CONV_OW]: dim(c.dst, 2), [abi.CONV_OC]: columns / c.groups, [abi.CONV_GROUPS]: c.groups,
    [abi.CONV_KH]: dim(c.weights, 0), [abi.CONV_KW]: dim(c.weights, 1), [abi.CONV_SH]: c.strides[0], [abi.CONV_SW]: c.strides[1],
    [abi.CONV_DH]: c.dilations[0], [abi.CONV_DW]: c.dilations[1], [abi.CONV_PT]: c.pads[0], [abi.CONV_PL]: c.pads[1],
    [abi.CONV_SRC_BATCH]: strideOf(c.src, 0), [abi.CONV_SRC_ROW]: row, [abi.CONV_SRC_PIXEL]: pixel,
    [abi.CONV_SRC_CHANNEL]: ic * c.groups === 1 ? 1 : strideOf(c.src, 3),
    [abi.CONV_DST_BATCH]: strideOf(c.dst, 0), [abi.CONV_DST_PIXEL]: dim(c.dst, 2) > 1 ? strideOf(c.dst, 2) : strideOf(c.dst, 1),
    [abi.CONV_DST_CHANNEL]: columns === 1 ? 1 : strideOf(c.dst, 3),
    [abi.CONV_MIN]: min, [abi.CONV_MAX]: max, ...activationWords(c, abi.CONV_ACTIVATION),
  };
}

function emitGemm(ctx: Lowering, c: ConvStep): void {
  const quantized = c.srcType.dtype === 'int8';
  const [kh, kw, ic, columns] = [dim(c.weights, 0), dim(c.weights, 1), dim(c.weights, 2), dim(c.weights, 3)];
  const oc = columns / c.groups;
  const k = kh * kw * ic;
  const { srcZero, dstZero } = quantizedWords(c);
  const { pixel, row } = srcStrides(c);
  const direct = kh * kw === 1 && c.strides[0] === 1 && c.strides[1] === 1 && c.pads.every((p) => p === 0)
    && (strideOf(c.src, 3) === 1 || ic * c.groups === 1) && row === dim(c.src, 2) * pixel;
  // Pictures that come as planes: neighbours along x are runs to copy, channels would have to be gathered one by one.
  const planar = !quantized && !direct && !('kind' in c.weights) && ic > 1 && strideOf(c.src, 3) !== 1 && pixel === 1 && c.dilations[1] === 1;
  const rowBytes = quantized ? Math.ceil(k / 4) * 8 : k * 4;
  const large = k * oc * 4 > LARGE_WEIGHTS;
  const cachedBytes = quantized ? Math.ceil(k / 4) * 4 + oc : rowBytes + CACHE_LINE;
  const budget = quantized ? BLOCK_BYTES.quantized : large ? BLOCK_BYTES.largeWeights : BLOCK_BYTES.float32;
  const rows = Math.ceil((dim(c.dst, 1) * dim(c.dst, 2)) / ROW_UNIT) * ROW_UNIT;
  const blockRows = Math.min(rows, Math.max(1, Math.floor(budget / cachedBytes / ROW_UNIT)) * ROW_UNIT);
  const scratchBytes = quantized ? blockRows * rowBytes + blockRows * 4 + 512 : (direct ? 0 : blockRows * rowBytes) + 256;
  const shape = { k, groups: c.groups, oc };
  const packed = 'kind' in c.weights ? c.weights.at
    : ctx.weights(quantized
      ? packQs8Conv(c.weights, c.bias, shape, outputScales(c.weights, c.srcType, c.dstType, columns), srcZero)
      : packF32Conv(planar ? planarOrder(c.weights) : c.weights, c.bias, shape));
  ctx.emit(quantized ? abi.QS8_CONV : abi.F32_CONV, abi.CONV_STEP_BYTES, {
    ...convWords(c), [abi.CONV_WEIGHTS]: packed,
    [abi.CONV_SCRATCH]: ctx.temporary(scratchBytes), [abi.CONV_SCRATCH_BYTES]: scratchBytes,
    [abi.CONV_DIRECT]: direct ? 1 : 0, [abi.CONV_BLOCK_ROWS]: blockRows,
    [abi.CONV_SRC_ZERO]: srcZero, [abi.CONV_DST_ZERO]: dstZero,
    [abi.CONV_WEIGHT_ZERO]: quantized && !('kind' in c.weights) ? weightZero(c.weights) : 0,
    [abi.CONV_OUT_I32]: quantized && c.dstType.dtype === 'int32' ? 1 : 0, [abi.CONV_PLANAR]: planar ? 1 : 0,
  });
}

const winogradShape = (c: ConvStep): WinogradShape => ({ ic: dim(c.weights, 2), oc: dim(c.weights, 3), oh: dim(c.dst, 1), ow: dim(c.dst, 2) });

/** What F32_WINOGRAD can compute, whether it pays or not. */
function isWinograd(c: ConvStep): boolean {
  const square = dim(c.weights, 0) === 3 && dim(c.weights, 1) === 3 && [...c.strides, ...c.dilations, c.groups].every((n) => n === 1);
  const inPlace = c.activation === undefined || c.activation.kind === 'leakyRelu';
  return c.srcType.dtype === 'float32' && square && inPlace && strideOf(c.src, 3) === 1 && strideOf(c.dst, 3) === 1;
}

function emitWinograd(ctx: Lowering, c: ConvStep, weights: Constant): void {
  const { tiles, scratchBytes } = winogradBlock(winogradShape(c));
  ctx.emit(abi.F32_WINOGRAD, abi.CONV_STEP_BYTES, {
    ...convWords(c), [abi.CONV_WEIGHTS]: ctx.weights(packWinograd(weights, c.bias)),
    [abi.CONV_SCRATCH]: ctx.temporary(scratchBytes), [abi.CONV_SCRATCH_BYTES]: scratchBytes, [abi.CONV_BLOCK_ROWS]: tiles,
  });
}

/** Maps up to this many times the kernel's width are mostly border: at stride 1 worth a copy with zero columns. */
const NARROW = 3;
/** Size of that copy: it stays in the first-level cache. */
const COPY_BYTES = 24 * 1024;
/** Eight vectors that the kernel needs in any case. */
const DW_TILE_BYTES = 128;
/** The same for int8, whose kernel takes four columns at a time. */
const QS8_COPY_BYTES = 32 * 1024;
const QS8_TILE_COLUMNS = 4;
const QS8_TILE_BYTES = 32;

/** Blocks of 4 channels per padded copy (0: none), and the scratch that the float32 kernel needs. */
function padding(c: ConvStep, kernelWidth: number, channels: number): { chunk: number; scratchBytes: number } {
  const [ih, ow] = [dim(c.src, 1), dim(c.dst, 2)];
  const padded = c.pads[1] > 0 || c.pads[3] > 0;
  const tiled = (kernelWidth === 3 || kernelWidth === 5) && c.strides[1] === 1 && c.dilations[1] === 1 && ow >= 4;
  if (!padded || !tiled || ow > NARROW * kernelWidth) return { chunk: 0, scratchBytes: DW_TILE_BYTES };
  const blocks = Math.ceil(channels / 4);
  const blockBytes = ih * (ow - 1 + kernelWidth) * 16;
  const passes = Math.ceil(blocks / Math.max(1, Math.floor(COPY_BYTES / blockBytes)));
  const chunk = Math.ceil(blocks / passes);
  return { chunk, scratchBytes: DW_TILE_BYTES + chunk * blockBytes };
}

/**
 * Blocks of 8 channels per copy with border (0: none) for int8: wherever windows reach outside or channels are left over, unless the
 * kernels for whole 3x3 rows do it. A picture whose one block is too large has little border.
 */
function qs8Padding(c: ConvStep, kernel: readonly [number, number], channels: number): { chunk: number; scratchBytes: number } {
  const reach = (axis: 0 | 1, outputs: number): number => (outputs - 1) * c.strides[axis] + (kernel[axis] - 1) * c.dilations[axis] + 1;
  const rows3x3 = kernel[0] === 3 && kernel[1] === 3 && c.dilations[0] === 1 && c.dilations[1] === 1 && c.strides[1] <= 2;
  const blockBytes = reach(0, dim(c.dst, 1)) * reach(1, Math.max(dim(c.dst, 2), QS8_TILE_COLUMNS)) * 8;
  const wanted = channels % 8 !== 0 || (!rows3x3 && c.pads.some((p) => p > 0));
  if (!wanted || blockBytes > QS8_COPY_BYTES) return { chunk: 0, scratchBytes: 0 };
  const blocks = rows3x3 ? 1 : Math.ceil(channels / 8);
  const passes = Math.ceil(blocks / Math.floor(QS8_COPY_BYTES / blockBytes));
  const chunk = Math.ceil(blocks / passes);
  return { chunk, scratchBytes: QS8_TILE_BYTES + chunk * blockBytes };
}

function dwScratch(ctx: Lowering, { chunk, scratchBytes }: { chunk: number; scratchBytes: number }): Words {
  if (scratchBytes === 0) return {};
  return { [abi.DW_SCRATCH]: ctx.temporary(scratchBytes), [abi.DW_SCRATCH_BYTES]: scratchBytes, [abi.DW_CHUNK]: chunk };
}

function emitDwconv(ctx: Lowering, c: ConvStep, weights: Constant): void {
  const quantized = c.srcType.dtype === 'int8';
  const channels = c.groups;
  const taps = dim(weights, 0) * dim(weights, 1);
  const { srcZero, dstZero } = quantizedWords(c);
  const packed = ctx.weights(quantized
    ? packQs8Dwconv(weights, c.bias, taps, channels, outputScales(weights, c.srcType, c.dstType, channels), srcZero)
    : packF32Dwconv(weights, c.bias, taps, channels));
  const [min, max] = clampWords(c);
  ctx.emit(quantized ? abi.QS8_DWCONV : abi.F32_DWCONV, abi.DW_STEP_BYTES, {
    [abi.DW_SRC]: c.src.at, [abi.DW_DST]: c.dst.at, [abi.DW_WEIGHTS]: packed,
    [abi.DW_BATCH]: dim(c.src, 0), [abi.DW_IH]: dim(c.src, 1), [abi.DW_IW]: dim(c.src, 2), [abi.DW_C]: channels,
    [abi.DW_OH]: dim(c.dst, 1), [abi.DW_OW]: dim(c.dst, 2), [abi.DW_KH]: dim(weights, 0), [abi.DW_KW]: dim(weights, 1),
    [abi.DW_SH]: c.strides[0], [abi.DW_SW]: c.strides[1], [abi.DW_DH]: c.dilations[0], [abi.DW_DW]: c.dilations[1],
    [abi.DW_PT]: c.pads[0], [abi.DW_PL]: c.pads[1],
    [abi.DW_SRC_BATCH]: strideOf(c.src, 0), [abi.DW_SRC_ROW]: strideOf(c.src, 1), [abi.DW_SRC_PIXEL]: strideOf(c.src, 2),
    [abi.DW_DST_BATCH]: strideOf(c.dst, 0), [abi.DW_DST_ROW]: strideOf(c.dst, 1), [abi.DW_DST_PIXEL]: strideOf(c.dst, 2),
    ...dwScratch(ctx, quantized ? qs8Padding(c, [dim(weights, 0), dim(weights, 1)], channels) : padding(c, dim(weights, 1), channels)), ...activationWords(c, abi.DW_ACTIVATION),
    [abi.DW_MIN]: min, [abi.DW_MAX]: max, [abi.DW_SRC_ZERO]: srcZero, [abi.DW_DST_ZERO]: dstZero,
    [abi.DW_FILL]: (srcZero & 255) * 0x01010101 | 0, [abi.DW_FILL + 4]: (srcZero & 255) * 0x01010101 | 0,
  });
}

/** Bytes of one group's panels in a packed f32 weight block. */
export function packedPanelBytes(k: number, oc: number): number {
  return Math.ceil(oc / PANEL) * PANEL * (k + 1) * 4;
}
