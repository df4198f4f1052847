// Bars of milliseconds, one group per network and kind of numbers, one bar per thread count. In: results and a width in CSS pixels.
// Out: an SVG element. Colours come from the style sheet. Must not measure.

import { milliseconds, type Measured } from './benchmark-result.ts';

const NS = 'http://www.w3.org/2000/svg';
const BAR = 16;
const GAP = 3;
const TITLE = 20;
const BETWEEN = 16;
/** Room for the number behind the longest bar. */
const VALUE = 92;

export function benchmarkChart(results: readonly Measured[], width: number): SVGSVGElement {
  const titles = [...new Set(results.map(titleOf))];
  const longest = Math.max(...results.map(({ medianMs }) => medianMs), 1e-6);
  const parts: SVGElement[] = [];
  let y = 0;
  for (const title of titles) {
    parts.push(svg('text', { x: 0, y: y + 13, class: 'chart-title' }, title));
    y += TITLE;
    for (const bar of results.filter((result) => titleOf(result) === title)) {
      const length = Math.max(2, (bar.medianMs / longest) * (width - VALUE));
      const tone = `chart-bar tone-${Math.min(4, Math.round(Math.log2(bar.threads)) + 1)}`;
      parts.push(svg('rect', { x: 0, y, width: length, height: BAR, rx: 4, class: tone }));
      parts.push(svg('text', { x: length + 7, y: y + BAR - 4, class: 'chart-value' }, `${milliseconds(bar.medianMs)} ms · ${bar.threads}T`));
      y += BAR + GAP;
    }
    y += BETWEEN;
  }
  const label = `Median milliseconds: ${results.map((r) => `${titleOf(r)} ${r.threads} threads ${milliseconds(r.medianMs)}`).join('; ')}`;
  const height = y - BETWEEN;
  return svg('svg', { viewBox: `0 0 ${width} ${height}`, width, height, role: 'img', 'aria-label': label }, ...parts) as SVGSVGElement;
}

function titleOf({ name, int8 }: Measured): string {
  return `${name} ${int8 ? 'int8' : 'float32'}`;
}

function svg(tag: string, attributes: Readonly<Record<string, string | number>>, ...children: readonly (Node | string)[]): SVGElement {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}
