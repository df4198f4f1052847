// ONNX Resize (opset 10 on) and Upsample (7, 9): attributes and scales or sizes into resize attributes on NHWC.
// In: the node. Out: a value in the node's own layout. Must not know interpolation: the op is a parameter.
// https://onnx.ai/onnx/operators/onnx__Resize.html

import type { Builder } from '../graph/builder.ts';
import { type Value } from '../graph/graph.ts';
import { toNchw, toNhwc } from '../import/onnx/layout.ts';
import type { OnnxNode } from '../import/onnx/node.ts';
import { elementCount, numbers } from '../tensor.ts';
import type { OnnxReader, Op } from './op.ts';
import { normalizeAxis } from './operand.ts';
import { addPad } from './pad.ts';
import { insideRange, type Coordinates, type Crop, type Nearest, type ResizeAttrs } from './resize-table.ts';

type Rule = Pick<ResizeAttrs, 'mode' | 'coordinates' | 'nearest' | 'cubic'>;
interface Target {
  /** One per axis of the input. */
  readonly sizes: readonly number[];
  readonly scales: readonly number[];
}
/** tf_crop_and_resize: [start, end] per axis of the input, and what lies outside of it. */
interface CropRequest {
  readonly spans: readonly (readonly [number, number])[];
  readonly outside: number;
}
interface Request {
  readonly target: Target;
  readonly rule: Rule;
  readonly crop?: CropRequest | undefined;
}

const coordinateModes: readonly Coordinates[] = ['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric', 'tf_half_pixel_for_nn', 'tf_crop_and_resize'];
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
  const cubic = { a: node.float('cubic_coeff_a', -0.75), excludeOutside: node.int('exclude_outside', 0) !== 0 };
  const outside = node.float('extrapolation_value', 0);
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
    ...(mode === 'cubic' ? { cubic } : {}),
  };
  const axes = node.has('axes') ? node.ints('axes').map((axis) => normalizeAxis(axis, x.shape.length)) : allAxes(x);
  const spans = rule.coordinates === 'tf_crop_and_resize' ? cropSpans(node, x, axes) : undefined;
  return { target: resizeTarget(node, x, axes, spans), rule, crop: spans && { spans, outside } };
}

/** roi: all starts, then all ends. */
function cropSpans(node: OnnxNode, x: Value, axes: readonly number[]): [number, number][] {
  const roi = present(node, 1) ?? node.fail('tf_crop_and_resize without a region');
  if (roi.length !== 2 * axes.length || !roi.every(Number.isFinite)) node.fail(`a region of ${roi.length} numbers for ${axes.length} axes`);
  const spans = x.shape.map((): [number, number] => [0, 1]);
  axes.forEach((axis, i) => { spans[axis] = [roi[i], roi[i + axes.length]]; });
  return spans;
}

function readUpsample(node: OnnxNode): Request {
  const x = node.input(0);
  const scales = node.opset < 9 ? node.floats('scales') : floats(node, 1);
  return { target: fromScales(node, x, scales, allAxes(x)), rule: { mode: interpolation(node), coordinates: 'asymmetric', nearest: 'floor' } };
}

function resizeTarget(node: OnnxNode, x: Value, axes: readonly number[], spans?: CropRequest['spans']): Target {
  const sizes = present(node, 3);
  if (sizes === undefined) return fromScales(node, x, floats(node, 2), axes, spans);
  const policy = node.string('keep_aspect_ratio_policy', 'stretch');
  if (policy !== 'stretch') node.unsupported(`keep_aspect_ratio_policy ${JSON.stringify(policy)} is not supported`);
  if (sizes.length !== axes.length) node.fail(`${sizes.length} sizes for ${axes.length} axes`);
  const all = [...x.shape];
  axes.forEach((axis, i) => { all[axis] = sizes[i]; });
  return { sizes: all, scales: all.map((size, i) => Math.fround(size / x.shape[i])) };
}

function fromScales(node: OnnxNode, x: Value, given: readonly number[], axes: readonly number[], spans?: CropRequest['spans']): Target {
  if (given.length !== axes.length) node.fail(`${given.length} scales for ${axes.length} axes`);
  const scales = x.shape.map(() => 1);
  axes.forEach((axis, i) => { scales[axis] = given[i]; });
  const share = (axis: number): number => (spans === undefined ? 1 : spans[axis][1] - spans[axis][0]);
  return { sizes: x.shape.map((dim, i) => Math.floor(dim * share(i) * scales[i])), scales };
}

/** Channels are axis 1, or the last axis where a converted NHWC model says so. */
function addResize(resize: Op<ResizeAttrs>, node: OnnxNode, b: Builder, request: Request): Value {
  const x = node.input(0);
  const fixed = (axis: number): boolean => request.target.sizes[axis] === x.shape[axis] && (request.crop?.spans[axis] ?? [0, 1]).every((end, i) => end === i);
  if (x.shape.length !== 4 || !fixed(0)) return node.unsupported('only height and width of a 4-D tensor can be resized');
  if (fixed(1)) return toNchw(b, addSpatial(resize, node, b, request, toNhwc(b, x), 2));
  if (!fixed(3)) return node.unsupported('only height and width of a 4-D tensor can be resized');
  return addSpatial(resize, node, b, request, x, 1);
}

/** `axis` is the height in the model's own layout; x is NHWC. */
function addSpatial(resize: Op<ResizeAttrs>, node: OnnxNode, b: Builder, { target, rule, crop }: Request, x: Value, axis: number): Value {
  const { sizes, scales } = target;
  const attrs: ResizeAttrs = { ...rule, size: [sizes[axis], sizes[axis + 1]], scales: [scales[axis], scales[axis + 1]] };
  if (crop === undefined) return b.add(resize, attrs, [x]);
  const [rows, columns] = [crop.spans[axis], crop.spans[axis + 1]];
  const whole = { ...attrs, crop: { start: [rows[0], columns[0]], end: [rows[1], columns[1]], whole: attrs.size, first: [0, 0] } } as const;
  resize.infer([x], whole).forEach((type) => elementCount(type.shape)); // before anything is counted along the sizes
  return addCropped(resize, node, b, x, whole, crop.outside);
}

/** Makes what lies inside of the input and pads it with what lies outside. */
function addCropped(resize: Op<ResizeAttrs>, node: OnnxNode, b: Builder, x: Value, attrs: ResizeAttrs & { crop: Crop }, outside: number): Value {
  const [rows, columns] = ([0, 1] as const).map((axis) => insideRange(attrs, axis, x.shape[axis + 1]));
  if (rows.from === rows.to || columns.from === columns.to) return node.unsupported('a crop outside of the picture is not supported');
  const inside: ResizeAttrs = { ...attrs, size: [rows.to - rows.from, columns.to - columns.from], crop: { ...attrs.crop, first: [rows.from, columns.from] } };
  const pads = [0, rows.from, columns.from, 0, 0, attrs.size[0] - rows.to, attrs.size[1] - columns.to, 0];
  return addPad(b, b.add(resize, inside, [x]), { pads, mode: 'constant', value: outside });
}

function interpolation(node: OnnxNode): ResizeAttrs['mode'] {
  const mode = node.string('mode', 'nearest');
  if (mode === 'nearest' || mode === 'linear' || (mode === 'cubic' && node.opset >= SIZES_OPSET)) return mode;
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
