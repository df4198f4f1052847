// ONNX Resize (opset 10 on) and Upsample (7, 9): attributes and scales or sizes into resize attributes on NHWC.
// In: the node. Out: a value in the node's own layout. Must not know interpolation: the op is a parameter.
// https://onnx.ai/onnx/operators/onnx__Resize.html

import type { Builder } from '../graph/builder.ts';
import { type Value } from '../graph/graph.ts';
import { toNchw, toNhwc } from '../import/onnx/layout.ts';
import type { OnnxNode } from '../import/onnx/node.ts';
import { numbers } from '../tensor.ts';
import type { OnnxReader, Op } from './op.ts';
import { normalizeAxis } from './operand.ts';
import type { Coordinates, Nearest, ResizeAttrs } from './resize-table.ts';

type Rule = Pick<ResizeAttrs, 'mode' | 'coordinates' | 'nearest'>;
interface Target {
  /** One per axis of the input. */
  readonly sizes: readonly number[];
  readonly scales: readonly number[];
}
interface Request {
  readonly target: Target;
  readonly rule: Rule;
}

const coordinateModes: readonly Coordinates[] = ['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric', 'tf_half_pixel_for_nn'];
const nearestModes: readonly Nearest[] = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'];

/** Resize before opset 11 knows nothing but scales. */
const SIZES_OPSET = 11;

export function onnxResizeReaders(resize: Op<ResizeAttrs>): Record<string, OnnxReader> {
  return {
    Resize: (node, b) => [addResize(resize, node, b, readResize(node))],
    Upsample: (node, b) => [addResize(resize, node, b, readUpsample(node))],
  };
}

function readResize(node: OnnxNode): Request {
  const x = node.input(0);
  const mode = interpolation(node);
  node.ignore('cubic_coeff_a', 'exclude_outside', 'extrapolation_value');
  if (node.int('antialias', 0) !== 0) node.unsupported('antialiased resizing is not supported');
  if (node.opset < SIZES_OPSET) {
    const target = fromScales(node, x, floats(node, 1), allAxes(x));
    const shrinks = target.scales.some((s) => s < 1);
    return { target, rule: { mode, coordinates: 'asymmetric', nearest: shrinks ? 'ceil' : 'floor' } };
  }
  const rule: Rule = {
    mode,
    coordinates: oneOf(node, 'coordinate_transformation_mode', coordinateModes, 'half_pixel'),
    nearest: oneOf(node, 'nearest_mode', nearestModes, 'round_prefer_floor'),
  };
  const axes = node.has('axes') ? node.ints('axes').map((axis) => normalizeAxis(axis, x.shape.length)) : allAxes(x);
  return { target: resizeTarget(node, x, axes), rule };
}

function readUpsample(node: OnnxNode): Request {
  const x = node.input(0);
  const scales = node.opset < 9 ? node.floats('scales') : floats(node, 1);
  return { target: fromScales(node, x, scales, allAxes(x)), rule: { mode: interpolation(node), coordinates: 'asymmetric', nearest: 'floor' } };
}

function resizeTarget(node: OnnxNode, x: Value, axes: readonly number[]): Target {
  const sizes = present(node, 3);
  if (sizes === undefined) return fromScales(node, x, floats(node, 2), axes);
  const policy = node.string('keep_aspect_ratio_policy', 'stretch');
  if (policy !== 'stretch') node.unsupported(`keep_aspect_ratio_policy ${JSON.stringify(policy)} is not supported`);
  if (sizes.length !== axes.length) node.fail(`${sizes.length} sizes for ${axes.length} axes`);
  const all = [...x.shape];
  axes.forEach((axis, i) => { all[axis] = sizes[i]; });
  return { sizes: all, scales: all.map((size, i) => Math.fround(size / x.shape[i])) };
}

function fromScales(node: OnnxNode, x: Value, given: readonly number[], axes: readonly number[]): Target {
  if (given.length !== axes.length) node.fail(`${given.length} scales for ${axes.length} axes`);
  const scales = x.shape.map(() => 1);
  axes.forEach((axis, i) => { scales[axis] = given[i]; });
  return { sizes: x.shape.map((dim, i) => Math.floor(dim * scales[i])), scales };
}

/** Channels are axis 1, or the last axis where a converted NHWC model says so. */
function addResize(resize: Op<ResizeAttrs>, node: OnnxNode, b: Builder, { target, rule }: Request): Value {
  const x = node.input(0);
  const fixed = (axis: number): boolean => target.sizes[axis] === x.shape[axis];
  if (x.shape.length !== 4 || !fixed(0)) return node.unsupported('only height and width of a 4-D tensor can be resized');
  if (fixed(1)) {
    return toNchw(b, b.add(resize, spatial(target, rule, 2), [toNhwc(b, x)]));
  }
  if (!fixed(3)) return node.unsupported('only height and width of a 4-D tensor can be resized');
  return b.add(resize, spatial(target, rule, 1), [x]);
}

function spatial({ sizes, scales }: Target, rule: Rule, axis: number): ResizeAttrs {
  return { ...rule, size: [sizes[axis], sizes[axis + 1]], scales: [scales[axis], scales[axis + 1]] };
}

function interpolation(node: OnnxNode): 'nearest' | 'linear' {
  const mode = node.string('mode', 'nearest');
  if (mode === 'nearest' || mode === 'linear') return mode;
  if (mode === 'bilinear') return 'linear';
  return node.unsupported(`${JSON.stringify(mode)} interpolation is not supported`);
}

function oneOf<T extends string>(node: OnnxNode, attribute: string, known: readonly T[], fallback: T): T {
  const value = node.string(attribute, fallback);
  return known.find((mode) => mode === value) ?? node.unsupported(`${attribute} ${JSON.stringify(value)} is not supported`);
}

/** The numbers of a constant input; undefined when it is absent or, as old exporters write it, empty. */
function present(node: OnnxNode, index: number): number[] | undefined {
  if (node.optional(index) === null) return undefined;
  const values = Array.from(numbers(node.constant(index)));
  return values.length === 0 ? undefined : values;
}

function floats(node: OnnxNode, index: number): number[] {
  return present(node, index) ?? node.fail(`input ${index} (scales) is missing`);
}

function allAxes(x: Value): number[] {
  return x.shape.map((_, i) => i);
}
