// The layers whose kernels kinglet-cmd.relaxed leaves out (assembly/compact.ts), through those that stand in for them, in engines with and
// without a byte dot product: int8 as the ops define it, byte for byte; float32 within the tolerance of one kernel.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runReference } from '../../host/backends/reference.ts';
import { Builder } from '../../host/graph/builder.ts';
import type { Graph } from '../../host/graph/graph.ts';
import { noClamp } from '../../host/ops/activation.ts';
import { conv2d } from '../../host/ops/conv2d.ts';
import { encodePlan } from '../../host/plan/encode.ts';
import { lower } from '../../host/plan/lower.ts';
import { quantizeGraph } from '../../host/quantize/quantize-graph.ts';
import { optimiseGraph } from '../../host/compile.ts';
import { noise } from '../../models/random.ts';
import { random, randomInt } from '../random.ts';
import { tolerance } from '../tolerance.ts';
import { engines, programOf, runIn, type Engine } from './engines.ts';

const SEED = 77;
const next = random(SEED);
const folder = mkdtempSync(join(tmpdir(), 'kinglet-wasi-compact-'));
process.on('exit', () => { rmSync(folder, { recursive: true }); });

interface Layer { readonly size: readonly [number, number]; readonly channels: number; readonly kernel: number; readonly strides: readonly [number, number]; readonly groups: 'all' | 1; readonly pad: number }
const int8: Layer[] = [];
for (const strides of [[1, 1], [2, 2], [1, 2], [3, 2]] as const) {
  for (const [size, channels] of [[[7, 9], 8], [[6, 5], 20], [[2, 1], 8]] as const) for (const pad of [0, 1]) if (size[0] > 2 || pad > 0) int8.push({ size, channels, kernel: 3, strides, groups: 'all', pad });
}
const float32: Layer[] = [
  ...([[7, 7], [9, 14], [5, 4]] as const).map((size) => ({ size, channels: 12, kernel: 5, strides: [1, 1] as const, groups: 'all' as const, pad: 2 })),
  ...([[1, 5], [1, 11], [7, 7]] as const).map((size) => ({ size, channels: 9, kernel: 1, strides: [1, 1] as const, groups: 1 as const, pad: 0 })),
];

function graphOf({ size: [height, width], channels, kernel, strides, groups, pad }: Layer): Graph {
  const b = new Builder(), x = b.input('x', { dtype: 'float32', shape: [1, height, width, channels] });
  const w = b.constant(noise(1, [kernel, kernel, groups === 1 ? channels : 1, channels]));
  b.output(b.add(conv2d, { strides, pads: [pad, pad, pad, pad], dilations: [1, 1], groups: groups === 1 ? 1 : channels, ...noClamp }, [x, w, b.constant(noise(2, [channels]))]), 'y');
  return b.graph;
}
/** The engine's answer to `input`, and what the ops define. */
function answers(engine: Engine, graph: Graph, input: Int8Array | Float32Array): [Uint8Array, Uint8Array] {
  const [{ data }] = runReference(graph, [input]);
  writeFileSync(join(folder, 'm.kgl'), encodePlan(lower(graph), { shuffles: 0, layout: 'NHWC' }));
  const { code, out, err } = runIn(engine, programOf('relaxed'), ['run', 'm.kgl', '--input', '-', '--output', '-'], { folder, input: new Uint8Array(input.buffer) });
  assert.equal(code, 0, err);
  return [new Uint8Array(out), new Uint8Array(data.buffer, data.byteOffset, data.byteLength)];
}

for (const engine of engines.filter(({ builds }) => builds.includes('relaxed'))) {
  describe(`kernels that stand in for others in ${engine.name}`, { skip: engine.skip }, () => {
    for (const layer of int8) {
      it(`int8 ${JSON.stringify(layer)} (seed ${SEED})`, async () => {
        const [height, width] = layer.size, count = height * width * layer.channels;
        const { graph } = await quantizeGraph(graphOf(layer), [[noise(3, [count]).data]]);
        const [got, want] = answers(engine, graph, Int8Array.from({ length: count }, () => randomInt(next, 256) - 128));
        assert.deepEqual(got, want);
      });
    }
    for (const layer of float32) {
      it(`float32 ${JSON.stringify(layer)}`, () => {
        const [height, width] = layer.size, { graph } = optimiseGraph({ graph: graphOf(layer), layout: 'NHWC' });
        const [got, want] = answers(engine, graph, noise(4, [height * width * layer.channels]).data).map((bytes) => new Float32Array(bytes.slice().buffer));
        assert.equal(got.length, want.length);
        const largest = want.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
        want.forEach((x, i) => { assert.ok(Math.abs(x - got[i]) <= tolerance.kernel * largest, `element ${i}: ${got[i]}, not ${x}`); });
      });
    }
  });
}
