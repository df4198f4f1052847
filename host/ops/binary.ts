// Elementwise operations of two operands with NumPy broadcasting and a fused clamp, in float32, int32 and int8.
// In: operands of one dtype. Out: one F32_BINARY, I32_BINARY or QS8_BINARY step. ONNX "Add", …, TFLite ADD, …
// Importers give constants the rank of the other operand, so that transposes can move past. Must not know what the operands mean.

import {
  BINARY_A, BINARY_ADD, BINARY_A_SCALE, BINARY_A_STRIDES, BINARY_A_ZERO, BINARY_B, BINARY_B_SCALE, BINARY_B_STRIDES, BINARY_B_ZERO,
  BINARY_DIMS, BINARY_DIV, BINARY_DST, BINARY_DST_SCALE, BINARY_DST_STRIDES, BINARY_DST_ZERO, BINARY_EQUAL, BINARY_FLOOR_DIV, BINARY_KEEP, BINARY_KIND,
  BINARY_LESS, BINARY_MAX,
  BINARY_MAXIMUM, BINARY_MIN, BINARY_MINIMUM, BINARY_MUL, BINARY_POW, BINARY_PRELU, BINARY_SQUARED_DIFFERENCE, BINARY_STEP_BYTES,
  BINARY_SUB, F32_BINARY, I32_BINARY, QS8_BINARY,
} from '../../assembly/abi.ts';
import { KingletError } from '../error.ts';
import type { Node } from '../graph/graph.ts';
import type { Words } from '../plan/lowering.ts';
import { broadcastView, makeNest } from '../plan/views.ts';
import { allocate, elementCount, numbers, perTensor, sameQuantization, type Tensor, type TensorType } from '../tensor.ts';
import { product } from './axes.ts';
import { onnxBinaryReaders, tfliteBinaryReaders } from './binary-readers.ts';
import { broadcastShape, stretched } from './broadcast.ts';
import type { Op } from './op.ts';
import { forward, operand } from './operand.ts';
import { dequantizeValue, quantizedClamp, quantizeValue, rint, saturate } from './quantized.ts';

/** less and equal give 1 or 0 in the operands' dtype; keep is b where a is not 0, else 0. */
export type BinaryKind = 'add' | 'sub' | 'mul' | 'div' | 'maximum' | 'minimum' | 'pow' | 'prelu' | 'floorDiv' | 'squaredDifference'
  | 'less' | 'equal' | 'keep';
export interface BinaryAttrs {
  readonly kind: BinaryKind;
  /** Real-valued clamp of the result; infinite where there is none. */
  readonly min: number;
  readonly max: number;
}

const kindNumbers: Readonly<Record<BinaryKind, number>> = {
  add: BINARY_ADD, sub: BINARY_SUB, mul: BINARY_MUL, div: BINARY_DIV, maximum: BINARY_MAXIMUM, minimum: BINARY_MINIMUM,
  pow: BINARY_POW, prelu: BINARY_PRELU, floorDiv: BINARY_FLOOR_DIV, squaredDifference: BINARY_SQUARED_DIFFERENCE, less: BINARY_LESS, equal: BINARY_EQUAL, keep: BINARY_KEEP,
};

type Arithmetic = Readonly<Record<BinaryKind, (a: number, b: number) => number>>;

/** Where a kind needs two roundings (floorDiv, squaredDifference) its definition is two float32 operations. */
const real: Arithmetic = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  maximum: (a, b) => Math.max(a, b),
  minimum: (a, b) => Math.min(a, b),
  pow: (a, b) => Math.pow(a, b),
  prelu: (a, b) => (a >= 0 ? a : a * b),
  floorDiv: (a, b) => Math.floor(Math.fround(a / b)),
  squaredDifference: (a, b) => Math.fround(a - b) ** 2,
  less: (a, b) => (a < b ? 1 : 0),
  equal: (a, b) => (a === b ? 1 : 0),
  keep: (a, b) => (a === 0 ? 0 : b),
};

/** Wraps around like 32-bit registers; x/0 is 0. */
const whole: Arithmetic = {
  ...real,
  mul: (a, b) => Math.imul(a, b),
  div: (a, b) => (b === 0 ? 0 : Math.trunc(a / b)),
  pow: wholePower,
  prelu: (a, b) => (a >= 0 ? a : Math.imul(a, b)),
  floorDiv: (a, b) => (b === 0 ? 0 : Math.floor(a / b)),
  squaredDifference: (a, b) => Math.imul(a - b, a - b),
};

function wholePower(base: number, exponent: number): number {
  if (exponent < 0) return base === 1 ? 1 : base === -1 ? (exponent % 2 === 0 ? 1 : -1) : 0;
  let power = 1;
  let square = base;
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = Math.imul(power, square);
    square = Math.imul(square, square);
  }
  return power;
}

/** int8: sums are formed in output units, products on integers, everything else on real values; docs/numerics.md has the rules. */
function quantized(attrs: BinaryAttrs, a: Tensor, b: Tensor, out: TensorType): (x: number, y: number) => number {
  const qa = perTensor(a, 'the first operand');
  const qb = perTensor(b, 'the second operand');
  const qo = perTensor(out, 'the result');
  const [low, high] = quantizedClamp(attrs.min, attrs.max, qo.scale, qo.zeroPoint);
  const { kind } = attrs;
  if (kind === 'add' || kind === 'sub') {
    const fa = Math.fround(qa.scale / qo.scale);
    const fb = Math.fround(qb.scale / qo.scale);
    return (x, y) => {
      const left = Math.fround(Math.fround(x - qa.zeroPoint) * fa);
      const right = Math.fround(Math.fround(y - qb.zeroPoint) * fb);
      return saturate(rint(Math.fround(real[kind](left, right))) + qo.zeroPoint, low, high);
    };
  }
  if (kind === 'mul') {
    const factor = Math.fround(Math.fround(qa.scale * qb.scale) / qo.scale);
    return (x, y) => {
      const units = rint(Math.fround((x - qa.zeroPoint) * (y - qb.zeroPoint) * factor));
      return saturate((Number.isNaN(units) ? 0 : units) + qo.zeroPoint, low, high);
    };
  }
  return (x, y) => {
    const result = Math.fround(real[kind](dequantizeValue(x, qa.scale, qa.zeroPoint), dequantizeValue(y, qb.scale, qb.zeroPoint)));
    return saturate(quantizeValue(result, qo.scale, qo.zeroPoint), low, high);
  };
}

function clampedWhole({ kind, min, max }: BinaryAttrs): (x: number, y: number) => number {
  const [low, high] = wholeClamp(min, max);
  return (x, y) => Math.min(high, Math.max(low, whole[kind](x, y) | 0));
}

/** A real clamp for int32 values: the integers inside it. */
export function wholeClamp(min: number, max: number): [number, number] {
  return [saturate(Math.ceil(min), -(2 ** 31), 2 ** 31 - 1), saturate(Math.floor(max), -(2 ** 31), 2 ** 31 - 1)];
}

/** Operands that permute() can leave alone: a single element stretches the same way under any order of axes. */
function isSingle(type: TensorType, rank: number): boolean {
  return type.shape.length !== rank && product(type.shape) === 1;
}

function kernelWords(node: Node<BinaryAttrs>): { opcode: number; words: Words } {
  const { min, max } = node.attrs;
  const [a, b] = [operand(node.inputs, 0), operand(node.inputs, 1)];
  const out = node.outputs[0];
  if (out.dtype === 'float32') return { opcode: F32_BINARY, words: { [BINARY_MIN]: { f32: min }, [BINARY_MAX]: { f32: max } } };
  if (out.dtype === 'int32') {
    const [low, high] = wholeClamp(min, max);
    return { opcode: I32_BINARY, words: { [BINARY_MIN]: low, [BINARY_MAX]: high } };
  }
  const qa = perTensor(a, 'the first operand');
  const qb = perTensor(b, 'the second operand');
  const qo = perTensor(out, 'the result');
  const [low, high] = quantizedClamp(min, max, qo.scale, qo.zeroPoint);
  return {
    opcode: QS8_BINARY,
    words: {
      [BINARY_MIN]: low, [BINARY_MAX]: high,
      [BINARY_A_SCALE]: { f32: qa.scale }, [BINARY_B_SCALE]: { f32: qb.scale }, [BINARY_DST_SCALE]: { f32: qo.scale },
      [BINARY_A_ZERO]: qa.zeroPoint, [BINARY_B_ZERO]: qb.zeroPoint, [BINARY_DST_ZERO]: qo.zeroPoint,
    },
  };
}

const definition: Op<BinaryAttrs> = {
  kind: 'binary',

  infer(inputs, { kind }) {
    const a = operand(inputs, 0);
    const b = operand(inputs, 1);
    if (a.dtype !== b.dtype) {
      throw new KingletError(a.dtype === 'int8' || b.dtype === 'int8' ? 'ERR_UNSUPPORTED' : 'ERR_MODEL_INVALID', `${kind} of ${a.dtype} and ${b.dtype}`);
    }
    if (a.dtype !== 'float32' && a.dtype !== 'int32' && a.dtype !== 'int8') throw new KingletError('ERR_UNSUPPORTED', `${kind} of ${a.dtype} tensors is not supported`);
    const ordered = (kind === 'maximum' || kind === 'minimum') && sameQuantization(a.quantization, b.quantization);
    return [{ dtype: a.dtype, shape: broadcastShape(a.shape, b.shape), quantization: ordered ? a.quantization : undefined }];
  },

  reference(inputs, attrs, [type]) {
    const [a, b] = [operand(inputs, 0), operand(inputs, 1)];
    const apply = type.dtype === 'int8' ? quantized(attrs, a, b, type)
      : type.dtype === 'int32' ? clampedWhole(attrs)
      : (x: number, y: number) => Math.min(attrs.max, Math.max(attrs.min, real[attrs.kind](x, y)));
    const [left, right] = [stretched(a, type.shape), stretched(b, type.shape)];
    const data = allocate(type.dtype, elementCount(type.shape));
    const target = numbers({ ...type, data });
    for (let i = 0; i < target.length; i++) target[i] = apply(left[i], right[i]);
    return [{ ...type, data }];
  },

  permute(attrs, perm, node) {
    const inputs = [operand(node.inputs, 0), operand(node.inputs, 1)];
    return inputs.every((x) => x.shape.length === perm.length || isSingle(x, perm.length)) ? attrs : undefined;
  },
  permutedInputs: (node) => node.inputs.flatMap((x, i) => (x === null || isSingle(x, node.outputs[0].shape.length) ? [] : [i])),

  lower(node, ctx) {
    const out = node.outputs[0];
    if (product(out.shape) === 0) return;
    const a = broadcastView(ctx.read(operand(node.inputs, 0), forward), out.shape);
    const b = broadcastView(ctx.read(operand(node.inputs, 1), forward), out.shape);
    const dst = ctx.write(out, forward);
    const nest = makeNest([dst, a, b]);
    const { opcode, words } = kernelWords(node);
    ctx.emit(opcode, BINARY_STEP_BYTES, {
      ...words,
      [BINARY_A]: a.at,
      [BINARY_B]: b.at,
      [BINARY_DST]: dst.at,
      [BINARY_KIND]: kindNumbers[node.attrs.kind],
      [BINARY_DIMS]: nest.dims,
      [BINARY_DST_STRIDES]: nest.strides[0],
      [BINARY_A_STRIDES]: nest.strides[1],
      [BINARY_B_STRIDES]: nest.strides[2],
    });
  },
};

/** The readers add nodes of this very op, so they are made after it. */
export const binary: Op<BinaryAttrs> = Object.assign(definition, {
  onnx: onnxBinaryReaders(definition),
  tflite: tfliteBinaryReaders(definition),
});
