// `compare --html`: the complexity chart of several networks and its numbers. In: figures and how they were taken. Out: one HTML page.
// Must not know files, terminals or how to measure.

import { chartSvg, type Contender } from './chart-svg.ts';
import { element, type Markup } from './markup.ts';
import { page } from './page.ts';
import { fixed } from './table.ts';

/** `conditions`: engine, kernels and runs, in a sentence. */
export function chartHtml(contenders: readonly Contender[], conditions: string): string {
  return page('Complexity',
    element('h1', {}, 'Complexity'),
    element('p', { class: 'lead' }, 'Multiply-adds against measured latency; the area of a circle is the number of parameters. ', conditions),
    element('h2', {}, 'Chart'),
    element('div', { class: 'frame pad' }, element('div', { class: 'wide' }, chartSvg(contenders, { width: 1154, height: 640, numbered: false })), element('div', { class: 'narrow' }, chartSvg(contenders, { width: 340, height: 440, numbered: true }))),
    element('h2', {}, 'Numbers'),
    element('div', { class: 'frame' }, table(contenders)));
}

function table(contenders: readonly Contender[]): Markup {
  const columns = ['parameters M', 'MACs M', 'p50 ms', 'inferences / s', 'GMAC / s'];
  const row = (c: Contender): string[] => [fixed(c.parameters / 1e6, 2), fixed(c.macs / 1e6, 1), fixed(c.p50Ms, 3), fixed(1e3 / c.p50Ms, 1), fixed(c.macs / c.p50Ms / 1e6, 1)];
  return element('table', {},
    element('thead', {}, element('tr', {}, element('th', { class: 'number' }, ''), element('th', {}, 'network'), columns.map((title) => element('th', { class: 'number' }, title)))),
    element('tbody', {}, contenders.map((c, i) => element('tr', {}, element('td', { class: 'number zero' }, i + 1), element('td', { class: 'op' }, element('b', {}, c.name)), row(c).map((cell) => element('td', { class: 'number' }, cell))))));
}
