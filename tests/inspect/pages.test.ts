// Pages: hostile names stay text, nothing is loaded from anywhere, lines and labels lie where they should.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { Builder } from '../../host/graph/builder.ts';
import type { Value } from '../../host/graph/graph.ts';
import { chartHtml } from '../../host/inspect/chart-html.ts';
import { placeGraph, type Edge } from '../../host/inspect/graph-layout.ts';
import { placeLabels, type Box, type Circle } from '../../host/inspect/label-layout.ts';
import { element, escaped } from '../../host/inspect/markup.ts';
import { reportHtml } from '../../host/inspect/report-html.ts';
import { studyGraph, type Study } from '../../host/inspect/study.ts';
import { bytesText, engineering, linearScale, logScale, spaced } from '../../host/inspect/ticks.ts';
import { noClamp } from '../../host/ops/activation.ts';
import { conv2d } from '../../host/ops/conv2d.ts';
import { networks } from '../../models/index.ts';
import { noise, random } from '../../models/random.ts';

const hostile = '</title></style><script>alert(1)</script>"onload=\'x\' & <img src=//evil.example/x>\u202e\u0000';

function studyNetwork(name: string): Study {
  const build = networks.get(name);
  assert.ok(build, name);
  return studyGraph({ graph: build(), layout: 'NHWC' });
}

/** A chain of convolutions all of whose names are hostile. */
function hostileReport(): string {
  const b = new Builder();
  let x: Value = b.input(hostile, { dtype: 'float32', shape: [1, 6, 6, 3] });
  for (let i = 0; i < 3; i++) {
    const attrs = { strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1], groups: 1, ...noClamp } as const;
    x = b.add(conv2d, attrs, [x, b.constant(noise(i + 1, [3, 3, 3, 3])), null], { name: `${hostile}${i}` });
  }
  b.output(x, hostile);
  return reportHtml({ title: hostile, ...studyGraph({ graph: b.graph, layout: 'NHWC' }) });
}

const pages = new Map([
  ['report of hostile names', hostileReport()],
  ['chart of hostile names', chartHtml([1, 2, 3].map((i) => ({ name: hostile, parameters: i * 1e6, macs: i * 1e8, p50Ms: i })), hostile)],
  ['GoogLeNet', reportHtml({ title: 'googlenet', ...studyNetwork('googlenet') })],
]);

for (const [name, html] of pages) {
  test(`${name}: every tag is ours and closed`, () => {
    const allowed = new Set('html head meta title style body main h1 h2 p dl div dt dd small ul li span table thead tbody tfoot tr th td b i footer svg g rect circle line path text'.split(' '));
    const open: string[] = [];
    const withoutStyle = html.replace(/<style>[^]*?<\/style>/, '');
    for (const [, slash, tag, rest] of withoutStyle.matchAll(/<(\/?)([a-zA-Z!][a-z0-9]*)([^>]*)>/g)) {
      if (tag === '!doctype' || tag === 'meta') continue;
      assert.ok(allowed.has(tag), tag);
      const attributes = rest.replace(/"[^"]*"/g, '""');
      assert.ok(!/\s(on[a-z]+|style)\s*=/i.test(attributes), rest);
      if (slash === '') open.push(tag);
      else assert.equal(open.pop(), tag);
    }
    assert.deepEqual(open, []);
    assert.ok(!/[\u0000\u202e]/.test(html));
  });

  test(`${name}: nothing from elsewhere, and a policy that says so`, () => {
    const attributes = [...html.matchAll(/\s(?:src|href|xlink:href|action|data|poster|srcset)="/g)];
    assert.deepEqual(attributes, []);
    assert.ok(!/@import|url\(/.test(html));
    const [, style] = /<style>([^]*?)<\/style>/.exec(html) ?? [];
    const hash = createHash('sha256').update(style).digest('base64');
    assert.ok(html.includes(`default-src &#39;none&#39;; style-src &#39;sha256-${hash}&#39;`));
  });
}

test('markup: text is text, wherever it stands', () => {
  assert.equal(escaped('<a b="c" d=\'e\'>&\u202e'), '&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;\ufffd');
  assert.equal(element('p', { title: '"><b>', class: undefined, width: 1.23456 }, '<', ['a', 1], element('i')).markup, '<p title="&quot;&gt;&lt;b&gt;" width="1.23">&lt;a1<i></i></p>');
});

test('memory: blocks alive together never overlap, and the peak is the largest sum', () => {
  for (const name of ['googlenet', 'mobilenet_v2', 'densenet121']) {
    const { memory } = studyNetwork(name);
    const sums = memory.steps.map((_, step) => memory.blocks.filter((b) => b.first <= step && step <= b.last).reduce((sum, b) => sum + b.bytes, 0));
    assert.equal(Math.max(...sums), memory.peakBytes, name);
    assert.equal(sums[memory.peakStep], memory.peakBytes, name);
    assert.equal(Math.max(...memory.blocks.map((b) => b.offset + b.bytes)) <= memory.arenaBytes, true);
    for (const [i, a] of memory.blocks.entries()) {
      for (const b of memory.blocks.slice(0, i)) {
        const together = a.first <= b.last && b.first <= a.last, apart = a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset;
        assert.ok(!together || apart, `${name}: ${a.name} and ${b.name}`);
      }
    }
    assert.deepEqual([memory.blocks.filter(({ role }) => role === 'input').length, memory.blocks.filter(({ role }) => role === 'output').length], [1, 1]);
  }
});

test('graphs: rows lead down, boxes do not touch, every edge is a chain of lines', () => {
  const sizes = { nodeWidth: 100, nodeHeight: 20, rowGap: 10, gap: 8 };
  for (let seed = 1; seed <= 40; seed++) {
    const next = random(seed);
    const count = 2 + Math.floor(next() * 40);
    const edges: Edge[] = Array.from({ length: count - 1 }, (_, i) => [{ from: Math.floor(next() * (i + 1)), to: i + 1 }, ...(next() < 0.4 ? [{ from: Math.floor(next() * (i + 1)), to: i + 1 }] : [])]).flat();
    const placed = placeGraph(count, edges, sizes);
    assert.ok(placed, `seed ${seed}`);
    const { nodes, lines, width, height } = placed;
    for (const { from, to } of edges) assert.ok(nodes[to].y >= nodes[from].y + 30 - 1e-9, `seed ${seed}`);
    for (const [i, a] of nodes.entries()) {
      assert.ok(a.x >= 50 - 1e-6 && a.x <= width - 50 + 1e-6 && a.y >= 10 - 1e-6 && a.y <= height - 10 + 1e-6, `seed ${seed}`);
      for (const b of nodes.slice(0, i)) assert.ok(a.y !== b.y || Math.abs(a.x - b.x) >= 108 - 1e-6, `seed ${seed}`);
    }
    const key = (x: number, y: number): string => `${x.toFixed(3)} ${y.toFixed(3)}`;
    for (const { from, to } of edges) {
      const reached = new Set([key(nodes[from].x, nodes[from].y + 10)]);
      for (const line of [...lines].sort((a, b) => a.from.y - b.from.y)) if (reached.has(key(line.from.x, line.from.y))) reached.add(key(line.to.x, line.to.y));
      assert.ok(reached.has(key(nodes[to].x, nodes[to].y - 10)), `seed ${seed}: ${from} to ${to}`);
    }
  }
  assert.equal(placeGraph(3001, [], sizes), null);
});

test('labels: none on another, none outside', () => {
  const overlap = (a: Box, b: Box): boolean => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  const bounds = { left: 0, top: 0, right: 1000, bottom: 600 };
  for (let seed = 1; seed <= 30; seed++) {
    const next = random(seed);
    const circles = Array.from({ length: 20 }, (): Circle => ({ x: 100 + next() * 800, y: 60 + next() * 480, radius: 4 + next() * 40, labelWidth: 40 + next() * 120, labelHeight: 15 }));
    const boxes = placeLabels(circles, bounds);
    for (const [i, a] of boxes.entries()) {
      assert.ok(a.left >= 0 && a.top >= 0 && a.right <= 1000 && a.bottom <= 600, `seed ${seed}`);
      for (const b of boxes.slice(0, i)) assert.ok(!overlap(a, b), `seed ${seed}`);
    }
  }
});

test('axes: round numbers that hold all values', () => {
  assert.deepEqual(linearScale(37, 100).ticks, [0, 10, 20, 30, 40]);
  assert.equal(linearScale(37, 100).at(20), 50);
  assert.deepEqual(linearScale(3 * 2 ** 20, 100, 4, true).ticks.map(bytesText), ['0 bytes', '1 MB', '2 MB', '3 MB']);
  const log = logScale(3e6, 4e8, 300);
  assert.deepEqual(log.ticks, [2e6, 5e6, 1e7, 2e7, 5e7, 1e8, 2e8, 5e8]);
  assert.ok(Math.abs(log.at(2e6)) < 1e-9 && Math.abs(log.at(5e8) - 300) < 1e-9);
  assert.deepEqual(spaced(log, 80), [2e6, 1e7, 1e8, 5e8]);
  assert.deepEqual(spaced(log, 100), [1e7, 1e8]);
  assert.deepEqual([1536, 61100840, 0.5, 2e9].map(engineering), ['1.54 k', '61.1 M', '0.5', '2 G']);
});
