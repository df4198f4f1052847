// Sliding-window arithmetic shared by convolution and pooling: padding rules, output sizes, and the window attributes of a file.
// In: kernel sizes, strides, dilations and a padding rule. Out: four explicit pads and output sizes.
// Must not know any particular op.

import { KingletError } from '../error.ts';
import type { OnnxNode } from '../import/onnx/node.ts';

/** [height, width]. */
export type Pair = readonly [number, number];
/** [top, left, bottom, right]; negative pads crop. */
export type Pads = readonly [number, number, number, number];
export type AutoPad = 'NOTSET' | 'VALID' | 'SAME_UPPER' | 'SAME_LOWER';

export interface Window {
  readonly kernel: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
}
export interface PaddingRule extends Window {
  readonly autoPad: AutoPad;
  /** Used when autoPad is NOTSET. */
  readonly pads: Pads;
}

/** Largest kernel size, stride, dilation or pad of a model: keeps hostile windows from becoming endless loops. */
const MAX_WINDOW = 2 ** 15;

/** Rows (or columns) from the first to the last tap of a window. */
export function windowSpan(kernel: number, dilation: number): number {
  return (kernel - 1) * dilation + 1;
}

/** Explicit pads for a padding rule on an input of known size. */
export function resolvePads(rule: PaddingRule & { readonly input: Pair }): Pads {
  if (rule.autoPad === 'NOTSET') return rule.pads;
  if (rule.autoPad === 'VALID') return [0, 0, 0, 0];
  const lower = rule.autoPad === 'SAME_LOWER';
  const [top, bottom] = samePads(rule, 0, lower);
  const [left, right] = samePads(rule, 1, lower);
  return [top, left, bottom, right];
}

/** Pads along one axis such that the output has ceil(input / stride) elements; the odd one goes after, or before if `lower`. */
function samePads(rule: PaddingRule & { readonly input: Pair }, axis: 0 | 1, lower: boolean): [number, number] {
  const size = Math.ceil(rule.input[axis] / rule.strides[axis]);
  const total = Math.max(0, (size - 1) * rule.strides[axis] + windowSpan(rule.kernel[axis], rule.dilations[axis]) - rule.input[axis]);
  const less = Math.floor(total / 2);
  return lower ? [total - less, less] : [less, total - less];
}

/** TFLite's Padding enum (0 SAME, 1 VALID) as explicit pads. */
export function tfliteSamePads(padding: number, input: Pair, window: Window): Pads {
  if (padding !== 0 && padding !== 1) throw new KingletError('ERR_MODEL_INVALID', `padding ${padding} is neither SAME nor VALID`);
  return resolvePads({ ...window, autoPad: padding === 0 ? 'SAME_UPPER' : 'VALID', pads: [0, 0, 0, 0], input });
}

/** Number of windows along one axis. With `ceilMode` a last window may hang over, unless it would start after the input and its first pad. */
export function outputSize(
  input: number, kernel: number, stride: number, dilation: number, padBefore: number, padAfter: number, ceilMode = false,
): number {
  const room = input + padBefore + padAfter - windowSpan(kernel, dilation);
  if (room < 0) {
    throw new KingletError('ERR_MODEL_INVALID', `a window of ${windowSpan(kernel, dilation)} does not fit ${input} elements padded by ${padBefore} and ${padAfter}`);
  }
  let size = (ceilMode ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
  if (ceilMode && (size - 1) * stride >= input + padBefore) size--;
  return size;
}

/** Checks a window wherever it came from: every op's infer calls this before it trusts the numbers. */
export function checkWindow(window: Window, pads: Pads): void {
  const numbers = [...window.kernel, ...window.strides, ...window.dilations];
  if (!numbers.every((n) => Number.isInteger(n) && n >= 1 && n <= MAX_WINDOW) || !pads.every((p) => Number.isInteger(p) && Math.abs(p) <= MAX_WINDOW)) {
    throw new KingletError('ERR_MODEL_INVALID', `kernel [${window.kernel.join(', ')}], strides [${window.strides.join(', ')}], `
      + `dilations [${window.dilations.join(', ')}] and pads [${pads.join(', ')}] are not a possible window`);
  }
}

/**
 * kernel_shape, strides, dilations, pads and auto_pad of an ONNX node with `axes` spatial axes; a single one counts as the width.
 * `kernel` is what the weights say, null where only the attribute can.
 */
export function onnxWindow(node: OnnxNode, kernel: Pair | null, axes = 2): PaddingRule {
  const shape = kernel !== null && !node.has('kernel_shape') ? kernel : pair(node, 'kernel_shape', axes);
  if (kernel !== null && (shape[0] !== kernel[0] || shape[1] !== kernel[1])) {
    node.fail(`kernel_shape [${shape.join(', ')}] contradicts the weights' [${kernel.join(', ')}]`);
  }
  const rule: PaddingRule = {
    kernel: shape,
    strides: pair(node, 'strides', axes, [1, 1]),
    dilations: pair(node, 'dilations', axes, [1, 1]),
    autoPad: autoPad(node),
    pads: padsOf(node, axes),
  };
  checkWindow(rule, rule.pads);
  return rule;
}

/** Three spatial axes as two windows: `depth` runs along the first one and is 1 wide, `plane` covers the other two. */
export interface VolumeWindow {
  readonly depth: PaddingRule;
  readonly plane: PaddingRule;
}

/** onnxWindow for three spatial axes. */
export function onnxVolumeWindow(node: OnnxNode, kernel: readonly number[] | null): VolumeWindow {
  const shape = kernel !== null && !node.has('kernel_shape') ? kernel : triple(node, 'kernel_shape');
  if (kernel !== null && shape.some((size, axis) => size !== kernel[axis])) {
    node.fail(`kernel_shape [${shape.join(', ')}] contradicts the weights' [${kernel.join(', ')}]`);
  }
  const strides = triple(node, 'strides', [1, 1, 1]);
  const dilations = triple(node, 'dilations', [1, 1, 1]);
  const pads = node.ints('pads', [0, 0, 0, 0, 0, 0]);
  if (pads.length !== 6) node.fail(`pads has ${pads.length} entries instead of 6`);
  const rule = (pick: (values: readonly number[], single: number) => Pair, outer: Pads): PaddingRule => {
    const made = { kernel: pick(shape, 1), strides: pick(strides, 1), dilations: pick(dilations, 1), autoPad: autoPad(node), pads: outer };
    checkWindow(made, made.pads);
    return made;
  };
  return { depth: rule(depthPair, [pads[0], 0, pads[3], 0]), plane: rule(planePair, [pads[1], pads[2], pads[4], pads[5]]) };
}

/** The first of three numbers as a height; `single` is the width. */
export function depthPair(values: readonly number[], single: number): Pair {
  return [values[0], single];
}
export function planePair(values: readonly number[]): Pair {
  return [values[1], values[2]];
}

/** One number per axis of a volume. */
export function triple(node: OnnxNode, attribute: string, fallback?: readonly number[]): number[] {
  const values = node.ints(attribute, fallback);
  return values.length === 3 ? values : node.fail(`${attribute} has ${values.length} entries instead of 3`);
}

function padsOf(node: OnnxNode, axes: number): Pads {
  const pads = node.ints('pads', new Array<number>(2 * axes).fill(0));
  if (pads.length !== 2 * axes) node.fail(`pads has ${pads.length} entries instead of ${2 * axes}`);
  return axes === 1 ? [0, pads[0], 0, pads[1]] : [pads[0], pads[1], pads[2], pads[3]];
}

function autoPad(node: OnnxNode): AutoPad {
  const value = node.string('auto_pad', 'NOTSET');
  if (value === 'NOTSET' || value === 'VALID' || value === 'SAME_UPPER' || value === 'SAME_LOWER') return value;
  return node.fail(`auto_pad ${JSON.stringify(value)} is unknown`);
}

/** [height, width] from an attribute with `axes` entries; the height of a 1-D window is `single`. */
export function pair(node: OnnxNode, attribute: string, axes: number, fallback?: Pair, single = 1): Pair {
  const values = node.ints(attribute, fallback?.slice(2 - axes));
  if (values.length !== axes) return node.fail(`${attribute} has ${values.length} entries instead of ${axes}`);
  return axes === 1 ? [single, values[0]] : [values[0], values[1]];
}
