// The complexity chart: multiply-adds to the right, latency upwards, a circle per network whose area is its number of parameters.
// After Canziani, Culurciello and Paszke, "An Analysis of Deep Neural Network Models for Practical Applications" (2016), whose chart
// has accuracy upwards. In: figures. Out: SVG. Must not know where they come from.

import { placeLabels, type Box, type Circle } from './label-layout.ts';
import { element, type Markup } from './markup.ts';
import { clipped } from './table.ts';
import { engineering, ladder, linearScale, logScale, spaced, type Scale } from './ticks.ts';

export interface Contender {
  readonly name: string;
  readonly parameters: number;
  readonly macs: number;
  /** Median milliseconds of one inference. */
  readonly p50Ms: number;
}
export interface ChartSize {
  readonly width: number;
  readonly height: number;
  /** Circles carry numbers from 1 on instead of names. */
  readonly numbered: boolean;
}

const margin = { left: 58, right: 74, top: 30, bottom: 48 };
/** An axis becomes logarithmic where its largest value is this many times its smallest. */
const LOG_FROM = 8;
const LABEL_HEIGHT = 15;
const CHARACTER_WIDTH = 7.4;
const MAX_LABEL = 26;
const MIN_RADIUS = 4;
const GUIDE_NAME_WIDTH = 76;

interface Axis extends Scale {
  readonly isLog: boolean;
}
interface Frame extends Box {
  readonly x: Axis;
  readonly y: Axis;
  /** Radius of a circle for a number of parameters. */
  readonly radius: (parameters: number) => number;
}

export function chartSvg(contenders: readonly Contender[], { width, height, numbered }: ChartSize): Markup {
  const frame = frameOf(contenders, width, height);
  const names = contenders.map(({ name }, i) => (numbered ? String(i + 1) : clipped(name, MAX_LABEL)));
  const circles = contenders.map((c, i): Circle => ({
    x: frame.x.at(c.macs), y: frame.y.at(c.p50Ms), radius: frame.radius(c.parameters), labelWidth: names[i].length * CHARACTER_WIDTH, labelHeight: LABEL_HEIGHT,
  }));
  const key = sizeKey(contenders, frame);
  const labels = placeLabels(circles, frame, [key.box]);
  // Large circles first: small ones stay visible on top of them.
  const order = circles.map((_, i) => i).sort((a, b) => circles[b].radius - circles[a].radius);
  return element('svg', { class: 'plot', width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': 'Multiply-adds against latency' },
    grid(frame), frame.x.isLog && frame.y.isLog ? guides(contenders, frame) : [], key.markup,
    order.map((i) => circleSvg(contenders[i], circles[i])), order.map((i) => labelSvg(names[i], circles[i], labels[i])));
}

function frameOf(contenders: readonly Contender[], width: number, height: number): Frame {
  const area = { left: margin.left, right: width - margin.right, top: margin.top, bottom: height - margin.bottom };
  const across = axis(contenders.map((c) => c.macs), area.right - area.left), up = axis(contenders.map((c) => c.p50Ms), area.bottom - area.top);
  const largest = Math.max(1, ...contenders.map((c) => c.parameters));
  return {
    ...area, x: { ...across, at: (value) => area.left + across.at(value) }, y: { ...up, at: (value) => area.bottom - up.at(value) },
    radius: (parameters) => Math.max(MIN_RADIUS, Math.min(48, width / 20) * Math.sqrt(parameters / largest)),
  };
}

/** Room beyond the smallest and the largest, so that circles stay inside. */
function axis(values: readonly number[], length: number): Axis {
  const positive = values.filter((value) => value > 0);
  const [smallest, largest] = [Math.min(...positive), Math.max(...positive)];
  if (positive.length === values.length && largest > LOG_FROM * smallest) return { ...logScale(smallest * 0.8, largest * 1.8, length), isLog: true };
  return { ...linearScale(Math.max(Number.MIN_VALUE, ...values) * 1.15, length), isLog: false };
}

function grid({ x, y, left, right, top, bottom }: Frame): Markup[] {
  return [
    ...spaced(x, 46).map((tick) => element('g', {},
      element('line', { class: 'grid', x1: x.at(tick), x2: x.at(tick), y1: top, y2: bottom }),
      element('text', { class: 'tick', x: x.at(tick), y: bottom + 17, 'text-anchor': 'middle' }, engineering(tick)))),
    ...spaced(y, 20).map((tick) => element('g', {},
      element('line', { class: 'grid', x1: left, x2: right, y1: y.at(tick), y2: y.at(tick) }),
      element('text', { class: 'tick', x: left - 8, y: y.at(tick) + 4, 'text-anchor': 'end' }, `${Number(tick.toPrecision(6))}`))),
    element('text', { class: 'axis', x: (left + right) / 2, y: bottom + 38, 'text-anchor': 'middle' }, 'multiply-adds'),
    element('text', { class: 'axis', x: 14, y: (top + bottom) / 2, 'text-anchor': 'middle', transform: `rotate(-90 14 ${(top + bottom) / 2})` }, 'milliseconds'),
  ];
}

/** Equal speed is a straight line where both axes are logarithmic; speeds near the networks' own, named where they leave the chart. */
function guides(contenders: readonly Contender[], { x, y, left, right, top, bottom }: Frame): Markup[] {
  const speeds = contenders.map((c) => c.macs / c.p50Ms / 1e6);
  const [slowest, fastest] = [Math.min(...speeds), Math.max(...speeds)];
  let nextName = Infinity;
  return ladder.filter((speed) => speed > slowest / 2.5 && speed < fastest * 2.5).reverse().flatMap((speed) => {
    const macsAt = (ms: number): number => speed * 1e6 * ms;
    const start = Math.max(x.ticks[0], macsAt(y.ticks[0])), end = Math.min(x.ticks[x.ticks.length - 1], macsAt(y.ticks[y.ticks.length - 1]));
    if (end <= start) return [];
    const [x1, y1, x2, y2] = [x.at(start), y.at(start / macsAt(1)), x.at(end), y.at(end / macsAt(1))];
    const line = element('line', { class: 'guide', x1: Math.max(left, x1), y1: Math.min(bottom, y1), x2: Math.min(right, x2), y2: Math.max(top, y2) });
    const name = `${Number(speed.toPrecision(6))} GMAC/s`;
    if (x2 > right - 1) return [line, element('text', { class: 'guide-name', x: right + 6, y: y2 + 4 }, name)];
    if (x2 > nextName) return [line];
    nextName = x2 - GUIDE_NAME_WIDTH;
    return [line, element('text', { class: 'guide-name', x: x2, y: top - 8, 'text-anchor': 'middle' }, name)];
  });
}

/** Two circles with their numbers of parameters, in the corner where large and fast networks would be. */
function sizeKey(contenders: readonly Contender[], { right, bottom, radius }: Frame): { box: Box; markup: Markup } {
  const largest = Math.max(1, ...contenders.map((c) => c.parameters));
  const high = ladder.findLast((value) => value <= largest) ?? 1;
  const r = radius(high), base = bottom - 12;
  const low = ladder.findLast((value) => radius(value) <= 0.51 * r && value < high) ?? high;
  const x = right - r - 104;
  const circle = (value: number): Markup => {
    const y = base - 2 * radius(value);
    return element('g', {}, element('circle', { cx: x, cy: base - radius(value), r: radius(value) }),
      element('line', { x1: x, x2: x + r + 8, y1: y, y2: y }), element('text', { x: x + r + 12, y: y + 4 }, engineering(value)));
  };
  const text = element('text', { x: x + r + 12, y: base + 4 }, 'parameters');
  return { box: { left: x - r - 8, right, top: base - 2 * r - 12, bottom }, markup: element('g', { class: 'sizes' }, circle(high), low < high ? circle(low) : [], text) };
}

function circleSvg({ name, parameters, macs, p50Ms }: Contender, { x, y, radius }: Circle): Markup {
  const title = `${name}\n${engineering(macs)} multiply-adds, ${p50Ms.toPrecision(3)} ms, ${engineering(parameters)} parameters`;
  return element('g', { class: 'point' }, element('title', {}, title), element('circle', { cx: x, cy: y, r: radius }), element('circle', { class: 'core', cx: x, cy: y, r: 1.8 }));
}

/** A line leads to a label that found no place beside its circle. */
function labelSvg(name: string, { x, y, radius }: Circle, box: Box): Markup {
  const nearest = { x: Math.min(box.right, Math.max(box.left, x)), y: Math.min(box.bottom, Math.max(box.top, y)) };
  const isFar = Math.hypot(nearest.x - x, nearest.y - y) > radius + 9;
  // How wide letters really are is the reader's font's affair: text keeps to the side that looks at its circle.
  const side = box.left >= x ? { x: box.left, 'text-anchor': 'start' } : box.right <= x ? { x: box.right, 'text-anchor': 'end' } : { x: (box.left + box.right) / 2, 'text-anchor': 'middle' };
  return element('g', { class: 'point' }, isFar ? element('line', { class: 'leader', x1: x, y1: y, x2: nearest.x, y2: nearest.y }) : [],
    element('text', { ...side, y: (box.top + box.bottom) / 2 + 4 }, name));
}
