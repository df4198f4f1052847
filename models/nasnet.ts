// NASNet-A Mobile (4 @ 1056): two searched cells, each fed by the two cells before it.
// Zoph et al., "Learning Transferable Architectures for Scalable Image Recognition", arXiv 1707.07012, figures 2 and 4, appendix A
// (separable convolutions twice in a row, ReLU before each). In: options. Out: a Graph, without the auxiliary head of training.
// Must not know files.

import type { Graph, Value } from '../host/graph/graph.ts';
import { channelsOf, Network, type NetworkOptions } from './network.ts';

const STEM_FILTERS = 32;
/** Normal cells per stage. */
const CELLS = 4;
/** Filters of a cell in the first stage: the last normal cell joins six times four times as many, 1056. */
const FILTERS = 44;

interface Cell {
  readonly filters: number;
  readonly make: (net: Network, h: Value, p: Value, name: string) => Value;
}

/** Input [batch, 224, 224, 3]; output [batch, classes]. */
export function nasnetMobile(options: NetworkOptions = {}): Graph {
  const net = new Network(options, { size: 224, padding: 'same' });
  let x = net.convNorm(net.input(3), 'conv1', { filters: STEM_FILTERS, kernel: 3, stride: 2, pad: 0 });
  let before: Value | undefined;
  cells().forEach((cell, i) => {
    const name = `cell${i + 1}`;
    const p = before ? fitted(net, before, x, `${name}/before`, cell.filters) : x;
    const h = net.convNorm(net.relu(x), `${name}/input`, { filters: cell.filters });
    [before, x] = [x, cell.make(net, h, p, name)];
  });
  const pooled = net.globalPool(net.relu(x), 'pool');
  return net.finish(net.linear(net.dropout(net.flatten(pooled)), 'fc', net.classes));
}

/** Two reductions with few filters, then three stages of normal cells with a reduction before the second and the third. */
function cells(): Cell[] {
  const normal = (filters: number): Cell[] => Array.from({ length: CELLS }, () => ({ filters, make: normalCell }));
  const reduction = (filters: number): Cell => ({ filters, make: reductionCell });
  return [
    reduction(FILTERS / 4), reduction(FILTERS / 2), ...normal(FILTERS),
    reduction(FILTERS * 2), ...normal(FILTERS * 2),
    reduction(FILTERS * 4), ...normal(FILTERS * 4),
  ];
}

function normalCell(net: Network, h: Value, p: Value, name: string): Value {
  const add = (x: Value, y: Value, part: string): Value => net.add(x, y, `${name}/${part}`);
  const average = (x: Value, part: string): Value => net.averagePool(x, `${name}/${part}`, { kernel: 3, stride: 1 });
  const sep = (x: Value, part: string, kernel: number): Value => separable(net, x, `${name}/${part}`, { filters: channelsOf(h), kernel });
  return net.concat([
    p,
    add(sep(h, 'a1', 5), sep(p, 'a2', 3), 'a'),
    add(sep(p, 'b1', 5), sep(p, 'b2', 3), 'b'),
    add(average(h, 'c1'), p, 'c'),
    add(average(p, 'd1'), average(p, 'd2'), 'd'),
    add(sep(h, 'e1', 3), h, 'e'),
  ], name);
}

function reductionCell(net: Network, h: Value, p: Value, name: string): Value {
  const add = (x: Value, y: Value, part: string): Value => net.add(x, y, `${name}/${part}`);
  const average = (x: Value, part: string, stride: number): Value => net.averagePool(x, `${name}/${part}`, { kernel: 3, stride });
  const largest = (part: string): Value => net.maxPool(h, `${name}/${part}`, { kernel: 3, stride: 2 });
  const sep = (x: Value, part: string, kernel: number, stride: number): Value =>
    separable(net, x, `${name}/${part}`, { filters: channelsOf(h), kernel, stride });
  const a = add(sep(h, 'a1', 5, 2), sep(p, 'a2', 7, 2), 'a');
  const b = add(largest('b1'), sep(p, 'b2', 7, 2), 'b');
  return net.concat([
    b,
    add(average(h, 'c1', 2), sep(p, 'c2', 5, 2), 'c'),
    add(average(a, 'd1', 1), b, 'd'),
    add(sep(a, 'e1', 3, 1), largest('e2'), 'e'),
  ], name);
}

interface Separable {
  readonly filters: number;
  readonly kernel: number;
  readonly stride?: number;
}

/** ReLU, depthwise, pointwise, normalisation; twice, the stride in the first. */
function separable(net: Network, x: Value, name: string, { filters, kernel, stride = 1 }: Separable): Value {
  const once = (y: Value, part: number, s: number): Value => {
    const filtered = net.conv(net.relu(y), `${name}/depthwise${part}`, { kernel, stride: s, depthwise: true });
    return net.convNorm(filtered, `${name}/pointwise${part}`, { filters });
  };
  return once(once(x, 1, stride), 2, 1);
}

/** The cell before the last one in the shape of the last one's picture, with `filters` channels. */
function fitted(net: Network, before: Value, x: Value, name: string, filters: number): Value {
  if (before.shape[1] !== x.shape[1] || before.shape[2] !== x.shape[2]) return halved(net, net.relu(before), name, filters);
  return channelsOf(before) === filters ? before : net.convNorm(net.relu(before), name, { filters });
}

/** Half of the filters see the even pixels, half the odd ones: as if the picture were moved up and left by one, a zero behind. */
function halved(net: Network, x: Value, name: string, filters: number): Value {
  const even = net.conv(x, `${name}/even`, { filters: filters / 2, stride: 2, pad: 0 });
  const odd = net.conv(x, `${name}/odd`, { filters: filters / 2, stride: 2, pad: [-1, -1, 1, 1] });
  return net.batchNorm(net.concat([even, odd], `${name}/join`), name);
}
