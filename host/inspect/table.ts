// The lecture's table: one row per layer, columns with their units, numbers with as many digits as the column needs.
// In: layers. Out: column titles and cells as text. Must not know terminals, HTML or JSON.

import { elementCount, type Shape } from '../tensor.ts';
import type { Layer } from './layers.ts';

export interface Column {
  readonly title: string;
  /** Numbers are aligned right. */
  readonly numeric: boolean;
  readonly cells: readonly string[];
  /** What the cells round; absent where they are words. */
  readonly values?: readonly number[];
  readonly largest?: number;
}

/** A concatenation of more parts than this says how many they are instead of how large. */
const MAX_PARTS = 4;

/** Columns of the table; a network of no layers has empty columns. */
export function columnsOf(layers: readonly Layer[]): Column[] {
  const text = (title: string, of: (layer: Layer) => string, numeric = false): Column => ({ title, numeric, cells: layers.map(of) });
  const amount = (title: string, of: (layer: Layer) => number): Column => {
    const values = layers.map(of);
    const most = values.reduce((a, b) => Math.max(a, b), 0);
    const digits = decimalsFor(most);
    return { title, numeric: true, cells: values.map((value) => rounded(value, digits)), values, largest: most };
  };
  return [
    text('layer', (layer) => nameTail(layer.name)),
    text('op', opText),
    text('input', inputText),
    text('filters', (layer) => (layer.filters === null ? '' : String(layer.filters)), true),
    text('kernel', kernelText, true),
    text('stride', (layer) => (layer.window ? pairText(layer.window.stride) : ''), true),
    text('pad', (layer) => (layer.window ? padText(layer.window.pad) : ''), true),
    text('output', outputText),
    amount('memory KB', (layer) => layer.memoryKB),
    amount('weights k', (layer) => layer.weights / 1e3),
    amount('MACs M', (layer) => layer.macs / 1e6),
  ];
}

const MAX_NAME = 36;

/** What tells a layer from the others stands at the end of its name; TFLite lists all that was fused into one, the layer first. */
export function nameTail(name: string, length = MAX_NAME): string {
  const own = name.split(';')[0].replace(/^\/+/, '');
  if (own.length <= length) return own;
  const tail = own.slice(3 - length);
  const segment = tail.indexOf('/');
  return `...${segment > 0 && segment < tail.length / 2 ? tail.slice(segment) : tail}`;
}

export function clipped(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

/** 3x3 with the sign that pages have and terminals may lack. */
export function times(text: string): string {
  return text.replaceAll(/(\d)x(?=\d)/g, '$1×');
}

const MAX_WORDS = 3;

/** For example "conv, bn, relu". */
export function opText({ op, groups, then }: Layer): string {
  const more = then.length > MAX_WORDS ? [...then.slice(0, MAX_WORDS), '...'] : then;
  return [op.startsWith('grouped') ? `${op} (${groups})` : op, ...more].join(', ');
}

/** Three digits of the column's largest number. */
function decimalsFor(largest: number): number {
  return largest >= 100 ? 0 : largest >= 10 ? 1 : largest >= 1 ? 2 : 3;
}

/** What would round to 0 although it is not keeps its first digit. */
function rounded(value: number, decimals: number): string {
  const vanishes = value > 0 && value < 0.5 * 10 ** -decimals;
  return vanishes ? String(Number(Math.max(value, 1e-6).toPrecision(1))) : fixed(value, decimals);
}

/** 12345.6 → "12,346". */
export function fixed(value: number, decimals: number): string {
  const [whole, fraction] = value.toFixed(decimals).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** 224x224x3, without a batch of one. Of several tensors the largest, or, where they are parts of a `whole`, all: 28x28x64+128. */
export function sizesText(shapes: readonly Shape[], whole?: Shape): string {
  const [first = []] = shapes;
  if (!whole || shapes.length === 1) return sizeText(largest(shapes));
  if (shapes.length > MAX_PARTS) return `${shapes.length} tensors`;
  const axis = first.findIndex((dim, i) => dim !== whole[i]);
  return axis < 0 ? sizeText(first) : sizeText(first, axis, shapes.map((shape) => shape[axis]).join('+'));
}

export function inputText({ op, inputs, outputs }: Layer): string {
  return sizesText(inputs, op === 'concat' ? outputs[0] : undefined);
}
export function outputText({ op, inputs, outputs }: Layer): string {
  return sizesText(outputs, op === 'split' ? inputs[0] : undefined);
}

export function largest(shapes: readonly Shape[]): Shape {
  return shapes.reduce((most, shape) => (elementCount(shape) > elementCount(most) ? shape : most), shapes[0]);
}

/** `special` stands in the place of axis `at`. */
function sizeText(shape: Shape, at = -1, special = ''): string {
  const dims = shape.map((dim, i) => (i === at ? special : String(dim)));
  const shown = dims.length > 1 && dims[0] === '1' ? dims.slice(1) : dims;
  return shown.length === 0 ? '1' : shown.join('x');
}

function kernelText({ window }: Layer): string {
  if (!window) return '';
  const dilated = window.dilation.some((d) => d !== 1) ? ` /${pairText(window.dilation)}` : '';
  return `${window.kernel.join('x')}${dilated}`;
}

function pairText(values: readonly number[]): string {
  return values.every((value) => value === values[0]) ? String(values[0]) : values.join('x');
}

/** "2", "1x0" where axes differ, "0+1" where the pads before and behind differ. */
function padText(pad: readonly number[]): string {
  const before = pairText(pad.slice(0, pad.length / 2)), behind = pairText(pad.slice(pad.length / 2));
  return before === behind ? before : `${before}+${behind}`;
}
