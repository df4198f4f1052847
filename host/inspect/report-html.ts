// `inspect --html`: the table, memory over time and a graph of one network. In: what is known of a model. Out: one HTML page.
// Must not know files or terminals.

import { graphPicture } from './graph-svg.ts';
import type { Layer, Overview } from './layers.ts';
import { element, type Content, type Markup } from './markup.ts';
import { memorySvg } from './memory-svg.ts';
import type { MemoryMap } from './memory.ts';
import type { Family } from './node-facts.ts';
import { page, tiles } from './page.ts';
import { columnsOf, nameTail, sizesText, times, type Column } from './table.ts';
import { bytesText, engineering } from './ticks.ts';

export interface Report {
  readonly title: string;
  readonly overview: Overview;
  readonly memory: MemoryMap;
}

const familyNames: Readonly<Record<Family, string>> = {
  conv: 'convolution', depthwise: 'depthwise convolution', dense: 'fully connected', pool: 'pooling', join: 'joining and splitting', other: 'other',
};

/** Of the box that is scrolled to (style.ts). */
const ENTRY_WIDTH = 320;

export function reportHtml({ title, overview, memory }: Report): string {
  return page(title,
    element('h1', {}, title),
    element('p', { class: 'lead' }, overview.inputs.map(({ name, dtype, shape }) => `${name}: ${dtype} ${times(sizesText([shape]))}`).join(', ')),
    summary(overview, memory),
    element('h2', {}, 'Layers'),
    element('p', {}, 'As the network was written: normalisation and activations stand with the layer that they follow. ',
      'Memory is the layer\u2019s output; weights leave out biases and normalisation; MACs are multiply-adds of convolutions and matrix products.'),
    legend([...overview.layers, ...memory.blocks].map(({ family }) => family)),
    element('div', { class: 'frame tall' }, table(overview)),
    element('h2', {}, 'Memory over time'),
    element('p', {}, 'Every tensor as a rectangle: how many bytes of the arena it takes, from the step that writes it to the last that reads it. ',
      'Steps are the compiled plan\u2019s, after the optimiser; faint rectangles are scratch.'),
    element('div', { class: 'frame pad' }, element('div', { class: 'wide' }, memorySvg(memory, 1154, 440)), element('div', { class: 'narrow' }, memorySvg(memory, 340, 300))),
    element('h2', {}, 'Graph'),
    element('p', {}, 'Data flows down. Pointing at a box shows all that belongs to the layer.'),
    element('div', { class: 'frame tall pad' }, graph(overview)));
}

/** A graph wider than its frame is first shown where it begins: an invisible box there is what browsers scroll to. */
function graph(overview: Overview): Content {
  const picture = graphPicture(overview);
  if (!picture) return element('p', {}, `${overview.layers.length} layers are too many for a picture.`);
  const spacer = element('svg', { width: Math.max(0, picture.entry - ENTRY_WIDTH / 2), height: 1, 'aria-hidden': 'true' });
  return [element('div', { class: 'entry' }, spacer, element('i')), picture.svg];
}

function summary({ layers, totals }: Overview, memory: MemoryMap): Content {
  return tiles([
    ['Multiply-adds', engineering(totals.macs)],
    ['Parameters', engineering(totals.parameters), `weights ${engineering(totals.weights)}`],
    ['Peak activations', bytesText(memory.peakBytes), `step ${memory.peakStep}: ${nameTail(memory.steps.at(memory.peakStep) ?? '')}`],
    ['Arena', bytesText(memory.arenaBytes), `${(memory.peakBytes === 0 ? 1 : memory.arenaBytes / memory.peakBytes).toFixed(3)} × the peak`],
    ['Layers', String(layers.length), `${memory.steps.length} steps`],
  ]);
}

function legend(families: readonly Family[]): Markup {
  const present = (Object.keys(familyNames) as Family[]).filter((family) => families.includes(family));
  return element('ul', { class: 'legend' }, present.map((family) => element('li', {}, key(family), familyNames[family])));
}

function key(family: Family): Markup {
  return element('span', { class: `key ${family}` });
}

function table({ layers, totals }: Overview): Markup {
  const columns = columnsOf(layers);
  const row = (layer: Layer, i: number): Markup => element('tr', {}, columns.map((column) => cell(column, layer, i)));
  const sums: Readonly<Record<string, string>> = { layer: 'total', 'weights k': thousands(totals.weights / 1e3), 'MACs M': thousands(totals.macs / 1e6) };
  return element('table', {},
    element('thead', {}, element('tr', {}, columns.map(({ title, numeric }) => element('th', { class: numeric ? 'number' : undefined }, title)))),
    element('tbody', {}, layers.map(row)),
    element('tfoot', {}, element('tr', {}, columns.map(({ title, numeric }) => element('td', { class: numeric ? 'number' : undefined }, sums[title] ?? '')))));
}

function cell(column: Column, layer: Layer, i: number): Markup {
  const text = column.cells[i];
  if (column.title === 'layer') return element('td', { title: layer.name }, key(layer.family), text);
  if (column.title === 'op') return element('td', { class: 'op' }, element('b', {}, text.split(',')[0]), text.slice(text.split(',')[0].length));
  if (!column.numeric) return element('td', {}, times(text));
  const value = column.values?.[i];
  return element('td', { class: value === 0 ? 'number zero' : 'number' }, times(text), value === undefined ? [] : bar(value / (column.largest ?? value)));
}

/** How much of the column's largest. */
function bar(share: number): Markup | [] {
  const width = 100 * share;
  if (!(width >= 0.5)) return [];
  return element('svg', { class: 'bar', viewBox: '0 0 100 3', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, element('rect', { x: 100 - width, width, height: 3, rx: 1.5 }));
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
