// The network as a picture: a box per layer, data flowing down. In: an overview. Out: SVG, coloured by classes of the page's style.
// Must not know HTML around it, nor how places are found.

import { placeGraph, type Edge, type Placement, type Point } from './graph-layout.ts';
import type { Layer, Overview } from './layers.ts';
import { element, type Markup } from './markup.ts';
import { clipped, nameTail, opText, outputText, sizesText, times } from './table.ts';
import type { Family } from './node-facts.ts';

const sizes = { nodeWidth: 204, nodeHeight: 42, rowGap: 26, gap: 18 };
const MARGIN = 8;
/** Characters that fit a box in the page's two sizes of type. */
const NAME_CHARS = 24;
const DETAIL_CHARS = 32;

interface Box {
  readonly name: string;
  readonly detail: string;
  readonly family: Family | 'end';
  readonly title: string;
}

export interface GraphPicture {
  readonly svg: Markup;
  /** Pixels from the left border to the middle of the first input. */
  readonly entry: number;
}

/** Null where the network is too large for a picture. */
export function graphPicture(overview: Overview): GraphPicture | null {
  const boxes = boxesOf(overview);
  const placed = placeGraph(boxes.length, edgesOf(overview), sizes);
  if (placed === null || boxes.length === 0) return null;
  const [width, height] = [placed.width + 2 * MARGIN, placed.height + 2 * MARGIN];
  const svg = element('svg', { class: 'network', width, height, viewBox: `${-MARGIN} ${-MARGIN} ${width} ${height}`, role: 'img', 'aria-label': 'Graph of the network' },
    linesOf(placed), boxes.map((box, i) => boxSvg(box, placed.nodes[i])));
  return { svg, entry: placed.nodes[0].x + MARGIN };
}

/** Inputs, then layers, then outputs. */
function boxesOf({ inputs, layers, outputs }: Overview): Box[] {
  return [
    ...inputs.map((input): Box => ({ name: input.name, detail: `input ${sizesText([input.shape])}`, family: 'end', title: input.name })),
    ...layers.map(layerBox),
    ...outputs.map((output): Box => ({ name: output.name, detail: 'output', family: 'end', title: output.name })),
  ];
}

function layerBox(layer: Layer): Box {
  const output = outputText(layer);
  return { name: nameTail(layer.name, NAME_CHARS), detail: `${layer.op} · ${output}`, family: layer.family, title: `${layer.name}\n${opText(layer)}\n${output}` };
}

function edgesOf({ inputs, layers, outputs }: Overview): Edge[] {
  const index = (from: number): number => (from < 0 ? -1 - from : inputs.length + from);
  return [
    ...layers.flatMap((layer, i) => layer.from.map((from) => ({ from: index(from), to: inputs.length + i }))),
    ...outputs.map(({ from }, i) => ({ from: index(from), to: inputs.length + layers.length + i })),
  ];
}

function boxSvg({ name, detail, family, title }: Box, { x, y }: Point): Markup {
  const { nodeWidth: width, nodeHeight: height } = sizes;
  const [left, top] = [x - width / 2, y - height / 2];
  return element('g', { class: `box ${family}` }, element('title', {}, title),
    element('rect', { class: 'card', x: left, y: top, width, height, rx: family === 'end' ? height / 2 : 6 }),
    family === 'end' ? [] : element('rect', { class: 'stripe', x: left + 7, y: top + 8, width: 3.5, height: height - 16, rx: 1.75 }),
    element('text', { class: 'name', x: left + 18, y: y - 3 }, clipped(name, NAME_CHARS)),
    element('text', { class: 'detail', x: left + 18, y: y + 12 }, clipped(times(detail), DETAIL_CHARS)));
}

function linesOf({ lines }: Placement): Markup {
  const round = (value: number): number => Math.round(value * 10) / 10;
  const path = lines.map(({ from, to }) => {
    const middle = round((from.y + to.y) / 2);
    const [x0, y0, x1, y1] = [from.x, from.y, to.x, to.y].map(round);
    return x0 === x1 ? `M${x0} ${y0}V${y1}` : `M${x0} ${y0}C${x0} ${middle} ${x1} ${middle} ${x1} ${y1}`;
  }).join('');
  const ends = new Map(lines.filter((line) => line.enters).map(({ to }) => [`${to.x} ${to.y}`, to]));
  const heads = [...ends.values()].map(({ x, y }) => `M${round(x - 3.5)} ${round(y - 6)}L${round(x)} ${round(y)}L${round(x + 3.5)} ${round(y - 6)}Z`).join('');
  return element('g', {}, element('path', { class: 'line', d: path }), element('path', { class: 'head', d: heads }));
}
