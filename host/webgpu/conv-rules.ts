// Convolutions and products on the GPU: which kernel a layer gets, and its weights in that kernel's order. In: units. Out: dispatches.
// Must not know other ops, devices or where regions lie.

import { isConstant, type Constant, type Node, type Value } from '../graph/graph.ts';
import { noClamp } from '../ops/activation.ts';
import { conv2d, type Conv2dAttrs } from '../ops/conv2d.ts';
import { matmul, type MatmulAttrs } from '../ops/matmul.ts';
import { operand } from '../ops/operand.ts';
import { reduce, type ReduceAttrs } from '../ops/reduce.ts';
import { broadcastView } from '../plan/views.ts';
import type { Need, View } from '../plan/lowering.ts';
import { elementCount, numbers } from '../tensor.ts';
import type { Epilogue } from './epilogue.ts';
import type { Unit } from './fuse-units.ts';
import { isPlainPointwise } from './fuse-units.ts';
import { asPixels, pixels, shaped, vectorRead, vectorWrite, type GpuLowering } from './gpu-lowering.ts';
import { rule } from './gpu-rule.ts';
import { convolution, type Convolution } from './kernels/convolution.ts';
import { depthwise } from './kernels/depthwise.ts';
import { grouped } from './kernels/grouped.ts';
import { matrixProducts } from './kernels/matmul.ts';
import { leadLanes, pointwise } from './kernels/pointwise.ts';
import { globalPool, reduceAny } from './kernels/reduce.ts';
import { squeezeExcite, type GateLayer } from './kernels/squeeze-excite.ts';
import { stem, STEM_TAPS } from './kernels/stem.ts';
import { packRows } from './pack-weights.ts';

/** Widest window whose row is written out in a shader's text. */
const UNROLLED_TAPS = 16;
/** Channels up to which a first layer reads them one by one. */
const STEM_CHANNELS = 4;

type UnitOf<A> = Unit & { readonly node: Node<A> };

const convRule = rule(conv2d, {
  blocks: (node) => (isConstant(node.inputs[1]) && (!node.inputs[2] || isConstant(node.inputs[2])) ? undefined : 'weights that are not constant'),
  lower(unit, ctx) {
    const { node } = unit;
    const x = unit.input ?? operand(node.inputs, 0);
    const weights = operand(node.inputs, 1) as Constant;
    const bias = (node.inputs[2] ?? null) as Constant | null;
    const [kh, kw, wic, oc] = weights.shape;
    const { groups } = node.attrs;
    const taps = kh * kw;
    if (isPlainPointwise(node) && wic > STEM_CHANNELS) {
      lowerPointwise(unit, ctx, x, { weights, bias });
      return;
    }
    const isDepthwise = wic === 1 && groups === oc && groups > 1 && kw <= UNROLLED_TAPS;
    const small = groups === 1 && wic <= STEM_CHANNELS && taps * wic <= STEM_TAPS;
    const dense = groups === 1 && wic >= STEM_CHANNELS;
    const [kernel, vectors] = isDepthwise ? [depthwise, false] as const : small ? [stem, false] as const
      : dense ? [convolution, true] as const : [grouped, false] as const;
    const src = ctx.read(x, isDepthwise || (dense && !small) ? vectorRead : undefined);
    const { epilogue, dst } = ends(unit, ctx, node.attrs);
    const packed = ctx.weights(packRows(weights, bias, { lead: 0, vectors }));
    const c: Convolution = { ...node.attrs, kernel: [kh, kw], src, dst, shape: node.outputs[0].shape, weights: packed, epilogue };
    ctx.emit(kernel({ ...c, groups }));
  },
});

/** What is fused behind the sum, and where the result goes. */
function ends(unit: Unit, ctx: GpuLowering, { min, max, activation }: Pick<Conv2dAttrs, 'min' | 'max' | 'activation'>): { epilogue: Epilogue; dst: View } {
  const flat = (value: Value): View => shapedPixels(ctx.read(value, pixels(vectorRead)));
  const { residual, shuffle } = unit;
  const epilogue: Epilogue = {
    clamp: { min, max }, activation: activation ?? unit.activation,
    residual: residual && { view: flat(residual.value), clamp: residual.clamp },
    shuffle: shuffle && { view: flat(shuffle.value), first: shuffle.first },
  };
  return { epilogue, dst: shapedPixels(ctx.write(unit.output, pixels(vectorWrite))) };
}

function shapedPixels(view: View): View {
  const channels = view.shape.at(-1) ?? 1;
  return shaped(view, [elementCount(view.shape) / channels, channels]);
}

/** As vectorRead, but the first channel may lie anywhere: the lanes in front of it meet weights of zero. */
const pointwiseRead: Need = (view) => vectorRead({ ...view, at: { ...view.at, offsetBytes: view.at.offsetBytes - 4 * leadLanes(view) } });

function lowerPointwise(unit: UnitOf<Conv2dAttrs>, ctx: GpuLowering, x: Value, { weights, bias }: { weights: Constant; bias: Constant | null }): void {
  const { strides } = unit.node.attrs;
  const view = ctx.read(x, unit.gate ? vectorRead : pointwiseRead);
  const flat = strides.every((s) => s === 1) ? asPixels(view) : undefined;
  const src = flat && pointwiseRead(flat) ? flat : view;
  const gate = unit.gate && ctx.read(unit.gate, pixels(vectorRead));
  const { epilogue, dst } = ends(unit, ctx, unit.node.attrs);
  const [, oh, ow, columns] = unit.node.outputs[0].shape;
  ctx.emit(pointwise({
    src, dst, columns, strides, size: [oh, ow], epilogue, gate: gate && shapedPixels(gate),
    weights: ctx.weights(packRows(weights, bias, { lead: leadLanes(src), vectors: true })),
  }));
}

const matmulRule = rule(matmul, {
  lower(unit, ctx) {
    const { node } = unit;
    const [a, b, bias = null] = node.inputs;
    if (!a || !b) return;
    const constant = isConstant(b) && (bias === null || isConstant(bias)) && elementCount(b.shape.slice(0, -2)) === 1;
    if (constant) lowerRows(unit, ctx, a, { b, bias });
    else lowerProducts(unit, ctx, { a, b, bias });
  },
});

/** One matrix for all rows: a pointwise convolution. */
function lowerRows(unit: UnitOf<MatmulAttrs>, ctx: GpuLowering, a: Value, { b, bias }: { b: Constant; bias: Constant | null }): void {
  const src = shapedPixels(ctx.read(a, pixels(pointwiseRead)));
  const { epilogue, dst } = ends(unit, ctx, unit.node.attrs);
  const matrix = { ...b, shape: b.shape.slice(-2), data: numbers(b) };
  ctx.emit(pointwise({
    src, dst, columns: dst.shape[1], strides: [1, 1], size: [1, dst.shape[0]], epilogue,
    weights: ctx.weights(packRows(matrix, bias, { lead: leadLanes(src), vectors: true })),
  }));
}

function lowerProducts(unit: UnitOf<MatmulAttrs>, ctx: GpuLowering, { a, b, bias }: { a: Value; b: Value; bias: Value | null }): void {
  const { shape } = unit.output;
  const batch = shape.slice(0, -2);
  ctx.emit(matrixProducts({
    a: broadcastView(ctx.read(a), [...batch, ...a.shape.slice(-2)]),
    b: broadcastView(ctx.read(b), [...batch, ...b.shape.slice(-2)]),
    bias: bias && ctx.read(bias), dst: ctx.write(unit.output), clamp: unit.node.attrs, activation: unit.activation,
  }));
}

/** [N, 1, 1, C] or [N, C] as [N, C]. */
const perImage = (view: View, batch: number): View | undefined => {
  const flat = asPixels(view);
  return flat?.shape[0] === batch ? flat : undefined;
};

const reduceRule = rule(reduce, {
  lower(unit, ctx) {
    const { node, output, squeeze } = unit;
    const x = operand(node.inputs, 0);
    const { kind, axes } = node.attrs;
    const batch = x.shape[0];
    const place: Need = (view) => {
      const flat = perImage(view, batch);
      return flat !== undefined && vectorWrite(flat);
    };
    if (squeeze) {
      const [src, dst] = [ctx.read(x, vectorRead), shapedPixels(ctx.write(output, place))];
      ctx.emit(squeezeExcite(src, dst, gateLayer(squeeze.first, ctx, squeeze.first.attrs.activation), gateLayer(squeeze.second, ctx, squeeze.activation)));
    } else if (x.shape.length === 4 && axes.join() === '1,2') {
      const src = ctx.read(x, vectorRead);
      ctx.emit(globalPool(src, shapedPixels(ctx.write(output, place)), kind));
    } else {
      const src = ctx.read(x);
      ctx.emit(reduceAny(src, withoutAxes(ctx.write(output), node.attrs), kind, axes, ctx.subgroups));
    }
  },
});

function withoutAxes(view: View, { axes, keepDims }: ReduceAttrs): View {
  if (!keepDims) return view;
  const kept = (_: unknown, i: number): boolean => !axes.includes(i);
  return { ...view, shape: view.shape.filter(kept), strides: view.strides.filter(kept) };
}

function gateLayer(node: Node<Conv2dAttrs>, ctx: GpuLowering, activation: GateLayer['activation']): GateLayer {
  const weights = operand(node.inputs, 1) as Constant;
  return {
    weights: ctx.weights(packRows(weights, (node.inputs[2] ?? null) as Constant | null)), columns: weights.shape[3],
    clamp: { ...noClamp, min: node.attrs.min, max: node.attrs.max }, activation,
  };
}

export const convRules = [convRule, matmulRule, reduceRule];
