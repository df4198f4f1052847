// matmul: a[…, M, K] × b[…, K, N] with broadcast batch dims, fused bias[N] and clamp; float32 or int8.
// ONNX MatMul, Gemm, MatMulInteger, QLinearMatMul; TFLite FULLY_CONNECTED, BATCH_MATMUL (all read in matmul-readers.ts).
// Lowers to convolution steps with rows as width, or to QS8_MATMUL. Must not know the graph around it.

import * as abi from '../../assembly/abi.ts';
import { KingletError } from '../error.ts';
import { isConstant, type Constant, type Node, type Value } from '../graph/graph.ts';
import { channelsTogether, offset, type Address, type Lowering, type Need, type View } from '../plan/lowering.ts';
import { broadcastView, reshapeView, sliceView } from '../plan/views.ts';
import { elementCount, numbers, perTensor, type Shape, type Tensor, type TensorType } from '../tensor.ts';
import type { Clamp } from './activation.ts';
import { product } from './axes.ts';
import { broadcastShape, broadcastStrides } from './broadcast.ts';
import { emitConv, packedPanelBytes, type ConvStep } from './conv-step.ts';
import { emitCopy, fillView } from './copy-step.ts';
import { onnxMatmulReaders, tfliteMatmulReaders } from './matmul-readers.ts';
import type { Op } from './op.ts';
import { activation, constantOf, emptyTensor, forward, operand } from './operand.ts';
import { outputScales, PANEL } from './pack-conv.ts';
import { quantizedClamp, rint, saturate } from './quantized.ts';
import type { Pair } from './window.ts';

export interface MatmulAttrs extends Clamp {
  /** The accumulators themselves (MatMulInteger), int32. */
  readonly accumulators?: boolean;
}

/** Most products that one node may become: every batch of run-time operands is a step of its own. */
const MAX_PRODUCTS = 4096;

interface Sizes {
  readonly batch: Shape;
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

function sizesOf(a: TensorType, b: TensorType): Sizes {
  const [m, k] = a.shape.slice(-2);
  const [rows, n] = b.shape.slice(-2);
  if (a.shape.length < 2 || b.shape.length < 2 || k !== rows || k < 1) {
    throw new KingletError('ERR_MODEL_INVALID', `shapes [${a.shape.join(', ')}] and [${b.shape.join(', ')}] cannot be multiplied`);
  }
  return { batch: broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2)), m, k, n };
}

const definition: Op<MatmulAttrs> = {
  kind: 'matmul',
  infer(inputs, attrs) {
    const [a, b] = [activation(inputs, 0), activation(inputs, 1)];
    const bias = inputs[2] ?? null;
    if (a.dtype !== b.dtype) throw new KingletError('ERR_UNSUPPORTED', `multiplying ${a.dtype} by ${b.dtype} is not supported`);
    const { batch, m, n } = sizesOf(a, b);
    if (bias && (bias.shape.length !== 1 || bias.shape[0] !== n)) {
      throw new KingletError('ERR_MODEL_INVALID', `bias of shape [${bias.shape.join(', ')}] for ${n} columns`);
    }
    if (bias && bias.dtype !== (a.dtype === 'int8' ? 'int32' : 'float32')) {
      throw new KingletError('ERR_UNSUPPORTED', `a ${bias.dtype} bias for a product of ${a.dtype}`);
    }
    return [{ dtype: attrs.accumulators ? 'int32' : a.dtype, shape: [...batch, m, n] }];
  },
  reference(inputs, attrs, outputs) {
    const [a, b] = [operand(inputs, 0), operand(inputs, 1)];
    const y = emptyTensor(operand(outputs, 0));
    const finish = finisher(a, b, inputs[2] ?? null, y, attrs);
    const { batch, m, k, n } = sizesOf(a, b);
    const [as, bs] = [numbers(a), numbers(b)];
    const [zeroA, zeroB] = [zeroPoint(a), zeroPoint(b)];
    for (let p = 0; p < product(batch); p++) {
      const [aAt, bAt] = [m * k * batchIndex(p, batch, a.shape), k * n * batchIndex(p, batch, b.shape)];
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let l = 0; l < k; l++) sum += (as[aAt + i * k + l] - zeroA(0)) * (bs[bAt + l * n + j] - zeroB(j));
          y.data[(p * m + i) * n + j] = finish(sum, j);
        }
      }
    }
    return [y];
  },
  macs(node) {
    return elementCount(operand(node.outputs, 0).shape) * (operand(node.inputs, 0).shape.at(-1) ?? 0);
  },
  lower(node, ctx) {
    const [a, b] = [operand(node.inputs, 0), operand(node.inputs, 1)];
    const sizes = sizesOf(a, b);
    if (a.dtype === 'int8' && !isConstant(b)) lowerInt8(node, ctx, sizes);
    else if (product(b.shape.slice(0, -2)) === 1) lowerRows(node, ctx, sizes);
    else lowerBatches(node, ctx, sizes);
  },
};

/** The readers add nodes of this very op, so they are made after it. */
export const matmul: Op<MatmulAttrs> = Object.assign(definition, {
  onnx: onnxMatmulReaders(definition),
  tflite: tfliteMatmulReaders(definition),
});

/** Zero point of a column: 0 for float32. */
function zeroPoint(type: TensorType): (column: number) => number {
  const zeros = type.dtype === 'int8' ? type.quantization?.zeroPoint : undefined;
  if (type.dtype === 'int8' && zeros === undefined) throw new KingletError('ERR_MODEL_INVALID', 'an int8 operand has no quantisation parameters');
  return (column) => zeros?.[zeros.length === 1 ? 0 : column] ?? 0;
}

/** From the exact sum to the stored value. */
function finisher(a: Tensor, b: Tensor, bias: Tensor | null, y: Tensor, { min, max, accumulators }: MatmulAttrs): (sum: number, column: number) => number {
  const offsets = bias ? numbers(bias) : null;
  const total = (sum: number, column: number): number => sum + (offsets ? offsets[column] : 0);
  if (a.dtype === 'float32') return (sum, column) => Math.min(max, Math.max(min, Math.fround(total(sum, column))));
  if (accumulators) return total;
  const scales = outputScales(b, a, y, b.shape[b.shape.length - 1]);
  const to = perTensor(y, 'the output');
  const [lo, hi] = quantizedClamp(min, max, to.scale, to.zeroPoint);
  return (sum, column) => saturate(rint(Math.fround(Math.fround(total(sum, column)) * scales[column])) + to.zeroPoint, lo, hi);
}

/** Which matrix of an operand belongs to product p of the broadcast batch. */
function batchIndex(p: number, batch: Shape, shape: Shape): number {
  const strides = broadcastStrides(shape.slice(0, -2), batch);
  let rest = p;
  let at = 0;
  for (let i = batch.length - 1; i >= 0; i--) {
    at += (rest % batch[i]) * strides[i];
    rest = Math.floor(rest / batch[i]);
  }
  return at;
}

const window: Pick<ConvStep, 'strides' | 'pads' | 'dilations' | 'groups'> = { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], groups: 1 };

/** One b for all rows of a: a single product whose rows are the pixels of a 1x1 convolution. */
function lowerRows(node: Node<MatmulAttrs>, ctx: Lowering, { batch, m, k, n }: Sizes): void {
  const [a, b, y] = [operand(node.inputs, 0), operand(node.inputs, 1), operand(node.outputs, 0)];
  const rows = product(batch) * m;
  const asRows = (columns: number) => (view: View): View | undefined => reshapeView(view, [1, 1, rows, columns]);
  const fits = (columns: number): Need => (view) => forward(view) && asRows(columns)(view) !== undefined;
  const src = asRows(k)(ctx.read(a, fits(k)));
  const dst = asRows(n)(ctx.write(y, fits(n)));
  if (!src || !dst) throw new KingletError('ERR_INTERNAL', 'a dense tensor is not rows');
  emitProduct(node, ctx, { src, dst, weights: weightsOf(ctx, node, b, { k, n }, 0) });
}

/** A step for every matrix of the batch. */
function lowerBatches(node: Node<MatmulAttrs>, ctx: Lowering, { batch, m, k, n }: Sizes): void {
  const [a, b, y] = [operand(node.inputs, 0), operand(node.inputs, 1), operand(node.outputs, 0)];
  const products = product(batch);
  refuseMany(products);
  const src = broadcastView(ctx.read(a, forward), [...batch, m, k]);
  const dst = ctx.write(y, forward);
  for (let p = 0; p < products; p++) {
    const weights = weightsOf(ctx, node, b, { k, n }, batchIndex(p, batch, b.shape));
    emitProduct(node, ctx, { src: matrix(src, p), dst: matrix(dst, p), weights });
  }
}

function refuseMany(products: number): void {
  if (products > MAX_PRODUCTS) throw new KingletError('ERR_LIMIT', `a batch of ${products} matrix products (at most ${MAX_PRODUCTS})`);
}

/** Matrix p of a batch as [1, 1, rows, columns]. */
function matrix(view: View, p: number): View {
  const starts = view.shape.map(() => 0);
  let rest = p;
  for (let i = view.shape.length - 3; i >= 0; i--) {
    starts[i] = rest % view.shape[i];
    rest = Math.floor(rest / view.shape[i]);
  }
  const shape = [...view.shape.slice(0, -2).map(() => 1), ...view.shape.slice(-2)];
  const one = sliceView(view, starts, starts.map(() => 1), shape);
  return { ...one, shape: [1, 1, ...shape.slice(-2)], strides: [0, 0, ...one.strides.slice(-2)] };
}

/** Runtime bias sits in the packed panels; constants go through the convolution's own packing. */
function emitProduct(node: Node<MatmulAttrs>, ctx: Lowering, step: Pick<ConvStep, 'src' | 'dst' | 'weights'>): void {
  const bias = node.inputs[2] ?? null;
  const { min, max } = node.attrs;
  emitConv(ctx, {
    ...step,
    ...window,
    bias: 'kind' in step.weights ? null : constantOrNull(bias),
    min,
    max,
    srcType: operand(node.inputs, 0),
    dstType: operand(node.outputs, 0),
  });
}

function constantOrNull(value: Value | null): Constant | null {
  if (value === null || isConstant(value)) return value;
  throw new KingletError('ERR_UNSUPPORTED', 'the bias of an int8 product must be a constant');
}

/** Matrix `index` of b: a constant to pack now, or steps that pack it at run time. */
function weightsOf(ctx: Lowering, node: Node<MatmulAttrs>, b: Value, { k, n }: { k: number; n: number }, index: number): ConvStep['weights'] {
  const bias = node.inputs[2] ?? null;
  const shape = [1, 1, k, n] as const;
  if (isConstant(b) && (bias === null || isConstant(bias) || b.dtype === 'int8')) {
    const quantization = b.quantization && { ...b.quantization, axis: 3 };
    return constantOf({ dtype: b.dtype, shape, quantization, data: numbers(b).subarray(index * k * n, (index + 1) * k * n) });
  }
  return { kind: 'packed', at: packPanels(ctx, matrixOf(ctx.read(b), index), bias), shape };
}

/** Matrix `index` of a batch as [rows, columns]. */
function matrixOf(view: View, index: number): View {
  const one = matrix(view, index);
  return { ...one, shape: one.shape.slice(2), strides: one.strides.slice(2) };
}

/** Copies b[K, N] and the bias into panels of 8 columns: [bias 8][K][8] each. Lanes beyond N stay undefined: nothing reads their results. */
function packPanels(ctx: Lowering, b: View, bias: Value | null): Address {
  const [k, n] = b.shape;
  const at = ctx.temporary(packedPanelBytes(k, n));
  const offsets = bias ? ctx.read(bias) : fillView(ctx, 'float32', 0, [n]);
  const panelElements = (k + 1) * PANEL;
  const whole = Math.floor(n / PANEL);
  for (const { first, panels, width } of [{ first: 0, panels: whole, width: PANEL }, { first: whole, panels: 1, width: n % PANEL }]) {
    if (panels * width === 0) continue;
    const target = (row: number, rows: number): View => ({
      dtype: 'float32', shape: [panels, rows, width], strides: [panelElements, PANEL, 1], at: offset(at, 4 * (first * panelElements + row * PANEL)),
    });
    const source = (view: View, rows: number, [row, column]: Pair): View => ({
      dtype: 'float32', shape: [panels, rows, width], strides: [PANEL * column, row, column], at: offset(view.at, 4 * first * PANEL * column),
    });
    emitCopy(ctx, target(0, 1), source(offsets, 1, [0, offsets.strides[0]]));
    emitCopy(ctx, target(1, k), source(b, k, [b.strides[0], b.strides[1]]));
  }
  return at;
}

/** Both operands at run time: one QS8_MATMUL step per index of the outer batch dims. */
function lowerInt8(node: Node<MatmulAttrs>, ctx: Lowering, { batch, m, k, n }: Sizes): void {
  const [a, b, y] = [operand(node.inputs, 0), operand(node.inputs, 1), operand(node.outputs, 0)];
  const { min, max, accumulators } = node.attrs;
  if (node.inputs[2] || min !== -Infinity || max !== Infinity) throw new KingletError('ERR_UNSUPPORTED', 'an int8 product of two run-time operands with bias or activation');
  const [qa, qb] = [perTensor(a, 'the first operand'), perTensor(b, 'the second operand')];
  const to = accumulators ? { scale: 1, zeroPoint: 0 } : perTensor(y, 'the output');
  const inner = batch.at(-1) ?? 1;
  const outer = product(batch.slice(0, -1));
  refuseMany(outer);
  const left = broadcastView(ctx.read(a, forward), [...batch, m, k]);
  const right = broadcastView(ctx.read(b, forward), [...batch, k, n]);
  const dst = ctx.write(y, (view) => forward(view) && channelsTogether(view));
  const batchStride = (view: View): number => (batch.length > 0 ? view.strides[batch.length - 1] : 0);
  for (let p = 0; p < outer; p++) {
    const [va, vb, vy] = [left, right, dst].map((view) => matrix(view, p * inner));
    ctx.emit(abi.QS8_MATMUL, abi.MATMUL_STEP_BYTES, {
      [abi.MATMUL_A]: va.at, [abi.MATMUL_B]: vb.at, [abi.MATMUL_DST]: vy.at,
      [abi.MATMUL_BATCH]: inner, [abi.MATMUL_M]: m, [abi.MATMUL_K]: k, [abi.MATMUL_N]: n,
      [abi.MATMUL_A_BATCH]: batchStride(left), [abi.MATMUL_A_ROW]: va.strides[2], [abi.MATMUL_A_COLUMN]: va.strides[3],
      [abi.MATMUL_B_BATCH]: batchStride(right), [abi.MATMUL_B_ROW]: vb.strides[2], [abi.MATMUL_B_COLUMN]: vb.strides[3],
      [abi.MATMUL_DST_BATCH]: batchStride(dst), [abi.MATMUL_DST_ROW]: vy.strides[2],
      [abi.MATMUL_A_ZERO]: qa.zeroPoint, [abi.MATMUL_B_ZERO]: qb.zeroPoint, [abi.MATMUL_DST_ZERO]: to.zeroPoint,
      [abi.MATMUL_SCALE]: { f32: Math.fround(Math.fround(qa.scale * qb.scale) / to.scale) },
      [abi.MATMUL_OUT_I32]: accumulators ? 1 : 0,
    });
  }
}
