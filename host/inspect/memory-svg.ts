// Memory over time as a picture: steps to the right, bytes of the arena upwards, a rectangle per tensor. In: a memory map.
// Out: SVG, coloured by classes of the page's style. Must not know the HTML around it.

import { element, type Markup } from './markup.ts';
import type { Block, MemoryMap } from './memory.ts';
import { clipped } from './table.ts';
import { bytesText, linearScale, type Scale } from './ticks.ts';

const LEFT = 58, RIGHT = 12, TOP = 34, BOTTOM = 40;
/** A label needs this much room, and a character of it that much. */
const LABEL = { height: 14, padding: 5, perCharacter: 6.2 };
const MIN_LABEL = 6;

interface Frame {
  readonly x: Scale;
  readonly y: Scale;
  /** Plot's lower edge and right edge. */
  readonly bottom: number;
  readonly right: number;
}

/** `width` and `height` in pixels of the page. */
export function memorySvg(map: MemoryMap, width: number, height: number): Markup {
  const steps = Math.max(1, map.steps.length);
  const bottom = height - BOTTOM, right = width - RIGHT;
  const x: Scale = { at: (step) => LEFT + (step / steps) * (right - LEFT), ticks: stepTicks(steps, (right - LEFT) / 46) };
  const bytes = linearScale(Math.max(1, map.arenaBytes), bottom - TOP, 4, true);
  const y: Scale = { at: (value) => bottom - bytes.at(value), ticks: bytes.ticks };
  const frame = { x, y, bottom, right };
  return element('svg', { class: 'plot', width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': 'Memory over time' },
    grid(frame), map.blocks.map((block) => blockSvg(block, frame)), marks(map, frame));
}

function stepTicks(steps: number, wanted: number): number[] {
  const every = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].find((n) => steps / n <= wanted) ?? 5000;
  return Array.from({ length: Math.ceil(steps / every) }, (_, i) => i * every);
}

function grid({ x, y, bottom, right }: Frame): Markup[] {
  const middle = (x.at(1) - x.at(0)) / 2;
  return [
    ...y.ticks.map((tick) => element('g', {},
      element('line', { class: 'grid', x1: LEFT, x2: right, y1: y.at(tick), y2: y.at(tick) }),
      element('text', { class: 'tick', x: LEFT - 8, y: y.at(tick) + 4, 'text-anchor': 'end' }, tick === 0 ? '0' : bytesText(tick)))),
    ...x.ticks.map((tick) => element('text', { class: 'tick', x: x.at(tick) + middle, y: bottom + 16, 'text-anchor': 'middle' }, tick)),
    element('text', { class: 'axis', x: (LEFT + right) / 2, y: bottom + 34, 'text-anchor': 'middle' }, 'step'),
  ];
}

function blockSvg(block: Block, { x, y }: Frame): Markup {
  const [left, right] = [x.at(block.first), x.at(block.last + 1)];
  const [top, bottom] = [y.at(block.offset + block.bytes), y.at(block.offset)];
  const room = Math.floor((right - left - 2 * LABEL.padding) / LABEL.perCharacter);
  const full = block.role === 'scratch' ? 'scratch' : block.name;
  const name = full.length <= room ? full : full.split('/').at(-1) ?? '';
  const hasLabel = bottom - top >= LABEL.height && room >= Math.min(name.length, MIN_LABEL);
  const title = `${block.name}\n${block.role}, ${bytesText(block.bytes)} at ${bytesText(block.offset)}\nsteps ${block.first} to ${block.last}`;
  return element('g', { class: `block ${block.family} ${block.role}` }, element('title', {}, title),
    element('rect', { x: left, y: top, width: Math.max(0.5, right - left), height: Math.max(0.5, bottom - top) }),
    hasLabel ? element('text', { x: left + LABEL.padding, y: Math.min(bottom - 4, (top + bottom) / 2 + 4) }, clipped(name, room)) : []);
}

/** The busiest step and the arena's end. */
function marks(map: MemoryMap, { x, y, bottom, right }: Frame): Markup[] {
  const at = (x.at(map.peakStep) + x.at(map.peakStep + 1)) / 2;
  const end = y.at(map.arenaBytes);
  const isLeft = at > (LEFT + right) / 2;
  return [
    element('line', { class: 'limit', x1: LEFT, x2: right, y1: end, y2: end }),
    element('line', { class: 'peak', x1: at, x2: at, y1: TOP - 12, y2: bottom }),
    element('text', { class: 'peak', x: at + (isLeft ? -6 : 6), y: TOP - 16, 'text-anchor': isLeft ? 'end' : 'start' },
      `peak ${bytesText(map.peakBytes)} at step ${map.peakStep}`),
  ];
}
