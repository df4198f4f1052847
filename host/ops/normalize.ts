// normalize: (x - mean) / sqrt(variance + epsilon) * factor + offset, mean and variance over some axes of each tensor; float32.
// ONNX InstanceNormalization, GroupNormalization, LayerNormalization, MeanVarianceNormalization differ in the axes alone.
// https://onnx.ai/onnx/operators/onnx__LayerNormalization.html. Must not know the graph around it.

import {
  F32_NORMALIZE, NORMALIZE_DIMS, NORMALIZE_DST, NORMALIZE_DST_STRIDES, NORMALIZE_EPSILON, NORMALIZE_FACTOR, NORMALIZE_FACTOR_STRIDES,
  NORMALIZE_OFFSET, NORMALIZE_REGION, NORMALIZE_REGION_DST_STRIDES, NORMALIZE_REGION_FACTOR_STRIDES, NORMALIZE_REGION_SRC_STRIDES, NORMALIZE_SRC,
  NORMALIZE_SRC_STRIDES, NORMALIZE_STEP_BYTES,
} from '../../assembly/abi.ts';
import { KingletError } from '../error.ts';
import type { Builder } from '../graph/builder.ts';
import type { Value } from '../graph/graph.ts';
import type { OnnxNode } from '../import/onnx/node.ts';
import { isDense, type Lowering, type View } from '../plan/lowering.ts';
import { broadcastView, makeNest, selectAxes } from '../plan/views.ts';
import { denseStrides, elementCount, numbers, sameShape, type Shape, type Tensor, type TensorType } from '../tensor.ts';
import { noClamp } from './activation.ts';
import { normalizeAxes } from './axes.ts';
import { binary, type BinaryKind } from './binary.ts';
import { expand } from './expand.ts';
import type { Op } from './op.ts';
import { emptyTensor, forward, normalizeAxis, operand } from './operand.ts';
import { reduce } from './reduce.ts';
import { reshape } from './reshape.ts';
import { pick } from './strided.ts';
import { unary } from './unary.ts';

/** Inputs: x; factor and offset (either may be missing), of x's rank and of one shape, each dim 1 or as in x. */
export interface NormalizeAttrs {
  /** What mean and variance are taken over: ascending, not negative, each once. */
  readonly axes: readonly number[];
  readonly epsilon: number;
}

/** Since this version the parameters of GroupNormalization are per channel; before, per group. */
const PER_CHANNEL_OPSET = 21;
/** ONNX divides by the standard deviation plus 1e-9. Squared, because here it is added to the variance: it only matters where that is 0. */
const MVN_EPSILON = 1e-18;

export const normalize: Op<NormalizeAttrs> = {
  kind: 'normalize',
  onnx: {
    InstanceNormalization(node, b) {
      node.ignore('consumed_inputs');
      const x = node.input(0);
      if (x.shape.length < 2) return node.fail(`instance normalisation of a tensor of rank ${x.shape.length}`);
      const shape = [1, x.shape[1], ...x.shape.slice(2).map(() => 1)];
      const [factor, offset] = [1, 2].map((i) => b.add(reshape, { shape }, [node.input(i)]));
      return [b.add(normalize, { axes: axesFrom(x, 2), epsilon: node.float('epsilon', 1e-5) }, [x, factor, offset])];
    },
    GroupNormalization: (node, b) => [readGroups(node, b)],
    LayerNormalization: readLayer,
    MeanVarianceNormalization(node, b) {
      const x = node.input(0);
      const axes = normalizeAxes(node.ints('axes', [0, 2, 3]), x.shape.length).sort((p, q) => p - q);
      return [b.add(normalize, { axes, epsilon: MVN_EPSILON }, [x, null, null])];
    },
  },
  infer(inputs, { axes }) {
    const x = operand(inputs, 0);
    const parameters = [inputs[1] ?? null, inputs[2] ?? null].filter((type) => type !== null);
    if ([x, ...parameters].some((type) => type.dtype !== 'float32')) throw new KingletError('ERR_UNSUPPORTED', 'normalisation works on float32');
    if (axes.some((axis, i) => normalizeAxis(axis, x.shape.length) !== axis || (i > 0 && axis <= axes[i - 1]))) {
      throw new KingletError('ERR_MODEL_INVALID', `axes [${axes.join(', ')}] are not ascending axes of shape [${x.shape.join(', ')}]`);
    }
    const fits = ({ shape }: TensorType): boolean => shape.length === x.shape.length
      && shape.every((dim, i) => (dim === 1 || dim === x.shape[i]) && dim === parameters[0].shape[i]);
    const wrong = parameters.find((type) => !fits(type));
    if (wrong) throw new KingletError('ERR_MODEL_INVALID', `parameters of shape [${wrong.shape.join(', ')}] for a tensor of shape [${x.shape.join(', ')}]`);
    return [{ dtype: 'float32', shape: x.shape }];
  },
  reference(inputs, { axes, epsilon }, outputs) {
    const x = operand(inputs, 0);
    const y = emptyTensor(operand(outputs, 0));
    const values = numbers(x);
    const [factor, offset] = [stretched(inputs[1] ?? null, x.shape, 1), stretched(inputs[2] ?? null, x.shape, 0)];
    for (const region of regions(x.shape, axes)) {
      let sum = 0;
      for (const i of region) sum += values[i];
      const mean = sum / region.length;
      let squares = 0;
      for (const i of region) squares += (values[i] - mean) ** 2;
      const deviation = Math.sqrt(squares / region.length + epsilon);
      for (const i of region) y.data[i] = Math.fround(((values[i] - mean) / deviation) * factor[i] + offset[i]);
    }
    return [y];
  },
  permute: (attrs, perm) => ({ ...attrs, axes: attrs.axes.map((axis) => perm.indexOf(axis)).sort((p, q) => p - q) }),
  lower(node, ctx) {
    const x = operand(node.inputs, 0);
    const [, factor = null, offset = null] = node.inputs;
    const shape = (factor ?? offset)?.shape ?? x.shape.map(() => 1);
    const src = ctx.read(x, forward);
    const dst = ctx.write(operand(node.outputs, 0), forward);
    const views = [src, dst, broadcastView(parameterView(ctx, factor, shape, 1), x.shape)];
    const inRegion = x.shape.map((_, i) => node.attrs.axes.includes(i));
    const kept = makeNest(views.map((view) => selectAxes(view, inRegion.map((inside) => !inside))), 4);
    const region = makeNest(views.map((view) => selectAxes(view, inRegion)), 3);
    ctx.emit(F32_NORMALIZE, NORMALIZE_STEP_BYTES, {
      [NORMALIZE_SRC]: src.at,
      [NORMALIZE_DST]: dst.at,
      [NORMALIZE_FACTOR]: views[2].at,
      [NORMALIZE_OFFSET]: parameterView(ctx, offset, shape, 0).at,
      [NORMALIZE_EPSILON]: { f32: node.attrs.epsilon },
      [NORMALIZE_DIMS]: kept.dims,
      [NORMALIZE_SRC_STRIDES]: kept.strides[0],
      [NORMALIZE_DST_STRIDES]: kept.strides[1],
      [NORMALIZE_FACTOR_STRIDES]: kept.strides[2],
      [NORMALIZE_REGION]: region.dims,
      [NORMALIZE_REGION_SRC_STRIDES]: region.strides[0],
      [NORMALIZE_REGION_DST_STRIDES]: region.strides[1],
      [NORMALIZE_REGION_FACTOR_STRIDES]: region.strides[2],
    });
  },
};

/** A dense view of a parameter: factor and offset must have the same strides. */
function parameterView(ctx: Lowering, value: Value | null, shape: Shape, missing: number): View {
  if (value) return ctx.read(value, isDense);
  return { dtype: 'float32', shape, strides: denseStrides(shape), at: ctx.weights(new Float32Array(elementCount(shape)).fill(missing)) };
}

/** A parameter as the reference reads it: one number per element of x. */
function stretched(parameter: Tensor | null, shape: Shape, missing: number): ReturnType<typeof numbers> {
  if (parameter === null) return new Float32Array(elementCount(shape)).fill(missing);
  const strides = denseStrides(parameter.shape).map((stride, i) => (parameter.shape[i] === 1 ? 0 : stride));
  return numbers({ dtype: 'float32', shape, data: pick(parameter, shape, strides) });
}

/** The indices of x, region by region. */
function regions(shape: Shape, axes: readonly number[]): number[][] {
  const strides = denseStrides(shape);
  const kept = shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const found = new Map<number, number[]>();
  for (let i = 0; i < elementCount(shape); i++) {
    const key = kept.reduce((sum, axis) => sum + (Math.floor(i / strides[axis]) % shape[axis]) * strides[axis], 0);
    const region = found.get(key);
    if (region) region.push(i); else found.set(key, [i]);
  }
  return [...found.values()];
}

function axesFrom(x: Value, first: number): number[] {
  return x.shape.map((_, i) => i).slice(first);
}

/** Channels split into groups, an axis each: the region is what lies behind the groups. */
function readGroups(node: OnnxNode, b: Builder): Value {
  node.ignore('stash_type');
  const x = node.input(0);
  const [n, channels, ...spatial] = x.shape;
  const groups = node.int('num_groups');
  if (x.shape.length < 2 || groups < 1 || channels % groups !== 0) return node.fail(`${groups} groups do not divide shape [${x.shape.join(', ')}]`);
  const perChannel = node.opset >= PER_CHANNEL_OPSET;
  const shape = [1, groups, perChannel ? channels / groups : 1, ...spatial.map(() => 1)];
  const [factor, offset] = [1, 2].map((i) => b.add(reshape, { shape }, [node.input(i)]));
  const split = b.add(reshape, { shape: [n, groups, channels / groups, ...spatial] }, [x]);
  const y = b.add(normalize, { axes: axesFrom(split, 2), epsilon: node.float('epsilon', 1e-5) }, [split, factor, offset]);
  return b.add(reshape, { shape: x.shape }, [y]);
}

/** Outputs: y and, on request, the mean and the inverse standard deviation. */
function readLayer(node: OnnxNode, b: Builder): Value[] {
  node.ignore('stash_type');
  const x = node.input(0);
  const axes = axesFrom(x, normalizeAxis(node.int('axis', -1), x.shape.length));
  const epsilon = node.float('epsilon', 1e-5);
  const ranked = (value: Value | null): Value | null => {
    if (value === null) return null;
    if (value.shape.length > x.shape.length) return node.fail(`parameters of rank ${value.shape.length} for a tensor of rank ${x.shape.length}`);
    const whole = x.shape.map((dim, i) => (axes.includes(i) ? dim : 1));
    const alike = b.add(reshape, { shape: [...x.shape.slice(value.shape.length).map(() => 1), ...value.shape] }, [value]);
    return sameShape(alike.shape, whole) ? alike : b.add(expand, { shape: whole }, [alike]);
  };
  const y = b.add(normalize, { axes, epsilon }, [x, ranked(node.input(1)), ranked(node.optional(2))]);
  if (node.outputCount < 2) return [y];
  const combine = (kind: BinaryKind, p: Value, q: Value): Value => b.add(binary, { kind, ...noClamp }, [p, q]);
  const average = (value: Value): Value => b.add(reduce, { kind: 'mean', axes, keepDims: true }, [value]);
  const mean = average(x);
  const variance = average(combine('squaredDifference', x, mean));
  const shifted = combine('add', variance, b.constant({ dtype: 'float32', shape: [], data: Float32Array.of(epsilon) }));
  return [y, mean, b.add(unary, { kind: 'rsqrt', p0: 0, p1: 0 }, [shifted])].slice(0, node.outputCount);
}
