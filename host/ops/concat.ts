// Concat: joins tensors along an axis; TFLite PACK joins along a new one. In: tensors that agree in all other dims.
// Out: copies of those parts that could not be written in place; int8 parts with other parameters go through a table.
// Must not know who produces the parts.

import { KingletError } from '../error.ts';
import type { Quantization, Tensor, TensorType } from '../tensor.ts';
import { allocate, elementCount, numbers, perTensor, sameQuantization } from '../tensor.ts';
import { sliceView } from '../plan/views.ts';
import type { View } from '../plan/lowering.ts';
import { noClamp, tfliteClamp } from './activation.ts';
import { product } from './axes.ts';
import { emitCopy, emitTable, samePlace } from './copy-step.ts';
import type { Op } from './op.ts';
import { forward, normalizeAxis, operand } from './operand.ts';
import { requantizeValue } from './quantized.ts';
import { reshape, unsqueezed } from './reshape.ts';
import { unary } from './unary.ts';

export interface ConcatAttrs {
  /** 0…rank-1. */
  readonly axis: number;
}

function present<T>(inputs: readonly (T | null)[]): T[] {
  return inputs.map((_, i) => operand(inputs, i));
}

/** Where the parts lie in the whole at `out`. */
function partsOf(out: View, shapes: readonly (readonly number[])[], axis: number): View[] {
  const steps = out.shape.map(() => 1);
  let start = 0;
  return shapes.map((shape) => {
    const part = sliceView(out, out.shape.map((_, i) => (i === axis ? start : 0)), steps, shape);
    start += shape[axis];
    return part;
  });
}

/** int8 parts whose parameters are not the whole's. */
function differs(part: TensorType, whole: TensorType): boolean {
  return part.dtype === 'int8' && !sameQuantization(part.quantization, whole.quantization);
}

function requantization(part: TensorType, whole: TensorType): (q: number) => number {
  if (!differs(part, whole)) return (q) => q;
  const from = perTensor(part, 'a part');
  const to = perTensor(whole, 'the whole');
  return (q) => requantizeValue(q, from, to);
}

/** The parameters that all parts share; none when they differ. */
function shared(parts: readonly TensorType[], axis: number): Quantization | undefined {
  const q = parts[0].quantization;
  if (!parts.every((part) => sameQuantization(part.quantization, q))) return undefined;
  if (q !== undefined && q.scale.length > 1 && q.axis === axis) throw new KingletError('ERR_UNSUPPORTED', 'joining tensors along their channels\' own scales is not supported');
  return q;
}

export const concat: Op<ConcatAttrs> = {
  kind: 'concat',
  moves: true,
  onnx: {
    Concat(node, b) {
      const axis = node.opset < 4 ? node.int('axis', 1) : node.int('axis');
      return [b.add(concat, { axis: normalizeAxis(axis, node.input(0).shape.length) }, [...node.inputs])];
    },
  },
  tflite: {
    CONCATENATION(node, b) {
      const axis = normalizeAxis(node.i32(0, 0), node.input(0).shape.length);
      const { quantization } = node.output(0);
      const { min, max } = tfliteClamp(node, 1);
      const whole = b.add(concat, { axis }, [...node.inputs], { quantization });
      if (min === noClamp.min && max === noClamp.max) return [whole];
      return [b.add(unary, { kind: 'clamp', p0: min, p1: max }, [whole], { quantization })];
    },
    PACK(node, b) {
      const axis = normalizeAxis(node.i32(1, 0), node.input(0).shape.length + 1);
      const parts = present(node.inputs).map((x) => b.add(reshape, { shape: unsqueezed(x.shape, [axis]) }, [x]));
      return [b.add(concat, { axis }, parts, { quantization: node.output(0).quantization })];
    },
  },

  infer(inputs, { axis }) {
    const parts = present(inputs);
    const first = operand(parts, 0);
    normalizeAxis(axis, first.shape.length);
    let length = 0;
    for (const part of parts) {
      const fits = part.dtype === first.dtype && part.shape.length === first.shape.length
        && part.shape.every((dim, i) => i === axis || dim === first.shape[i]);
      if (!fits) {
        throw new KingletError('ERR_MODEL_INVALID', `${part.dtype} [${part.shape.join(', ')}] cannot join ${first.dtype} [${first.shape.join(', ')}] along axis ${axis}`);
      }
      length += part.shape[axis];
    }
    return [{ dtype: first.dtype, shape: first.shape.map((dim, i) => (i === axis ? length : dim)), quantization: shared(parts, axis) }];
  },

  reference(inputs, { axis }, [type]) {
    const parts: Tensor[] = present(inputs);
    const data = allocate(type.dtype, elementCount(type.shape));
    const target = numbers({ ...type, data });
    const outer = product(type.shape.slice(0, axis));
    const inner = product(type.shape.slice(axis + 1));
    let start = 0;
    for (const part of parts) {
      const source = numbers(part);
      const convert = requantization(part, type);
      const run = part.shape[axis] * inner;
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < run; i++) target[(o * type.shape[axis]) * inner + start + i] = convert(source[o * run + i]);
      }
      start += run;
    }
    return [{ ...type, data }];
  },

  permute: ({ axis }, perm) => ({ axis: perm.indexOf(axis) }),

  place(node, out) {
    const parts = present(node.inputs);
    const places = partsOf(out, parts.map((part) => part.shape), node.attrs.axis);
    return places.map((place, i) => (differs(parts[i], node.outputs[0]) ? undefined : place));
  },

  lower(node, ctx) {
    const parts = present(node.inputs);
    const whole = node.outputs[0];
    const sources = parts.map((part) => ctx.read(part, differs(part, whole) ? forward : undefined));
    const places = partsOf(ctx.write(whole, forward), parts.map((part) => part.shape), node.attrs.axis);
    parts.forEach((part, i) => {
      if (differs(part, whole)) {
        const convert = requantization(part, whole);
        emitTable(ctx, places[i], sources[i], Int8Array.from({ length: 256 }, (_, k) => convert(k - 128)));
      } else if (!samePlace(places[i], sources[i])) emitCopy(ctx, places[i], sources[i]);
    });
  },
};
